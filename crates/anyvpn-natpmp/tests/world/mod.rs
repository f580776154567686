//! A sandbox's gateway, and a client that uses the sandbox's clock.

#![allow(dead_code, reason = "each test takes what it needs")]
#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyvpn_core::{
    Activity, CallEvent, CallObserver, Context, LeaseStore, Limits, MemoryLeaseStore, RetryPolicy,
    Settings,
};
use anyvpn_lab::time::of_sandbox;
use anyvpn_natpmp::NatPmp;
use anyvpn_sandbox::{Clock, Fault, FaultRule, Sandbox};
use anyvpn_testkit::time::{UnderWay, VirtualTime};

pub const SECOND: Duration = Duration::from_secs(1);

pub struct World {
    pub sandbox: Sandbox,
    pub time: VirtualTime,
    pub natpmp: NatPmp,
    pub leases: Arc<MemoryLeaseStore>,
    pub sends: Arc<Sends>,
}

/// What the client sends, and when. While a request is in progress, time stands still until the
/// sandbox waits.
pub struct Sends {
    time: VirtualTime,
    under_way: Mutex<Option<UnderWay>>,
    pub at: Mutex<Vec<Duration>>,
}

impl CallObserver for Sends {
    fn observe(&self, _: &Activity, event: &CallEvent<'_>) {
        let mut under_way = self.under_way.lock().unwrap();
        match event {
            CallEvent::Sent { .. } => {
                self.at.lock().unwrap().push(self.time.elapsed());
                *under_way = Some(self.time.request());
            }
            CallEvent::Finished { .. } | CallEvent::Abandoned => *under_way = None,
            _ => {}
        }
    }
}

impl World {
    /// The usual settings, and the usual gateway.
    pub async fn new() -> World {
        World::with(0, &[], &[]).await
    }

    pub async fn with(seed: u64, variations: &[&str], settings: &[(&str, &str)]) -> World {
        let clock = Clock::fixed("2026-01-01T00:00:00Z".parse().unwrap());
        let time = of_sandbox(&clock);
        let waits = time.clone();
        let mut builder = Sandbox::builder().seed(seed).clock(clock);
        builder = builder.wait_with(move |duration| waits.server_waits(duration));
        for variation in variations {
            builder = builder.variation(*variation);
        }
        let sandbox = builder.start().await.unwrap();
        let leases = Arc::new(MemoryLeaseStore::default());
        let under_way = Mutex::default();
        let sends = Sends { time: time.clone(), under_way, at: Mutex::default() };
        let sends = Arc::new(sends);
        let settings = settings.iter().fold(
            Settings::new().with("gateway", sandbox.natpmp_gateway()),
            |settings, (key, value)| settings.with(*key, *value),
        );
        let natpmp = NatPmp::open(&settings, &context(&time, &sends, &leases)).unwrap();
        World { sandbox, time, natpmp, leases, sends }
    }

    /// Returns a gateway from which clients request numbers.
    pub async fn plain(settings: &[(&str, &str)]) -> World {
        let world = World::with(0, &[], settings).await;
        world.sandbox.natpmp().set_plain(true);
        world
    }

    /// Returns the same client, as in another program on this machine.
    pub fn again(&self, settings: &[(&str, &str)]) -> NatPmp {
        let settings = settings.iter().fold(
            Settings::new().with("gateway", self.sandbox.natpmp_gateway()),
            |settings, (key, value)| settings.with(*key, *value),
        );
        NatPmp::open(&settings, &context(&self.time, &self.sends, &self.leases)).unwrap()
    }

    pub fn inject(&self, operation: &str, fault: Fault, times: Option<u32>) {
        let operation = Some(operation.to_owned());
        self.sandbox.inject(FaultRule { operation, times, ..FaultRule::always(fault) }).unwrap();
    }

    /// Returns the gateway's mappings: whether TCP, the internal port, and the number.
    pub fn mappings(&self) -> Vec<(bool, u16, u16)> {
        let mappings = self.sandbox.natpmp().mappings();
        mappings.iter().map(|it| (it.is_tcp, it.internal_port, it.external_port)).collect()
    }

    /// Returns how many requests the client has sent.
    pub fn count(&self) -> usize {
        self.sends.at.lock().unwrap().len()
    }
}

fn context(time: &VirtualTime, sends: &Arc<Sends>, leases: &Arc<MemoryLeaseStore>) -> Context {
    // Longer than all attempts of a request.
    let limits = Limits { call: 1000 * SECOND, ..Limits::default() };
    let retry = RetryPolicy { jitter_seed: Some(1), ..RetryPolicy::default() };
    Context::default()
        .with_clock(Arc::new(time.clone()))
        .with_observer(sends.clone())
        .with_limits(limits)
        .with_retry(retry)
        .with_leases(leases.clone() as Arc<dyn LeaseStore>)
}
