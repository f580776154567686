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
#[path = "postgres/server.rs"]
mod postgres;
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
use std::sync::Arc;

use anyvpn_fleet::{Imported, Order, Placed, PostgresStore, Sealer, Store};
use sqlx::Connection as _;

use crate::postgres::{Server, programs};
use crate::run::{number, run};

/// Runs a part, or reports that the server is missing.
fn part(name: &str, run: impl FnOnce(Server)) {
    let line = match programs() {
        Some(programs) => {
            // Processes and connections fail in these tests, but the machine does not.
            run(Server::start(programs, &["fsync=off"]).unwrap());
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
        run(number("ANYVPN_HISTORIES_POSTGRES").unwrap_or(10), async |clock| {
            opened.set(opened.get() + 1);
            let url = server.database(&format!("history{}", opened.get())).unwrap();
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
            let url = server.database("shop").unwrap();
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
