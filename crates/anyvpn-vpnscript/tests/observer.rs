#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
//! The events that an observer receives about jobs, and about the lock before them.

mod world;

use std::sync::{Arc, Mutex};

use anyvpn_core::{Activity, ActivityKind, CallEvent, CallObserver, ServerConfigs};
use anyvpn_http::lock_file;
use anyvpn_lab::dropping::poll_at_most;
use anyvpn_vpnscript::VpnScript;
use world::{WIREGUARD, World, obtain};

/// Records the events about jobs and locks.
#[derive(Clone, Default)]
struct Jobs(Arc<Mutex<Vec<String>>>);

impl CallObserver for Jobs {
    fn observe(&self, activity: &Activity, event: &CallEvent<'_>) {
        let what = match activity.kind {
            ActivityKind::Job { operation, removes: false, .. } => format!("{operation} makes"),
            ActivityKind::Job { operation, removes: true, .. } => format!("{operation} removes"),
            ActivityKind::FileLock => "lock".to_owned(),
            _ => return,
        };
        let event = match event {
            CallEvent::Identified { id, .. } => format!("identified {id}"),
            CallEvent::Finished { error: None, .. } => "done".to_owned(),
            CallEvent::Finished { error: Some(error), .. } => error.kind().name().to_owned(),
            other => format!("{other:?}").to_lowercase(),
        };
        self.0.lock().unwrap().push(format!("{what}: {event}"));
    }
}

impl Jobs {
    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

fn observed(world: &World) -> (VpnScript, Jobs) {
    let jobs = Jobs::default();
    let builder = world.builder().token(world.token.as_str()).observer(Arc::new(jobs.clone()));
    (world::client(builder), jobs)
}

#[tokio::test]
async fn a_job_is_reported_with_the_configuration_that_it_makes_or_removes() {
    let world = World::new(0).await;
    let (vpn, jobs) = observed(&world);
    let (id, _) = obtain(&vpn, WIREGUARD).await.unwrap();
    let makes = |event: &str| format!("vpnscript.create-wireguard-config makes: {event}");
    assert_eq!(jobs.taken(), ["started", &format!("identified {id}"), "done"].map(makes));
    vpn.revoke_config(&id.to_string()).await.unwrap();
    let removes = |event: &str| format!("vpnscript.delete-wireguard-config removes: {event}");
    assert_eq!(jobs.taken(), ["started", &format!("identified {id}"), "done"].map(removes));
    world.service().fail_next_job("No route to host");
    obtain(&vpn, WIREGUARD).await.unwrap_err();
    let events = jobs.taken();
    assert_eq!(events.first(), Some(&makes("started")));
    assert_eq!(events.last(), Some(&makes("refused")));
}

/// A revocation whose caller has gone is abandoned. A creation continues, and cleans up.
#[tokio::test]
async fn a_job_whose_caller_is_gone_is_abandoned_unless_it_goes_on() {
    let world = World::new(0).await;
    let (vpn, jobs) = observed(&world);
    let (id, _) = obtain(&vpn, WIREGUARD).await.unwrap();
    jobs.taken();
    let id = id.to_string();
    let started =
        |jobs: &Jobs| jobs.0.lock().unwrap().iter().any(|event| event.ends_with("started"));
    let mut revocation = Box::pin(vpn.revoke_config(&id));
    while !started(&jobs) {
        assert!(poll_at_most(1, &mut revocation).await.is_none());
        tokio::task::yield_now().await;
    }
    drop(revocation);
    assert_eq!(
        jobs.taken().last().unwrap(),
        "vpnscript.delete-wireguard-config removes: abandoned"
    );
    let mut creation = Box::pin(obtain(&vpn, WIREGUARD));
    while !started(&jobs) {
        assert!(poll_at_most(1, &mut creation).await.is_none());
        tokio::task::yield_now().await;
    }
    drop(creation);
    let ended = "vpnscript.delete-wireguard-config removes: done";
    while jobs.0.lock().unwrap().last().is_none_or(|event| event != ended) {
        tokio::task::yield_now().await;
    }
    assert!(!jobs.taken().iter().any(|event| event.ends_with("abandoned")));
}

#[tokio::test]
async fn waiting_for_another_program_is_reported() {
    let world = World::new(0).await;
    let (vpn, jobs) = observed(&world);
    let folder = tempfile::tempdir().unwrap();
    let vpn = vpn.with_lock_folder(Some(folder.path().to_owned()));
    // The lock's file is removed with the lock.
    let found = async {
        loop {
            match std::fs::read_dir(folder.path()).unwrap().next() {
                Some(entry) => return entry.unwrap().path(),
                None => tokio::task::yield_now().await,
            }
        }
    };
    let (obtained, file) = tokio::join!(obtain(&vpn, WIREGUARD), found);
    obtained.unwrap();
    assert!(!jobs.taken().iter().any(|event| event.starts_with("lock")), "nobody has it");
    let lock = lock_file(&file, None).await.unwrap();
    let free = async {
        while jobs.0.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        drop(lock);
    };
    let (obtained, ()) = tokio::join!(obtain(&vpn, WIREGUARD), free);
    obtained.unwrap();
    assert_eq!(jobs.taken()[..2], ["lock: started", "lock: done"]);
}
