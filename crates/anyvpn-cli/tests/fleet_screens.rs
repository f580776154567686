//! What `anyvpn fleet` shows on a terminal: it fits 80 columns, and the guide has pictures of it in
//! `docs/fleet`. `cargo xtask docs anyvpn-cli` writes them.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyvpn::{Clock, Registry, Settings, Timestamp};
use anyvpn_fleet::{
    Order, Placed, Rules, Sealer, SqliteStore, StepContext, Store, Until, Wanted, Worker,
    WorkerSettings,
};
use anyvpn_sandbox::{Fault, FaultRule};
use anyvpn_testkit::document;
use common::World;
use common::terminal::{Left, Terminal, svg};
use futures_util::future::{BoxFuture, FutureExt as _};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/fleet");

/// A clock that stands still, except that waiting moves it on at once.
struct StoryClock {
    began: Instant,
    elapsed: Mutex<Duration>,
}

impl StoryClock {
    fn elapsed(&self) -> Duration {
        *self.elapsed.lock().unwrap()
    }

    fn advance(&self, duration: Duration) {
        *self.elapsed.lock().unwrap() += duration;
    }
}

impl Clock for StoryClock {
    fn now(&self) -> Timestamp {
        "2027-01-15T09:30:00Z".parse::<Timestamp>().unwrap() + self.elapsed()
    }

    fn instant(&self) -> Instant {
        self.began + self.elapsed()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.advance(duration);
        tokio::task::yield_now().boxed()
    }
}

/// A fleet with orders in many states, at times that are the same in each run.
struct Story {
    world: World,
    store: Arc<dyn Store>,
    clock: Arc<StoryClock>,
    sealer: Sealer,
    key_file: String,
}

impl Story {
    async fn new() -> Self {
        let world = World::new();
        let clock = Arc::new(StoryClock { began: Instant::now(), elapsed: Mutex::default() });
        let store = SqliteStore::open(&world.path("story.db")).await.unwrap();
        let store = Arc::new(store.with_clock(Arc::clone(&clock) as _));
        let key = Sealer::generate_key().unwrap();
        let key_file = world.file("key", key.expose());
        Self { world, store, clock, sealer: Sealer::new(&key).unwrap(), key_file }
    }

    fn order(id: &str, key: &str, plan: &str) -> Order {
        let mut order = Order::new(id, "vpngn", key);
        (order.plan, order.country) = (Some(plan.to_owned()), Some("US".to_owned()));
        order
    }

    async fn import(&self, orders: Vec<Order>) {
        self.clock.advance(Duration::from_secs(60));
        let placed = |order| Placed { sealed: self.sealer.generate(&order).unwrap(), order };
        self.store.import(orders.into_iter().map(placed).collect(), false).await.unwrap();
        self.clock.advance(Duration::from_secs(5));
    }

    async fn run(&self) {
        let vpngn = self.world.sandbox.vpngn();
        let mut settings = Settings::new();
        settings.set("url", self.world.sandbox.vpngn_url());
        settings.set("api_key", vpngn.api_key());
        settings.set("secret_key", vpngn.secret_key());
        let provider = Registry::builtin().open("vpngn", &settings).unwrap();
        let mut rules = Rules::default();
        // Otherwise the time of the next reading is shown, and how far away it is.
        rules.sweep = None;
        let mut context = StepContext::new(self.sealer.clone(), rules);
        context.clock = Arc::clone(&self.clock) as _;
        let mut settings = WorkerSettings::new("shop-4242");
        settings.in_flight = 1;
        let providers = BTreeMap::from([("vpngn".to_owned(), provider)]);
        let worker = Worker::new(Arc::clone(&self.store), providers, context, settings);
        worker.run(Until::NothingDue, std::future::pending()).await.unwrap();
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.world.vpngn(&[&["fleet"], words].concat());
        let database = format!("sqlite:{}", self.world.path("story.db").display());
        command.env("ANYVPN_FLEET_DATABASE", database).env("TZ", "UTC");
        command
    }

    fn show(&self, words: &[&str]) -> Left {
        Terminal::run(self.command(words)).end()
    }
}

/// Tells a story: an answer is lost, a customer was there before, and the shop changes its orders.
async fn story() -> Story {
    let story = Story::new().await;
    let (jo, kim) = ("jo@mail.example", "kim@mail.example");
    story.import(vec![Story::order("1001", jo, "12"), Story::order("1002", kim, "1")]).await;
    story.run().await;
    let lost = FaultRule::once("vpngn.add-client", Fault::Wire("reset-after"));
    story.world.sandbox.inject(lost).unwrap();
    story.import(vec![Story::order("1003", "lee@mail.example", "12")]).await;
    story.run().await;
    let mut larger = Story::order("1001", jo, "24");
    larger.revision = 2;
    let mut closed = Story::order("1002", kim, "1");
    (closed.wanted, closed.revision) = (Wanted::Closed, 2);
    let mine = ["customer", "create", "max@mail.example", "--plan", "12", "--country", "US"];
    let made = story.world.vpngn(&[&mine[..], &["--generate-password"]].concat()).output().unwrap();
    assert!(made.status.success(), "{}", common::stderr(&made));
    let new = Story::order("1004", "ray@mail.example", "6");
    let foreign = Story::order("1005", "max@mail.example", "12");
    story.import(vec![larger, closed, new, foreign]).await;
    story
}

#[tokio::test]
async fn the_guide_has_pictures_of_a_plan_and_of_what_happened() {
    let story = story().await;
    for (file, words) in [("plan", &["plan"][..]), ("explain", &["explain", "1003"])] {
        let left = story.show(words);
        assert_eq!(left.code, Some(0), "{}", left.screen);
        let screen = format!("$ anyvpn fleet {}\n{}", words.join(" "), left.styled);
        document::check(format!("{DOCS}/{file}.svg"), None, &svg(&screen));
    }
}

#[tokio::test]
async fn everything_fits_80_columns() {
    let name = "a-customer-with-a-very-long-name-and-a-number";
    let order = |number| {
        let key = format!("{name}-{number}@mail.example");
        Story::order(&format!("shop-2027-01-15-{number:08}"), &key, "12")
    };
    let story = Story::new().await;
    story.import((0..3).map(order).collect()).await;
    let lost = FaultRule::once("vpngn.add-client", Fault::Wire("reset-after"));
    story.world.sandbox.inject(lost).unwrap();
    story.run().await;
    story.import((3..6).map(order).collect()).await;
    let export = story.command(&["export"]).output().unwrap();
    let orders = story.world.file("orders.csv", str::from_utf8(&export.stdout).unwrap());
    let slow = FaultRule::once("vpngn.add-client", Fault::Delay(Duration::from_millis(1500)));
    story.world.sandbox.inject(slow).unwrap();
    let first = "shop-2027-01-15-00000000";
    // The command's clock is behind the story's, so it runs the orders in a database of its own.
    let other = format!("sqlite:{}", story.world.path("other.db").display());
    let own = ["--database", &other, "--key-file", &story.key_file];
    let run = [&["run"], &own[..]].concat();
    for (code, words) in [
        (0, &["status"][..]),
        (0, &["list"]),
        (0, &["plan"]),
        (0, &["explain", first]),
        (0, &["import", &orders, "--dry-run"]),
        (0, &["list", "--limit", "1"]),
        (0, &[&["import", &orders], &own[..]].concat()),
        // The customers of three orders were there before.
        (10, &run),
        (0, &["retry", first]),
        (0, &["release", first, "--yes"]),
    ] {
        let left = story.show(words);
        assert_eq!(left.code, Some(code), "{}", left.screen);
        assert_eq!(left.written.contains(" of 6  3 parked"), words == run, "{}", left.written);
        assert_fits(words, &left);
    }
}

/// Checks each line, and each line of progress that was removed again.
fn assert_fits(words: &[&str], left: &Left) {
    let plain = anstream::adapter::strip_str(&left.written).to_string();
    for line in plain.split(['\n', '\r']) {
        assert!(line.chars().count() <= 80, "{words:?}: {line:?}\n{}", left.written);
    }
}
