//! The other machine of the account, which registers devices of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyvpn_azire::ops::CreateIp;
use anyvpn_core::{Config, ConfigRequest, PrivateKey, ServerConfigs};
use anyvpn_lab::machines::{Deed, Machine};
use anyvpn_lab::network::Mishap;
use anyvpn_sandbox::Fault;
use proptest::prelude::*;

use crate::World;
use crate::steps::Step;

/// What the other machine does between two requests of the first machine.
#[derive(Clone, Debug)]
pub struct Interlude {
    /// The number of requests after which it acts.
    after: usize,
    /// Whether it obtains a configuration or only registers a device.
    obtains: bool,
    /// What happens to the first machine's preceding request, instead of the fault that was drawn
    /// for the step.
    loss: Option<Fault>,
}

impl Interlude {
    /// What happens to the requests of the first machine.
    pub fn mishaps(&self) -> Option<Vec<Mishap>> {
        let mut mishaps = vec![Mishap::None; self.after - 1];
        mishaps.push(Mishap::Server(self.loss.clone()?));
        Some(mishaps)
    }
}

pub fn interludes() -> impl Strategy<Value = Option<Interlude>> {
    let fault = prop::sample::select(vec![
        None,
        Some(Fault::Wire("reset-before")),
        Some(Fault::Wire("reset-after")),
    ]);
    let interlude = (1_usize..6, any::<bool>(), fault)
        .prop_map(|(after, obtains, loss)| Interlude { after, obtains, loss });
    prop_oneof![1 => Just(None), 1 => interlude.prop_map(Some)]
}

/// Set when the other machine has finished.
pub type Second = Option<Arc<AtomicBool>>;

impl World {
    /// The devices that a step may delete, whichever machine created them.
    pub fn named(&self, step: &Step) -> Option<String> {
        match step {
            Step::Revoke { device } | Step::Rotate { device, .. } => {
                self.account.device(*device).map(|it| self.account.devices[it].id.clone())
            }
            _ => None,
        }
    }

    /// Makes the other machine act after this many requests of the first machine, if the step is
    /// about devices and the account has room for more.
    pub async fn interrupt(&self, step: &Step, interlude: Option<Interlude>) -> Second {
        let is_about_devices = matches!(
            step,
            Step::Obtain { .. }
                | Step::Abandon { .. }
                | Step::Register { .. }
                | Step::AddKey { .. }
                | Step::Rotate { .. }
                | Step::Revoke { .. }
        );
        let Interlude { after, obtains, .. } = interlude.filter(|_| is_about_devices)?;
        if self.account.devices.len() >= 8 || self.account.suspended {
            return None;
        }
        let location = self.location().await;
        let (second, ledger) = (self.second.clone(), self.ledger.clone());
        let ended = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&ended);
        // These operations look for a location first.
        let looks =
            matches!(step, Step::Obtain { .. } | Step::Abandon { .. } | Step::Rotate { .. });
        self.wire.interrupt(after + usize::from(looks), async move {
            let id = if obtains {
                let obtained =
                    second.obtain_config(&ConfigRequest::wireguard(location)).await.unwrap();
                assert!(matches!(obtained.config, Config::WireGuard(_)));
                obtained.id.unwrap()
            } else {
                let key = PrivateKey::generate().unwrap().public_key().to_string();
                second.call(CreateIp { key }).await.unwrap().id.to_string()
            };
            assert_eq!(ledger.maker(&id), Some(Machine::Second), "{id} is another one's");
            flag.store(true, Ordering::SeqCst);
        });
        Some(ended)
    }

    /// Waits for the other machine, and adds its devices to the model.
    pub async fn end(&mut self, second: Second) {
        let has_acted = self.wire.calm();
        if let Some(ended) = second.filter(|_| has_acted) {
            while !ended.load(Ordering::SeqCst) {
                tokio::task::yield_now().await;
            }
        }
        let deeds = self.ledger.since(self.began);
        let made = |id: &str, machine| deeds.contains(&(machine, Deed::Made(id.to_owned())));
        // The devices are in the provider's order.
        for device in self.devices() {
            let is_known = self.account.devices.iter().any(|it| it.id == device.id);
            if !is_known && (made(&device.id, Machine::Second) || self.abandoned) {
                self.account.devices.push(device);
            }
        }
        let order: Vec<_> = self.devices().into_iter().map(|device| device.id).collect();
        self.account.devices.sort_by_key(|it| order.iter().position(|id| *id == it.id));
    }

    /// Drops the future that obtains a configuration, with a new key, after this many answers. A device
    /// that it registered is then deleted, or still listed.
    pub async fn abandon(&mut self, answers: usize, mishaps: &[Mishap]) {
        let request = ConfigRequest::wireguard(self.location().await);
        self.network.meet(mishaps.to_vec());
        let until = self.ledger.requests(Machine::First) + answers;
        let ledger = self.ledger.clone();
        let enough = async {
            while ledger.requests(Machine::First) < until {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            outcome = self.azire.obtain_config(&request) => {
                if let Ok(obtained) = outcome {
                    assert_eq!(self.ledger.maker(&obtained.id.unwrap()), Some(Machine::First));
                }
            }
            () = enough => {}
        }
        // Background work has finished once no more requests arrive.
        let (mut quiet, mut count) = (0, self.ledger.requests(Machine::First));
        while quiet < 20 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let now = self.ledger.requests(Machine::First);
            quiet = if now == count { quiet + 1 } else { 0 };
            count = now;
        }
        self.abandoned = true;
    }
}
