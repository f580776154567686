//! A token's file, with callers that give up and programs that are killed. It always contains one
//! complete token, and its lock is never left behind.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]
#![cfg(all(unix, feature = "file-store"))]

use std::fs;
use std::future::poll_fn;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::{Duration, Instant};

use anyvpn_core::{Error, Secret};
use anyvpn_http::{Binding, BoundToken, FileStore, MemoryStore, TokenStore};
use anyvpn_lab::dropping::poll_at_most;

fn binding() -> Binding {
    Binding::new("acme", "https://vpn.example.com", Some("jo".to_owned()))
}

async fn load(store: &FileStore) -> Result<Option<Secret>, Error> {
    Ok(TokenStore::<Secret>::load(store).await?.map(|stored| stored.token))
}

async fn save(store: &FileStore, token: Option<&Secret>) -> Result<(), Error> {
    let token = token.map(|token| BoundToken::new(binding(), token.clone()));
    store.lock().await?.save(token.as_ref()).await
}

/// Dropping the future ends both waiting for a lock and holding it.
#[tokio::test]
async fn a_dropped_wait_holds_no_lock() {
    let folder = tempfile::tempdir().unwrap();
    let file = FileStore::new(folder.path().join("token"));
    let stores: [&dyn TokenStore<Secret>; 2] = [&MemoryStore::new(None), &file];
    for store in stores {
        let held = store.lock().await.unwrap();
        for polls in 0..2 {
            assert!(poll_at_most(polls, store.lock()).await.is_none(), "two have the lock");
        }
        let mut waiting = store.lock();
        assert!(poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context).is_pending())).await);
        drop(held);
        drop(waiting);
        let next = poll_at_most(1, store.lock()).await;
        assert!(next.is_some_and(|lock| lock.is_ok()), "nobody has the lock, and it is held");
    }
    assert_eq!(names(folder.path()), [""; 0]);
}

/// A program that is being started has its parent's files open until it calls exec.
#[tokio::test]
async fn a_child_process_does_not_inherit_the_lock() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::new(folder.path().join("token"));
    let over = Arc::new(AtomicBool::new(false));
    let starts = std::thread::spawn({
        let over = Arc::clone(&over);
        move || {
            while !over.load(Ordering::Relaxed) {
                assert!(Command::new("true").status().unwrap().success());
            }
        }
    });
    let mut refused = 0;
    for _ in 0..5_000 {
        let lock = poll_at_most(1, TokenStore::<Secret>::lock(&store)).await;
        refused += u32::from(lock.is_none());
    }
    over.store(true, Ordering::Relaxed);
    starts.join().unwrap();
    assert_eq!(refused, 0, "nobody has the lock, and it is held");
}

#[tokio::test]
async fn a_missing_token_is_not_an_error_but_an_unreachable_file_is() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::new(folder.path().join("token"));
    for kept in [None, Some(token(7))] {
        if let Some(token) = &kept {
            save(&store, Some(token)).await.unwrap();
        }
        let found = load(&store).await.unwrap();
        assert_eq!(found.as_ref().map(Secret::expose), kept.as_ref().map(Secret::expose));
        save(&store, None).await.unwrap();
        assert!(load(&store).await.unwrap().is_none());
    }
    fs::write(folder.path().join("file"), "").unwrap();
    let store = FileStore::new(folder.path().join("file/token"));
    let loaded = load(&store).await.unwrap_err();
    let deleted = save(&store, None).await.unwrap_err();
    for (error, what) in [(loaded, "cannot open"), (deleted, "cannot lock")] {
        assert!(error.to_string().contains(what), "{error}");
    }
}

/// A file in the working folder, named without a folder.
#[test]
fn a_bare_name_is_a_file_of_this_folder() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(".token.abc123.new"), "half").unwrap();
    let program = program(Path::new("token")).current_dir(folder.path()).status();
    assert!(program.unwrap().success());
    assert_eq!(names(folder.path()), ["token"]);
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> =
        entries.map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

const FILE: &str = "ANYVPN_TEST_TOKEN_FILE";
/// How often each program replaces the token.
const TIMES: u32 = 50;

/// Does nothing unless the other test has started it. It replaces the token by the next one.
#[tokio::test]
async fn the_program() {
    let Ok(path) = std::env::var(FILE) else { return };
    let store = FileStore::new(path);
    for _ in 0..TIMES {
        let mut locked = TokenStore::<Secret>::lock(&store).await.unwrap();
        let next = token(number(&store).await + 1);
        locked.save(Some(&BoundToken::new(binding(), next))).await.unwrap();
    }
}

/// A token that is long enough to be torn, and that shows whether it was.
fn token(number: u32) -> Secret {
    Secret::from(format!("{number}|{}", number.to_string().repeat(5000)))
}

async fn number(store: &FileStore) -> u32 {
    let Some(kept) = load(store).await.unwrap() else { return 0 };
    let number = kept.expose().split('|').next().unwrap().parse().unwrap();
    assert_eq!(kept.expose(), token(number).expose(), "a torn token");
    number
}

fn program(path: &Path) -> Command {
    let mut program = Command::new(std::env::current_exe().unwrap());
    program.args(["--exact", "the_program", "--nocapture"]).env(FILE, path).stdout(Stdio::null());
    program
}

fn start(path: &Path) -> Child {
    program(path).spawn().unwrap()
}

#[tokio::test]
async fn two_processes_lose_no_token_and_a_killed_one_blocks_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("token");
    let store = FileStore::new(&path);
    let programs = [start(&path), start(&path)];
    for mut program in programs {
        assert!(program.wait().unwrap().success());
    }
    assert_eq!(number(&store).await, 2 * TIMES);

    // The process is killed at any moment, even while it writes or holds the lock.
    let began = Instant::now();
    for kills in 1..=5 {
        let before = number(&store).await;
        let mut program = start(&path);
        while number(&store).await < before + kills {
            assert!(began.elapsed() < Duration::from_secs(60), "it takes too long");
        }
        program.kill().unwrap();
        program.wait().unwrap();
    }
    // The next process gets the lock at once, and removes what the killed process had begun to
    // write. It does not touch other files.
    let others =
        [".token.abc12.new", ".token.x.abc123.new", ".tokens.abc123.new", "token.abc123.new"];
    for name in others.iter().chain(&[".token.abc123.new"]) {
        fs::write(folder.path().join(name), "half").unwrap();
    }
    let turn = poll_at_most(1, TokenStore::<Secret>::lock(&store)).await;
    assert!(turn.is_some_and(|lock| lock.is_ok()), "the lock is held by the dead");
    // Its lock file is gone, too.
    let mut left = Vec::from(others);
    left.push("token");
    left.sort_unstable();
    assert_eq!(names(folder.path()), left);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}
