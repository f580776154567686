//! `anyvpn account`

use anyvpn::vpngn::ProductType;
use anyvpn::{Account as Found, NewAccount, Provider, ProviderName, Secret, Service, Timestamp};
use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use super::product::months;
use super::{ability, customer, with_profile, with_vpngn};
use crate::advice::sign_in;
use crate::args::Customer;
use crate::context::Context;
use crate::failure::Failure;
use crate::secrets::{NewPassword, PasswordSource, confirm};
use crate::text::{Value, listing, plain, when};

#[derive(Args)]
#[command(disable_help_subcommand = true)]
pub struct Account {
    #[command(flatten)]
    customer: Customer,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Show the account and what it has
    Show,
    /// Create an account; at VPNGN, make sure that the customer exists
    #[command(after_help = "\
Examples:
  anyvpn account create jo --currency EUR
  anyvpn account create --email jo@mail.example --country US --months 1 \\
    --generate-password")]
    Create {
        /// The user name to sign in with; VPNGN's customers sign in with the address of --email
        login: Option<String>,
        /// The currency to pay in, such as EUR
        #[arg(long)]
        currency: Option<String>,
        /// The country, such as US, at VPNGN
        #[arg(long, value_name = "CODE")]
        country: Option<String>,
        /// How long the first product lasts, at VPNGN
        #[arg(long, value_name = "N", value_parser = months())]
        months: Option<ProductType>,
        #[command(flatten)]
        password: NewPassword,
    },
    /// Give the account another password
    SetPassword {
        #[command(flatten)]
        password: NewPassword,
    },
    /// Send the customer a mail to choose another password with, at VPNGN
    ResetPassword,
    /// End the account later, at VPNGN
    Cancel(Cancel),
    /// Close the account, at once and for good
    Close {
        /// Do not ask whether that is meant
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        password: PasswordSource,
    },
}

#[derive(Args)]
pub struct Cancel {
    /// When: at the provider's next midnight, or when what is paid for ends
    #[arg(long)]
    pub at: At,
    /// Which product, where there are several that are active
    #[arg(long, value_name = "ID")]
    pub product: Option<String>,
    /// Why, for the provider
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Do not ask whether that is meant
    #[arg(long)]
    pub yes: bool,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum At {
    Midnight,
    DueDate,
}

#[derive(Serialize)]
struct Answer {
    provider: &'static str,
    login: String,
    email: Option<String>,
    status: String,
    created_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    services: Vec<ServiceAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generated_password: Option<Secret>,
}

#[derive(Serialize)]
struct ServiceAnswer {
    id: Option<String>,
    name: String,
    status: String,
    due_at: Option<Timestamp>,
    auto_renew: Option<bool>,
}

/// What a change gives, which has nothing to show.
#[derive(Serialize)]
pub struct Done<'a> {
    pub provider: &'static str,
    pub done: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated_password: Option<Secret>,
}

pub fn run(context: &Context, args: Account) -> Result<(), Failure> {
    let name = context.provider()?;
    let Account { customer, command } = args;
    let vpngn = name == ProviderName::Vpngn;
    let is_create = matches!(command, Command::Create { .. });
    if customer.email.is_some() && !vpngn && !is_create {
        let title = name.title();
        return Err(Failure::usage(format!("{title} has one account, the token's own"))
            .hint("leave --email away: it names a customer of VPNGN")
            .of(name));
    }
    match command {
        Command::Create { login, currency, country, months, password } if vpngn => {
            if currency.is_some() {
                return Err(Failure::usage("VPNGN's API has no place for a currency").of(name));
            }
            if login.is_some() && customer.email.is_some() && login != customer.email {
                return Err(Failure::usage("VPNGN's customers sign in with their address")
                    .hint("leave the user name away")
                    .of(name));
            }
            let customer = Customer { email: customer.email.or(login) };
            with_vpngn(context, name, "customers", async |it| {
                let new = customer::New::parse(customer.needed()?, country, months, &password)?;
                customer::create(context, it, new).await
            })
        }
        Command::Close { yes, password } if vpngn => {
            let email = customer.needed()?;
            with_vpngn(context, name, "customers", async |it| {
                customer::close(context, it, email, yes, &password).await
            })
        }
        Command::ResetPassword => {
            with_vpngn(context, name, "mail for a new password", async |it| {
                customer::reset_password(context, it, customer.needed()?).await
            })
        }
        Command::Cancel(args) => with_vpngn(context, name, "cancellation", async |it| {
            customer::cancel(context, it, customer.needed()?, args).await
        }),
        command => {
            let email = if vpngn { Some(customer.needed()?.to_owned()) } else { None };
            with_profile(context, name, async |profile| {
                let mut profile = profile.clone();
                if let anyvpn::Profile::Vpngn { email: slot, .. } = &mut profile {
                    *slot = email;
                }
                neutral(context, &*anyvpn::open(&profile)?, customer, command).await
            })
        }
    }
}

/// What works with every provider that has the ability.
async fn neutral(
    context: &Context,
    provider: &dyn Provider,
    customer: Customer,
    command: Command,
) -> Result<(), Failure> {
    let admin = || ability(provider, provider.account_admin(), "account-admin");
    match command {
        Command::Show => {
            let accounts = ability(provider, provider.accounts(), "accounts")?;
            show(context, provider, accounts.account().await?)
        }
        Command::Create { login, currency, country, months, password } => {
            let admin = admin()?;
            let login = login.ok_or_else(|| {
                Failure::usage("a user name is needed").hint("anyvpn account create NAME")
            })?;
            let chosen = password.choose("Password:")?;
            let mut new = NewAccount::new(login, Some(chosen.password.clone()));
            new.email = customer.email;
            new.currency = currency;
            new.country = country;
            new.months = months.map(ProductType::months);
            let created = admin.create(new).await?;
            print(context, provider, created, chosen.to_show())?;
            let name: Option<ProviderName> = provider.name().parse().ok();
            context.output.note(&format!("To sign in: {}", sign_in(name)));
            Ok(())
        }
        Command::SetPassword { password } => {
            let admin = admin()?;
            let chosen = password.choose("New password:")?;
            admin.set_password(chosen.password.clone()).await?;
            let done = Done {
                provider: provider.name(),
                done: "set-password",
                email: None,
                generated_password: chosen.to_show(),
            };
            done.tell(context, "The password is changed.")
        }
        Command::Close { yes, password } => {
            let admin = admin()?;
            if !yes {
                let whose = match provider.accounts() {
                    Some(accounts) => accounts.account().await?.login,
                    None => "this account".to_owned(),
                };
                let question = format!("Close {} for good?", plain(&whose));
                confirm(&question, "--yes")?;
            }
            let password = password.present("The account's password:")?;
            admin.close(Some(&password)).await?;
            let done = Done {
                provider: provider.name(),
                done: "close",
                email: None,
                generated_password: None,
            };
            done.tell(context, "The account is closed.")
        }
        // They are VPNGN's own, and done before.
        Command::ResetPassword | Command::Cancel(_) => Ok(()),
    }
}

impl Done<'_> {
    /// Prints it: `text`, and below it the password that nobody knows yet.
    pub fn tell(&self, context: &Context, text: &str) -> Result<(), Failure> {
        let text = || match &self.generated_password {
            Some(password) => format!("{text}\nPassword: {}", password.expose()),
            None => text.to_owned(),
        };
        // The one secret that can be in it was asked for.
        anyvpn::reveal(|| context.output.answer(self, text)).0
    }
}

fn show(context: &Context, provider: &dyn Provider, account: Found) -> Result<(), Failure> {
    print(context, provider, account, None)
}

fn print(
    context: &Context,
    provider: &dyn Provider,
    account: Found,
    generated_password: Option<Secret>,
) -> Result<(), Failure> {
    let service = |service: Service| ServiceAnswer {
        id: service.id,
        name: service.name,
        status: service.status.to_string(),
        due_at: service.due_at,
        auto_renew: service.auto_renew,
    };
    let answer = Answer {
        provider: provider.name(),
        login: account.login,
        email: account.email,
        status: account.status.to_string(),
        created_at: account.created_at,
        expires_at: account.expires_at,
        services: account.services.into_iter().map(service).collect(),
        generated_password,
    };
    // The one secret that can be in it was asked for.
    anyvpn::reveal(|| context.output.answer(&answer, || text(&answer))).0
}

fn text(account: &Answer) -> String {
    let mut pairs: Vec<(&str, Value)> = vec![
        ("Login", account.login.as_str().into()),
        ("Provider", account.provider.into()),
        ("Status", Value::with_state(&account.status, &account.status)),
    ];
    pairs.extend(account.email.as_ref().map(|email| ("Email", email.into())));
    let password = account.generated_password.as_ref();
    pairs.extend(password.map(|password| ("Password", password.expose().into())));
    pairs.extend(account.created_at.map(|time| ("Created", when(time).into())));
    pairs.extend(account.expires_at.map(|time| ("Access until", when(time).into())));
    for service in &account.services {
        let due = match service.auto_renew {
            Some(true) => "renews",
            Some(false) => "ends",
            None => "due",
        };
        let due = service.due_at.map(|time| format!(", {due} {}", when(time)));
        let text = format!("{}: {}{}", service.name, service.status, due.unwrap_or_default());
        pairs.push(("Service", Value::with_state(&text, &service.status)));
    }
    listing(pairs)
}
