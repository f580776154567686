//! `anyvpn customer`: a reseller's customers.

use anyvpn::{
    Ability, Advice, CreatedCustomer, Customer as Found, CustomerEnd, Customers, Error, ErrorKind,
    Leftover, LeftoverKind, NewCustomer, Provider, Secret, Status, Timestamp,
};
use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};
use futures_util::TryStreamExt as _;
use serde::Serialize;

use super::account::{Changed, Done, ServiceAnswer, services};
use crate::context::Context;
use crate::failure::Failure;
use crate::secrets::{NewPassword, confirm};
use crate::text::{Column, Value, command_line, listing, plain, table, when};
use crate::work::{ability, with_provider};

fn find(key: &str) -> String {
    command_line(&["customer", "find"], &[key])
}

fn set_password(key: &str) -> String {
    command_line(&["customer", "set-password"], &[key])
}

#[derive(Subcommand)]
#[command(disable_help_subcommand = true)]
#[command(after_help = "\
Examples:
  anyvpn profile add shop            Store your reseller keys first
  anyvpn customer find jo@mail.example")]
pub enum Customer {
    /// Show a customer
    Find(Key),
    /// List all customers
    List,
    /// Create a customer, unless the customer already exists
    #[command(after_help = "\
Examples:
  anyvpn customer create jo@mail.example --country US --plan 12 \\
    --generate-password")]
    Create(Box<Create>),
    /// Set a customer's password
    SetPassword {
        #[command(flatten)]
        key: Key,
        #[command(flatten)]
        password: NewPassword,
    },
    /// Change a customer's plan; the provider may charge you for it
    ChangePlan {
        #[command(flatten)]
        key: Key,
        /// The id of the new plan
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        plan: String,
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// Suspend a customer, who then cannot connect
    Suspend(Key),
    /// Let a suspended customer connect again
    Resume(Key),
    /// Set when a customer's service ends
    #[command(after_help = "\
Examples:
  anyvpn customer end jo@mail.example --at paid-period
  anyvpn customer end jo@mail.example --at 2027-03-31T00:00:00Z")]
    End {
        #[command(flatten)]
        key: Key,
        /// paid-period, next-run (the provider's daily run, usually at midnight), never, or a time
        #[arg(long, value_name = "WHEN", value_parser = end)]
        at: CustomerEnd,
        #[command(flatten)]
        confirmation: Confirmation,
    },
    /// Close a customer's account immediately; this cannot be undone
    Close {
        #[command(flatten)]
        key: Key,
        #[command(flatten)]
        confirmation: Confirmation,
    },
}

#[derive(Args)]
pub struct Key {
    /// The customer's e-mail address or user name, whichever the provider uses
    #[arg(value_name = "CUSTOMER", value_parser = NonEmptyStringValueParser::new())]
    key: String,
}

#[derive(Args)]
pub struct Confirmation {
    /// Skip the confirmation prompt
    #[arg(long)]
    yes: bool,
}

#[derive(Args)]
pub struct Create {
    #[command(flatten)]
    key: Key,
    /// The id of the plan, if the provider has several plans
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    plan: Option<String>,
    /// The country code, such as US, if the provider requires one
    #[arg(long, value_name = "CODE", value_parser = NonEmptyStringValueParser::new())]
    country: Option<String>,
    #[command(flatten)]
    password: NewPassword,
}

impl Customer {
    /// Returns the command that shows what this one has changed.
    pub fn verify_command(&self) -> String {
        let key = match self {
            Self::List => return "anyvpn customer list".to_owned(),
            Self::Find(key) | Self::Suspend(key) | Self::Resume(key) => key,
            Self::Create(args) => &args.key,
            Self::SetPassword { key, .. }
            | Self::ChangePlan { key, .. }
            | Self::End { key, .. }
            | Self::Close { key, .. } => key,
        };
        find(&key.key)
    }
}

/// Parses the end of a customer's service.
fn end(text: &str) -> Result<CustomerEnd, String> {
    match text {
        "paid-period" => Ok(CustomerEnd::PaidPeriod),
        "next-run" => Ok(CustomerEnd::NextRun),
        "never" => Ok(CustomerEnd::Never),
        _ => text.parse::<Timestamp>().map(CustomerEnd::At).map_err(|_| {
            "use paid-period, next-run, never, or a time such as 2027-03-31T00:00:00Z".to_owned()
        }),
    }
}

#[derive(Serialize)]
struct Answer {
    provider: &'static str,
    customer: String,
    id: Option<String>,
    status: String,
    plan: Option<String>,
    expires_at: Option<Timestamp>,
    services: Vec<ServiceAnswer>,
    /// Whether this command created the customer. `false` if it already existed and is unchanged.
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generated_password: Option<Secret>,
}

#[derive(Serialize)]
struct ListAnswer {
    provider: &'static str,
    customers: Vec<Answer>,
}

impl Answer {
    fn of(provider: &dyn Provider, customer: Found) -> Self {
        Self {
            provider: provider.info().name,
            customer: customer.key,
            id: customer.id,
            status: customer.status.to_string(),
            plan: customer.plan,
            expires_at: customer.expires_at,
            services: services(customer.services),
            created: None,
            generated_password: None,
        }
    }

    /// Describes the customer's services, or the plan if there are none.
    fn has(&self) -> String {
        let text = |service: &ServiceAnswer| format!("{}: {}", service.name, service.status);
        let has: Vec<_> = self.services.iter().map(text).collect();
        match (&has[..], &self.plan) {
            ([], Some(plan)) => format!("plan {plan}"),
            ([], None) => "no plan".to_owned(),
            _ => has.join(", "),
        }
    }

    fn text(&self) -> String {
        let mut pairs: Vec<(&str, Value)> = vec![
            ("Customer", self.customer.as_str().into()),
            ("Provider", self.provider.into()),
            ("Status", Value::with_state(&self.status, &self.status)),
        ];
        let password = self.generated_password.as_ref();
        pairs.extend(password.map(|password| ("Password", password.expose().into())));
        pairs.extend(self.id.as_ref().map(|id| ("ID", id.into())));
        pairs.extend(self.plan.as_ref().map(|plan| ("Plan", plan.into())));
        pairs.extend(self.expires_at.map(|time| ("Expires", when(time).into())));
        pairs.extend(
            self.services
                .iter()
                .map(|service| ("Service", Value::with_state(&service.shown(), &service.status))),
        );
        listing(pairs)
    }
}

pub fn run(context: &Context, command: Customer) -> Result<(), Failure> {
    let info = context.provider_with(Ability::Customers)?;
    with_provider(context, info, async |provider| {
        let call = Call {
            context,
            provider,
            customers: ability(context, provider, provider.customers(), Ability::Customers)?,
        };
        call.run(command).await
    })
}

/// A command about customers, with the provider that it runs on.
struct Call<'a> {
    context: &'a Context,
    provider: &'a dyn Provider,
    customers: &'a dyn Customers,
}

impl Call<'_> {
    async fn run(&self, command: Customer) -> Result<(), Failure> {
        match command {
            Customer::Find(Key { key }) => {
                let answer = Answer::of(self.provider, self.find(&key).await?);
                self.context.output.answer(&answer, || answer.text())
            }
            Customer::List => self.list().await,
            Customer::Create(args) => self.create(*args).await,
            Customer::SetPassword { key: Key { key }, password } => {
                let chosen = password.choose("New password of the customer:")?;
                let set = self.customers.set_customer_password(&key, chosen.password.clone());
                set.await.map_err(password_refused)?;
                let again = set_password(&key);
                let provider = self.provider.info().name;
                Changed { provider, customer: Some(&key), password: chosen, again }
                    .print(self.context)
            }
            Customer::ChangePlan { key: Key { key }, plan, confirmation } => {
                let change = self.part(self.customers.plan_change(), Ability::ChangePlan)?;
                self.check_plan(&plan)?;
                let question =
                    |has: &str| format!("Change the plan of {key} (now {has}) to {plan}?");
                self.confirm(&key, &confirmation, question).await?;
                change.change_plan(&key, &plan).await?;
                self.done("change-plan", &key, &format!("{key} now has plan {plan}."))
            }
            Customer::Suspend(Key { key }) => {
                let suspension =
                    self.part(self.customers.customer_suspension(), Ability::SuspendCustomers)?;
                suspension.suspend_customer(&key).await?;
                self.done("suspend", &key, &format!("{key} is suspended."))
            }
            Customer::Resume(Key { key }) => {
                let suspension =
                    self.part(self.customers.customer_suspension(), Ability::SuspendCustomers)?;
                suspension.resume_customer(&key).await?;
                self.done("resume", &key, &format!("{key} can connect again."))
            }
            Customer::End { key: Key { key }, at, confirmation } => {
                let ending = self.part(self.customers.customer_end(), Ability::EndCustomers)?;
                let time = match at {
                    CustomerEnd::PaidPeriod => "ends with the paid period".to_owned(),
                    CustomerEnd::At(time) => format!("ends on {}", when(time)),
                    CustomerEnd::Never => "has no end date".to_owned(),
                    _ => "ends at the provider's next daily run".to_owned(),
                };
                let question = |has: &str| {
                    format!("Change the service of {key} (now {has}), so that it {time}?")
                };
                self.confirm(&key, &confirmation, question).await?;
                ending.end_customer(&key, at).await?;
                self.done("end", &key, &format!("The service of {key} {time}."))
            }
            Customer::Close { key: Key { key }, confirmation } => {
                let question = |has: &str| {
                    format!("Close the account of {key} (now {has})? This cannot be undone.")
                };
                self.confirm(&key, &confirmation, question).await?;
                self.customers.close_customer(&key).await?;
                self.done("close", &key, &format!("The account of {key} is closed."))
            }
        }
    }

    fn part<'a, T: ?Sized>(&self, part: Option<&'a T>, which: Ability) -> Result<&'a T, Failure> {
        ability(self.context, self.provider, part, which)
    }

    async fn find(&self, key: &str) -> Result<Found, Failure> {
        self.customers.find_customer(key).await?.ok_or_else(|| {
            let title = self.provider.info().title;
            Failure::not_found(format!("{title} has no customer {key:?}"))
                .hint("check the spelling, or create the customer: anyvpn customer create")
        })
    }

    /// Asks for confirmation. The question shows what the customer has.
    async fn confirm(
        &self,
        key: &str,
        confirmation: &Confirmation,
        question: impl Fn(&str) -> String,
    ) -> Result<(), Failure> {
        if confirmation.yes {
            return Ok(());
        }
        let has = Answer::of(self.provider, self.find(key).await?).has();
        confirm(&plain(&question(&has)), "--yes")
    }

    async fn list(&self) -> Result<(), Failure> {
        let list = self.part(self.customers.customer_list(), Ability::ListCustomers)?;
        let customers: Vec<Found> = list.list_customers().try_collect().await?;
        let of = |customer| Answer::of(self.provider, customer);
        let customers = customers.into_iter().map(of).collect();
        let answer = ListAnswer { provider: self.provider.info().name, customers };
        self.context.output.answer(&answer, || {
            if answer.customers.is_empty() {
                return "There are no customers.".to_owned();
            }
            let row = |answer: &Answer| {
                let until = answer.expires_at.map(when).unwrap_or_default();
                vec![answer.customer.clone(), answer.status.clone(), answer.has(), until]
            };
            let columns = [
                Column::Text("CUSTOMER"),
                Column::State("STATUS"),
                Column::Text("SERVICES"),
                Column::Text("EXPIRES"),
            ];
            table(&columns, answer.customers.iter().map(row).collect())
        })
    }

    /// Fails if the provider has no such plan, before anything is asked or sent.
    fn check_plan(&self, wanted: &str) -> Result<(), Failure> {
        let plans = self.customers.plans();
        if plans.is_empty() || plans.iter().any(|plan| plan.id == wanted) {
            return Ok(());
        }
        let known: Vec<_> = plans.iter().map(|plan| plan.id).collect();
        Err(Failure::usage(format!("{} has no plan {wanted:?}", self.provider.info().title))
            .hint(format!("choose one of {}", known.join(", "))))
    }

    async fn create(&self, args: Create) -> Result<(), Failure> {
        let Create { key: Key { key }, plan, country, password } = args;
        if let Some(plan) = &plan {
            self.check_plan(plan)?;
        }
        let chosen = password.choose("Password of the customer:")?;
        let mut new = NewCustomer::new(&key, chosen.password.clone());
        new.plan.clone_from(&plan);
        new.country = country;
        let created = match self.customers.create_customer(new).await {
            Ok(created) => created,
            Err(error) => return Err(not_created(error, &key, chosen.generated)),
        };
        let is_new = match &created {
            CreatedCustomer::Created(_) => true,
            CreatedCustomer::Existed(found) => {
                self.check_has(found, plan.as_deref())?;
                false
            }
            // The reply was lost, and the customer was found afterwards.
            _ => return Err(self.maybe_created_by_another(&key)),
        };
        let mut answer = Answer::of(self.provider, created.customer().clone());
        answer.created = Some(is_new);
        answer.generated_password = chosen.to_show().filter(|_| is_new);
        let text = || {
            let said = match is_new {
                true => "created",
                false => "already exists; nothing was changed",
            };
            format!("Customer {} {said}.\n{}", plain(&answer.customer), answer.text())
        };
        let print = || self.context.output.answer(&answer, text);
        if !is_new {
            return print();
        }
        let again = format!("set another password: {}", set_password(&key));
        let done = format!("{key} was created with a generated password that could not be shown");
        chosen.print_with(print, &done, again)
    }

    /// Fails if an existing customer does not have the wanted plan.
    fn check_has(&self, found: &Found, wanted: Option<&str>) -> Result<(), Failure> {
        let Some(wanted) = wanted.filter(|wanted| found.plan.as_deref() != Some(wanted)) else {
            return Ok(());
        };
        let is_active = |service: &anyvpn::Service| service.status == Status::Active;
        let is_unknown = found.plan.is_none() && found.services.iter().any(is_active);
        let has = Answer::of(self.provider, found.clone()).has();
        let key = &found.key;
        let plans = self.customers.plans();
        let title = plans.iter().find(|plan| plan.id == wanted).map_or(wanted, |plan| plan.title);
        let detail = match is_unknown {
            true => format!(
                "{key} has {has}, and the provider does not say whether that is {title}; nothing was \
                 changed"
            ),
            false => format!("{key} has {has} instead of {title}; nothing was changed"),
        };
        let error = Error::new(ErrorKind::AlreadyExists).with_detail(detail);
        Err(Failure::from(error).hint("to change the plan: anyvpn customer change-plan"))
    }

    /// Returns the failure for a customer that exists after a lost reply. Another program may have
    /// created it, with another password.
    fn maybe_created_by_another(&self, key: &str) -> Failure {
        let detail = format!(
            "{key} exists, but the reply was lost: this call may have created it, or another program \
             with another password"
        );
        let leftover = Leftover::new(LeftoverKind::Customer, key);
        let error = Error::new(ErrorKind::Ambiguous).with_detail(detail).with_leftover(leftover);
        Failure::from(error).hint(format!(
            "check: {}; only if no other program can have created it: {}",
            find(key),
            set_password(key)
        ))
    }

    fn done(&self, done: &'static str, customer: &str, text: &str) -> Result<(), Failure> {
        let provider = self.provider.info().name;
        Done { provider, done, customer: Some(customer), generated_password: None }
            .print(self.context, text)
    }
}

fn password_refused(error: Error) -> Failure {
    let is_password = error.fields().keys().any(|field| field.contains("password"));
    let failure = Failure::from(error);
    match is_password {
        true => failure.hint("choose another password, or use --generate-password"),
        false => failure,
    }
}

fn not_created(error: Error, key: &str, generated: bool) -> Failure {
    if error.advice() == Advice::ReadBack && generated {
        return Failure::from(error).hint(format!(
            "it may have been done: {}; if so, the password is lost; set another: {}",
            find(key),
            set_password(key)
        ));
    }
    let option = ["country", "plan"].into_iter().find(|key| error.fields().contains_key(*key));
    match option {
        Some(option) => Failure::from(error).hint(format!("add --{option}, or correct it")),
        None => password_refused(error),
    }
}
