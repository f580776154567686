//! A program that ensures 1,000 customers is killed ten times while every third reply is lost.
//!
//! The program is this test binary, started again with the variables below. It knows only the list,
//! and starts from its beginning each time.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
#![cfg(unix)]

mod world;

use std::collections::HashMap;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyvpn_sandbox::vpngn::Status;
use anyvpn_sandbox::{Fault, FaultRule, Received, Sandbox};
use anyvpn_vpngn::{Access, Vpngn};
use futures_util::{StreamExt as _, stream};

const CUSTOMERS: usize = 1000;
/// The numbers of customers at which the program is killed.
const KILLS: [usize; 10] = [1, 60, 147, 230, 311, 400, 493, 589, 700, 850];
/// How many customers the program handles at a time.
const AT_ONCE: usize = 8;

const PROGRAM: &str = "the_program";
const URL: &str = "ANYVPN_TEST_URL";
const API_KEY: &str = "ANYVPN_TEST_API_KEY";
const SECRET_KEY: &str = "ANYVPN_TEST_SECRET_KEY";

fn email(number: usize) -> String {
    format!("customer-{number}@example.com")
}

/// Does nothing unless the other test has started it.
#[tokio::test]
async fn the_program() {
    let Ok(url) = std::env::var(URL) else { return };
    let key = |name| std::env::var(name).unwrap();
    let builder = world::quick(Vpngn::builder(url));
    let vpngn = builder.credential(Access::server(key(API_KEY), key(SECRET_KEY))).build().unwrap();
    let vpngn = vpngn.with_settle_time(Duration::from_millis(1));
    let all = (0..CUSTOMERS).map(async |number| {
        // If neither creating nor reading got an answer, the program repeats it.
        while vpngn.ensure_client(world::newcomer(&email(number))).await.is_err() {}
    });
    stream::iter(all).buffer_unordered(AT_ONCE).collect::<Vec<()>>().await;
}

fn start(sandbox: &Sandbox) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", PROGRAM, "--nocapture"])
        .env(URL, sandbox.vpngn_url())
        .env(API_KEY, sandbox.vpngn().api_key())
        .env(SECRET_KEY, sandbox.vpngn().secret_key())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits without blocking a thread, so that the sandbox can answer.
async fn until<T>(began: Instant, mut met: impl FnMut() -> Option<T>) -> T {
    loop {
        if let Some(value) = met() {
            return value;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "it takes too long");
        tokio::time::sleep(Duration::from_micros(500)).await;
    }
}

async fn end(began: Instant, mut program: Child) -> ExitStatus {
    until(began, || program.try_wait().unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_customers_exist_once_although_the_program_is_killed_ten_times() {
    let began = Instant::now();
    let sandbox = Sandbox::builder().seed(4).log_capacity(1_000_000).start().await.unwrap();
    let vpngn = sandbox.vpngn();
    sandbox
        .inject(FaultRule { percent: 30, ..FaultRule::always(Fault::Wire("reset-after")) })
        .unwrap();
    for there in KILLS {
        let mut program = start(&sandbox);
        until(began, || (vpngn.customers() >= there).then_some(())).await;
        program.kill().unwrap();
        assert_eq!(end(began, program).await.signal(), Some(9), "at {there} customers");
    }
    assert!(end(began, start(&sandbox)).await.success());

    assert_eq!(vpngn.customers(), CUSTOMERS);
    for number in 0..CUSTOMERS {
        let email = email(number);
        assert_eq!(vpngn.created(&email), 1, "{email}");
        let customer = vpngn.customer(&email).unwrap();
        let [product] = &customer.products[..] else { panic!("{customer:?}") };
        assert!(!customer.closed && product.status == Status::Active && product.plan == 12);
    }
    assert_eq!(sandbox.dropped(), 0);
    let received = sandbox.received();
    never_created_without_reading(&received);
    let lost = received.iter().filter(|it| it.status.is_none()).count();
    let adds = received.iter().filter(|it| it.operation == Some("vpngn.add-client"));
    let (adds, lost_adds) = (adds.clone().count(), adds.filter(|it| it.status.is_none()).count());
    println!(
        "{} requests, {lost} lost; {adds} AddClient, {lost_adds} lost; {} kills; {:?}",
        received.len(),
        KILLS.len(),
        began.elapsed()
    );
    assert!((25..=35).contains(&(lost * 100 / received.len())), "not three in ten were lost");
}

/// Between two AddClient calls for the same customer there is a GetProducts.
fn never_created_without_reading(received: &[Received]) {
    let mut read: HashMap<String, bool> = HashMap::new();
    for it in received {
        let email = url::form_urlencoded::parse(&it.body).find(|(name, _)| name == "email");
        let (_, email) = email.unwrap();
        let read = read.entry(email.to_string()).or_default();
        match it.operation {
            Some("vpngn.get-products") => *read = true,
            Some("vpngn.add-client") => {
                assert!(std::mem::take(read), "{email} was created without reading");
            }
            other => panic!("{other:?} was called"),
        }
    }
}
