//! The conformance suite passes on the reference provider, and notices one that breaks the contract.

use std::net::Ipv4Addr;

use anyvpn_core::{
    Accounts, Error, NewAccount, NewPortForward, PortCheck, PortForward, PortForwards, Provider,
    ProviderInfo, Secret,
};
use anyvpn_testkit::conformance::{Outcome, Subject, run};
use anyvpn_testkit::reference::Reference;
use async_trait::async_trait;

fn subject(provider: Box<dyn Provider>, anonymous: Reference) -> Subject {
    Subject {
        signed_in: provider,
        anonymous: Box::new(anonymous),
        password: Secret::from("first"),
        new_account: NewAccount::new("someone", Some(Secret::from("second"))),
    }
}

#[tokio::test]
async fn the_reference_provider_keeps_the_contract() {
    let reference = Reference::new("user", Secret::from("first"));
    let anonymous = reference.anonymous();
    let report = run(&subject(Box::new(reference), anonymous)).await;
    assert_eq!(report.failures(), [""; 0], "{report}");
    assert!(report.0.len() > 15, "{report}");
}

/// A provider whose deletion is not done, and whose accounts cannot be read although it says so.
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
    async fn tunnel_addresses(&self) -> Result<Vec<Ipv4Addr>, Error> {
        self.0.tunnel_addresses().await
    }

    async fn list(&self, device: Ipv4Addr) -> Result<Vec<PortForward>, Error> {
        PortForwards::list(&self.0, device).await
    }

    async fn create(&self, port: NewPortForward) -> Result<PortForward, Error> {
        PortForwards::create(&self.0, port).await
    }

    async fn hide(&self, device: Ipv4Addr, port: u16) -> Result<PortForward, Error> {
        self.0.hide(device, port).await
    }

    async fn delete(&self, _device: Ipv4Addr, _port: u16) -> Result<(), Error> {
        Ok(())
    }

    async fn check(&self, port: u16) -> Result<PortCheck, Error> {
        self.0.check(port).await
    }
}

#[tokio::test]
async fn a_broken_contract_is_noticed() {
    let reference = Reference::new("user", Secret::from("first"));
    let anonymous = reference.anonymous();
    let report = run(&subject(Box::new(Broken(reference)), anonymous)).await;
    let failed = |name: &str| {
        report.0.iter().any(|(it, outcome)| *it == name && matches!(outcome, Outcome::Fail(_)))
    };
    assert!(failed("capabilities agree with accessors"), "{report}");
    assert!(failed("port: create, list, delete"), "{report}");
    assert!(failed("port: unknown is not found"), "{report}");
}
