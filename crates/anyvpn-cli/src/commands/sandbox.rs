//! `anyvpn sandbox`

use std::net::SocketAddr;

use anyvpn_sandbox::{Sandbox as Server, StartError};
use clap::Args;
use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;
use crate::text::reason;

/// The account that is there from the beginning.
const LOGIN: &str = "demo";
/// It protects nothing: the account is imitated too.
const PASSWORD: &str = "demo";

#[derive(Args)]
pub struct Sandbox {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// What all names, numbers and choices follow from; 0 gives the usual answers
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Listen where other machines can reach it; nothing in a sandbox is secured
    #[arg(long)]
    allow_other_machines: bool,
}

pub async fn run(context: &Context, args: Sandbox) -> Result<(), Failure> {
    let mut builder = Server::builder().listen(args.listen).seed(args.seed);
    if args.allow_other_machines {
        builder = builder.allow_other_machines();
    }
    let sandbox = builder.start().await.map_err(not_started)?;
    let account = sandbox.azire().add_account(LOGIN, PASSWORD);
    // `port` then finds the account's only device.
    let _ = sandbox.azire().add_device(LOGIN);

    let (url, azire_url) = (sandbox.url(), sandbox.azire_url());
    let answer = json!({
        "url": url,
        "environment": { "ANYVPN_AZIRE_URL": azire_url, "ANYVPN_AZIRE_TOKEN": account.token },
        "accounts": [{ "provider": "azire", "login": LOGIN, "password": PASSWORD }],
    });
    context.output.note(&format!(
        "The sandbox listens at {url} until Ctrl-C.\n\
         It has an AzireVPN account, user name {LOGIN}, password {PASSWORD}. Elsewhere:"
    ));
    context.output.answer(&answer, || {
        format!("export ANYVPN_AZIRE_URL={azire_url}\nexport ANYVPN_AZIRE_TOKEN={}", account.token)
    })?;
    sandbox.wait().await;
    Err(Failure::other("the sandbox stopped"))
}

fn not_started(error: StartError) -> Failure {
    match error {
        StartError::NotLoopback(address) => {
            Failure::usage(format!("other machines could reach {address}"))
                .hint("listen on 127.0.0.1, or allow it with --allow-other-machines")
        }
        StartError::Listen { address, source } => {
            let why = reason(&source);
            Failure::other(format!("{address} cannot be listened on: {why}"))
                .hint("choose another address or port with --listen")
        }
        other => Failure::other(other.to_string()),
    }
}
