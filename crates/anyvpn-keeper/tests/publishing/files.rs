//! The files' bytes.

use std::fs;

use anyvpn_core::Timestamp;
use anyvpn_keeper::Snapshot;
use anyvpn_keeper::publish::{PublishedFile, Publisher};

use crate::{nothing, open};

/// Returns the content of a file after each snapshot, for both ways of writing.
fn check(make: fn(std::path::PathBuf) -> PublishedFile, steps: &[(Snapshot, &str)]) {
    for in_place in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("published");
        let file = make(path.clone());
        let file = if in_place { file.in_place() } else { file };
        let mut publisher = Publisher::new(vec![file], nothing());
        for (snapshot, expected) in steps {
            assert_eq!(publisher.publish(snapshot), []);
            assert_eq!(fs::read_to_string(&path).unwrap(), *expected, "in place: {in_place}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o644);
        }
    }
}

#[test]
fn the_status_file_has_gluetuns_bytes() {
    let steps = [
        (nothing(), ""),
        (open(50123), "50123"),
        (open(50123), "50123"),
        (open(1234), "1234"),
        (open(61999), "61999"),
        (open(7), "7"),
        (nothing(), ""),
        (open(65535), "65535"),
    ];
    check(PublishedFile::status, &steps);
}

#[test]
fn the_public_address_has_gluetuns_bytes() {
    let mut v6 = open(50123);
    v6.port.as_mut().unwrap().address = Some("2001:db8::7".parse().unwrap());
    let steps = [(nothing(), ""), (open(50123), "192.0.2.7"), (v6, "2001:db8::7"), (nothing(), "")];
    check(PublishedFile::public_ip, &steps);
}

#[test]
fn a_file_that_has_the_text_already_is_not_touched() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("port");
    let mut publisher = Publisher::new(vec![PublishedFile::status(path.clone())], nothing());
    assert_eq!(publisher.publish(&open(50123)), []);
    fs::remove_file(&path).unwrap();
    assert_eq!(publisher.publish(&open(50123)), []);
    assert!(!path.exists());
}

#[test]
fn a_heartbeat_a_minute_shows_that_the_keeper_lives() {
    let folder = tempfile::tempdir().unwrap();
    let (port, textfile) = (folder.path().join("port"), folder.path().join("anyvpn.prom"));
    let files = vec![
        PublishedFile::status(port.clone()),
        PublishedFile::textfile(textfile.clone()).unwrap(),
    ];
    let mut publisher = Publisher::new(files, nothing());
    let snapshot = open(50123);
    assert_eq!(publisher.publish(&snapshot), []);
    fs::remove_file(&port).unwrap();
    let beat = |publisher: &mut Publisher, seconds: i64| {
        let now = Timestamp::from_second(snapshot.at.as_second() + seconds).unwrap();
        assert!(publisher.progress(now).is_none_or(|errors| errors.is_empty()));
        let text = fs::read_to_string(&textfile).unwrap();
        let name = "anyvpn_keeper_heartbeat_timestamp_seconds ";
        let value = text.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        (value.parse::<i64>().unwrap() - snapshot.at.as_second(), publisher.subscribe().borrow().at)
    };
    assert_eq!(beat(&mut publisher, 59), (0, snapshot.at));
    let now = Timestamp::from_second(snapshot.at.as_second() + 60).unwrap();
    assert_eq!(beat(&mut publisher, 60), (60, now));
    assert_eq!(beat(&mut publisher, 119), (60, now));
    // A clock that was set back.
    let earlier = Timestamp::from_second(snapshot.at.as_second() - 3600).unwrap();
    assert_eq!(beat(&mut publisher, -3600), (-3600, earlier));
    // The port did not change, so its file was not touched.
    assert!(!port.exists());
}

#[test]
fn one_file_that_fails_holds_nobody_back_and_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let (missing, good) = (folder.path().join("no/port"), folder.path().join("port"));
    let files = vec![PublishedFile::status(missing.clone()), PublishedFile::status(good.clone())];
    let mut publisher = Publisher::new(files, nothing());
    let latest = publisher.subscribe();
    let errors = publisher.publish(&open(50123));
    let expected = format!("{} cannot be written: entity not found", missing.display());
    assert_eq!(errors.iter().map(ToString::to_string).collect::<Vec<_>>(), [expected]);
    assert_eq!(fs::read_to_string(&good).unwrap(), "50123");
    assert_eq!(*latest.borrow(), open(50123));
    fs::create_dir(missing.parent().unwrap()).unwrap();
    assert_eq!(publisher.publish(&open(50123)), []);
    assert_eq!(fs::read_to_string(&missing).unwrap(), "50123");
}

#[test]
fn in_place_changes_the_same_file_and_nothing_that_is_not_ours() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("port");
    fs::write(&path, "50100").unwrap();
    let mut publisher =
        Publisher::new(vec![PublishedFile::status(path.clone()).in_place()], nothing());
    let same = fs::File::open(&path).unwrap();
    assert_eq!(publisher.publish(&open(1234)), []);
    assert_eq!(std::io::read_to_string(&same).unwrap(), "1234");

    let text = "not a status file\n".repeat(10);
    let other = folder.path().join("notes");
    fs::write(&other, &text).unwrap();
    let mut publisher =
        Publisher::new(vec![PublishedFile::status(other.clone()).in_place()], nothing());
    let errors = publisher.publish(&open(50123));
    assert!(
        errors[0].to_string().ends_with("notes cannot be written: it is not a status file"),
        "{errors:?}"
    );
    assert_eq!(fs::read_to_string(&other).unwrap(), text);
}

#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_the_draft_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let (path, victim) = (folder.path().join("port"), folder.path().join("victim"));
    fs::write(&victim, "mine").unwrap();
    std::os::unix::fs::symlink(&victim, folder.path().join(".port.new")).unwrap();
    let mut publisher = Publisher::new(vec![PublishedFile::status(path.clone())], nothing());
    assert_eq!(publisher.publish(&open(50123)), []);
    assert_eq!(fs::read_to_string(&victim).unwrap(), "mine");
    assert_eq!(fs::read_to_string(&path).unwrap(), "50123");
}

#[test]
fn status_json_is_one_line_as_its_schema_says() {
    let mut stuck = nothing();
    stuck.problem = Some("The provider \"does not\" answer.\nIt is away.".to_owned());
    stuck.next_at = Some(stuck.at);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("status.json");
    let mut publisher = Publisher::new(vec![PublishedFile::status_json(path.clone())], nothing());
    for snapshot in [open(50123), stuck, nothing()] {
        assert_eq!(publisher.publish(&snapshot), []);
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches('\n').count(), 1, "{text}");
        let answer: serde_json::Value = serde_json::from_str(&text).unwrap();
        crate::check_schema("port-status", &answer);
        assert_eq!(answer, serde_json::to_value(&snapshot).unwrap());
    }
}

#[test]
fn a_textfile_is_named_so_that_the_collector_reads_it() {
    assert!(PublishedFile::textfile("/tmp/anyvpn.prom".into()).is_ok());
    let error = PublishedFile::textfile("/tmp/anyvpn.txt".into()).unwrap_err().to_string();
    assert!(error.contains("end with .prom"), "{error}");
}
