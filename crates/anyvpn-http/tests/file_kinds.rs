//! A token's file may be a regular file of its owner, also behind a link, or a credential from
//! systemd.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
#![cfg(all(unix, feature = "file-store"))]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use anyvpn_core::{Error, ErrorKind, Secret};
use anyvpn_http::{
    Binding, BoundToken, FileDraft, FileStore, TokenStore, open_private_file, open_trusted_file,
    remove_abandoned_drafts,
};

async fn load(store: &FileStore) -> Result<Option<Secret>, Error> {
    Ok(TokenStore::<Secret>::load(store).await?.map(|stored| stored.token))
}

async fn save(store: &FileStore, token: Option<&str>) -> Result<(), Error> {
    let binding = Binding::new("acme", "https://vpn.example.com", Some("jo".to_owned()));
    let token = token.map(|token| BoundToken::new(binding, Secret::from(token)));
    store.lock().await?.save(token.as_ref()).await
}

async fn stored(store: &FileStore) -> String {
    load(store).await.unwrap().unwrap().expose().to_owned()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

/// Nobody writes to the pipe, so opening it as a file would never return.
#[test]
fn a_pipe_is_refused_without_blocking() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let (sender, outcome) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let store = FileStore::new(path);
        let _ = sender.send(runtime.block_on(load(&store)).map(drop));
    });
    let loaded = outcome.recv_timeout(Duration::from_secs(10)).expect("the thread is blocked");
    let error = loaded.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("not a regular file"), "{error}");

    let store = FileStore::new(folder.path());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let error = runtime.block_on(load(&store)).unwrap_err();
    assert!(error.to_string().contains("not a regular file"), "{error}");
}

/// A link stays a link, and its target stores the token, also for callers that name the target.
#[tokio::test]
async fn a_link_is_followed_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let (link, middle) = (folder.path().join("token"), folder.path().join("middle"));
    let target = elsewhere.join("real");
    symlink("middle", &link).unwrap();
    symlink("elsewhere/real", &middle).unwrap();
    let store = FileStore::new(&link);

    // The file does not exist yet.
    assert!(load(&store).await.unwrap().is_none());
    for token in ["1|first", "2|second"] {
        save(&store, Some(token)).await.unwrap();
        for link in [&link, &middle] {
            assert!(link.symlink_metadata().unwrap().is_symlink());
        }
        assert!(target.symlink_metadata().unwrap().is_file());
        assert_eq!(stored(&store).await, token);
        assert_eq!(stored(&FileStore::new(&target)).await, token);
    }
    // Both names share a lock.
    let locked = TokenStore::<Secret>::lock(&store).await.unwrap();
    let other = FileStore::new(&target);
    let waits = TokenStore::<Secret>::lock(&other);
    assert!(anyvpn_lab::dropping::poll_at_most(2, waits).await.is_none());
    drop(locked);

    save(&store, None).await.unwrap();
    assert!(link.symlink_metadata().unwrap().is_symlink() && !target.exists());

    // The link's folder is missing, or the links form a loop.
    fs::remove_file(&middle).unwrap();
    symlink("nowhere/real", &middle).unwrap();
    assert!(save(&store, Some("x")).await.is_err());
    fs::remove_file(&middle).unwrap();
    symlink("token", &middle).unwrap();
    for error in [load(&store).await.unwrap_err(), save(&store, Some("x")).await.unwrap_err()] {
        assert!(error.to_string().contains("symbolic links"), "{error}");
    }
}

/// One program acquires and releases the lock while another one saves.
#[test]
fn no_save_fails_because_another_program_takes_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let store = FileStore::new(&path);
            std::thread::spawn(move || {
                let builder = tokio::runtime::Builder::new_current_thread().enable_time().build();
                builder.unwrap().block_on(async {
                    for number in 0..50 {
                        save(&store, Some(&format!("{number}|token"))).await.unwrap();
                        drop(TokenStore::<Secret>::lock(&store).await.unwrap());
                    }
                });
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[tokio::test]
async fn an_invalid_token_file_is_refused_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let store = FileStore::new(&path);
    // The last file is from before tokens were bound to an account.
    for text in ["", "not json", "{}", "\"1|token\""] {
        fs::write(&path, text).unwrap();
        set_mode(&path, 0o600);
        let error = load(&store).await.unwrap_err();
        assert!(error.to_string().contains("delete it and sign in again"), "{error}");
    }
}

const FOLDER: &str = "ANYVPN_TEST_CREDENTIALS";

/// Does nothing unless the test below has started it. It opens a credential as systemd would pass
/// it.
#[test]
fn the_service() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let folder = Path::new(&folder);
    let opens = |name: &str| open_private_file(&folder.join(name)).is_ok();
    for (name, is_good) in [
        ("credentials/token", true),
        ("credentials/sub/token", true),
        ("credentials/../credentials/token", true),
        ("credentials/open", false),
        ("credentials/writable", false),
        ("credentials/link", false),
        ("credentials/../token", false),
        ("token", false),
        ("by-link/token", true),
    ] {
        assert_eq!(opens(name), is_good, "{name}");
    }
}

#[test]
fn a_credential_of_systemd_may_be_readable_by_its_group() {
    let folder = tempfile::tempdir().unwrap();
    let credentials = folder.path().join("credentials");
    fs::create_dir_all(credentials.join("sub")).unwrap();
    for (name, mode) in [
        ("credentials/token", 0o440),
        ("credentials/sub/token", 0o440),
        ("credentials/open", 0o444),
        ("credentials/writable", 0o460),
        ("token", 0o440),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, "secret").unwrap();
        set_mode(&path, mode);
    }
    symlink("../token", credentials.join("link")).unwrap();
    symlink("credentials", folder.path().join("by-link")).unwrap();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_service", "--nocapture"])
        .env(FOLDER, folder.path())
        .env("CREDENTIALS_DIRECTORY", &credentials)
        .status();
    assert!(status.unwrap().success());
    // The variable of another process does not count.
    let error = open_private_file(&credentials.join("token")).unwrap_err();
    assert!(error.to_string().contains("other users can read it"), "{error}");
}

/// Anyone who can write to the folder can put their own file there.
#[test]
fn a_file_that_another_user_could_replace_is_refused_with_what_ends_that() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("a b");
    fs::create_dir(&folder).unwrap();
    let path = folder.join("config");
    fs::write(&path, "text").unwrap();
    let refused = |path: &Path| {
        let error = open_trusted_file(path).unwrap_err();
        (error.to_string(), error.hint().unwrap().to_owned())
    };
    set_mode(&path, 0o644);
    open_trusted_file(&path).unwrap();
    set_mode(&path, 0o664);
    let chmod = format!("chmod go-w '{}'", path.display());
    assert_eq!(refused(&path), ("it can be written to by other users".to_owned(), chmod));
    set_mode(&path, 0o600);
    let shown = folder.display();
    for mode in [0o770, 0o707, 0o777] {
        set_mode(&folder, mode);
        let why = format!("its folder {shown} can be written to by other users");
        assert_eq!(refused(&path), (why, format!("chmod go-w '{shown}'")));
        assert!(open_private_file(&path).is_err());
        // The same applies to a link of the user.
        let link = home.path().join("link");
        let _ = fs::remove_file(&link);
        symlink(&path, &link).unwrap();
        assert!(refused(&link).0.contains("a b"));
    }
    // Users cannot remove the files of others there.
    set_mode(&folder, 0o1777);
    open_private_file(&path).unwrap();
    set_mode(&folder, 0o700);

    // Only root can give files away.
    if std::os::unix::fs::chown(&path, Some(12_345), None).is_ok() {
        let (why, command) = refused(&path);
        assert_eq!(why, "it belongs to another user");
        assert_eq!(command, format!("chown 0 '{}'", path.display()));
        let token = FileStore::new(&path);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let error = runtime.block_on(load(&token)).unwrap_err();
        assert!(error.to_string().contains("it belongs to another user"), "{error}");
        std::os::unix::fs::chown(&path, Some(0), None).unwrap();
        std::os::unix::fs::chown(&folder, Some(12_345), None).unwrap();
        assert_eq!(refused(&path).0, format!("its folder {shown} belongs to another user"));
    }
}

/// A draft belongs to its process as long as that lives.
#[test]
fn a_draft_is_removed_when_its_process_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    // The longest possible name.
    let path = folder.path().join("é".repeat(127));
    let mut draft = FileDraft::new(&path).unwrap();
    draft.write(b"a long text").unwrap();
    draft.write(b"new").unwrap();
    assert!(!remove_abandoned_drafts(&path));
    let other = FileDraft::new(&path).unwrap();
    draft.persist().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    // A draft that a killed process has left.
    let left = other.keep().unwrap();
    assert!(left.exists());
    drop(FileDraft::new(&path).unwrap());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(FileDraft::new(&folder.path().join("no/file")).is_err());
}
