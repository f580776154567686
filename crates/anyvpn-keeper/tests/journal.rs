//! The journal on the disk.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs;

use anyvpn_keeper::{Journal, JournalError, JournalFile};

fn journal(generation: u64) -> Journal {
    let mut journal = Journal::new();
    journal.generation = generation;
    journal.last_port = Some(50_123);
    journal.hooks.insert("up".to_owned(), 3);
    journal
}

#[tokio::test]
async fn a_journal_is_read_as_it_was_written_and_is_the_owners_alone() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("keeper");
    let (file, read) = JournalFile::open(&folder).await.unwrap();
    assert_eq!(read, Journal::new());
    file.save(&journal(7)).unwrap();
    drop(file);
    let (_file, read) = JournalFile::open(&folder).await.unwrap();
    assert_eq!(read, journal(7));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(folder.clone()), mode(folder.join("journal.json"))), (0o700, 0o600));
    }
}

#[tokio::test(start_paused = true)]
async fn one_keeper_at_a_time_has_it() {
    let place = tempfile::tempdir().unwrap();
    let _first = JournalFile::open(place.path()).await.unwrap();
    let second = JournalFile::open(place.path()).await.unwrap_err();
    assert!(matches!(second, JournalError::Locked { .. }), "{second}");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_an_error_and_stays() {
    let place = tempfile::tempdir().unwrap();
    let (file, _) = JournalFile::open(place.path()).await.unwrap();
    file.save(&journal(7)).unwrap();
    drop(file);
    let path = place.path().join("journal.json");
    let whole = fs::read_to_string(&path).unwrap();
    let torn = whole[..whole.len() / 2].to_owned();
    let newer = whole.replace("\"version\": 1", "\"version\": 2");
    let unknown = whole.replacen('{', "{\"later\": 1,", 1);
    for (text, says) in [
        (torn.as_str(), "EOF"),
        (newer.as_str(), "its version is 2, not 1"),
        (unknown.as_str(), "unknown field `later`"),
        ("", "EOF"),
    ] {
        fs::write(&path, text).unwrap();
        let error = JournalFile::open(place.path()).await.unwrap_err().to_string();
        assert!(error.contains(says) && error.contains("move it away"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}
