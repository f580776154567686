//! `anyvpn account`

use anyvpn::{Account as Found, NewAccount, Provider, ProviderName, Service, Timestamp};
use clap::Subcommand;
use serde::Serialize;

use super::ability;
use crate::context::Context;
use crate::failure::{Failure, sign_in};
use crate::secrets::{PasswordSource, confirm};
use crate::text::{listing, plain, when};

#[derive(Subcommand)]
#[command(disable_help_subcommand = true)]
pub enum Account {
    /// Show the account and what it has
    Show,
    /// Create an account
    Create {
        /// The name to sign in with: a user name or an email address, as the provider has it
        login: String,
        /// An email address beside the login
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// The currency to pay in, such as EUR
        #[arg(long)]
        currency: Option<String>,
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Give the account another password
    SetPassword {
        #[command(flatten)]
        password: PasswordSource,
    },
    /// Close the account, at once and for good
    Close {
        /// Do not ask whether that is meant
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        password: PasswordSource,
    },
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
struct Done {
    provider: &'static str,
    done: &'static str,
}

pub async fn run(
    context: &Context,
    provider: &dyn Provider,
    command: Account,
) -> Result<(), Failure> {
    let admin = || ability(provider, provider.account_admin(), "account-admin");
    match command {
        Account::Show => {
            let accounts = ability(provider, provider.accounts(), "accounts")?;
            show(context, provider, accounts.account().await?)
        }
        Account::Create { login, email, currency, password } => {
            let admin = admin()?;
            let mut new = NewAccount::new(login, Some(password.new_one("Password:")?));
            new.email = email;
            new.currency = currency;
            show(context, provider, admin.create(new).await?)?;
            let name: Option<ProviderName> = provider.name().parse().ok();
            context.output.note(&format!("To sign in: {}", sign_in(name)));
            Ok(())
        }
        Account::SetPassword { password } => {
            let password = password.new_one("New password:")?;
            admin()?.set_password(password).await?;
            done(context, provider, "set-password", "The password is changed.")
        }
        Account::Close { yes, password } => {
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
            done(context, provider, "close", "The account is closed.")
        }
    }
}

fn done(
    context: &Context,
    provider: &dyn Provider,
    done: &'static str,
    text: &str,
) -> Result<(), Failure> {
    let answer = Done { provider: provider.name(), done };
    context.output.answer(&answer, || text.to_owned())
}

fn show(context: &Context, provider: &dyn Provider, account: Found) -> Result<(), Failure> {
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
    };
    context.output.answer(&answer, || text(&answer))
}

fn text(account: &Answer) -> String {
    let mut pairs = vec![
        ("Login", account.login.clone()),
        ("Provider", account.provider.to_owned()),
        ("Status", account.status.clone()),
    ];
    pairs.extend(account.email.clone().map(|email| ("Email", email)));
    pairs.extend(account.created_at.map(|time| ("Created", when(time))));
    pairs.extend(account.expires_at.map(|time| ("Access until", when(time))));
    for service in &account.services {
        let due = match service.auto_renew {
            Some(true) => "renews",
            Some(false) => "ends",
            None => "due",
        };
        let due = service.due_at.map(|time| format!(", {due} {}", when(time)));
        pairs.push((
            "Service",
            format!("{}: {}{}", service.name, service.status, due.unwrap_or_default()),
        ));
    }
    listing(pairs)
}
