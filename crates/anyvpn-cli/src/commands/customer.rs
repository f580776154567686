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
pub enum Customer {
    /// Show a customer
    Find(Key),
    /// List the customers
    List,
    /// Make sure that a customer exists, without creating one twice
    #[command(after_help = "\
Examples:
  anyvpn customer create jo@mail.example --country US --plan 12 \\
    --generate-password")]
    Create(Box<Create>),
    /// Give a customer another password
    SetPassword {
        #[command(flatten)]
        key: Key,
        #[command(flatten)]
        password: NewPassword,
    },
    /// Give a customer another plan, or a first one; costs what the provider charges
    ChangePlan {
        #[command(flatten)]
        key: Key,
        /// The plan
        #[arg(value_parser = NonEmptyStringValueParser::new())]
        plan: String,
        #[command(flatten)]
        sure: Sure,
    },
    /// Suspend a customer, who can no longer connect
    Suspend(Key),
    /// End a suspension
    Resume(Key),
    /// Say when a customer's service ends
    #[command(after_help = "\
Examples:
  anyvpn customer end jo@mail.example --at paid-period
  anyvpn customer end jo@mail.example --at 2027-03-31T00:00:00Z")]
    End {
        #[command(flatten)]
        key: Key,
        /// paid-period, next-run (the provider's, as a rule at midnight), never, or a time
        #[arg(long, value_name = "WHEN", value_parser = end)]
        at: CustomerEnd,
        #[command(flatten)]
        sure: Sure,
    },
    /// Close a customer's account, at once and for good
    Close {
        #[command(flatten)]
        key: Key,
        #[command(flatten)]
        sure: Sure,
    },
}

#[derive(Args)]
pub struct Key {
    /// The customer's e-mail address or user name, as the provider has it
    #[arg(value_name = "CUSTOMER", value_parser = NonEmptyStringValueParser::new())]
    key: String,
}

#[derive(Args)]
pub struct Sure {
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

#[derive(Args)]
pub struct Create {
    #[command(flatten)]
    key: Key,
    /// The plan, where the provider has several
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    plan: Option<String>,
    /// The country, such as US, where the provider needs it
    #[arg(long, value_name = "CODE", value_parser = NonEmptyStringValueParser::new())]
    country: Option<String>,
    #[command(flatten)]
    password: NewPassword,
}

impl Customer {
    /// The command that shows what this one has changed.
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

/// When a customer's service ends, as it is typed.
fn end(text: &str) -> Result<CustomerEnd, String> {
    match text {
        "paid-period" => Ok(CustomerEnd::PaidPeriod),
        "next-run" => Ok(CustomerEnd::NextRun),
        "never" => Ok(CustomerEnd::Never),
        _ => text.parse::<Timestamp>().map(CustomerEnd::At).map_err(|_| {
            "must be paid-period, next-run, never, or a time such as 2027-03-31T00:00:00Z"
                .to_owned()
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
    /// Whether it was created now; else it was there already, and nothing was changed.
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

    /// What the customer has, in words.
    fn has(&self) -> String {
        let service = |it: &ServiceAnswer| format!("{}: {}", it.name, it.status);
        let has: Vec<_> = self.services.iter().map(service).collect();
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
        pairs.extend(self.id.as_ref().map(|id| ("Id", id.into())));
        pairs.extend(self.plan.as_ref().map(|plan| ("Plan", plan.into())));
        pairs.extend(self.expires_at.map(|time| ("Until", when(time).into())));
        pairs.extend(
            self.services.iter().map(|it| ("Service", Value::with_state(&it.shown(), &it.status))),
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

/// One command about customers.
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
                let chosen = password.choose("The customer's new password:")?;
                let set = self.customers.set_customer_password(&key, chosen.password.clone());
                set.await.map_err(password_refused)?;
                let again = set_password(&key);
                let provider = self.provider.info().name;
                Changed { provider, customer: Some(&key), password: chosen, again }
                    .tell(self.context)
            }
            Customer::ChangePlan { key: Key { key }, plan, sure } => {
                let change = self.part(self.customers.plan_change(), Ability::ChangePlan)?;
                self.check_plan(&plan)?;
                let question =
                    |has: &str| format!("Change the plan of {key}, who has {has}, to {plan}?");
                self.confirm(&key, &sure, question).await?;
                change.change_plan(&key, &plan).await?;
                self.done("change-plan", &key, &format!("{key} has the plan {plan} now."))
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
            Customer::End { key: Key { key }, at, sure } => {
                let ending = self.part(self.customers.customer_end(), Ability::EndCustomers)?;
                let time = match at {
                    CustomerEnd::PaidPeriod => "when the paid period ends".to_owned(),
                    CustomerEnd::At(time) => format!("on {}", when(time)),
                    CustomerEnd::Never => "only when it is closed".to_owned(),
                    _ => "at the provider's next daily run".to_owned(),
                };
                let question =
                    |has: &str| format!("End the service of {key}, who has {has}, {time}?");
                self.confirm(&key, &sure, question).await?;
                ending.end_customer(&key, at).await?;
                self.done("end", &key, &format!("The service of {key} ends {time}."))
            }
            Customer::Close { key: Key { key }, sure } => {
                let question =
                    |has: &str| format!("Close {key}, who has {has}, at once and for good?");
                self.confirm(&key, &sure, question).await?;
                self.customers.close_customer(&key).await?;
                self.done("close", &key, &format!("{key} is closed."))
            }
        }
    }

    fn part<'a, T: ?Sized>(&self, part: Option<&'a T>, which: Ability) -> Result<&'a T, Failure> {
        ability(self.context, self.provider, part, which)
    }

    async fn find(&self, key: &str) -> Result<Found, Failure> {
        self.customers.find_customer(key).await?.ok_or_else(|| {
            let title = self.provider.info().title;
            Failure::not_found(format!("{title} knows no customer {key:?}"))
                .hint("check the spelling; anyvpn customer create makes one")
        })
    }

    /// Asks whether it is meant, with what the customer has.
    async fn confirm(
        &self,
        key: &str,
        sure: &Sure,
        question: impl Fn(&str) -> String,
    ) -> Result<(), Failure> {
        if sure.yes {
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
            let row = |it: &Answer| {
                let until = it.expires_at.map(when).unwrap_or_default();
                vec![it.customer.clone(), it.status.clone(), it.has(), until]
            };
            let columns = [
                Column::Text("CUSTOMER"),
                Column::State("STATUS"),
                Column::Text("HAS"),
                Column::Text("UNTIL"),
            ];
            table(&columns, answer.customers.iter().map(row).collect())
        })
    }

    /// Refuses a plan that the provider does not have, before anything is asked or sent.
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
        let chosen = password.choose("The customer's password:")?;
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
            // Found after doubt: perhaps by this call, perhaps by somebody else.
            _ => return Err(self.whose_is_unknown(&key)),
        };
        let mut answer = Answer::of(self.provider, created.customer().clone());
        answer.created = Some(is_new);
        answer.generated_password = chosen.to_show().filter(|_| is_new);
        let text = || {
            let said = match is_new {
                true => "is created",
                false => "exists already; nothing was changed",
            };
            format!("{} {said}.\n{}", plain(&answer.customer), answer.text())
        };
        let print = || self.context.output.answer(&answer, text);
        if !is_new {
            return print();
        }
        let again = format!("set another: {}", set_password(&key));
        let done = format!("{key} was created with a password that nobody knows");
        chosen.print_with(print, &done, again)
    }

    /// Refuses a customer who exists without the wanted plan.
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
                "{key} exists already with {has}; whether that is {title} is not known; nothing was \
                 changed"
            ),
            false => format!(
                "{key} exists already with {has}, and not with {title}; nothing was changed"
            ),
        };
        let error = Error::new(ErrorKind::AlreadyExists).with_detail(detail);
        Err(Failure::from(error).hint("anyvpn customer change-plan changes the plan"))
    }

    /// The customer exists, and may be somebody else's.
    fn whose_is_unknown(&self, key: &str) -> Failure {
        let detail = format!(
            "{key} exists, and the reply to its creation was lost: this call or another one may have \
             created it, with another password"
        );
        let leftover = Leftover::new(LeftoverKind::Customer, key);
        let error = Error::new(ErrorKind::Ambiguous).with_detail(detail).with_leftover(leftover);
        Failure::from(error).hint(format!(
            "see: {}; only if nobody else can have created it: {}",
            find(key),
            set_password(key)
        ))
    }

    fn done(&self, done: &'static str, customer: &str, text: &str) -> Result<(), Failure> {
        let provider = self.provider.info().name;
        Done { provider, done, customer: Some(customer), generated_password: None }
            .tell(self.context, text)
    }
}

fn password_refused(error: Error) -> Failure {
    let is_password = error.fields().keys().any(|field| field.contains("password"));
    let failure = Failure::from(error);
    match is_password {
        true => failure.hint("choose another, or let it be made: --generate-password"),
        false => failure,
    }
}

fn not_created(error: Error, key: &str, generated: bool) -> Failure {
    if error.advice() == Advice::ReadBack && generated {
        return Failure::from(error).hint(format!(
            "it may have been done: see: {}; if so, the password is lost, and {} sets another",
            find(key),
            set_password(key)
        ));
    }
    let option = ["country", "plan"].into_iter().find(|it| error.fields().contains_key(*it));
    match option {
        Some(option) => Failure::from(error).hint(format!("give --{option}, or correct it")),
        None => password_refused(error),
    }
}
