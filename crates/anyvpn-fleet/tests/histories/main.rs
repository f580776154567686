//! Histories: workers die, answers get lost and clocks jump. Afterwards, every order must be
//! fulfilled or parked with a reason. A seed determines everything that happens in a history, so
//! that a failure can be reproduced.
//!
//! `ANYVPN_HISTORIES=10000` sets how many are run. `ANYVPN_HISTORY=7` runs one and prints its
//! journal.
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "tests")]

mod book;
mod check;
mod history;
mod laws;
mod provider;
mod run;
mod store;
mod world;

use std::sync::Arc;

use anyvpn_fleet::MemoryStore;

use crate::run::{number, run};

#[test]
fn every_order_ends_as_wanted_or_parked_with_a_reason() {
    let count = number("ANYVPN_HISTORIES").unwrap_or(1000);
    run(count, async |clock| Arc::new(MemoryStore::new(clock)) as _);
}

#[cfg(feature = "sqlite")]
#[test]
fn sqlite_keeps_what_the_memory_keeps() {
    let count = number("ANYVPN_HISTORIES_SQLITE").unwrap_or(10);
    let folder = tempfile::tempdir().unwrap();
    let opened = std::cell::Cell::new(0);
    run(count, async |clock| {
        opened.set(opened.get() + 1);
        let file = folder.path().join(format!("{}.db", opened.get()));
        Arc::new(anyvpn_fleet::SqliteStore::open(&file).await.unwrap().with_clock(clock)) as _
    });
}
