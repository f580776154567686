//! A used-up balance is reported as such, whichever call it stops, and nothing is created.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use anyvpn_sandbox::Sandbox;
use anyvpn_vpnresellers::ops::CreateAccount;
use anyvpn_vpnresellers::{
    Accounts, Advice, Customers, ErrorKind, Operation as _, Status, SuspendCustomers,
};
use world::{CUSTOMER, NEW, RESELLER, World, newcomer, operations};

#[tokio::test]
async fn a_creation_and_a_resumption_are_refused_and_nothing_is_made() {
    for seed in 0..24 {
        let world = World::new(seed).await;
        let (reseller, service) = (world.reseller(), world.sandbox.vpnresellers());
        service.set_balance(RESELLER, 20);
        // The balance covers two days, but not a third one.
        for name in [NEW, "acme_u1003"] {
            reseller.create_customer(newcomer(name)).await.unwrap();
        }
        let error = reseller.create_customer(newcomer("acme_u1004")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InsufficientBalance, "seed {seed}: {error}");
        assert_eq!((error.status(), error.advice()), (Some(402), Advice::Change));
        assert_eq!(service.created("acme_u1004"), 0);
        let account = reseller.account().await.unwrap();
        assert_eq!(account.balance.as_deref(), Some("0.06"), "seed {seed}");
        if service.quirks().empty_balance_refuses_all {
            continue;
        }
        reseller.suspend_customer(CUSTOMER).await.unwrap();
        let error = reseller.resume_customer(CUSTOMER).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InsufficientBalance, "seed {seed}: {error}");
        service.set_balance(RESELLER, 7);
        reseller.resume_customer(CUSTOMER).await.unwrap();
    }
}

/// The vendor's page lists the refusal for a call that only checks a name, so any call can meet it.
#[tokio::test]
async fn every_operation_tells_it() {
    for code in [None, Some("vpnresellers.code-is-missing")] {
        let builder = Sandbox::builder().variation("vpnresellers.empty-balance-refuses-all");
        let builder = code.into_iter().fold(builder, |builder, name| builder.variation(name));
        let world = World::from(builder).await;
        world.sandbox.vpnresellers().set_balance(RESELLER, 0);
        for operation in operations() {
            let outcome = world.call_with(&world.reseller(), operation).await;
            match operation.name() {
                "get-profile" | "get-location" => assert!(outcome.is_ok(), "{outcome:?}"),
                _ => {
                    let kind = outcome.unwrap_err().kind();
                    assert_eq!(kind, ErrorKind::InsufficientBalance, "{operation}, {code:?}");
                }
            }
        }
        assert_eq!(world.arrived(CreateAccount::ID), 1);
    }
}

/// The effect on running accounts is not documented. If they are disabled, that is reported.
#[tokio::test]
async fn accounts_that_an_empty_balance_disables_are_suspended_customers() {
    let builder = Sandbox::builder().variation("vpnresellers.empty-balance-disables");
    let world = World::from(builder).await;
    world.sandbox.vpnresellers().set_balance(RESELLER, 8);
    world.sandbox.clock().advance(std::time::Duration::from_secs(86_400));
    let found = world.reseller().find_customer(CUSTOMER).await.unwrap().unwrap();
    assert_eq!(found.status, Status::Suspended);
}
