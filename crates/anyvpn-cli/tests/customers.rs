//! Lists, suspends and resumes the customers of a provider in memory.
//!
//! The command runs inside this program, so that the provider keeps its state between command
//! lines.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

#[path = "common/schema.rs"]
mod schema;

use std::env;
use std::process::{Command, ExitCode};
use std::sync::Arc;

use anyvpn::{
    Context, Customers as _, Driver, Error, NewCustomer, Provider, ProviderInfo, Registry, Secret,
    Settings,
};
use anyvpn_testkit::reference::Reseller;
use schema::Schemas;
use serde_json::{Deserializer, Value};

/// Precedes each command line that this program runs with the provider.
const RUN: &str = "--run";

struct ResellerDriver(Reseller);

impl Driver for ResellerDriver {
    fn info(&self) -> &'static ProviderInfo {
        self.0.info()
    }

    fn open(&self, _: &Settings, _: &Context) -> Result<Arc<dyn Provider>, Error> {
        Ok(Arc::new(self.0.clone()))
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == RUN) {
        return run(&arguments);
    }
    customers_are_listed_suspended_and_resumed();
    ExitCode::SUCCESS
}

/// Runs the command lines for a reseller who has two customers.
fn run(arguments: &[String]) -> ExitCode {
    let reseller = Reseller::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for (name, plan) in [("ada", Some("small")), ("bob", Some("large"))] {
        let mut new = NewCustomer::new(name, Secret::from("hunter2-canary"));
        new.plan = plan.map(str::to_owned);
        runtime.block_on(reseller.create_customer(new)).unwrap();
    }
    let registry = Registry::new().with(ResellerDriver(reseller));
    let lines = arguments.split(|argument| argument == RUN).skip(1);
    let codes = lines.map(|line| {
        let words = ["anyvpn", "customer"].into_iter().chain(line.iter().map(String::as_str));
        anyvpn_cli::run(&registry, words.map(Into::into))
    });
    codes.last().unwrap_or(ExitCode::FAILURE)
}

/// Returns the output of `anyvpn customer` with these arguments, one line after the other.
fn printed(lines: &[&[&str]]) -> String {
    let mut command = Command::new(env::current_exe().unwrap());
    lines.iter().for_each(|line| {
        command.arg(RUN).args(*line);
    });
    let ran = command.env_clear().output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    String::from_utf8(ran.stdout).unwrap()
}

fn customers_are_listed_suspended_and_resumed() {
    let answer = printed(&[
        &["suspend", "ada", "--json"],
        &["list", "--json"],
        &["resume", "ada", "--json"],
        &["list", "--json"],
    ]);
    let answers = Deserializer::from_str(&answer).into_iter::<Value>();
    let answers = answers.collect::<Result<Vec<_>, _>>().unwrap();
    let schemas = ["customer-suspend", "customer-list", "customer-resume", "customer-list"];
    schemas.iter().zip(&answers).for_each(|(schema, answer)| Schemas::load().check(schema, answer));
    let [suspended, before, resumed, after] = &answers[..] else { panic!("{answers:?}") };
    assert_eq!((&suspended["done"], &suspended["customer"]), (&"suspend".into(), &"ada".into()));
    assert_eq!((&resumed["done"], &resumed["customer"]), (&"resume".into(), &"ada".into()));
    let states = |list: &Value| {
        let customers = list["customers"].as_array().unwrap();
        let state = |it: &Value| format!("{} {} {}", it["customer"], it["status"], it["plan"]);
        customers.iter().map(state).collect::<Vec<_>>().join(", ").replace('"', "")
    };
    assert_eq!(states(before), "ada suspended small, bob active large");
    assert_eq!(states(after), "ada active small, bob active large");

    let text = printed(&[&["suspend", "bob"], &["list"], &["resume", "bob"]]);
    assert_eq!(
        text,
        "bob is suspended.\n\
         CUSTOMER  STATUS     SERVICES\n\
         ada       active     plan small\n\
         bob       suspended  plan large\n\
         bob can connect again.\n"
    );
    let closed = ["close", "ada", "--yes"];
    let text = printed(&[&closed, &["close", "bob", "--yes"], &["list"]]);
    assert!(text.ends_with("There are no customers.\n"), "{text}");
}
