//! One history: orders, workers, a shop that changes its mind, strangers, and people who change customers by hand.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyvpn_core::{CustomerEnd, Provider};
use anyvpn_fleet::{
    Adopt, End, Imported, Order, Placed, Rules, Sealer, StepContext, Store, Until, Wanted, Worker,
    WorkerSettings,
};

use crate::check::{self, Totals};
use crate::provider::{Manners, SimProvider};
use crate::store::{FaultyStore, key};
use crate::world::{MachineClock, World};

const HOUR: Duration = Duration::from_secs(3600);
const LEASE: Duration = Duration::from_secs(120);
/// Faults happen in the first part of a history.
pub const FAULTS: Duration = Duration::from_secs(6 * 3600);
const END: Duration = Duration::from_secs(30 * 3600);

/// What a history was made of, for its checks.
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

/// Plays a history, and returns what went wrong.
pub async fn play(world: World, inner: Arc<dyn Store>, totals: &mut Totals) -> Vec<String> {
    let is_unique = world.below(4) > 0;
    let clocks_jump = world.below(4) == 0;
    let manners = Manners { is_unique, shows_closed: world.below(2) == 0, stall: LEASE * 2 };
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
        stall: LEASE,
    });
    let mut rules = Rules::default();
    (rules.adopt, rules.sweep) = (adopt, Some(5 * HOUR));
    world
        .run(workers + 1, END, |task, life| {
            let store = Arc::clone(&store);
            let ahead = Arc::new(Mutex::new(0));
            let clock = Arc::new(MachineClock { world: world.clone(), ahead: Arc::clone(&ahead) });
            if task > workers {
                return Box::pin(people(setup.people(), store));
            }
            if clocks_jump && world.below(3) == 0 {
                *ahead.lock().unwrap() = world.below(3600);
            }
            let context = StepContext { clock, sealer: setup.sealer.clone(), rules };
            let mut settings = WorkerSettings::new(format!("worker-{task}-{life}"));
            (settings.lease, settings.idle, settings.in_flight) = (LEASE, HOUR / 4, 4);
            let providers = BTreeMap::from([(
                "shop".to_owned(),
                Arc::new(provider.clone()) as Arc<dyn Provider>,
            )]);
            let worker = Worker::new(store, providers, context, settings);
            Box::pin(async move {
                let _ = worker.run(Until::Stopped, std::future::pending()).await;
            })
        })
        .await;
    check::check(&setup, &*inner, totals).await
}

/// Orders with all their revisions, and strangers who have some of the keys before.
fn orders(world: &World, provider: &SimProvider) -> Vec<Order> {
    let mut all = Vec::new();
    for number in 0..3 + world.below(6) {
        let id = format!("order-{number}");
        if world.below(8) == 0 {
            provider.stranger(&key(&id));
        }
        let mut order = Order::new(&*id, "shop", key(&id));
        order.plan = Some("small".to_owned());
        order.wanted = if world.below(6) == 0 { Wanted::Suspended } else { Wanted::Active };
        order.end = (world.below(4) == 0).then_some(End(CustomerEnd::PaidPeriod));
        all.push(order.clone());
        while world.below(2) == 0 && order.wanted != Wanted::Closed {
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

/// The shop hands its orders over, again and again until it knows that they arrived; the reseller resumes a stopped
/// brand; and some people change customers by hand.
async fn people(people: People, store: Arc<FaultyStore>) {
    let People { world, sealer, orders, provider, change_by_hand } = people;
    for order in orders {
        world.pause(Duration::from_secs(world.below(1800))).await;
        loop {
            let sealed = sealer.generate(&order).unwrap();
            let placed = Placed { order: order.clone(), sealed };
            match store.import(vec![placed], false).await {
                // A shop that was begun again hands over old revisions too.
                Ok(imported) => {
                    let is_old =
                        |why: &str| why.contains("revision above") || why.contains("stays closed");
                    assert!(
                        !matches!(&imported[0], Imported::Refused(why) if !is_old(why)),
                        "{imported:?}"
                    );
                    break;
                }
                Err(_) => world.pause(Duration::from_secs(10)).await,
            }
        }
        let _ = store.resume("shop").await;
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
    }
}
