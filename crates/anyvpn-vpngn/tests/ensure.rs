//! A customer who must exist once: whatever is lost, refused or asked for twice.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::sync::Arc;

use anyvpn_core::Advice;
use anyvpn_http::Operation as _;
use anyvpn_sandbox::{Fault, FaultRule};
use anyvpn_testkit::scripted::{Script, Step};
use anyvpn_vpngn::ops::{AddClient, CloseClient, GetProducts};
use anyvpn_vpngn::{Access, Ensured, Error, ErrorKind, Proof, Vpngn};
use futures_util::future::join_all;
use world::{ALIAS, Credential, EMAIL, PASSWORD, World, newcomer};

const NEW: &str = "new@example.com";

/// What was received, as `read` and `add`, each with `!` when its reply was lost or no success.
fn received(world: &World) -> Vec<String> {
    let received = world.sandbox.received();
    let words = received.iter().map(|it| {
        let word = if it.operation == Some("vpngn.add-client") { "add" } else { "read" };
        format!("{word}{}", if it.status == Some(200) { "" } else { "!" })
    });
    words.collect()
}

async fn ensure(world: &World, email: &str) -> Result<Ensured, Error> {
    world.vpngn(Credential::SecretKey).ensure_client(newcomer(email)).await
}

fn lose(world: &World, operation: &str, fault: Fault) {
    world.sandbox.inject(FaultRule::once(operation, fault)).unwrap();
}

#[tokio::test]
async fn a_customer_is_created_once_with_every_seed() {
    for seed in 0..16 {
        for credential in [Credential::SecretKey, Credential::Whitelisted] {
            let world = World::new(seed).await;
            world.sandbox.vpngn().whitelist(credential == Credential::Whitelisted);
            let vpngn = world.vpngn(credential);
            let what = format!("seed {seed}, {credential:?}");
            let outcome = vpngn.ensure_client(newcomer(NEW)).await.unwrap();
            let Ensured::Created(Some(reply)) = outcome else { panic!("{what}: {outcome:?}") };
            assert_eq!(reply.short_token.is_some(), credential == Credential::Whitelisted);
            let outcome = vpngn.ensure_client(newcomer(NEW)).await.unwrap();
            let Ensured::Existed(products) = outcome else { panic!("{what}: {outcome:?}") };
            assert_eq!(products.len(), 1, "{what}");
            assert_eq!(world.arrived(AddClient::ID), 1, "{what}");
            assert_eq!(world.sandbox.vpngn().created(NEW), 1, "{what}");
        }
    }
}

#[tokio::test]
async fn a_customer_who_is_there_is_left_as_it_is() {
    for seed in 0..8 {
        let world = World::new(seed).await;
        world.sandbox.vpngn().add_customer("bare@example.com", PASSWORD, None);
        for (email, products) in [(EMAIL, 1), ("bare@example.com", 0), ("BARE@example.com", 0)] {
            let before = world.sandbox.vpngn().customer(email);
            let outcome = ensure(&world, email).await.unwrap();
            assert!(
                matches!(&outcome, Ensured::Existed(there) if there.len() == products),
                "{email}, seed {seed}: {outcome:?}"
            );
            assert_eq!(world.sandbox.vpngn().customer(email), before);
        }
        assert_eq!(world.arrived(AddClient::ID), 0);
    }
}

/// One whose account was closed is none, and is created anew.
#[tokio::test]
async fn a_closed_customer_is_created_anew() {
    let world = World::new(0).await;
    let close = CloseClient { email: EMAIL.to_owned() };
    world.vpngn(Credential::SecretKey).call(close).await.unwrap();
    let outcome = ensure(&world, EMAIL).await.unwrap();
    assert!(matches!(outcome, Ensured::Created(Some(_))), "{outcome:?}");
    assert_eq!(world.sandbox.vpngn().created(EMAIL), 2);
}

#[tokio::test]
async fn a_lost_creation_is_found_by_reading() {
    for fault in [Fault::Wire("reset-after"), Fault::Wire("cut-body"), Fault::Wire("half-json")] {
        for seed in 0..8 {
            let world = World::new(seed).await;
            lose(&world, "vpngn.add-client", fault.clone());
            let outcome = ensure(&world, NEW).await.unwrap();
            assert!(
                matches!(outcome, Ensured::Created(None)),
                "{fault:?}, seed {seed}: {outcome:?}"
            );
            assert_eq!(world.arrived(AddClient::ID), 1);
            assert_eq!(world.sandbox.vpngn().created(NEW), 1);
        }
    }
}

/// What never arrived, or was not done, is sent again, and never without reading in between.
#[tokio::test]
async fn a_creation_that_was_not_done_is_repeated_after_reading() {
    let world = World::new(0).await;
    for fault in
        [Fault::Wire("reset-before"), Fault::Status(500), Fault::Html(502), Fault::Html(200)]
    {
        lose(&world, "vpngn.add-client", fault);
    }
    let outcome = ensure(&world, NEW).await.unwrap();
    assert!(matches!(outcome, Ensured::Created(Some(_))), "{outcome:?}");
    // A page with status 200 is no success either.
    let arrived =
        ["read!", "add!", "read!", "add!", "read!", "add!", "read!", "add", "read!", "add"];
    assert_eq!(received(&world), arrived);
    assert_eq!(world.sandbox.vpngn().created(NEW), 1);
}

#[tokio::test]
async fn it_gives_up_and_says_that_the_outcome_is_unknown() {
    let world = World::new(0).await;
    let always = FaultRule::sometimes(100, "vpngn.add-client", Fault::Wire("reset-before"));
    world.sandbox.inject(always).unwrap();
    let error = ensure(&world, NEW).await.unwrap_err();
    assert_eq!((error.kind(), error.advice()), (ErrorKind::Ambiguous, Advice::ReadBack));
    assert_eq!(error.operation(), Some(AddClient::ID));
    assert_eq!(
        received(&world),
        ["read!", "add!"].repeat(5).into_iter().chain(["read!"]).collect::<Vec<_>>()
    );
}

/// When reading fails too, nothing more is sent: the customer may be there.
#[tokio::test]
async fn without_an_answer_to_reading_nothing_is_created() {
    for fault in
        [Fault::Status(500), Fault::Wire("reset-after"), Fault::Html(200), Fault::Wire("half-json")]
    {
        let world = World::new(0).await;
        world
            .sandbox
            .inject(FaultRule::sometimes(100, "vpngn.get-products", fault.clone()))
            .unwrap();
        ensure(&world, NEW).await.unwrap_err();
        assert_eq!(world.arrived(AddClient::ID), 0, "{fault:?}");

        let world = World::new(0).await;
        lose(&world, "vpngn.add-client", Fault::Wire("reset-after"));
        let after_the_first =
            FaultRule { skip: 1, ..FaultRule::sometimes(100, "vpngn.get-products", fault.clone()) };
        world.sandbox.inject(after_the_first).unwrap();
        let error = ensure(&world, NEW).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Ambiguous, "{fault:?}: {error}");
        assert_eq!(world.arrived(AddClient::ID), 1, "{fault:?}");

        world.sandbox.clear_faults();
        let outcome = ensure(&world, NEW).await.unwrap();
        assert!(matches!(outcome, Ensured::Existed(_)), "{fault:?}: {outcome:?}");
        assert_eq!(world.sandbox.vpngn().created(NEW), 1);
    }
}

#[tokio::test]
async fn a_refusal_is_the_callers_whichever_way_it_is_said() {
    for seed in 0..16 {
        let world = World::new(seed).await;
        let quirks = format!("seed {seed}, {:?}", world.sandbox.vpngn().quirks());
        let server = |api_key: &str, secret_key: &str| -> Vpngn {
            let access = Access::server(api_key, secret_key);
            world.vpngn(Credential::SecretKey).with_access(access)
        };
        let (api_key, secret_key) =
            (world.sandbox.vpngn().api_key(), world.sandbox.vpngn().secret_key());
        for wrong in [server("wrong-key", &secret_key), server(&api_key, "wrong-key")] {
            let error = wrong.ensure_client(newcomer(NEW)).await.unwrap_err();
            assert_ne!(error.advice(), Advice::ReadBack, "{quirks}: {error}");
            assert!(error.status().is_some() && error.message().is_some(), "{quirks}: {error}");
            if error.kind() == ErrorKind::Unauthorized {
                assert_eq!(world.arrived(AddClient::ID), 0, "{quirks}: it went on");
            }
        }
        // An alias's address is no customer's, and cannot become one.
        let error = ensure(&world, ALIAS).await.unwrap_err();
        assert!(error.to_string().contains("exists already"), "{quirks}: {error}");
        assert_eq!(world.sandbox.vpngn().customers(), 1, "{quirks}");
    }
}

fn known() -> Step {
    let product = r#"{"product_id":1,"product_type":"1 Month","product_status":"Active"}"#;
    Step::json(200, &format!(r#"{{"status":"success","response":[{product}]}}"#))
}

fn refused() -> Step {
    Step::json(400, r#"{"status":"error","message":"no"}"#)
}

async fn scripted(steps: impl IntoIterator<Item = Step>) -> (Result<Ensured, Error>, String) {
    let script = Script::new(steps);
    let builder = Vpngn::brand("acme").unwrap().credential(Access::server("key", "secret"));
    let vpngn = builder.transport(Arc::new(script.clone())).build().unwrap();
    let outcome = vpngn.ensure_client(newcomer(NEW)).await;
    let sent = script.sent();
    let calls = sent.iter().map(|it| it.uri().path().rsplit_once('/').unwrap().1);
    (outcome, calls.collect::<Vec<_>>().join(" "))
}

/// A lost request can be done later than the reading that did not find its work.
#[tokio::test]
async fn a_creation_that_is_done_late_is_still_this_callers() {
    let late = [refused(), Step::Reset, refused(), refused(), known()];
    let (outcome, calls) = scripted(late).await;
    assert!(matches!(outcome, Ok(Ensured::Created(None))), "{outcome:?}");
    assert_eq!(calls, "GetProducts AddClient GetProducts AddClient GetProducts");

    // Refused although nothing was lost: somebody else was faster.
    let (outcome, calls) = scripted([refused(), refused(), known()]).await;
    assert!(matches!(&outcome, Ok(Ensured::Existed(it)) if it.len() == 1), "{outcome:?}");
    assert_eq!(calls, "GetProducts AddClient GetProducts");

    // Refused, and there is nobody: the refusal is about something else.
    let (outcome, calls) = scripted([refused(), refused(), refused()]).await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(calls, "GetProducts AddClient GetProducts");
}

/// It needs a server's credential: others cannot read whom they create.
#[tokio::test]
async fn who_cannot_read_cannot_ensure() {
    let world = World::new(0).await;
    for credential in [Credential::None, Credential::LongToken] {
        let vpngn = world.vpngn(credential);
        let error = vpngn.ensure_client(newcomer(NEW)).await.unwrap_err();
        assert_eq!(error.operation(), Some(GetProducts::ID), "{error}");
        assert_eq!(world.sandbox.received(), []);
    }
    let unknown = Access::new(world.sandbox.vpngn().api_key(), Proof::Password(PASSWORD.into()));
    let vpngn = world.vpngn(Credential::None).with_access(unknown);
    vpngn.ensure_client(newcomer(NEW)).await.unwrap_err();
    assert_eq!(world.arrived(AddClient::ID), 0);
}

#[tokio::test]
async fn many_who_ensure_one_customer_at_once_create_it_once() {
    for seed in 0..16 {
        let world = World::new(seed).await;
        for _ in 0..3 {
            lose(&world, "vpngn.add-client", Fault::Wire("reset-after"));
            lose(&world, "vpngn.get-products", Fault::Wire("reset-after"));
        }
        let vpngn = world.vpngn(Credential::SecretKey);
        let all = (0..10).map(|_| vpngn.ensure_client(newcomer(NEW)));
        for outcome in join_all(all).await {
            outcome.unwrap();
        }
        assert_eq!(world.sandbox.vpngn().created(NEW), 1, "seed {seed}");
        assert_eq!(world.sandbox.vpngn().customer(NEW).unwrap().products.len(), 1);
    }
}
