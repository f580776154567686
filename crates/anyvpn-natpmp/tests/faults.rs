//! Runs every request with every fault of datagrams. Writes `docs/faults-natpmp.md`.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::fmt::Write as _;
use std::time::Duration;

use anyvpn_core::{Advice, Error, NewPortForward, PortForward, PortForwards};
use anyvpn_natpmp::wire::{MapProtocol, MapRequest};
use anyvpn_sandbox::{DatagramFault as Datagram, Fault};
use anyvpn_testkit::document;
use world::{SECOND, World};

const ADDRESS: &str = "natpmp.get-address";
const UDP: &str = "natpmp.map-udp-port";
const TCP: &str = "natpmp.map-tcp-port";

/// The call, and which of its requests the fault affects.
const CALLS: [(Call, &str); 10] = [
    (Call::Address, ADDRESS),
    (Call::MapUdp, UDP),
    (Call::MapTcp, TCP),
    (Call::Create, ADDRESS),
    (Call::Create, UDP),
    (Call::Create, TCP),
    (Call::Renew, UDP),
    (Call::Renew, TCP),
    (Call::Delete, UDP),
    (Call::Delete, TCP),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Call {
    Address,
    MapUdp,
    MapTcp,
    Create,
    Renew,
    Delete,
}

impl Call {
    /// The call, and the request in it that the fault affects.
    fn title(self, operation: &str) -> String {
        match self {
            Self::Address | Self::MapUdp | Self::MapTcp => operation.replace("natpmp.", ""),
            neutral => format!("{neutral:?}, {}", operation.replace("natpmp.", "")).to_lowercase(),
        }
    }
}

/// Returns the faults, each with its name and description.
fn faults() -> Vec<(String, &'static str, Option<Fault>)> {
    let late = |time| Some(Fault::Delay(Duration::from_millis(time)));
    let datagram = |fault| Some(Fault::Datagram(fault));
    let mut all: Vec<(String, &str, Option<Fault>)> = vec![
        ("none".to_owned(), "No fault.", None),
        ("lost-request".to_owned(), "The request is lost.", datagram(Datagram::LostRequest)),
        ("lost-reply".to_owned(), "The reply is lost.", datagram(Datagram::LostReply)),
        ("doubled".to_owned(), "The reply comes twice.", datagram(Datagram::Doubled)),
        (
            "foreign-source".to_owned(),
            "The reply comes from another port.",
            datagram(Datagram::ForeignSource),
        ),
        ("late-200-ms".to_owned(), "The reply comes before the request is sent again.", late(200)),
        ("late-300-ms".to_owned(), "The reply comes after the request is sent again.", late(300)),
        ("late-3-s".to_owned(), "The reply comes after several repetitions.", late(3000)),
        (
            "late-5-min".to_owned(),
            "The reply comes when the client no longer waits for it.",
            late(300_000),
        ),
    ];
    for code in (1..=6).chain([255, 65_535]) {
        all.push((
            format!("result-{code}"),
            "The gateway refuses with this result.",
            Some(Fault::Status(code)),
        ));
    }
    for length in 0..=40 {
        let what = "The reply has this many bytes.";
        all.push((format!("length-{length}"), what, datagram(Datagram::Length(length))));
    }
    all
}

/// The result of one call.
struct Run {
    sends: usize,
    outcome: &'static str,
    read_back: bool,
    /// The violations.
    wrong: Vec<String>,
}

async fn run(call: Call, operation: &str, fault: Option<Fault>, times: Option<u32>) -> Run {
    let world = World::new().await;
    let had = match call {
        Call::Renew | Call::Delete => {
            Some(world.natpmp.create_port_forward(NewPortForward::new()).await.unwrap())
        }
        _ => None,
    };
    let (sent, began) = (world.count(), world.time.elapsed());
    if let Some(fault) = fault {
        world.inject(operation, fault, times);
    }
    let done = act(&world, call, had.as_ref()).await;
    let (sends, took) = (world.count() - sent, world.time.elapsed() - began);
    let mut wrong = judge(&world, call, &done, took);
    world.sandbox.clear_faults();
    // Late datagrams are gone, and the client works again.
    world.sandbox.clock().advance(400 * SECOND);
    match world.natpmp.create_port_forward(NewPortForward::new()).await {
        Ok(port) if world.mappings().len() == 2 && port.port > 0 => {}
        other => wrong.push(format!("the client cannot be used any more: {other:?}")),
    }
    let outcome = done.as_ref().err().map_or("ok", |error| error.kind().name());
    let read_back = done.is_err_and(|error| error.advice() == Advice::ReadBack);
    Run { sends, outcome, read_back, wrong }
}

async fn act(
    world: &World,
    call: Call,
    had: Option<&PortForward>,
) -> Result<Option<PortForward>, Error> {
    let natpmp = &world.natpmp;
    let map = |protocol| MapRequest { protocol, internal_port: 0, external_port: 1, lifetime: 60 };
    match (call, had) {
        (Call::Address, _) => natpmp.address().await.map(|address| {
            assert_eq!(address.to_string(), "203.0.113.7");
            None
        }),
        (Call::MapUdp, _) => natpmp.map(map(MapProtocol::Udp)).await.map(|_| None),
        (Call::MapTcp, _) => natpmp.map(map(MapProtocol::Tcp)).await.map(|_| None),
        (Call::Renew, Some(had)) => natpmp.renew_port_forward(had).await.map(Some),
        (Call::Delete, Some(had)) => natpmp.delete_port_forward(had).await.map(|()| None),
        _ => natpmp.create_port_forward(NewPortForward::new()).await.map(Some),
    }
}

/// Checks what the call must not do, whatever the network does.
fn judge(
    world: &World,
    call: Call,
    done: &Result<Option<PortForward>, Error>,
    took: Duration,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let mappings = world.mappings();
    match (call, done) {
        (Call::Create | Call::Renew, Ok(Some(port))) => {
            let number = port.port;
            let both = [(false, number, number), (true, number, number)];
            let has_both = both.iter().all(|mapping| mappings.contains(mapping));
            if !has_both || mappings.len() != 2 {
                wrong.push(format!("wrong success: {port:?}, yet {mappings:?}"));
            }
        }
        (Call::MapUdp | Call::MapTcp, Ok(_)) if mappings.len() != 1 => {
            wrong.push(format!("wrong success, yet {mappings:?}"));
        }
        (Call::Delete, Ok(_)) if !mappings.is_empty() => {
            wrong.push(format!("deleted, yet {mappings:?}"));
        }
        (Call::Create | Call::MapUdp | Call::MapTcp, Err(error))
            if !mappings.is_empty() && error.advice() != Advice::ReadBack =>
        {
            wrong.push(format!("not said: {mappings:?} with {error}"));
        }
        _ => {}
    }
    if let Err(error) = done
        && error.operation().is_none_or(|operation| operation.provider() != "natpmp")
    {
        wrong.push(format!("it does not name its request: {error}"));
    }
    // A call has up to eight exchanges.
    if took > 8 * Duration::from_millis(127_750) {
        wrong.push(format!("it took {took:?}"));
    }
    wrong
}

#[tokio::test]
async fn every_operation_with_every_fault() {
    let (mut runs, mut wrong, mut rows) = (0, Vec::new(), String::new());
    for (name, what, fault) in faults() {
        _ = write!(rows, "| `{name}` | {what} |");
        for (call, operation) in CALLS {
            let first = run(call, operation, fault.clone(), Some(1)).await;
            let every = run(call, operation, fault.clone(), None).await;
            runs += 2;
            let cell = |run: &Run| {
                let mark = if run.read_back { "†" } else { "" };
                format!("{}× {}{mark}", run.sends, run.outcome)
            };
            let (once, always) = (cell(&first), cell(&every));
            let cell = if once == always { once } else { format!("{once} / {always}") };
            _ = write!(rows, " {cell} |");
            let title = call.title(operation);
            wrong.extend(
                first
                    .wrong
                    .into_iter()
                    .chain(every.wrong)
                    .map(|it| format!("{title}, {name}: {it}")),
            );
        }
        rows.push('\n');
    }
    let figures = format!(
        "NAT-PMP, by UDP: {} calls × {} faults × 2 = {runs} runs\n  {:>5} with something wrong\n",
        CALLS.len(),
        faults().len(),
        wrong.len()
    );
    if let Some(report) = std::env::var_os("ANYVPN_FAULTS_REPORT") {
        let file = std::fs::OpenOptions::new().append(true).create(true).open(report);
        std::io::Write::write_all(&mut file.unwrap(), figures.as_bytes()).unwrap();
    }
    assert!(wrong.is_empty(), "{figures}{}", wrong.join("\n"));
    let titles: Vec<_> = CALLS.iter().map(|(call, operation)| call.title(operation)).collect();
    let page = format!(
        "# NAT-PMP under every fault\n\n\
         This page is for programmers who decide how their program reacts to failures. It lists what each call \
         returns\n\
         for each fault of the network or the gateway.\n\n\
         {} calls × {} faults, once for the first request and once for every request: {runs} runs. In none \
         of them\n\
         the client reported a success or a failure that was not true, hid a mapping that it had made, took \
         longer than\n\
         its attempts take, or could not be used afterwards.\n\n\
         Each column is a call and the request in it that the fault affects. A cell says how many requests \
         the call sent\n\
         and what the caller got: if the fault affects the first request / if it affects every request. † means \
         that the\n\
         error advises to read back, because a mapping may exist. `cargo xtask faults` writes this page.\n\n\
         | fault | what happens | {} |\n|---|---|{}\n{rows}",
        CALLS.len(),
        faults().len(),
        titles.join(" | "),
        "---|".repeat(CALLS.len()),
    );
    document::check("../../docs/faults-natpmp.md", None, &page);
}
