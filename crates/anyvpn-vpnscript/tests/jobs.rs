#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! WireGuard configurations that queued jobs create: each caller gets its own, and none is
//! orphaned.

mod world;

use std::collections::BTreeSet;
use std::time::Duration;

use anyvpn_core::{
    Advice, Config, ConfigRequest, ErrorKind, PrivateKey, ServerConfigs, WireGuardConfig,
    WireGuardOptions,
};
use anyvpn_lab::dropping::poll_at_most;
use anyvpn_sandbox::vpnscript::{ConfigState, ServiceState};
use anyvpn_sandbox::{Fault, FaultRule};
use anyvpn_vpnscript::ops::CreateWireGuardConfig;
use futures_util::future::join_all;
use world::{OPENVPN, SMALL, USERNAME, WIREGUARD, World, left_behind, obtain};

/// Asserts that the configuration is active, and that its text is the obtained one.
fn assert_own(world: &World, id: u64, config: &WireGuardConfig) {
    let configs = world.service().configs(USERNAME);
    let own = configs.iter().find(|it| it.id == id).unwrap();
    assert_eq!(own.state, ConfigState::Active);
    assert_eq!(own.text.as_deref(), Some(config.to_secret().expose()), "another one's text");
}

#[tokio::test]
async fn one_among_older_ones_is_recognised() {
    let world = World::new(0).await;
    let mut keys = BTreeSet::new();
    for older in 0..4 {
        let (id, config) = world.obtain(WIREGUARD).await.unwrap();
        assert_eq!(world.ids().len(), older + 1);
        assert_eq!(world.ids().last(), Some(&id));
        assert_own(&world, id, &config);
        assert!(keys.insert(config.private_key().public_key().to_string()), "a key came twice");
    }
    // Other programs' jobs are in progress or have failed. They are older, too.
    world.service().fail_next_job("No route to host");
    for _ in 0..2 {
        world.vpn.call(CreateWireGuardConfig { server_id: 2 }).await.unwrap();
    }
    let (id, config) = world.obtain(WIREGUARD).await.unwrap();
    assert_eq!(world.ids().last(), Some(&id));
    assert_own(&world, id, &config);
}

#[tokio::test]
async fn the_waits_grow_until_the_job_is_done() {
    let world = World::new(0).await;
    world.service().set_job_duration(Duration::from_secs(20));
    world.obtain(WIREGUARD).await.unwrap();
    let waits: Vec<_> = world.clock.waits().iter().map(Duration::as_millis).collect();
    assert_eq!(waits, [500, 1000, 2000, 4000, 8000, 10_000]);
}

/// Makes room for the many configurations of a test.
fn make_room(world: &World) {
    world.service().set_devices(USERNAME, 10_000);
    world.service().change_server(2, |server| server.slots = 10_000);
}

#[tokio::test]
async fn two_programs_at_once_get_one_each_a_hundred_times() {
    let world = World::new(0).await;
    let (older, _) = world.obtain(WIREGUARD).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let folder = Some(folder.path().join("locks"));
    let one = world.other().with_lock_folder(folder.clone());
    let two = world.other().with_lock_folder(folder);
    world.sandbox.clear_received();
    for _ in 0..100 {
        let (first, second) = tokio::join!(obtain(&one, WIREGUARD), obtain(&two, WIREGUARD));
        let (first, second) = (first.unwrap(), second.unwrap());
        for (id, config) in [&first, &second] {
            assert_own(&world, *id, config);
        }
        let mut ids = [older, first.0, second.0];
        ids.sort_unstable();
        assert_eq!(world.ids(), ids, "one is orphaned, or one was given twice");
        let (first, second) = (first.0.to_string(), second.0.to_string());
        let (first, second) = tokio::join!(one.revoke_config(&first), two.revoke_config(&second));
        assert!(first.is_ok() && second.is_ok() && world.ids() == [older]);
    }
    assert_eq!(world.arrived("create-wireguard-config"), 200);
}

#[tokio::test]
async fn tasks_of_one_client_get_one_each() {
    let world = World::new(0).await;
    let all = join_all((0..10).map(|_| world.obtain(WIREGUARD))).await;
    let ids: BTreeSet<_> = all
        .into_iter()
        .map(|own| {
            let (id, config) = own.unwrap();
            assert_own(&world, id, &config);
            id
        })
        .collect();
    assert_eq!(ids.len(), 10);
}

/// Three programs that do not know each other: an error is allowed, but a guess is not.
#[tokio::test]
async fn without_a_shared_lock_no_caller_gets_the_configuration_of_another() {
    let world = World::new(0).await;
    make_room(&world);
    let programs = [world.other(), world.other(), world.other()];
    let (mut ids, mut unsure) = (BTreeSet::new(), 0);
    for _ in 0..10 {
        for outcome in join_all(programs.iter().map(|vpn| obtain(vpn, WIREGUARD))).await {
            match outcome {
                Ok((id, config)) => {
                    assert_own(&world, id, &config);
                    assert!(ids.insert(id), "{id} was given twice");
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Ambiguous, "{error}");
                    unsure += 1;
                }
            }
        }
    }
    assert!(unsure > 0 && world.ids().len() == 30, "{unsure} of {}", world.ids().len());
}

#[tokio::test]
async fn a_failed_job_says_why() {
    let world = World::new(0).await;
    world.service().fail_next_job("No route to host");
    let error = world.obtain(WIREGUARD).await.map(|(id, _)| id).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
    assert_eq!(error.message(), Some("No route to host"));
    let id = world.ids()[0];
    assert!(error.detail().unwrap().contains(&format!("configuration {id} ")), "{error}");
    assert_eq!(left_behind(&error), [id]);
    let list = world.vpn.list_configs().await.unwrap();
    assert_eq!(list[0].status.to_string(), "failed: No route to host");
}

#[tokio::test]
async fn at_the_deadline_the_error_names_the_pending_id() {
    let world = World::new(0).await;
    world.service().set_job_duration(Duration::from_secs(3600));
    let vpn = world.other().with_job_deadline(Duration::from_secs(30));
    let error = obtain(&vpn, WIREGUARD).await.map(|(id, _)| id).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Pending, "{error}");
    let id = world.ids()[0];
    assert!(error.detail().unwrap().contains(&format!("configuration {id} ")), "{error}");
    assert_eq!(left_behind(&error), [id]);
    // A caller that obtained once more would have two.
    assert_eq!(error.advice(), Advice::ReadBack);
    assert!(world.clock.waits().iter().sum::<Duration>() <= Duration::from_secs(30));
    world.sandbox.clock().advance(Duration::from_secs(3600));
    assert_eq!(world.vpn.list_configs().await.unwrap()[0].status.to_string(), "active");
}

#[tokio::test]
async fn an_overflowing_deadline_counts_as_no_deadline() {
    let world = World::new(0).await;
    let vpn = world.other().with_job_deadline(Duration::MAX);
    let (id, config) = obtain(&vpn, WIREGUARD).await.unwrap();
    assert_own(&world, id, &config);
}

#[tokio::test]
async fn a_listing_that_fails_after_the_creation_is_read_back() {
    // The caller gives up while it looks for its own configuration, and while it waits for its job.
    for (skip, names_it) in [(1, false), (2, true), (5, true)] {
        let world = World::new(0).await;
        let operation = Some("vpnscript.list-wireguard-configs".to_owned());
        let rule = FaultRule { operation, skip, ..FaultRule::always(Fault::Status(500)) };
        world.sandbox.inject(rule).unwrap();
        let error = world.obtain(WIREGUARD).await.map(|(id, _)| id).unwrap_err();
        assert_eq!((error.kind(), error.status()), (ErrorKind::Unavailable, Some(500)), "{error}");
        assert_eq!(error.advice(), Advice::ReadBack, "{error}");
        let named = if names_it { world.ids() } else { Vec::new() };
        assert_eq!(left_behind(&error), named, "{error}");
    }
}

#[tokio::test]
async fn a_dropped_future_leaves_nothing_behind_wherever_it_is_dropped() {
    let world = World::new(0).await;
    let folder = tempfile::tempdir().unwrap();
    let vpn = world.other().with_lock_folder(Some(folder.path().to_owned()));
    let next = world.other().with_lock_folder(Some(folder.path().to_owned()));
    let mut created = 0;
    for polls in 1..1000 {
        world.sandbox.clear_received();
        if let Some(obtained) = poll_at_most(polls, obtain(&vpn, WIREGUARD)).await {
            assert_eq!(world.ids(), [obtained.unwrap().0]);
            println!("dropped after each of {} polls; {created} had created", polls - 1);
            assert!(created > 3, "{created}");
            return;
        }
        // The next caller waits for the clean-up as far as necessary, and gets its own
        // configuration.
        let (id, config) = obtain(&next, WIREGUARD).await.unwrap();
        assert_own(&world, id, &config);
        created += usize::from(world.arrived("create-wireguard-config") > 1);
        next.revoke_config(&id.to_string()).await.unwrap();
        for _ in 0..2000 {
            if world.ids().is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(world.ids(), [0; 0], "left after {polls} polls");
    }
    panic!("it never came to an end");
}

#[tokio::test]
async fn impossible_requests_are_refused_before_anything_is_created() {
    let world = World::new(0).await;
    let request = |edit: fn(&mut WireGuardOptions)| {
        let mut request = ConfigRequest::wireguard(WIREGUARD);
        edit(&mut request.wireguard);
        request
    };
    for (field, request) in [
        ("private_key", request(|it| it.private_key = PrivateKey::generate().ok())),
        ("port", request(|it| it.port = Some(0))),
        ("mtu", request(|it| it.mtu = Some(67))),
    ] {
        let error = world.vpn.obtain_config(&request).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
        assert!(error.fields().contains_key(field), "{error}");
    }
    // The provider itself reports that the server has another protocol, or that it does not exist.
    for (server, kind) in [(OPENVPN, ErrorKind::InvalidRequest), ("999", ErrorKind::NotFound)] {
        let error = world.vpn.obtain_config(&ConfigRequest::wireguard(server)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    assert_eq!(world.ids(), [0; 0]);
}

#[tokio::test]
async fn the_callers_choices_stand_in_the_configuration() {
    let world = World::new(0).await;
    let mut request = ConfigRequest::wireguard(WIREGUARD);
    let options = &mut request.wireguard;
    (options.port, options.mtu, options.keepalive) = (Some(443), Some(1280), Some(25));
    (options.ipv4_only, options.ip_endpoint) = (true, true);
    options.dns = Some(vec!["9.9.9.9".parse().unwrap()]);
    let Config::WireGuard(config) = world.vpn.obtain_config(&request).await.unwrap().config else {
        panic!("another protocol");
    };
    assert_eq!((config.mtu(), config.dns()), (Some(1280), vec!["9.9.9.9".to_owned()]));
    let peer = &config.peers()[0];
    assert_eq!(peer.endpoint.as_ref().unwrap().to_string(), "127.0.0.1:443");
    assert_eq!(peer.persistent_keepalive, Some(25));
    let networks: Vec<_> = peer.allowed_ips.iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["0.0.0.0/0"]);
}

#[tokio::test]
async fn a_full_server_and_a_full_plan_are_different_errors() {
    let world = World::new(0).await;
    for _ in 0..2 {
        world.obtain(SMALL).await.unwrap();
    }
    let error = world.obtain(SMALL).await.map(|(id, _)| id).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::CapacityReached, "{error}");
    world.service().set_devices(USERNAME, 2);
    let error = world.obtain(WIREGUARD).await.map(|(id, _)| id).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::DeviceLimit, "{error}");
    assert_eq!(world.ids().len(), 2);
    // A deleted configuration frees its slot.
    world.vpn.revoke_config(&world.ids()[0].to_string()).await.unwrap();
    world.obtain(WIREGUARD).await.unwrap();
}

#[tokio::test]
async fn a_deletion_waits_until_it_is_gone() {
    let world = World::new(0).await;
    let (id, _) = world.obtain(WIREGUARD).await.unwrap();
    let (other, _) = world.obtain(WIREGUARD).await.unwrap();
    world.service().set_job_duration(Duration::from_secs(20));
    let before = world.clock.waits().len();
    world.vpn.revoke_config(&id.to_string()).await.unwrap();
    assert_eq!(world.ids(), [other]);
    let waits = &world.clock.waits()[before..];
    assert_eq!(waits.iter().sum::<Duration>(), Duration::from_millis(25_500));

    // Someone has already requested it, or the answer to this client's own request was lost.
    world.service().set_job_duration(Duration::from_secs(2));
    let rule = FaultRule::once("vpnscript.delete-wireguard-config", Fault::Wire("reset-after"));
    world.sandbox.inject(rule).unwrap();
    world.vpn.revoke_config(&other.to_string()).await.unwrap();
    assert_eq!(world.ids(), [0; 0]);
    let error = world.vpn.revoke_config(&other.to_string()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

#[tokio::test]
async fn pending_configurations_are_not_deleted() {
    let world = World::new(0).await;
    world.vpn.call(CreateWireGuardConfig { server_id: 2 }).await.unwrap();
    let id = world.ids()[0];
    let error = world.vpn.revoke_config(&id.to_string()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Pending, "{error}");
    assert_eq!(world.ids(), [id]);

    world.sandbox.clock().advance(Duration::from_secs(2));
    world.service().set_job_duration(Duration::from_secs(3600));
    let vpn = world.other().with_job_deadline(Duration::from_secs(30));
    let error = vpn.revoke_config(&id.to_string()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Pending, "{error}");
    assert!(error.detail().unwrap().contains(&format!("configuration {id} ")), "{error}");
}

#[tokio::test]
async fn a_failed_deletion_says_why() {
    // It still waits to be deleted or is active again, depending on the installation.
    for active_again in [false, true] {
        let is = |seed: &u64| {
            let quirks = anyvpn_sandbox::vpnscript::Quirks::from_seed(*seed);
            quirks.failed_deletion_is_active == active_again
        };
        let world = World::new((0..).find(is).unwrap()).await;
        let (id, _) = world.obtain(WIREGUARD).await.unwrap();
        world.service().fail_next_job("No route to host");
        let error = world.vpn.revoke_config(&id.to_string()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Refused, "{error}");
        assert_eq!(error.message(), Some("No route to host"));
        assert!(error.detail().unwrap().contains(&format!("configuration {id} ")), "{error}");
        assert_eq!(world.ids(), [id]);
    }
}

#[tokio::test]
async fn a_deletion_that_cannot_be_watched_is_read_back() {
    // The deletion is requested, and listing the remaining configurations is refused.
    let world = World::new(0).await;
    let (id, _) = world.obtain(WIREGUARD).await.unwrap();
    world.service().set_service(USERNAME, ServiceState::Expired);
    let error = world.vpn.revoke_config(&id.to_string()).await.unwrap_err();
    assert_eq!((error.kind(), error.advice()), (ErrorKind::ServiceExpired, Advice::ReadBack));
    assert_eq!(world.service().configs(USERNAME)[0].state, ConfigState::PendingDeletion);
    // It was requested before, and the refusal of that request counts.
    let error = world.vpn.revoke_config(&id.to_string()).await.unwrap_err();
    assert_eq!((error.kind(), error.advice()), (ErrorKind::Pending, Advice::Retry(None)));
}
