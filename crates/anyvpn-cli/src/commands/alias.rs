//! `anyvpn alias`

use anyvpn::vpngn::Vpngn;
use anyvpn::vpngn::ops::{
    AddAlias, Alias as Found, DelAlias, ListAliases, ResetAliasPassword, SetAliasPassword,
};
use anyvpn::{ProviderName, Secret};
use clap::{Args, Subcommand};
use serde::Serialize;

use super::with_vpngn;
use crate::args::Customer;
use crate::context::Context;
use crate::failure::Failure;
use crate::secrets::{Chosen, NewPassword, confirm};
use crate::text::{Column, plain, table};

#[derive(Args)]
#[command(disable_help_subcommand = true)]
pub struct Alias {
    #[command(flatten)]
    customer: Customer,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the customer's aliases
    List,
    /// Add an alias; without a password here, VPNGN makes one that only a reset replaces
    Add {
        /// The alias's address
        alias: String,
        /// The first name of who has it
        #[arg(long, value_name = "NAME")]
        first_name: Option<String>,
        /// The last name of who has it
        #[arg(long, value_name = "NAME")]
        last_name: Option<String>,
        /// Send a mail to choose a password with
        #[arg(long)]
        send_reset: bool,
        #[command(flatten)]
        password: NewPassword,
    },
    /// Remove an alias
    Remove {
        /// The alias's address
        alias: String,
        /// Do not ask whether that is meant
        #[arg(long)]
        yes: bool,
    },
    /// Give an alias another password
    SetPassword {
        /// The alias's address
        alias: String,
        #[command(flatten)]
        password: NewPassword,
    },
    /// Send a mail to choose another password with
    ResetPassword {
        /// The alias's address
        alias: String,
    },
}

#[derive(Serialize)]
struct ListAnswer<'a> {
    email: &'a str,
    aliases: Vec<Found>,
}

#[derive(Serialize)]
struct Done<'a> {
    done: &'static str,
    alias: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    generated_password: Option<Secret>,
}

pub fn run(context: &Context, args: Alias) -> Result<(), Failure> {
    let name = context.named_provider()?.unwrap_or(ProviderName::Vpngn);
    let Alias { customer, command } = args;
    with_vpngn(context, name, "aliases", async |vpngn| match command {
        Command::List => list(context, vpngn, customer.needed()?).await,
        Command::Add { alias, first_name, last_name, send_reset, password } => {
            let email = customer.needed()?.to_owned();
            let chosen = password.choose_if_given()?;
            let add = AddAlias {
                email,
                setemail: alias.clone(),
                setpassword: chosen.as_ref().map(Chosen::strong).transpose()?,
                auto_passreset: send_reset,
                first_name,
                last_name,
            };
            vpngn.call(add).await?;
            let shown = chosen.and_then(|chosen| chosen.to_show());
            done(context, "add", &alias, shown, &format!("{alias} is added."))
        }
        Command::Remove { alias, yes } => {
            let email = customer.needed()?.to_owned();
            if !yes {
                ask(vpngn, &email, &alias).await?;
            }
            vpngn.call(DelAlias { email, alias: alias.clone() }).await.map_err(|error| {
                Failure::from(error).where_missing("anyvpn alias list shows them")
            })?;
            done(context, "remove", &alias, None, &format!("{alias} is removed."))
        }
        Command::SetPassword { alias, password } => {
            let chosen = password.choose("The alias's new password:")?;
            let set = SetAliasPassword { email: alias.clone(), setpassword: chosen.strong()? };
            vpngn.call(set).await?;
            done(context, "set-password", &alias, chosen.to_show(), "The password is changed.")
        }
        Command::ResetPassword { alias } => {
            vpngn.call(ResetAliasPassword { email: alias.clone() }).await?;
            let text = format!("VPNGN sends {alias} a mail.");
            done(context, "reset-password", &alias, None, &text)
        }
    })
}

async fn aliases(vpngn: &Vpngn, email: &str) -> Result<Vec<Found>, Failure> {
    Ok(vpngn.call(ListAliases { email: email.to_owned() }).await?)
}

async fn ask(vpngn: &Vpngn, email: &str, alias: &str) -> Result<(), Failure> {
    let all = aliases(vpngn, email).await?;
    let Some(found) = all.iter().find(|it| it.email.eq_ignore_ascii_case(alias)) else {
        return Err(Failure::not_found(format!("{email} has no alias {alias}"))
            .hint("anyvpn alias list shows them"));
    };
    let name = full_name(found);
    let whose = if name.is_empty() { name } else { format!(" ({name})") };
    let question = format!("Remove the alias {}{whose} of {email}?", found.email);
    confirm(&plain(&question), "--yes")
}

fn full_name(alias: &Found) -> String {
    let names = [alias.first_name.as_deref(), alias.last_name.as_deref()];
    let names: Vec<_> = names.into_iter().flatten().filter(|name| !name.is_empty()).collect();
    names.join(" ")
}

fn done(
    context: &Context,
    done: &'static str,
    alias: &str,
    generated_password: Option<Secret>,
    text: &str,
) -> Result<(), Failure> {
    let answer = Done { done, alias, generated_password };
    let text = || match &answer.generated_password {
        Some(password) => format!("{}\nPassword: {}", plain(text), password.expose()),
        None => plain(text),
    };
    // The one secret that can be in it was asked for.
    anyvpn::reveal(|| context.output.answer(&answer, text)).0
}

async fn list(context: &Context, vpngn: &Vpngn, email: &str) -> Result<(), Failure> {
    let answer = ListAnswer { email, aliases: aliases(vpngn, email).await? };
    context.output.answer(&answer, || {
        if answer.aliases.is_empty() {
            return plain(&format!("{email} has no aliases."));
        }
        let row = |alias: &Found| vec![alias.email.clone(), full_name(alias)];
        let columns = ["ALIAS", "NAME"].map(Column::Text);
        table(&columns, answer.aliases.iter().map(row).collect())
    })
}
