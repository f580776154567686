#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! Every operation with every fault: how often it arrives, what the caller gets, and that no secret
//! comes out. Writes `docs/replay-azire.md`.

mod world;

use std::fmt::Write as _;
use std::time::Duration;

use anyvpn_azire::ops::{CreateToken, CreateUser, OPERATIONS};
use anyvpn_azire::{Azire, Error, ErrorKind, Secret};
use anyvpn_core::{Advice, OperationId};
use anyvpn_http::{Entry, Limits, Replay};
use anyvpn_sandbox::{Fault, FaultRule, Sandbox};
use anyvpn_testkit::canary::Canary;
use anyvpn_testkit::document;
use world::{PASSWORD, World};

/// What goes wrong with the first request, and the table's word for it.
fn faults() -> Vec<(&'static str, Option<Fault>)> {
    let wait = Some(Duration::ZERO);
    vec![
        ("none", None),
        ("reset before the work", Some(Fault::ResetBefore)),
        ("reset after the work", Some(Fault::ResetAfter)),
        ("time-out after the work", Some(Fault::Delay(Duration::from_secs(60)))),
        ("reply cut", Some(Fault::CutBody)),
        ("half JSON", Some(Fault::HalfJson)),
        ("429", Some(Fault::TooManyRequests { retry_after: wait })),
        ("500", Some(Fault::Status(500))),
        ("503", Some(Fault::Status(503))),
        ("502 HTML", Some(Fault::Html(502))),
        ("200 HTML", Some(Fault::Html(200))),
    ]
}

/// How often the operation arrived, how often its work was done, and what the caller got.
struct Cell {
    arrived: usize,
    done: usize,
    outcome: Result<(), Error>,
}

impl Cell {
    fn text(&self) -> String {
        let outcome = match &self.outcome {
            Ok(()) => "ok",
            Err(error) => error.kind().name(),
        };
        format!("{}× {outcome}", self.arrived)
    }
}

async fn run(operation: OperationId, fault: Option<Fault>, canary: &Canary) -> Cell {
    let world = World::new(0).await;
    for secret in [&world.token, world.spare_token.key.expose()] {
        canary.mark(secret);
    }
    canary.mark(world.private_key.to_secret().expose());
    // Only the delayed fault needs the time-out, and a retry must find it gone.
    let attempt = match fault {
        Some(Fault::Delay(_)) => Duration::from_millis(150),
        _ => Duration::from_secs(10),
    };
    let azire = world::quick(Azire::builder().base_url(world.sandbox.azire_url()))
        .token(world.token.as_str())
        .limits(Limits { attempt, ..Limits::default() })
        .build()
        .unwrap();
    if let Some(fault) = fault {
        world.sandbox.inject(FaultRule::once(&operation.to_string(), fault));
    }
    let outcome = world.call_with(&azire, operation).await;
    match &outcome {
        Ok(value) => canary.hears(value.to_string()),
        Err(error) => {
            canary.hears(format!("{error}\n{error:?}\n{:?}", std::error::Error::source(error)));
        }
    }
    canary.hears(format!("{azire:?} {:?} {:?}", world.spare_token, world.private_key));
    let name = operation.to_string();
    let received = world.sandbox.received();
    let own = received.iter().filter(|it| it.operation == Some(&name));
    let done = own.filter(|it| it.effect).count();
    Cell { arrived: world.arrived(operation), done, outcome: outcome.map(drop) }
}

fn head(faults: &[(&'static str, Option<Fault>)]) -> String {
    let mut text = "# What AzireVPN's operations do when the network fails\n\n\
        The first request of each call meets the fault of the column, against the sandbox. A cell \
        says how often\nthe request arrived and what the caller got. Written by a test; `cargo \
        xtask docs` writes it anew.\n\n| operation | replay |"
        .to_owned();
    for (name, _) in faults {
        _ = write!(text, " {name} |");
    }
    text.push_str("\n|---|---|");
    text.push_str(&"---|".repeat(faults.len()));
    text.push('\n');
    text
}

#[tokio::test]
async fn every_operation_with_every_fault() {
    let canary = Canary::default();
    canary.mark(PASSWORD);
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(canary.clone())
        .init();
    let faults = faults();
    let mut table = head(&faults);
    for Entry { id, replay, .. } in OPERATIONS {
        _ = write!(table, "| {} | {replay:?} |", id.name());
        for (name, fault) in &faults {
            let cell = run(*id, fault.clone(), &canary).await;
            check(*id, *replay, name, &cell);
            _ = write!(table, " {} |", cell.text());
        }
        table.push('\n');
    }
    document::check("../../docs/replay-azire.md", None, &table);

    let password = Secret::from(PASSWORD);
    let create = CreateUser {
        username: "a".to_owned(),
        password: password.clone(),
        email: None,
        currency: None,
        affiliate_code: None,
        referral_code: None,
    };
    let sign_in =
        CreateToken { username: None, password: Some(password), device_name: None, comment: None };
    canary.hears(format!("{create:?} {sign_in:?} {}", serde_json::to_string(&create).unwrap()));
    assert!(canary.heard().contains("azire.create-user"), "the log was not heard");
    canary.assert_silent();
}

/// What must hold whatever the table says.
fn check(operation: OperationId, replay: Replay, fault: &str, cell: &Cell) {
    let Cell { arrived, done, outcome } = cell;
    let what = format!("{operation}, {fault}: arrived {arrived}, done {done}, {outcome:?}");
    if fault == "none" {
        assert!(*arrived == 1 && outcome.is_ok(), "{what}");
    }
    if replay == Replay::Once && fault != "429" {
        assert_eq!(*arrived, 1, "{what}");
    }
    let repeats = matches!(fault, "reset before the work" | "429" | "500" | "503" | "502 HTML");
    if replay != Replay::Once && repeats {
        assert!(*arrived == 2 && outcome.is_ok(), "{what}");
    }
    // Work that was done and not reported as done must be reported as perhaps done.
    if let Err(error) = outcome
        && *done > 0
        && replay != Replay::Safe
    {
        assert_eq!(error.advice(), Advice::ReadBack, "{what}");
    }
    if fault == "reset before the work" && replay == Replay::Once {
        let kind = outcome.as_ref().map_err(Error::kind);
        assert_eq!(kind, Err(ErrorKind::Ambiguous), "{what}");
    }
}

/// A program that creates a port because listing failed would burn the day's allowance.
#[tokio::test]
async fn nothing_creates_a_port_because_a_list_failed() {
    use anyvpn_core::PortForwards;
    let world = World::new(0).await;
    let before = world.sandbox.azire().ports(world::USERNAME);
    for fault in [Fault::Status(500), Fault::Html(200), Fault::ResetAfter, Fault::HalfJson] {
        world.sandbox.inject(FaultRule {
            operation: Some("azire.list-port-forwards".to_owned()),
            ..FaultRule::always(fault)
        });
        let list = PortForwards::list(&world.azire, world.device.ipv4_address).await;
        assert!(list.is_err(), "{list:?}");
        world.sandbox.clear_faults();
    }
    assert_eq!(world.sandbox.azire().ports(world::USERNAME), before);
}

#[tokio::test]
async fn no_server_is_an_error_that_says_so() {
    let sandbox = Sandbox::start().await.unwrap();
    let url = sandbox.azire_url();
    drop(sandbox);
    let azire = world::quick(Azire::builder().base_url(url)).token("t").build().unwrap();
    for entry in OPERATIONS.iter().filter(|it| it.fields.is_empty()) {
        let call = anyvpn_azire::ops::call_by_name;
        let error = call(azire.client(), entry.id.name(), serde_json::json!({}), false).await;
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
        assert_eq!(error.operation(), Some(entry.id));
    }
}
