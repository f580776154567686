//! The store on Debian's PostgreSQL. Run by `cargo xtask interop`. The test starts the server on a
//! socket in a temporary folder, and stops it at the end.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

#[path = "histories/book.rs"]
mod book;
#[path = "histories/check.rs"]
mod check;
#[path = "histories/history.rs"]
mod history;
#[path = "histories/laws.rs"]
mod laws;
#[path = "histories/provider.rs"]
mod provider;
#[path = "histories/run.rs"]
mod run;
#[path = "histories/store.rs"]
mod store;
#[path = "histories/world.rs"]
mod world;

use std::cell::Cell;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyvpn_fleet::{Imported, Order, Placed, PostgresStore, Sealer, Store};
use sqlx::Connection as _;

use crate::run::{number, run};

/// Returns the folder with the newest server's programs. `None` if there is none.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let folders = versions.map(|version| version.unwrap().path().join("bin"));
    folders.filter(|folder| folder.join("postgres").is_file()).max()
}

/// A server that runs until this value is dropped.
struct Server {
    folder: tempfile::TempDir,
    programs: PathBuf,
    process: Child,
}

/// Returns a command that runs as the server's user, because the server refuses to run as root.
fn command(program: &Path) -> Command {
    let id = Command::new("id").arg("-u").output().unwrap();
    if id.stdout.trim_ascii() != b"0" {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
    command
}

fn succeed(command: &mut Command) {
    let ran = command.stdin(Stdio::null()).output().unwrap();
    assert!(ran.status.success(), "{command:?}: {}", String::from_utf8_lossy(&ran.stderr));
}

impl Server {
    fn start(programs: PathBuf) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().to_owned();
        succeed(Command::new("chmod").arg("777").arg(&home));
        let data = home.join("data");
        let mut init = command(&programs.join("initdb"));
        init.arg("-D").arg(&data).args([
            "-A",
            "trust",
            "-U",
            "fleet",
            "--no-sync",
            "--locale=C.UTF-8",
        ]);
        succeed(init.current_dir(&home));
        let mut server = command(&programs.join("postgres"));
        server.arg("-D").arg(&data).arg("-k").arg(&home).args(["-c", "listen_addresses="]);
        let log = std::fs::File::create(home.join("log")).unwrap();
        let process = server.current_dir(&home).stdin(Stdio::null()).stderr(log).spawn().unwrap();
        let server = Self { folder, programs, process };
        for _ in 0..300 {
            let mut ready = Command::new(server.programs.join("pg_isready"));
            if ready.arg("-q").arg("-h").arg(server.folder.path()).status().unwrap().success() {
                return server;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{}", std::fs::read_to_string(server.folder.path().join("log")).unwrap());
    }

    /// Creates an empty database, and returns its address.
    fn database(&self, name: &str) -> String {
        let socket = self.folder.path().display();
        let mut create = Command::new(self.programs.join("createdb"));
        succeed(create.args(["-h", &socket.to_string(), "-U", "fleet", name]));
        format!("postgres://fleet@localhost/{name}?host={socket}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut stop = command(&self.programs.join("pg_ctl"));
        stop.arg("stop").arg("-D").arg(self.folder.path().join("data")).args(["-m", "immediate"]);
        let _ = stop.current_dir(self.folder.path()).stdin(Stdio::null()).output();
        let _ = self.process.wait();
    }
}

/// Runs a part, or reports that the server is missing.
fn part(name: &str, run: impl FnOnce(Server)) {
    let line = match programs() {
        Some(programs) => {
            run(Server::start(programs));
            format!("passed\t{name}\n")
        }
        None => format!("skipped\t{name}: there is no postgres: apt-get install postgresql\n"),
    };
    match std::env::var_os("ANYVPN_INTEROP_REPORT") {
        Some(path) => {
            let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
            file.write_all(line.as_bytes()).unwrap();
        }
        None => assert!(line.starts_with("passed"), "{line}"),
    }
}

#[test]
#[ignore = "it needs PostgreSQL: cargo xtask interop"]
fn postgres_keeps_what_the_memory_keeps() {
    part("fleet: PostgreSQL keeps what the memory keeps", |server| {
        let opened = Cell::new(0);
        run(number("ANYVPN_HISTORIES_POSTGRES").unwrap_or(200), async |clock| {
            opened.set(opened.get() + 1);
            let url = server.database(&format!("history{}", opened.get()));
            Arc::new(PostgresStore::connect(&url).await.unwrap().with_clock(clock)) as _
        });
    });
}

#[test]
#[ignore = "it needs PostgreSQL: cargo xtask interop"]
fn an_order_comes_in_with_the_shops_own_transaction() {
    part("fleet: an order comes in with the shop's own transaction", |server| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let url = server.database("shop");
            let store = PostgresStore::connect(&url).await.unwrap();
            let sealer = Sealer::new(&Sealer::generate_key().unwrap()).unwrap();
            let order = Order::new("1", "shop", "ada@example.com");
            let place = || {
                let sealed = sealer.generate(&order).unwrap();
                vec![Placed { order: order.clone(), sealed }]
            };
            let mut shop = sqlx::PgConnection::connect(&url).await.unwrap();
            let mut sale = shop.begin().await.unwrap();
            assert_eq!(store.import_within(&mut sale, place()).await.unwrap(), [Imported::New]);
            sale.rollback().await.unwrap();
            assert!(store.order("1").await.unwrap().is_none());
            let mut sale = shop.begin().await.unwrap();
            assert_eq!(store.import_within(&mut sale, place()).await.unwrap(), [Imported::New]);
            sale.commit().await.unwrap();
            assert!(store.order("1").await.unwrap().is_some());
            assert_eq!(store.import(place(), false).await.unwrap(), [Imported::Same]);
            // The migrations run again and again.
            PostgresStore::connect(&url).await.unwrap();
        });
    });
}
