//! The events of a call that a [`CallObserver`] receives.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod plain;
#[path = "plain/read.rs"]
mod read;

use std::sync::{Arc, Mutex};

use anyvpn_http::{
    Activity, ActivityKind, CallEvent, CallObserver, Client, Context, Operation as _, RetryPolicy,
};
use anyvpn_testkit::scripted::{Script, Step};
use anyvpn_testkit::time::VirtualTime;
use plain::Plain;
use read::Read;

/// Records the events, each with its activity.
#[derive(Clone, Default)]
struct Events(Arc<Mutex<Vec<(Activity, String)>>>);

impl CallObserver for Events {
    fn observe(&self, activity: &Activity, event: &CallEvent<'_>) {
        let event = match event {
            CallEvent::Started => "started".to_owned(),
            CallEvent::WaitingForPermit { wait, .. } => format!("waiting {wait:?}"),
            CallEvent::Sent { attempt, .. } => format!("sent {attempt}"),
            CallEvent::Replied { attempt, status, .. } => format!("replied {attempt} {status}"),
            CallEvent::Repeating { attempt, kind, wait, .. } => {
                format!("repeating {attempt} {} {wait:?}", kind.name())
            }
            CallEvent::Finished { error: None, .. } => "done".to_owned(),
            CallEvent::Finished { error: Some(error), .. } => {
                format!("failed {} of {}", error.kind().name(), error.operation().unwrap())
            }
            other => format!("{other:?}").to_lowercase(),
        };
        self.0.lock().unwrap().push((activity.clone(), event));
    }
}

impl Events {
    /// Returns the events so far, all of which are about calls of [`Read`].
    fn taken(&self) -> Vec<String> {
        let events = std::mem::take(&mut *self.0.lock().unwrap());
        let is_read =
            |activity: &Activity| activity.kind == ActivityKind::call(Read::ID, Read::REPLAY);
        assert!(events.iter().all(|(activity, _)| is_read(activity)), "{events:?}");
        events.into_iter().map(|(_, event)| event).collect()
    }
}

fn client(events: &Events, steps: impl IntoIterator<Item = Step>) -> Client<Plain> {
    let clock = VirtualTime::default();
    let retry = RetryPolicy { attempts: 2, jitter_seed: Some(1), ..RetryPolicy::default() };
    let context = Context::default()
        .with_retry(retry)
        .with_clock(Arc::new(clock))
        .with_observer(Arc::new(events.clone()));
    Client::<Plain>::builder("https://vpn.example.com")
        .token("t0ken")
        .context(&context)
        .transport(Arc::new(Script::new(steps)))
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_call_reports_each_attempt_each_wait_and_its_end() {
    let events = Events::default();
    let client =
        client(&events, [Step::json(500, ""), Step::json(200, "7"), Step::Reset, Step::Reset]);
    client.call(Read).await.unwrap();
    assert_eq!(
        events.taken(),
        [
            "started",
            "sent 1",
            "replied 1 500",
            "repeating 1 unavailable 297.11902ms",
            "sent 2",
            "replied 2 200",
            "done",
        ]
    );
    client.call(Read).await.unwrap_err();
    let taken = events.taken();
    assert!(taken[2].starts_with("repeating 1 unreachable "), "{taken:?}");
    assert_eq!(taken[3..], ["sent 2", "failed unreachable of plain.read"]);
}

#[tokio::test]
async fn a_call_reports_how_long_it_waits_for_a_pause_that_the_provider_asked_for() {
    let events = Events::default();
    let limited = Step::json(429, "").with_header("retry-after", "7");
    let client = client(&events, [limited, Step::json(200, "7")]);
    client.call(Read).await.unwrap();
    assert_eq!(
        events.taken(),
        [
            "started",
            "sent 1",
            "replied 1 429",
            "repeating 1 rate-limited 7s",
            "waiting 7s",
            "sent 2",
            "replied 2 200",
            "done",
        ]
    );
}

#[tokio::test]
async fn a_call_whose_future_is_dropped_is_abandoned() {
    let events = Events::default();
    let client = client(&events, [Step::Hang]);
    let call = client.call(Read);
    assert!(anyvpn_lab::dropping::poll_at_most(1, call).await.is_none());
    assert_eq!(events.taken(), ["started", "sent 1", "abandoned"]);
}

#[tokio::test]
async fn calls_at_the_same_time_are_told_apart() {
    let events = Events::default();
    let client = client(&events, [Step::json(200, "7"), Step::json(200, "7")]);
    let (one, two) = tokio::join!(client.call(Read), client.call(Read));
    assert_eq!((one.unwrap(), two.unwrap()), (7, 7));
    let mut ids: Vec<_> =
        events.0.lock().unwrap().iter().map(|(activity, _)| activity.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 2);
}

/// The lock of a file is an activity only while another process has it.
#[cfg(feature = "file-store")]
#[tokio::test(start_paused = true)]
async fn waiting_for_a_lock_is_reported() {
    use std::time::Duration;

    use anyvpn_http::lock_file;

    let events = Events::default();
    let observer: Arc<dyn CallObserver> = Arc::new(events.clone());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let lock = lock_file(&path, Some(&observer)).await.unwrap();
    assert!(events.0.lock().unwrap().is_empty());
    let other = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        drop(lock);
    };
    let (waited, ()) = tokio::join!(lock_file(&path, Some(&observer)), other);
    drop(waited.unwrap());
    let events = std::mem::take(&mut *events.0.lock().unwrap());
    assert!(events.iter().all(|(activity, _)| activity.kind == ActivityKind::FileLock));
    let events: Vec<_> = events.into_iter().map(|(_, event)| event).collect();
    assert_eq!(events, ["started", "done"]);
}

/// A caller that waits in vain learns which file it waited for.
#[cfg(feature = "file-store")]
#[tokio::test(start_paused = true)]
async fn a_lock_that_is_not_given_back_is_waited_for_two_minutes() {
    use std::time::Duration;

    use anyvpn_http::lock_file;
    use tokio::time::Instant;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lock");
    let lock = lock_file(&path, None).await.unwrap();
    let began = Instant::now();
    let error = lock_file(&path, None).await.unwrap_err();
    assert_eq!(began.elapsed().as_secs(), 120);
    assert_eq!(error.kind(), std::io::ErrorKind::TimedOut);
    let process = std::process::id();
    let why = format!("another program (process {process}) has held its lock for 120 s");
    assert_eq!(error.to_string(), why);
    // Callers that wait long enough get the lock one after another.
    drop(lock);
    let wait = || async {
        let lock = lock_file(&path, None).await.unwrap();
        tokio::time::sleep(Duration::from_secs(50)).await;
        drop(lock);
    };
    tokio::join!(wait(), wait(), wait());
    assert!(!path.exists());
}
