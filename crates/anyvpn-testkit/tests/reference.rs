//! The conformance suite accepts the reference providers, and detects providers that break the
//! contract.

use std::net::Ipv4Addr;

use anyvpn_core::{
    Ability, Accounts, Capabilities, Customers, Error, Lease, ListPortForwards, NewAccount,
    NewCustomer, NewPortForward, PortForward, PortForwards, Provider, ProviderInfo, Secret,
    Setting,
};
use anyvpn_testkit::conformance::{Outcome, Report, Subject, run};
use anyvpn_testkit::reference::{KeptAlive, Reference, Reseller};
use async_trait::async_trait;

fn subject(provider: impl Provider + 'static, anonymous: Reference) -> Subject {
    let mut subject = Subject::new(provider, anonymous);
    subject.password = Secret::from("first");
    subject.new_account = Some(NewAccount::new("someone", Secret::from("second")));
    subject
}

fn passed(report: &Report, name: &str) -> bool {
    report.0.iter().any(|(check, outcome)| *check == name && *outcome == Outcome::Pass)
}

fn failed(report: &Report, name: &str) -> bool {
    report.0.iter().any(|(check, outcome)| *check == name && matches!(outcome, Outcome::Fail(_)))
}

#[tokio::test]
async fn the_reference_provider_keeps_the_contract() {
    let reference = Reference::new("user", Secret::from("first"));
    let anonymous = reference.anonymous();
    let report = run(&subject(reference, anonymous)).await;
    assert_eq!(report.failures(), [""; 0], "{report}");
    assert!(report.0.len() > 15, "{report}");
}

fn kept_alive(provider: impl Provider + 'static, gateway: &KeptAlive) -> Subject {
    let mut subject = Subject::new(provider, gateway.clone());
    let gateway = gateway.clone();
    subject.advance = Some(Box::new(move |time| gateway.advance(time)));
    subject
}

const LEASES: [&str; 4] = [
    "port: stays open while it is renewed",
    "port: expires, and is found or created again",
    "port: carries the requested protocols",
    "port: own forwards are listed",
];

#[tokio::test]
async fn a_lease_that_is_kept_alive_keeps_the_contract() {
    let gateway = KeptAlive::default();
    let report = run(&kept_alive(gateway.clone(), &gateway)).await;
    assert_eq!(report.failures(), [""; 0], "{report}");
    for name in LEASES {
        assert!(passed(&report, name), "{name}\n{report}");
    }
}

/// A provider that assigns another number at each renewal, and always forwards both protocols.
#[derive(Debug)]
struct Restless(KeptAlive);

impl Provider for Restless {
    fn info(&self) -> &'static ProviderInfo {
        self.0.info()
    }

    fn port_forwards(&self) -> Option<&dyn PortForwards> {
        Some(self)
    }
}

#[async_trait]
impl PortForwards for Restless {
    fn lease(&self) -> Lease {
        self.0.lease()
    }

    async fn tunnel_addresses(&self) -> Result<Option<Vec<Ipv4Addr>>, Error> {
        self.0.tunnel_addresses().await
    }

    async fn create_port_forward(&self, _new: NewPortForward) -> Result<PortForward, Error> {
        self.0.create_port_forward(NewPortForward::new()).await
    }

    async fn renew_port_forward(&self, _port: &PortForward) -> Result<PortForward, Error> {
        self.0.create_port_forward(NewPortForward::new()).await
    }

    async fn delete_port_forward(&self, port: &PortForward) -> Result<(), Error> {
        self.0.delete_port_forward(port).await
    }

    fn port_list(&self) -> Option<&dyn ListPortForwards> {
        self.0.port_list()
    }
}

#[tokio::test]
async fn a_lease_that_does_not_keep_its_number_is_noticed() {
    let gateway = KeptAlive::default();
    let report = run(&kept_alive(Restless(gateway.clone()), &gateway)).await;
    for name in LEASES {
        assert!(failed(&report, name), "{name}\n{report}");
    }
}

fn reseller(reseller: &Reseller) -> Subject {
    reseller.take_name("stranger");
    let mut subject = Subject::new(reseller.clone(), reseller.clone());
    let mut customer = NewCustomer::new("customer", Secret::from("first"));
    customer.plan = Some("small".to_owned());
    subject.new_customer = Some(customer);
    subject.taken_customer = Some("stranger".to_owned());
    let reseller = reseller.clone();
    subject.lose_creation = Some(Box::new(move || reseller.lose_next_creation()));
    subject
}

#[tokio::test]
async fn a_resellers_customers_keep_the_contract() {
    let report = run(&reseller(&Reseller::default())).await;
    assert_eq!(report.failures(), [""; 0], "{report}");
    for name in [
        "customer: created only once",
        "customer: listed",
        "customer: plan can be changed",
        "customer: can be suspended and resumed",
        "customer: end",
        "customer: can be closed",
        "customer: an unknown customer is an error",
        "customer: another reseller's name is refused",
        "customer: found after a lost answer",
    ] {
        assert!(passed(&report, name), "{name}\n{report}");
    }
}

/// A provider whose deletion has no effect, and whose accounts cannot be read although it says so.
#[derive(Debug)]
struct Broken(Reference);

impl Provider for Broken {
    fn info(&self) -> &'static ProviderInfo {
        self.0.info()
    }

    fn port_forwards(&self) -> Option<&dyn PortForwards> {
        Some(self)
    }

    fn accounts(&self) -> Option<&dyn Accounts> {
        None
    }
}

#[async_trait]
impl PortForwards for Broken {
    fn lease(&self) -> Lease {
        self.0.lease()
    }

    async fn tunnel_addresses(&self) -> Result<Option<Vec<Ipv4Addr>>, Error> {
        self.0.tunnel_addresses().await
    }

    async fn create_port_forward(&self, port: NewPortForward) -> Result<PortForward, Error> {
        self.0.create_port_forward(port).await
    }

    async fn renew_port_forward(&self, port: &PortForward) -> Result<PortForward, Error> {
        self.0.renew_port_forward(port).await
    }

    async fn delete_port_forward(&self, _port: &PortForward) -> Result<(), Error> {
        Ok(())
    }

    fn port_list(&self) -> Option<&dyn ListPortForwards> {
        self.0.port_list()
    }
}

#[tokio::test]
async fn a_broken_contract_is_noticed() {
    let reference = Reference::new("user", Secret::from("first"));
    let anonymous = reference.anonymous();
    let report = run(&subject(Broken(reference), anonymous)).await;
    assert!(failed(&report, "capabilities agree with accessors"), "{report}");
    assert!(failed(&report, "port: create, list, delete"), "{report}");
    assert!(failed(&report, "port: an unknown port is not found"), "{report}");
}

/// A description with duplicates.
static CONFUSED: ProviderInfo =
    ProviderInfo::new("confused", "Confused", "https://example.com", &TWICE).settings(&[
        Setting::url("Where it is."),
        Setting::secret("token", "token", "A token."),
        Setting::new("token", "token", "Another token."),
    ]);

static TWICE: Capabilities = Capabilities::new(
    &[Ability::Customers, Ability::ChangePlan],
    &[(Ability::ChangePlan, "there is one plan", "https://example.com")],
    ("there is no such call", "https://example.com"),
);

#[derive(Debug)]
struct Confused(Reseller);

impl Provider for Confused {
    fn info(&self) -> &'static ProviderInfo {
        &CONFUSED
    }

    fn customers(&self) -> Option<&dyn Customers> {
        self.0.customers()
    }
}

#[tokio::test]
async fn a_description_that_contradicts_itself_is_noticed() {
    let confused = Confused(Reseller::default());
    let report = run(&Subject::new(confused, Reseller::default())).await;
    assert!(failed(&report, "capabilities name each ability once"), "{report}");
    assert!(failed(&report, "settings have distinct keys"), "{report}");
}
