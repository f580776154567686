//! A customer who must exist once, whatever is lost, refused or requested twice, and whoever owns
//! the name.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::time::Duration;

use anyvpn_http::Operation as _;
use anyvpn_http::transport::Reqwest;
use anyvpn_lab::dropping::{Halting, at_every_poll, poll_at_most};
use anyvpn_lab::harness::still_sandbox;
use anyvpn_sandbox::{Fault, FaultRule};
use anyvpn_vpnresellers::ops::{CreateAccount, GetAccount};
use anyvpn_vpnresellers::{
    Advice, CreatedCustomer, Customers, Error, ErrorKind, LeftoverKind, Status, SuspendCustomers,
    VpnResellers,
};
use world::{CUSTOMER, NEW, RESELLER, STRANGER, World, newcomer, on_sandbox_time};

async fn create(world: &World, username: &str) -> Result<CreatedCustomer, Error> {
    world.reseller().create_customer(newcomer(username)).await
}

fn word(created: &CreatedCustomer) -> &'static str {
    match created {
        CreatedCustomer::Created(_) => "created",
        CreatedCustomer::Existed(_) => "existed",
        _ => "found",
    }
}

/// Uses a client's default settle time, on the sandbox's clock, which waits advance.
fn patient(world: &World) -> VpnResellers {
    on_sandbox_time(world.builder(), &world.sandbox).build().unwrap()
}

#[tokio::test]
async fn a_customer_is_created_once_with_every_seed() {
    for seed in 0..24 {
        let world = World::new(seed).await;
        assert_eq!(word(&create(&world, NEW).await.unwrap()), "created", "seed {seed}");
        let again = create(&world, NEW).await.unwrap();
        assert_eq!((word(&again), &*again.customer().key), ("existed", NEW), "seed {seed}");
        assert_eq!(world.arrived(CreateAccount::ID), 1, "seed {seed}");
    }
}

#[tokio::test]
async fn a_lost_creation_is_found_after_doubt() {
    let faults = ["reset-after", "cut-body", "half-json"].map(Fault::Wire);
    for fault in faults.into_iter().chain([Fault::Html(502)]) {
        for seed in 0..8 {
            let world = World::new(seed).await;
            world.fault("create-account", fault.clone());
            let found = create(&world, NEW).await.unwrap();
            // With a proxy's error page, the request has not taken effect, so the second attempt
            // creates the account.
            let (expected, arrived) = match fault {
                Fault::Html(_) => ("created", 2),
                _ => ("found", 1),
            };
            assert_eq!(word(&found), expected, "{fault:?}, seed {seed}");
            assert_eq!(world.arrived(CreateAccount::ID), arrived, "{fault:?}, seed {seed}");
            assert_eq!(world.sandbox.vpnresellers().created(NEW), 1, "{fault:?}, seed {seed}");
        }
    }
}

/// The creation is sent again only if the list and the check report twice, 15 s apart, that it had
/// no effect.
#[tokio::test]
async fn a_creation_that_never_arrived_is_sent_again_after_half_a_minute() {
    let world = World::from(still_sandbox()).await;
    world.fault("create-account", Fault::Wire("reset-before"));
    let began = world.sandbox.clock().now();
    let made = patient(&world).create_customer(newcomer(NEW)).await.unwrap();
    assert_eq!(word(&made), "created");
    let waited = world.sandbox.clock().now().duration_since(began);
    assert_eq!(waited.as_secs(), 30);
    assert_eq!(world.sandbox.vpnresellers().created(NEW), 1);
}

/// If two attempts are lost, the result is in doubt, and the error names the customer that may
/// exist.
#[tokio::test]
async fn two_lost_creations_are_in_doubt() {
    let world = World::new(0).await;
    let rule = FaultRule { times: Some(2), ..FaultRule::always(Fault::Wire("reset-before")) };
    let operation = Some("vpnresellers.create-account".to_owned());
    world.sandbox.inject(FaultRule { operation, ..rule }).unwrap();
    let error = create(&world, NEW).await.unwrap_err();
    assert_eq!((error.kind(), error.advice()), (ErrorKind::Ambiguous, Advice::ReadBack));
    assert_eq!(error.operation(), Some(CreateAccount::ID));
    let left: Vec<_> = error.left_behind().iter().map(|it| (it.kind, it.id())).collect();
    assert_eq!(left, [(LeftoverKind::Customer, NEW)]);
    assert_eq!(world.arrived(CreateAccount::ID), 2);
}

/// The list does not show the account in time, and the name is taken although it was free before.
/// The account may be ours, so it is not created again.
#[tokio::test]
async fn a_name_that_is_taken_since_the_loss_is_in_doubt() {
    let world = World::new(0).await;
    world.fault("create-account", Fault::Wire("reset-before"));
    // Another reseller takes the name while the first attempt is in transit.
    let reseller = world.reseller().with_settle_time(Duration::from_millis(200));
    let creation = reseller.create_customer(newcomer(NEW));
    let steals = async {
        while world.arrived(CreateAccount::ID) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        world.sandbox.vpnresellers().add_account("rival", NEW, "stolen-name");
    };
    let (outcome, ()) = tokio::join!(creation, steals);
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ambiguous, "{error}");
    assert_eq!(world.arrived(CreateAccount::ID), 1);
}

#[tokio::test]
async fn a_name_that_belongs_to_a_stranger_is_reported_and_never_used() {
    for seed in 0..24 {
        let world = World::new(seed).await;
        let before = world.sandbox.vpnresellers().account(STRANGER);
        let error = create(&world, STRANGER).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists, "seed {seed}: {error}");
        assert!(error.to_string().contains("another reseller"), "{error}");
        assert_eq!(world.arrived(CreateAccount::ID), 0, "seed {seed}");

        let reseller = world.reseller();
        let error = reseller.suspend_customer(STRANGER).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        let error = reseller.close_customer(STRANGER).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
        // Try the id of that account, which the API never tells.
        let id = before.as_ref().unwrap().id;
        let error = reseller.call(GetAccount { id }).await.unwrap_err();
        let refused = [ErrorKind::NotFound, ErrorKind::Unauthorized];
        assert!(refused.contains(&error.kind()), "seed {seed}: {error}");
        assert_eq!(world.sandbox.vpnresellers().account(STRANGER), before);
    }
}

/// User names are compared exactly, so a different case is a different customer.
#[tokio::test]
async fn a_name_in_another_case_is_another_customer() {
    let world = World::new(0).await;
    let upper = CUSTOMER.to_uppercase();
    assert!(world.reseller().find_customer(&upper).await.unwrap().is_none());
    assert_eq!(word(&create(&world, &upper).await.unwrap()), "created");
}

/// Another machine of the reseller creates the customer between the read and the creation.
#[tokio::test]
async fn a_customer_created_by_another_machine_counts_as_existing() {
    for seed in 0..8 {
        for (operation, skip) in [("check-username", 0), ("create-account", 0)] {
            let world = World::new(seed).await;
            let slow = FaultRule {
                skip,
                ..FaultRule::once(
                    &format!("vpnresellers.{operation}"),
                    Fault::TooManyRequests { retry_after: Some(Duration::from_secs(1)) },
                )
            };
            world.sandbox.inject(slow).unwrap();
            let reseller = world.reseller();
            let creation = reseller.create_customer(newcomer(NEW));
            let other = async {
                while world.sandbox.faulted() == 0 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                world.sandbox.vpnresellers().add_account(RESELLER, NEW, "other machine");
            };
            let (outcome, ()) = tokio::join!(creation, other);
            assert_eq!(word(&outcome.unwrap()), "existed", "{operation}, seed {seed}");
            assert_eq!(world.sandbox.vpnresellers().created(NEW), 1);
        }
    }
}

#[tokio::test]
async fn a_customer_exists_once_wherever_the_creation_is_dropped() {
    let mut created = 0;
    let polls = at_every_poll(async |polls| {
        let world = World::from(still_sandbox()).await;
        let transport = Halting::new(Reqwest::loopback().unwrap());
        let builder = on_sandbox_time(world.builder(), &world.sandbox);
        let reseller = builder.transport(std::sync::Arc::new(transport.clone())).build().unwrap();
        let dropped = poll_at_most(polls, reseller.create_customer(newcomer(NEW))).await;
        transport.settled().await;
        let before = world.sandbox.vpnresellers().created(NEW);
        created += before;
        let again = reseller.create_customer(newcomer(NEW)).await.unwrap();
        let expected = if before == 0 { "created" } else { "existed" };
        assert_eq!(word(&again), expected, "after {polls} polls");
        assert_eq!(again.customer().status, Status::Active);
        assert_eq!(world.sandbox.vpnresellers().created(NEW), 1, "after {polls} polls");
        dropped.is_some()
    })
    .await;
    // Some of the dropped calls had created the customer, and some had not.
    assert!((3..polls as u32 - 1).contains(&created), "{created} of {polls}");
}
