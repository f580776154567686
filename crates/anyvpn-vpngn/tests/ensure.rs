//! A customer who must exist once, whatever is lost, refused or requested twice.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::{Advice, Customers, LeftoverKind, NewCustomer};
use anyvpn_http::Operation as _;
use anyvpn_sandbox::{Fault, FaultRule};
use anyvpn_testkit::scripted::{Script, Step};
use anyvpn_testkit::time::VirtualTime;
use anyvpn_vpngn::ops::{AddClient, CloseClient, GetProducts};
use anyvpn_vpngn::{Access, Ensured, Error, ErrorKind, ProductMatch, Proof, Vpngn};
use futures_util::future::join_all;
use world::{ALIAS, Credential, EMAIL, PASSWORD, World, newcomer, on_sandbox_time};

const NEW: &str = "new@example.com";

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
            let Ensured::Created(reply) = outcome else { panic!("{what}: {outcome:?}") };
            assert_eq!(reply.short_token.is_some(), credential == Credential::Whitelisted);
            let outcome = vpngn.ensure_client(newcomer(NEW)).await.unwrap();
            let Ensured::Existed(found) = outcome else { panic!("{what}: {outcome:?}") };
            assert_eq!((found.products.len(), found.has_wanted), (1, ProductMatch::Yes), "{what}");
            assert_eq!(world.arrived(AddClient::ID), 1, "{what}");
            assert_eq!(world.sandbox.vpngn().created(NEW), 1, "{what}");
        }
    }
}

#[tokio::test]
async fn an_existing_customer_is_not_changed() {
    for seed in 0..8 {
        let world = World::new(seed).await;
        world.sandbox.vpngn().add_customer("bare@example.com", PASSWORD, None);
        for (email, products) in [(EMAIL, 1), ("bare@example.com", 0), ("BARE@example.com", 0)] {
            let before = world.sandbox.vpngn().customer(email);
            let outcome = ensure(&world, email).await.unwrap();
            assert!(
                matches!(&outcome, Ensured::Existed(found) if found.products.len() == products),
                "{email}, seed {seed}: {outcome:?}"
            );
            assert_eq!(world.sandbox.vpngn().customer(email), before);
        }
        assert_eq!(world.arrived(AddClient::ID), 0);
    }
}

/// A customer whose account was closed does not count, and is created anew.
#[tokio::test]
async fn a_closed_customer_is_created_again() {
    let world = World::new(0).await;
    let close = CloseClient { email: EMAIL.to_owned() };
    world.vpngn(Credential::SecretKey).call(close).await.unwrap();
    let outcome = ensure(&world, EMAIL).await.unwrap();
    assert!(matches!(outcome, Ensured::Created(_)), "{outcome:?}");
    assert_eq!(world.sandbox.vpngn().created(EMAIL), 2);
}

/// It is not known whether the lost attempt or someone else created the customer that was found.
#[tokio::test]
async fn a_lost_creation_is_found_after_doubt() {
    for fault in [Fault::Wire("reset-after"), Fault::Wire("cut-body"), Fault::Wire("half-json")] {
        for seed in 0..8 {
            let world = World::new(seed).await;
            lose(&world, "vpngn.add-client", fault.clone());
            let outcome = ensure(&world, NEW).await.unwrap();
            let Ensured::FoundAfterDoubt(found) = outcome else {
                panic!("{fault:?}, seed {seed}: {outcome:?}")
            };
            assert_eq!((found.products.len(), found.has_wanted), (1, ProductMatch::Yes));
            assert_eq!(world.arrived(AddClient::ID), 1);
            assert_eq!(world.sandbox.vpngn().created(NEW), 1);
        }
    }
}

/// Uses the sandbox's clock, which waits advance, and a client's default settle time.
fn patient(world: &World) -> Vpngn {
    on_sandbox_time(world.builder(Credential::SecretKey), &world.sandbox).build().unwrap()
}

/// A creation that never arrived or had no effect is sent once more. Before each attempt, reading
/// must report twice, after the settle time, that the customer cannot exist.
#[tokio::test]
async fn a_creation_that_was_not_done_is_repeated_once_after_the_settle_time() {
    for fault in
        [Fault::Wire("reset-before"), Fault::Status(500), Fault::Html(502), Fault::Html(200)]
    {
        for seed in 0..8 {
            let world = World::new(seed).await;
            lose(&world, "vpngn.add-client", fault.clone());
            let began = world.sandbox.clock().now();
            let outcome = patient(&world).ensure_client(newcomer(NEW)).await.unwrap();
            assert!(matches!(outcome, Ensured::Created(_)), "{fault:?}, seed {seed}: {outcome:?}");
            let waited = world.sandbox.clock().now().duration_since(began);
            assert!(waited.as_secs() >= 30, "{waited:?}");
            let operations: Vec<_> =
                world.sandbox.received().iter().map(|it| it.operation.unwrap()).collect();
            let (read, add) = ("vpngn.get-products", "vpngn.add-client");
            assert_eq!(operations, [read, add, read, read, read, read, add]);
            assert_eq!(world.sandbox.vpngn().created(NEW), 1);
        }
    }
}

#[tokio::test]
async fn it_gives_up_and_names_the_customer_whose_outcome_is_unknown() {
    let world = World::new(0).await;
    let always = FaultRule::sometimes(100, "vpngn.add-client", Fault::Wire("reset-before"));
    world.sandbox.inject(always).unwrap();
    assert_in_doubt(&ensure(&world, NEW).await.unwrap_err());
    assert_eq!(world.arrived(AddClient::ID), 2);
    assert_eq!(world.arrived(GetProducts::ID), 1 + 2 * 4);
}

fn assert_in_doubt(error: &Error) {
    assert_eq!((error.kind(), error.advice()), (ErrorKind::Ambiguous, Advice::ReadBack), "{error}");
    assert_eq!(error.operation(), Some(AddClient::ID));
    let left: Vec<_> = error.left_behind().iter().map(|it| (it.kind, it.id())).collect();
    assert_eq!(left, [(LeftoverKind::Customer, NEW)], "{error}");
}

/// If reading fails too, nothing more is sent, because the customer may exist.
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
        assert_in_doubt(&ensure(&world, NEW).await.unwrap_err());
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
        // The address of an alias belongs to no customer, and cannot become a customer's.
        let error = ensure(&world, ALIAS).await.unwrap_err();
        assert!(error.to_string().contains("exists already"), "{quirks}: {error}");
        assert_eq!(world.sandbox.vpngn().customers(), 1, "{quirks}");
    }
}

fn known() -> Step {
    let product = r#"{"product_id":1,"product_type":"1 Month","product_status":"Active"}"#;
    Step::json(200, &format!(r#"{{"status":"success","response":[{product}]}}"#))
}

fn says(message: &str) -> Step {
    Step::json(200, &format!(r#"{{"status":"error","code":7,"message":"{message}"}}"#))
}

fn refused() -> Step {
    says("no")
}

fn page(status: u16) -> Step {
    let html = vec![("content-type", "text/html".to_owned())];
    Step::Reply(status, html, b"<html><body>Bad Gateway</body></html>".to_vec())
}

/// Returns the outcome, the names of the calls, and the waits.
async fn scripted(
    steps: impl IntoIterator<Item = Step>,
) -> (Result<Ensured, Error>, String, Vec<Duration>) {
    let script = Script::new(steps);
    let clock = VirtualTime::default();
    let builder = Vpngn::brand("acme").unwrap().credential(Access::server("key", "secret"));
    let builder = builder.transport(Arc::new(script.clone())).clock(Arc::new(clock.clone()));
    let outcome = builder.build().unwrap().ensure_client(newcomer(NEW)).await;
    let sent = script.sent();
    let calls = sent.iter().map(|request| {
        let body = String::from_utf8_lossy(request.body());
        let name = request.uri().path().rsplit_once('/').unwrap().1;
        let is_control = body.contains("%40example.invalid");
        assert!(is_control || body.contains("new%40example.com"), "{body}");
        format!("{name}{}", if is_control { "(nobody)" } else { "" })
    });
    (outcome, calls.collect::<Vec<_>>().join(" "), clock.waits())
}

const ADDED_IN_DOUBT: &str = "GetProducts AddClient GetProducts(nobody) GetProducts";

/// The first read says nothing about the customer, and the creation is lost. Then the customer
/// exists: it may have existed all the time, or someone else may have created it.
#[tokio::test]
async fn no_password_is_returned_if_the_outcome_is_in_doubt() {
    for (first, lost) in [
        (says("database busy"), Step::Reset),
        (says("Client not found"), Step::Reset),
        (says("Client not found"), page(502)),
        (says("Client not found"), page(200)),
    ] {
        let steps = [first, lost, says("Client not found"), known()];
        let (outcome, calls, waits) = scripted(steps).await;
        assert!(
            matches!(&outcome, Ok(Ensured::FoundAfterDoubt(found)) if found.products.len() == 1),
            "{outcome:?}"
        );
        assert_eq!(calls, ADDED_IN_DOUBT);
        assert_eq!(waits, [Duration::from_secs(15)]);
    }
}

/// Only a refusal in VPNGN's own form permits a creation.
#[tokio::test]
async fn a_page_in_the_place_of_the_first_look_creates_nothing() {
    for status in [200, 302, 403, 404, 406, 502] {
        let (outcome, calls, _) = scripted(std::iter::repeat_n(page(status), 9)).await;
        assert!(outcome.is_err());
        assert!(!calls.contains("AddClient"), "{status}: {calls}");
    }
}

/// A customer is absent if the refusal uses the words for a customer that cannot exist, twice.
#[tokio::test]
async fn a_lost_creation_counts_as_absent_only_if_refused_like_a_fictitious_customer() {
    let absent = || says("Client not found");
    let created = Step::json(200, r#"{"status":"success","username":"new@example.com"}"#);
    let twice = format!("{ADDED_IN_DOUBT} GetProducts(nobody) GetProducts");

    let absent_twice = [absent(), absent(), absent(), absent()];
    let steps = [absent(), Step::Reset].into_iter().chain(absent_twice.clone());
    let (outcome, calls, waits) = scripted(steps.chain([created])).await;
    assert!(matches!(outcome, Ok(Ensured::Created(_))), "{outcome:?}");
    assert_eq!(calls, format!("{twice} AddClient"));
    assert_eq!(waits, [Duration::from_secs(15); 2]);

    // The lost creation took effect after all that, or someone else was faster.
    let steps = [absent(), Step::Reset].into_iter().chain(absent_twice);
    let (outcome, calls, _) = scripted(steps.chain([says("Client exists"), known()])).await;
    assert!(matches!(outcome, Ok(Ensured::FoundAfterDoubt(_))), "{outcome:?}");
    assert_eq!(calls, format!("{twice} AddClient GetProducts"));

    let status_400 = Step::json(400, r#"{"status":"error","code":7,"message":"no"}"#);
    let code_8 = Step::json(200, r#"{"status":"error","code":8,"message":"no"}"#);
    for (control, look) in [
        (absent(), says("database busy")),
        (refused(), status_400),
        (refused(), code_8),
        (page(502), absent()),
        (absent(), page(404)),
        (known(), absent()),
    ] {
        // The two replies come the first time, or the second time.
        for before in [vec![], vec![absent(), absent()]] {
            let looks = before.into_iter().chain([control.clone(), look.clone()]);
            let steps = [absent(), Step::Reset].into_iter().chain(looks);
            let (outcome, calls, _) = scripted(steps).await;
            assert_in_doubt(&outcome.unwrap_err());
            assert_eq!(calls.matches("AddClient").count(), 1, "{calls}");
        }
    }

    // The message contains the address, in its original or normalized spelling.
    let names = |email: &str| says(&format!("There is no {email}."));
    let steps = [names("new@example.com"), Step::Reset, names("NEW@example.com"), absent()];
    let (outcome, ..) = scripted(steps).await;
    assert_in_doubt(&outcome.unwrap_err());
}

#[tokio::test]
async fn a_refused_creation_is_explained_by_the_existing_customer() {
    // The creation was refused although nothing was lost: someone else was faster.
    let (outcome, calls, _) = scripted([refused(), refused(), known()]).await;
    assert!(
        matches!(&outcome, Ok(Ensured::Existed(found)) if found.products.len() == 1),
        "{outcome:?}"
    );
    assert_eq!(calls, "GetProducts AddClient GetProducts");

    // The creation was refused, but no customer exists: the refusal is about something else.
    let (outcome, calls, _) = scripted([refused(), refused(), refused()]).await;
    assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Refused);
    assert_eq!(calls, "GetProducts AddClient GetProducts");
}

/// The customer exists, but with a product of another type.
#[tokio::test]
async fn a_product_of_another_type_is_reported() {
    use ProductMatch::{No, Unknown, Yes};
    let product = |kind: &str, status: &str| {
        format!(r#"{{"product_id":1,"product_type":"{kind}","product_status":"{status}"}}"#)
    };
    for (products, has_wanted) in [
        (vec![product("12 Months", "Active")], Yes),
        (vec![product("12 months", "Active"), product("Gold", "Active")], Yes),
        (vec![product("1 Month", "Active")], No),
        (vec![product("12 Months", "Terminated")], No),
        (vec![product("1 Month", "Active"), product("12 Months", "Terminated")], No),
        (vec![], No),
        (vec![product("1 Year", "Active")], Unknown),
        (vec![product("12", "Active")], Unknown),
        (vec![product("12 Months Gold", "Active")], Unknown),
        (vec![product("1 Month", "Active"), product("", "Active")], Unknown),
        (vec![product("1 Year", "Terminated")], No),
    ] {
        let list = products.join(",");
        let there = Step::json(200, &format!(r#"{{"status":"success","response":[{list}]}}"#));
        let (outcome, ..) = scripted([there]).await;
        let Ok(Ensured::Existed(found)) = outcome else { panic!("{list}: {outcome:?}") };
        assert_eq!(found.has_wanted, has_wanted, "{list}");
    }
}

/// The neutral trait names the customer too, and does not repeat anything that may have taken
/// effect.
#[tokio::test]
async fn a_lost_creation_of_a_neutral_customer_names_it() {
    for lost in [Step::Reset, page(502), page(200), Step::Cut(200, "{".to_owned())] {
        let refusal = r#"{"status":"error","message":"unknown client"}"#;
        let looks = [Step::Reset, Step::Reset, Step::Reset, Step::Reset];
        let script = Script::new([Step::json(200, refusal), lost].into_iter().chain(looks));
        let clock = VirtualTime::default();
        let builder = Vpngn::brand("acme").unwrap().credential(Access::server("key", "secret"));
        let builder = builder.transport(Arc::new(script.clone())).clock(Arc::new(clock));
        let vpngn = builder.build().unwrap();
        let mut new = NewCustomer::new(NEW, PASSWORD.into());
        (new.country, new.plan) = (Some("US".to_owned()), Some("12".to_owned()));
        let error = vpngn.create_customer(new).await.unwrap_err();
        assert_eq!(error.advice(), Advice::ReadBack, "{error}");
        let left: Vec<_> = error.left_behind().iter().map(|it| (it.kind, it.id())).collect();
        assert_eq!(left, [(LeftoverKind::Customer, NEW)], "{error}");
        let sent = script.sent();
        let created = sent.iter().filter(|request| request.uri().path().ends_with("/AddClient"));
        assert_eq!(created.count(), 1);
    }
}

/// It needs a server's credential, because others cannot read the customers that they create.
#[tokio::test]
async fn ensuring_requires_a_credential_that_can_read() {
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

/// Whether a refusal means that the customer is absent is decided by a customer who cannot exist. One such
/// reading serves all that wait for it, but none that asked after it began.
#[tokio::test]
async fn calls_at_the_same_time_share_the_reading_of_a_customer_who_cannot_exist() {
    const MANY: usize = 40;
    let world = World::new(0).await;
    let vpngn = world.vpngn(Credential::SecretKey);
    for before in 0..2 {
        assert_eq!(world.arrived(GetProducts::ID), 2 * before);
        assert_eq!(vpngn.find_customer(NEW).await.unwrap(), None);
    }
    let before = world.arrived(GetProducts::ID);
    let emails: Vec<_> = (0..MANY).map(|number| format!("new{number}@example.com")).collect();
    let found = join_all(emails.iter().map(|email| vpngn.find_customer(email))).await;
    assert!(found.iter().all(|it| matches!(it, Ok(None))), "{found:?}");
    let controls = world.arrived(GetProducts::ID) - before - MANY;
    assert!((1..MANY / 2).contains(&controls), "{controls}");
}
