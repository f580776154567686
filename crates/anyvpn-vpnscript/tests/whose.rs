#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! Which caller a configuration belongs to, if the answer to a creation was lost or another machine
//! creates one at the same time.

mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyvpn_core::{Advice, ErrorKind};
use anyvpn_http::transport::{Body, Progress, Reqwest, Transport, TransportError};
use anyvpn_lab::dropping::{at_every_poll, poll_at_most};
use anyvpn_sandbox::{Fault, FaultRule};
use anyvpn_testkit::scripted::{Script, Step};
use anyvpn_testkit::time::VirtualTime;
use anyvpn_vpnscript::VpnScript;
use anyvpn_vpnscript::ops::CreateWireGuardConfig;
use bytes::Bytes;
use futures_core::future::BoxFuture;
use http::{Request, Response};
use tokio::sync::Notify;
use world::{WIREGUARD, World, left_behind, obtain};

/// What happens to a request in transit.
enum Detour {
    /// Another program's creation arrives first.
    OvertakeBy(VpnScript),
    /// A creation never arrives: the connection breaks, and another program's arrives.
    LoseAndOvertakeBy(VpnScript),
    /// A creation never arrives. The first notification says that it is in transit, and the second
    /// one breaks the connection.
    Swallow(Arc<Notify>, Arc<Notify>),
}

/// A transport that redirects creations. It counts the listings.
struct Road {
    inner: Reqwest,
    detour: Detour,
    lists: Arc<AtomicUsize>,
}

impl Road {
    fn client(world: &World, detour: Detour) -> (VpnScript, Arc<AtomicUsize>) {
        let lists = Arc::default();
        let road = Self { inner: world::reqwest(), detour, lists: Arc::clone(&lists) };
        let builder = world.builder().token(world.token.as_str()).transport(Arc::new(road));
        (world::client(builder), lists)
    }
}

impl Transport for Road {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'_, Result<Response<Body>, TransportError>> {
        Box::pin(async move {
            let path = request.uri().path();
            if path.ends_with("/wireguard/configs") {
                self.lists.fetch_add(1, Ordering::Relaxed);
            } else if path.ends_with("/wireguard/create") {
                match &self.detour {
                    Detour::OvertakeBy(other) => {
                        other.call(CreateWireGuardConfig { server_id: 2 }).await.unwrap();
                    }
                    Detour::LoseAndOvertakeBy(other) => {
                        other.call(CreateWireGuardConfig { server_id: 2 }).await.unwrap();
                        return Err(reset());
                    }
                    Detour::Swallow(swallowed, broken) => {
                        swallowed.notify_one();
                        broken.notified().await;
                        return Err(reset());
                    }
                }
            }
            self.inner.send(request).await
        })
    }
}

fn reset() -> TransportError {
    let reason = "connection reset by peer".to_owned();
    TransportError { progress: Progress::MaybeSent, reason }
}

#[tokio::test]
async fn a_creation_in_between_is_never_guessed_to_be_ours() {
    let world = World::new(0).await;
    let (older, _) = world.obtain(WIREGUARD).await.unwrap();
    let (vpn, _) = Road::client(&world, Detour::OvertakeBy(world.other()));
    let error = obtain(&vpn, WIREGUARD).await.map(|(id, _)| id).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Ambiguous, "{error}");
    assert_eq!(error.advice(), Advice::ReadBack);
    let ids = world.ids();
    assert_eq!(ids.len(), 3);
    // The ids of the two, without that of the older one.
    assert_eq!(left_behind(&error), ids.into_iter().filter(|id| *id != older).collect::<Vec<_>>());
}

/// The creation is interrupted before it takes effect, and another machine's configuration is new.
/// The error names that configuration, which is neither returned nor deleted, whenever the caller
/// gives up.
#[tokio::test]
async fn a_new_configuration_after_a_lost_creation_is_named_and_not_deleted() {
    let mut overtaken = 0;
    at_every_poll(async |polls| {
        let world = World::new(0).await;
        let (vpn, _) = Road::client(&world, Detour::LoseAndOvertakeBy(world.other()));
        let obtained = poll_at_most(polls, obtain(&vpn, WIREGUARD)).await;
        drop(vpn);
        // Lets background work finish.
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_micros(100)).await;
        }
        assert_eq!(world.arrived("delete-wireguard-config"), 0, "after {polls} polls");
        overtaken += usize::from(!world.ids().is_empty());
        let Some(outcome) = obtained else { return false };
        let error = outcome.map(|(id, _)| id).unwrap_err();
        assert_eq!((error.kind(), error.advice()), (ErrorKind::Ambiguous, Advice::ReadBack));
        assert_eq!(left_behind(&error), world.ids());
        assert_eq!(world.ids().len(), 1);
        true
    })
    .await;
    assert!(overtaken > 2, "{overtaken}");
}

/// The list shows another machine's configuration at once, and the client's own one later.
#[tokio::test]
async fn a_new_configuration_is_ours_only_if_no_other_follows() {
    let entry = |id: u64, active: bool| {
        let config = if active { r#""[Interface]""# } else { "null" };
        let status = i32::from(active);
        format!(r#"{{"id":{id},"config":{config},"status":{status},"fail_reason":null}}"#)
    };
    let list = |entries: &[String]| {
        let entries = entries.join(",");
        Step::json(200, &format!(r#"{{"status":true,"message":null,"data":[{entries}]}}"#))
    };
    let message = "WireGuard configuration create job dispatched. It will be completed shortly.";
    let accepted = Step::json(200, &format!(r#"{{"status":true,"message":"{message}"}}"#));
    let (none, both) = (list(&[]), list(&[entry(8, true), entry(9, false)]));
    for looks in [
        vec![list(&[entry(8, false)]), both.clone()],
        vec![list(&[entry(8, true)]), list(&[entry(8, true)]), both.clone()],
        // The list shows no accepted creations: 9 becomes visible only when 8 has been created.
        vec![
            none.clone(),
            list(&[entry(8, false)]),
            list(&[entry(8, false)]),
            list(&[entry(8, false)]),
            list(&[entry(8, false)]),
            both.clone(),
        ],
    ] {
        let count = 2 + looks.len();
        let script = Script::new([none.clone(), accepted.clone()].into_iter().chain(looks));
        let clock = VirtualTime::default();
        let builder = VpnScript::builder("https://vpn.example.com").token("1|x");
        let builder = builder.transport(Arc::new(script.clone())).clock(Arc::new(clock));
        let error = obtain(&world::client(builder), WIREGUARD).await.map(|(id, _)| id).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Ambiguous, "{error}");
        assert_eq!(left_behind(&error), [8, 9]);
        let sent = script.sent();
        assert_eq!(sent.len(), count);
        assert!(sent.iter().all(|request| request.method() != "DELETE"));
    }
}

/// The caller is gone, and nobody knows whether the creation arrived. A configuration that appears
/// belongs to someone else, and must not be deleted.
#[tokio::test]
async fn a_clean_up_deletes_nothing_when_the_answer_was_lost() {
    let world = World::new(0).await;
    let folder = tempfile::tempdir().unwrap();
    let folder = Some(folder.path().to_owned());
    let (swallowed, broken) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let detour = Detour::Swallow(Arc::clone(&swallowed), Arc::clone(&broken));
    let (vpn, lists) = Road::client(&world, detour);
    let vpn = vpn.with_lock_folder(folder.clone());
    tokio::select! {
        _ = obtain(&vpn, WIREGUARD) => panic!("nobody has answered"),
        () = swallowed.notified() => {}
    }
    world.other().call(CreateWireGuardConfig { server_id: 2 }).await.unwrap();
    let theirs = world.ids()[0];
    broken.notify_one();
    let (id, _) = obtain(&world.other().with_lock_folder(folder), WIREGUARD).await.unwrap();
    // Before the creation, and after it for as long as the settle time.
    assert_eq!(lists.load(Ordering::Relaxed), 1 + 3);
    assert_eq!(world.ids(), [theirs, id]);
    assert_eq!(world.arrived("delete-wireguard-config"), 0);
}

#[tokio::test]
async fn a_creation_with_a_lost_reply_is_named_and_not_repeated() {
    let faults = [Fault::Wire("reset-after"), Fault::Wire("cut-body"), Fault::Wire("half-json")];
    for fault in faults {
        let world = World::new(0).await;
        let (older, _) = world.obtain(WIREGUARD).await.unwrap();
        world.sandbox.clear_received();
        let rule = FaultRule::once("vpnscript.create-wireguard-config", fault.clone());
        world.sandbox.inject(rule).unwrap();
        let error = world.obtain(WIREGUARD).await.map(|(id, _)| id).unwrap_err();
        assert_eq!((error.kind(), error.advice()), (ErrorKind::Ambiguous, Advice::ReadBack));
        let new: Vec<_> = world.ids().into_iter().filter(|id| *id != older).collect();
        assert_eq!((new.len(), left_behind(&error)), (1, new), "{fault:?}");
        assert_eq!(world.arrived("create-wireguard-config"), 1, "{fault:?}");
        assert_eq!(world.arrived("delete-wireguard-config"), 0, "{fault:?}");
    }
}

#[tokio::test]
async fn a_lost_creation_is_not_repeated() {
    for (fault, kind) in [
        (Fault::Wire("reset-before"), ErrorKind::Ambiguous),
        (Fault::Status(500), ErrorKind::Unavailable),
        (Fault::Html(200), ErrorKind::UnexpectedReply),
    ] {
        let world = World::new(0).await;
        let rule = FaultRule::once("vpnscript.create-wireguard-config", fault);
        world.sandbox.inject(rule).unwrap();
        let error = world.obtain(WIREGUARD).await.map(|(id, _)| id).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(error.advice(), Advice::ReadBack, "{error}");
        assert_eq!(world.arrived("create-wireguard-config"), 1);
        assert_eq!(world.ids(), [0; 0]);
    }
}
