//! `anyvpn account`: the user's own account at a provider.

use anyvpn::{Ability, Account as Found, NewAccount, Provider, Secret, Service, Timestamp};
use clap::Subcommand;
use serde::Serialize;

use crate::advice::sign_in;
use crate::context::Context;
use crate::failure::Failure;
use crate::secrets::{Chosen, NewPassword, PasswordSource, confirm};
use crate::text::{Value, listing, plain, when};
use crate::work::{ability, with_provider};

#[derive(Subcommand)]
#[command(disable_help_subcommand = true)]
#[command(after_help = "\
Examples:
  anyvpn account show")]
pub enum Account {
    /// Show your account and its services
    Show,
    /// Create an account, at providers where anyone can sign up
    #[command(after_help = "\
Examples:
  anyvpn account create jo --currency EUR")]
    Create {
        /// The user name of the new account
        login: String,
        /// The e-mail address of the new account
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// The currency to pay in, such as EUR
        #[arg(long)]
        currency: Option<String>,
        #[command(flatten)]
        password: NewPassword,
    },
    /// Change the password of your account
    SetPassword {
        #[command(flatten)]
        password: NewPassword,
    },
    /// Close your account immediately; this cannot be undone
    Close {
        /// Skip the confirmation prompt
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        password: PasswordSource,
    },
}

#[derive(Serialize)]
struct Answer {
    provider: &'static str,
    login: Option<String>,
    email: Option<String>,
    status: String,
    balance: Option<String>,
    created_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    services: Vec<ServiceAnswer>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generated_password: Option<Secret>,
}

#[derive(Serialize)]
pub struct ServiceAnswer {
    id: Option<String>,
    pub name: String,
    pub status: String,
    due_at: Option<Timestamp>,
    auto_renew: Option<bool>,
}

/// Converts services to the form that answers use.
pub fn services(services: Vec<Service>) -> Vec<ServiceAnswer> {
    let answer = |service: Service| ServiceAnswer {
        id: service.id,
        name: service.name,
        status: service.status.to_string(),
        due_at: service.due_at,
        auto_renew: service.auto_renew,
    };
    services.into_iter().map(answer).collect()
}

impl ServiceAnswer {
    /// Describes the service in a line.
    pub fn shown(&self) -> String {
        let due = match self.auto_renew {
            Some(true) => "renews",
            Some(false) => "ends",
            None => "due",
        };
        let due = self.due_at.map(|time| format!(", {due} {}", when(time)));
        format!("{}: {}{}", self.name, self.status, due.unwrap_or_default())
    }
}

/// The answer of a command that changes something and has nothing to show.
#[derive(Serialize)]
pub struct Done<'a> {
    pub provider: &'static str,
    pub done: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated_password: Option<Secret>,
}

impl Done<'_> {
    /// Prints the answer.
    pub fn print(&self, context: &Context, text: &str) -> Result<(), Failure> {
        context.output.answer(self, || plain(text))
    }
}

/// The answer of a command that changed a password.
pub struct Changed<'a> {
    pub provider: &'static str,
    pub customer: Option<&'a str>,
    pub password: Chosen,
    /// The command that sets the password again, for the case that this one cannot be shown.
    pub again: String,
}

impl Changed<'_> {
    /// Prints the answer, with the password if it was generated.
    pub fn print(self, context: &Context) -> Result<(), Failure> {
        const TEXT: &str = "Password changed.";
        const DONE: &str = "the password was changed to a generated one that could not be shown";
        let Self { provider, customer, password, again } = self;
        let generated_password = password.to_show();
        let done = Done { provider, done: "set-password", customer, generated_password };
        let text = || match &done.generated_password {
            Some(password) => format!("{TEXT}\nPassword: {}", password.expose()),
            None => TEXT.to_owned(),
        };
        let print = || context.output.answer(&done, text);
        password.print_with(print, DONE, format!("set another password: {again}"))
    }
}

impl Account {
    /// Returns the command that shows what this one has changed.
    pub fn verify_command(&self) -> &'static str {
        match self {
            Self::Create { .. } => "anyvpn login, as the new user",
            _ => "anyvpn account show",
        }
    }
}

pub fn run(context: &Context, command: Account) -> Result<(), Failure> {
    let info = context.provider()?;
    with_provider(context, info, async |provider| work(context, provider, command).await)
}

async fn work(context: &Context, provider: &dyn Provider, command: Account) -> Result<(), Failure> {
    let accounts = || ability(context, provider, provider.accounts(), Ability::Accounts);
    match command {
        Account::Show => print(context, provider, accounts()?.account().await?, None),
        Account::Create { login, email, currency, password } => {
            let sign_up = ability(context, provider, provider.sign_up(), Ability::SignUp)?;
            let chosen = password.choose("Password:")?;
            let mut new = NewAccount::new(&login, chosen.password.clone());
            new.email = email;
            new.currency = currency;
            let created = sign_up.create_account(new).await?;
            let done = format!(
                "the account {login} was created with a generated password that could not be shown"
            );
            let print = || print(context, provider, created, chosen.to_show());
            chosen.print_with(print, &done, "reset the password on the provider's site")?;
            context.output.note(&format!("Next: {}", sign_in(Some(provider.info()))));
            Ok(())
        }
        Account::SetPassword { password } => {
            let change = accounts()?.password_change();
            let change = ability(context, provider, change, Ability::ChangePassword)?;
            let chosen = password.choose("New password:")?;
            change.change_password(chosen.password.clone()).await?;
            let again = "anyvpn account set-password".to_owned();
            Changed { provider: provider.info().name, customer: None, password: chosen, again }
                .print(context)
        }
        Account::Close { yes, password } => {
            let accounts = accounts()?;
            let closing = accounts.account_closing();
            let closing = ability(context, provider, closing, Ability::CloseAccount)?;
            if !yes {
                let login = accounts.account().await?.login;
                let login = login.as_deref().unwrap_or("the account");
                confirm(&format!("Close {}? This cannot be undone.", plain(login)), "--yes")?;
            }
            let password = password.if_any("Password (leave empty if not needed):")?;
            closing.close_account(password.as_ref()).await.map_err(|error| {
                let wants_password = error.fields().contains_key("password");
                let failure = Failure::from(error);
                match wants_password && password.is_none() {
                    true => failure
                        .hint("use --password-file FILE (- for stdin), or set ANYVPN_PASSWORD"),
                    false => failure,
                }
            })?;
            let provider = provider.info().name;
            Done { provider, done: "close", customer: None, generated_password: None }
                .print(context, "Account closed.")
        }
    }
}

fn print(
    context: &Context,
    provider: &dyn Provider,
    account: Found,
    generated_password: Option<Secret>,
) -> Result<(), Failure> {
    let answer = Answer {
        provider: provider.info().name,
        login: account.login,
        email: account.email,
        status: account.status.to_string(),
        balance: account.balance,
        created_at: account.created_at,
        expires_at: account.expires_at,
        services: services(account.services),
        generated_password,
    };
    context.output.answer(&answer, || text(&answer))
}

fn text(account: &Answer) -> String {
    let mut pairs: Vec<(&str, Value)> = Vec::new();
    pairs.extend(account.login.as_ref().map(|login| ("Login", login.into())));
    pairs.push(("Provider", account.provider.into()));
    pairs.push(("Status", Value::with_state(&account.status, &account.status)));
    pairs.extend(account.balance.as_ref().map(|balance| ("Balance", balance.into())));
    pairs.extend(account.email.as_ref().map(|email| ("Email", email.into())));
    let password = account.generated_password.as_ref();
    pairs.extend(password.map(|password| ("Password", password.expose().into())));
    pairs.extend(account.created_at.map(|time| ("Created", when(time).into())));
    pairs.extend(account.expires_at.map(|time| ("Access until", when(time).into())));
    for service in &account.services {
        pairs.push(("Service", Value::with_state(&service.shown(), &service.status)));
    }
    listing(pairs)
}
