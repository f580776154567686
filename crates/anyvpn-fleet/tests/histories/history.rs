//! One history: orders, workers, a shop that changes its orders, existing customers, and people who
//! change customers by hand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyvpn_core::{CustomerEnd, Provider};
use anyvpn_fleet::{
    Act, Acted, Adopt, End, Imported, Order, OrderState, Owner, Placed, Rules, Sealer, StepContext,
    Store, Until, Wanted, Worker, WorkerSettings, act,
};

use crate::book::Quirk;
use crate::check::{self, Totals};
use crate::provider::{Manners, SimProvider};
use crate::store::{FaultyStore, key};
use crate::world::{MachineClock, World};

const HOUR: Duration = Duration::from_secs(3600);
const LEASE: Duration = Duration::from_secs(120);
/// Faults happen only in the first part of a history.
pub const FAULTS: Duration = Duration::from_secs(6 * 3600);
/// People look at parked and drifted orders in this part of a history.
const PEOPLE: std::ops::Range<Duration> =
    Duration::from_secs(12 * 3600)..Duration::from_secs(18 * 3600);
/// How many creations may be lost.
pub const LOST_CREATIONS: u32 = 4;
const END: Duration = Duration::from_secs(30 * 3600);

/// The setup of a history, for its checks.
pub struct Setup {
    pub sealer: Sealer,
    pub orders: Vec<Order>,
    pub budget: Option<&'static str>,
    pub adopt: Adopt,
    pub world: World,
    pub provider: SimProvider,
    pub taken: Arc<Mutex<Vec<(Duration, &'static str)>>>,
    pub changed_by_hand: bool,
}

/// Runs a history, and returns the violations.
pub async fn play(world: World, inner: Arc<dyn Store>, totals: &mut Totals) -> Vec<String> {
    let is_unique = world.below(4) > 0;
    let clocks_jump = world.below(4) == 0;
    let manners = Manners {
        is_unique,
        shows_closed: world.below(2) == 0,
        is_strict: world.below(2) == 0,
        stall: LEASE * 2,
    };
    let provider = SimProvider::new(world.clone(), manners);
    let adopt =
        [Adopt::Never, Adopt::Never, Adopt::InDoubt, Adopt::Foreign][world.below(4) as usize];
    provider.book().may_take_strangers = adopt == Adopt::Foreign;
    let budget = [None, Some("6/min"), Some("20/h"), Some("4/h")][world.below(4) as usize];
    let workers = 2 + world.below(7);
    let setup = Setup {
        sealer: Sealer::new(&Sealer::generate_key().unwrap()).unwrap(),
        orders: orders(&world, &provider),
        budget,
        adopt,
        world: world.clone(),
        provider: provider.clone(),
        taken: Arc::default(),
        changed_by_hand: world.below(5) == 0,
    };
    if let Some(budget) = budget {
        for operation in ["find", "create", "change-plan", "close"] {
            inner.set_budget("shop", operation, Some(budget.parse().unwrap())).await.unwrap();
        }
    }
    let store = Arc::new(FaultyStore {
        world: world.clone(),
        inner: Arc::clone(&inner),
        provider: provider.clone(),
        taken: Arc::clone(&setup.taken),
        lease: LEASE,
        leases: Mutex::default(),
        failed: Mutex::default(),
    });
    // Whose customers orders may take over is often decided later, and then all workers are begun again.
    let decided = HOUR * (world.below(2) * (3 + world.below(5))) as u32;
    world
        .run(workers + 1, END, |task, life| {
            let store = Arc::clone(&store);
            let ahead = Arc::new(Mutex::new(0));
            let clock = Arc::new(MachineClock { world: world.clone(), ahead: Arc::clone(&ahead) });
            if task > workers {
                return Box::pin(people(setup.people(), store));
            }
            if clocks_jump && world.below(3) == 0 {
                *ahead.lock().unwrap() = world.below(7200) as i64 - 3600;
            }
            let mut rules = Rules::default();
            (rules.sweep, rules.lost_creations) = (Some(5 * HOUR), LOST_CREATIONS);
            let is_decided = world.elapsed() >= decided;
            if is_decided {
                rules.adopt = adopt;
            }
            let context = StepContext { clock, sealer: setup.sealer.clone(), rules };
            let mut settings = WorkerSettings::new(format!("worker-{task}-{life}"));
            (settings.lease, settings.idle, settings.in_flight) = (LEASE, HOUR / 4, 4);
            let providers = BTreeMap::from([(
                "shop".to_owned(),
                Arc::new(provider.clone()) as Arc<dyn Provider>,
            )]);
            let worker = Worker::new(store, providers, context, settings);
            let world = world.clone();
            Box::pin(async move {
                let stop = async {
                    match is_decided {
                        true => std::future::pending().await,
                        false => world.pause(decided.saturating_sub(world.elapsed())).await,
                    }
                };
                let _ = worker.run(Until::Stopped, stop).await;
            })
        })
        .await;
    check::check(&setup, &*inner, totals).await
}

/// Creates orders with all their revisions, and customers that already exist with some of the keys.
fn orders(world: &World, provider: &SimProvider) -> Vec<Order> {
    let mut all = Vec::new();
    for number in 0..3 + world.below(6) {
        let id = format!("order-{number}");
        if world.below(8) == 0 {
            provider.stranger(&key(&id));
        }
        let quirk = match world.below(40) {
            0 => Some(Quirk::NotCreated),
            1 => Some(Quirk::NoOtherPlan),
            2 => Some(Quirk::NotKnown),
            3 => Some(Quirk::NeverArrives),
            _ => None,
        };
        if let Some(quirk) = quirk {
            provider.book().quirks.insert(key(&id), quirk);
        }
        let mut order = Order::new(&*id, "shop", key(&id));
        order.plan = Some("small".to_owned());
        order.wanted = if world.below(6) == 0 { Wanted::Suspended } else { Wanted::Active };
        order.end = (world.below(4) == 0).then_some(End(CustomerEnd::PaidPeriod));
        all.push(order.clone());
        let changes = if world.weather().is_hasty { 6 } else { 2 };
        while world.below(changes) > 0 && order.wanted != Wanted::Closed {
            order.revision += 1 + world.below(2) as u32;
            match world.below(4) {
                0 => order.wanted = Wanted::Closed,
                1 => {
                    order.wanted = if order.wanted == Wanted::Active {
                        Wanted::Suspended
                    } else {
                        Wanted::Active
                    }
                }
                2 => order.end = Some(End(CustomerEnd::Never)),
                _ => {}
            }
            let plan = if order.plan.as_deref() == Some("small") { "large" } else { "small" };
            order.plan = Some(plan.to_owned());
            all.push(order.clone());
        }
    }
    all
}

impl Setup {
    fn people(&self) -> People {
        People {
            world: self.world.clone(),
            sealer: self.sealer.clone(),
            orders: self.orders.clone(),
            provider: self.provider.clone(),
            change_by_hand: self.changed_by_hand,
        }
    }
}

struct People {
    world: World,
    sealer: Sealer,
    orders: Vec<Order>,
    provider: SimProvider,
    change_by_hand: bool,
}

/// The shop submits its orders repeatedly until it knows that they arrived, the reseller resumes a
/// stopped brand, and some people change customers by hand.
async fn people(people: People, store: Arc<FaultyStore>) {
    let People { world, sealer, orders, provider, change_by_hand } = people;
    for (at, order) in orders.iter().enumerate() {
        let rest = if world.weather().is_hasty { 20 } else { 1800 };
        match world.below(3) {
            0 => world.pause(Duration::from_secs(world.below(40))).await,
            1 => until_handled(&world, &order.id, &*store).await,
            _ => world.pause(Duration::from_secs(world.below(rest))).await,
        }
        if world.below(4) == 0 {
            shop_errs(&world, &sealer, order, &*store).await;
        }
        loop {
            let sealed = sealer.generate(order).unwrap();
            let placed = Placed { order: order.clone(), sealed };
            match store.import(vec![placed], false).await {
                // A shop that was restarted also submits old revisions.
                Ok(imported) => {
                    let is_old = |why: &str| {
                        why.starts_with("revision ")
                            || why.starts_with("has revision ")
                            || why.contains("stays closed")
                    };
                    assert!(
                        !matches!(&imported[0], Imported::Refused(why) if !is_old(why)),
                        "{imported:?}"
                    );
                    break;
                }
                Err(_) => world.pause(Duration::from_secs(10)).await,
            }
        }
        if orders.get(at + 1).is_none_or(|next| next.id != order.id) {
            provider.book().last_orders.insert(order.key.clone());
            shop_errs(&world, &sealer, order, &*store).await;
        }
        let _ = store.resume("shop").await;
        if world.below(8) == 0 {
            let mut book = provider.book();
            let mut accounts = book.accounts.values_mut().flatten();
            if let Some(account) = accounts.find(|account| account.is_strangers) {
                (account.is_closed, account.was_closed_by_hand) = (true, true);
            }
        }
        if change_by_hand && world.below(3) == 0 && world.elapsed() < FAULTS {
            let mut book = provider.book();
            let accounts = book.accounts.values_mut().flatten();
            let mut ours: Vec<_> =
                accounts.filter(|account| !account.is_strangers && !account.is_closed).collect();
            if !ours.is_empty() {
                let at = world.below(ours.len() as u64) as usize;
                match world.below(3) {
                    0 => ours[at].plan = Some("huge".into()),
                    1 => ours[at].is_suspended = !ours[at].is_suspended,
                    _ => (ours[at].is_closed, ours[at].was_closed_by_hand) = (true, true),
                }
            }
        }
    }
    loop {
        world.pause(HOUR / 4).await;
        let _ = store.resume("shop").await;
        if PEOPLE.contains(&world.elapsed()) {
            decide_one(&world, &provider, &sealer, &store).await;
        }
    }
}

/// Waits until a worker has done something about an order, as a shop does that shows its customers what became of it.
async fn until_handled(world: &World, id: &str, store: &dyn Store) {
    let awaited = [OrderState::Done, OrderState::Ambiguous][world.below(2) as usize];
    for _ in 0..300 {
        world.pause(Duration::from_secs(world.below(8))).await;
        let record = store.order(id).await.unwrap();
        if record.is_none_or(|record| record.state == awaited) {
            break;
        }
    }
    world.pause(Duration::from_secs(world.below(30))).await;
}

/// The shop hands over an order that contradicts one that is there.
async fn shop_errs(world: &World, sealer: &Sealer, order: &Order, store: &dyn Store) {
    let Ok(Some(record)) = store.order(&order.id).await else { return };
    let mut wrong = record.order;
    match world.below(3) {
        _ if wrong.wanted == Wanted::Closed => {
            (wrong.wanted, wrong.revision) = (Wanted::Active, wrong.revision + 1);
        }
        0 => wrong.plan = Some("huge".into()),
        1 => wrong.id = format!("{}-again", wrong.id),
        _ => (wrong.key, wrong.revision) = (key("another"), wrong.revision + 1),
    }
    let sealed = sealer.generate(&wrong).unwrap();
    if let Ok(imported) = store.import(vec![Placed { order: wrong, sealed }], false).await {
        assert!(matches!(&imported[0], Imported::Refused(_)), "{imported:?}");
    }
}

/// A person decides about an order that is parked or drifted, or whose customer has an unknown password.
async fn decide_one(world: &World, provider: &SimProvider, sealer: &Sealer, store: &FaultyStore) {
    let released = store.orders(Some(OrderState::Released), None, 100).await.unwrap();
    if let Some(mut order) = released.into_iter().next().map(|record| record.order) {
        order.revision += 1;
        let sealed = sealer.generate(&order).unwrap();
        let imported = store.import(vec![Placed { order, sealed }], false).await.unwrap();
        assert!(matches!(&imported[0], Imported::Refused(_)), "{imported:?}");
    }
    let mut records = store.orders(Some(OrderState::Parked), None, 100).await.unwrap();
    records.extend(store.orders(Some(OrderState::Drifted), None, 100).await.unwrap());
    let done = store.orders(Some(OrderState::Done), None, 100).await.unwrap();
    records.extend(done.into_iter().filter(|record| record.progress.owner == Owner::InDoubt));
    if records.is_empty() || world.below(4) > 0 {
        return;
    }
    let record = &records[world.below(records.len() as u64) as usize];
    let id = &record.order.id;
    let how = match world.below(5) {
        0 => Act::Release,
        1 | 2 if record.state != OrderState::Drifted => Act::Adopt,
        _ => Act::Retry,
    };
    let clock = MachineClock { world: world.clone(), ahead: Arc::default() };
    if how == Act::Adopt {
        let mut book = provider.book();
        let accounts = book.accounts.get_mut(&record.order.key);
        accounts.into_iter().flatten().for_each(|account| account.was_given = true);
    }
    let acted = act(store, &clock, id, "a person", how).await.unwrap();
    // A worker can have it: it reads orders that are done once in a while.
    assert_ne!(acted, Acted::NotFound);
}
