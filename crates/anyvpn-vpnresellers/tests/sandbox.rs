//! Runs every operation over real HTTP against the sandbox, with each of its variations.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use anyvpn_lab::bounds::check_bounds;
use anyvpn_lab::harness::{check_operations, check_replies};
use anyvpn_sandbox::Sandbox;
use anyvpn_vpnresellers::ops::{CreateAccount, ValidateAccount};
use anyvpn_vpnresellers::{
    Accounts, CAPABILITIES, CustomerEnd, Customers, EndCustomers, ErrorKind, Provider, Secret,
    Status, SuspendCustomers,
};
use world::harness::Harness;
use world::{CUSTOMER, NEW, NEW_PASSWORD, PASSWORD, RESELLER, World, newcomer};

#[test]
fn the_sandbox_serves_exactly_the_clients_operations() {
    check_operations::<Harness>(18);
}

#[tokio::test]
async fn every_operation_works_and_its_reply_is_as_documented() {
    check_replies::<Harness>(24).await;
}

#[tokio::test]
async fn every_reply_that_fits_the_document_is_accepted() {
    check_bounds::<Harness>(&[]).await;
}

#[tokio::test]
async fn capabilities_are_what_the_accessors_give() {
    let world = World::new(0).await;
    let reseller = world.reseller();
    assert_eq!(reseller.info().capabilities, &CAPABILITIES);
    assert!(reseller.accounts().is_some() && reseller.customers().is_some());
    assert!(reseller.sign_in().is_none() && reseller.port_forwards().is_none());
}

#[tokio::test]
async fn a_customer_is_suspended_resumed_ended_and_given_a_password() {
    for seed in 0..24 {
        let world = World::new(seed).await;
        let (reseller, service) = (world.reseller(), world.sandbox.vpnresellers());
        let found = async || reseller.find_customer(CUSTOMER).await.unwrap().unwrap();
        assert_eq!(found().await.id, Some(world.id.to_string()));
        for (status, twice) in [(Status::Suspended, true), (Status::Active, false)] {
            for _ in 0..2 {
                match twice {
                    true => reseller.suspend_customer(CUSTOMER).await.unwrap(),
                    false => reseller.resume_customer(CUSTOMER).await.unwrap(),
                }
                assert_eq!(found().await.status, status, "seed {seed}");
            }
        }
        // Days are in UTC.
        let end = CustomerEnd::At("2099-12-31T23:00:00-03:00".parse().unwrap());
        reseller.end_customer(CUSTOMER, end).await.unwrap();
        let told = found().await.expires_at;
        assert_eq!(told, Some("2100-01-01T00:00:00Z".parse().unwrap()), "seed {seed}");
        assert_eq!(service.account(CUSTOMER).unwrap().expires_at, told);
        reseller.end_customer(CUSTOMER, CustomerEnd::Never).await.unwrap();
        assert_eq!(found().await.expires_at, None);
        let error = reseller.end_customer(CUSTOMER, CustomerEnd::NextRun).await.unwrap_err();
        assert!(error.fields().contains_key("end"), "{error}");

        let new = Secret::from(NEW_PASSWORD);
        reseller.set_customer_password(CUSTOMER, new.clone()).await.unwrap();
        assert_eq!(service.account(CUSTOMER).unwrap().password, NEW_PASSWORD);
        let check = |password| ValidateAccount { username: CUSTOMER.to_owned(), password };
        reseller.call(check(new)).await.unwrap();
        let error = reseller.call(check(PASSWORD.into())).await.unwrap_err();
        let refused = [ErrorKind::InvalidRequest, ErrorKind::NotFound, ErrorKind::Unauthorized];
        assert!(refused.contains(&error.kind()), "seed {seed}: {error}");
    }
}

/// An ended account is reported as the provider reports it.
#[tokio::test]
async fn an_expired_account_is_not_an_active_customer() {
    for (variation, status) in [
        (None, Status::Suspended),
        (Some("vpnresellers.ended-is-expired"), Status::Other("Expired".to_owned())),
    ] {
        let builder = variation.into_iter().fold(Sandbox::builder(), |it, name| it.variation(name));
        let world = World::from(builder).await;
        let reseller = world.reseller();
        let end = CustomerEnd::At("2099-12-31T00:00:00Z".parse().unwrap());
        reseller.end_customer(CUSTOMER, end).await.unwrap();
        world.sandbox.clock().advance(std::time::Duration::from_secs(80 * 366 * 86_400));
        let found = reseller.find_customer(CUSTOMER).await.unwrap().unwrap();
        assert_eq!(found.status, status);
        world.sandbox.vpnresellers().set_balance(RESELLER, 100);
        reseller.resume_customer(CUSTOMER).await.unwrap();
        let found = reseller.find_customer(CUSTOMER).await.unwrap().unwrap();
        assert_eq!((found.status, found.expires_at), (Status::Active, None));
    }
}

#[tokio::test]
async fn the_account_is_the_prepaid_balance() {
    let world = World::new(0).await;
    world.sandbox.vpnresellers().set_balance(RESELLER, 2503);
    let account = world.reseller().account().await.unwrap();
    assert_eq!((account.login, account.balance.as_deref()), (None, Some("25.03")));
}

/// A refusal is reported by field, and an unknown plan before anything is sent.
#[tokio::test]
async fn a_customer_who_cannot_be_created_is_refused_by_field() {
    for seed in 0..8 {
        let world = World::new(seed).await;
        let reseller = world.reseller();
        let mut planned = newcomer(NEW);
        planned.plan = Some("month".to_owned());
        let error = reseller.create_customer(planned).await.unwrap_err();
        assert!(error.fields().contains_key("plan"), "{error}");
        assert_eq!(world.sandbox.received(), []);

        let error = reseller.create_customer(newcomer("no spaces, please")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
        let mut short = newcomer(NEW);
        short.password = "short".into();
        // The country is ignored, because this provider needs none.
        short.country = Some("US".to_owned());
        let error = reseller.create_customer(short).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
        assert!(error.to_string().contains("between 6 and 50"), "seed {seed}: {error}");
        assert_eq!(world.sandbox.vpnresellers().created(NEW), 0);
    }
}

/// The form of a secret input.
#[test]
fn debug_output_of_inputs_contains_no_secret() {
    let create = CreateAccount { username: NEW.to_owned(), password: PASSWORD.into() };
    let shown = format!("{create:?} {}", serde_json::to_string(&create).unwrap());
    assert!(!shown.contains(PASSWORD), "{shown}");
}
