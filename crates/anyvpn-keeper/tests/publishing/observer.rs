//! The events that an observer receives, and when.

use std::sync::{Arc, Mutex};

use anyvpn_core::{Clock, SystemClock};
use anyvpn_keeper::KeeperObserver as _;
use anyvpn_keeper::publish::{Line, PublishedFile, Publisher, PublishingObserver};

use crate::{nothing, open};

#[test]
fn each_event_and_each_failure_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("no/port");
    let publisher = Publisher::new(vec![PublishedFile::status(path.clone())], nothing());
    let latest = publisher.subscribe();
    let told: Arc<Mutex<Vec<String>>> = Arc::default();
    let lines = Arc::clone(&told);
    let write = move |line: Line<'_>| {
        lines.lock().unwrap().push(match line {
            Line::Event(event) => event.to_string(),
            Line::Warning(text) => format!("warning: {text}"),
            other => panic!("{other:?}"),
        });
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut observer = PublishingObserver::new(publisher, clock, write);
    let taken = || std::mem::take(&mut *told.lock().unwrap());

    observer.publish(&nothing());
    let failed = format!("warning: {} cannot be written: entity not found", path.display());
    assert_eq!(taken(), [&*failed, "Waiting for the tunnel."]);
    observer.publish(&open(50123));
    let told = taken();
    assert!(told.len() == 4 && told[0] == "The tunnel wg0 is up.", "{told:?}");
    observer.publish(&open(50123));
    observer.warn("The journal is read-only.");
    assert_eq!(taken(), ["warning: The journal is read-only."]);

    // A minute passes on this clock, so that failed steps are tried again.
    std::fs::create_dir(path.parent().unwrap()).unwrap();
    observer.progress();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "50123");
    assert!(latest.borrow().at != open(50123).at && taken().is_empty());
}
