//! What a caller can do, and what it concludes from the results.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyvpn_core::{Accounts, Advice, Config as Obtained, ConfigRequest, Protocol, ServerConfigs};
use anyvpn_lab::machines::{Deed, Machine};
use anyvpn_lab::network::Mishap;
use anyvpn_sandbox::Fault;
use anyvpn_sandbox::vpnscript::ServiceState;
use anyvpn_vpnscript::ops::{CreateWireGuardConfig, DeleteWireGuardConfig};
use anyvpn_vpnscript::{Error, ErrorKind, Secret, VpnScript};
use proptest::prelude::*;

use crate::account::{Config, SERVERS, State};
use crate::{USERNAME, World};

const REASON: &str = "No route to host";
/// How long the client waits for a job.
const DEADLINE: u32 = 120;

/// Servers and configurations are identified by their position. The position after the last
/// configuration names one that does not exist.
#[derive(Clone, Debug)]
pub enum Step {
    Obtain {
        server: usize,
    },
    /// The future is dropped after this many answers.
    Abandon {
        server: usize,
        answers: usize,
    },
    Create {
        server: usize,
    },
    Revoke {
        config: usize,
    },
    Delete {
        config: usize,
    },
    ObtainOpenVpn,
    Account,
    Wait {
        seconds: u64,
    },
    FailNextJob,
    JobDuration(u32),
    Devices(u32),
    Service(ServiceState),
    Suspend(bool),
    RevokeTokens,
}

pub fn steps() -> impl Strategy<Value = Step> {
    let server = || prop::sample::select(vec![0_usize, 1, 1, 1, 2, 2, 3]);
    let service = prop::sample::select(vec![
        ServiceState::Active,
        ServiceState::Active,
        ServiceState::None,
        ServiceState::Inactive,
        ServiceState::Expired,
    ]);
    prop_oneof![
        6 => server().prop_map(|server| Step::Obtain { server }),
        2 => (server(), 0_usize..7)
            .prop_map(|(server, answers)| Step::Abandon { server, answers }),
        4 => server().prop_map(|server| Step::Create { server }),
        5 => (0_usize..6).prop_map(|config| Step::Revoke { config }),
        3 => (0_usize..6).prop_map(|config| Step::Delete { config }),
        1 => Just(Step::ObtainOpenVpn),
        1 => Just(Step::Account),
        3 => prop::sample::select(vec![1, 2, 60, 3600]).prop_map(|seconds| Step::Wait { seconds }),
        2 => Just(Step::FailNextJob),
        2 => prop::sample::select(vec![0, 2, 30, 1000]).prop_map(Step::JobDuration),
        1 => (0_u32..6).prop_map(Step::Devices),
        2 => service.prop_map(Step::Service),
        1 => any::<bool>().prop_map(Step::Suspend),
        2 => Just(Step::RevokeTokens),
    ]
}

/// What the other machine does between two requests of the first machine, or after its step.
#[derive(Clone, Debug)]
pub struct Interlude {
    /// The number of requests after which it acts.
    after: usize,
    server: usize,
    /// Whether it obtains a configuration or only creates one.
    waits: bool,
    /// What happens to the first machine's creation, instead of the fault that was drawn for the
    /// step.
    creation: Option<Fault>,
}

impl Interlude {
    /// What happens to the requests of the first machine.
    pub fn mishaps(&self) -> Option<Vec<Mishap>> {
        self.creation.clone().map(|fault| vec![Mishap::None, Mishap::Server(fault)])
    }
}

pub fn interludes() -> impl Strategy<Value = Option<Interlude>> {
    let after = prop::sample::select(vec![1_usize, 2, 2, 2, 3, 4, 5, 6]);
    let server = prop::sample::select(vec![1_usize, 1, 1, 2]);
    let fault = prop::sample::select(vec![
        None,
        Some(Fault::Wire("reset-before")),
        Some(Fault::Wire("reset-after")),
    ]);
    let interlude = (after, server, any::<bool>(), fault)
        .prop_map(|(after, server, waits, creation)| Interlude { after, server, waits, creation });
    prop_oneof![1 => Just(None), 1 => interlude.prop_map(Some)]
}

type Outcome = Result<Option<u64>, Error>;

/// What the other machine does in a step: the server, and the result.
type Second = Option<(u64, Arc<Mutex<Option<Result<Option<(u64, Secret)>, Error>>>>)>;

/// Obtains a configuration, and returns its id and text.
async fn obtain(vpn: VpnScript, server: u64) -> Result<(u64, Secret), Error> {
    let obtained = vpn.obtain_config(&ConfigRequest::wireguard(server.to_string())).await?;
    let Obtained::WireGuard(config) = obtained.config else { panic!("another protocol") };
    Ok((obtained.id.unwrap().parse().unwrap(), config.to_secret()))
}

impl World {
    /// Returns the configuration that a step names, which may be the other machine's.
    pub fn named(&self, step: &Step) -> Option<u64> {
        match step {
            Step::Revoke { config } | Step::Delete { config } => {
                self.config(*config).map(|config| self.id(Some(config)))
            }
            _ => None,
        }
    }

    pub async fn take(&mut self, step: Step, mishaps: &[Mishap], interlude: Option<Interlude>) {
        let service = self.service().clone();
        match step {
            Step::Obtain { server } => {
                let server = SERVERS[server];
                let second = self.interrupt(interlude);
                let outcome = obtain(self.vpn.clone(), server).await;
                let outcome = outcome.map(|(id, text)| Some(self.own(Machine::First, id, &text)));
                self.created(server, outcome, mishaps, second).await;
            }
            Step::Abandon { server, answers } => {
                let server = SERVERS[server];
                let second = self.interrupt(interlude);
                let until = self.ledger.requests(Machine::First) + answers;
                let ledger = self.ledger.clone();
                let enough = async {
                    while ledger.requests(Machine::First) < until {
                        tokio::task::yield_now().await;
                    }
                };
                let outcome = tokio::select! {
                    biased;
                    outcome = obtain(self.vpn.clone(), server) => Some(outcome),
                    () = enough => None,
                };
                match outcome {
                    Some(outcome) => {
                        let own =
                            |(id, text): (u64, Secret)| Some(self.own(Machine::First, id, &text));
                        self.created(server, outcome.map(own), mishaps, second).await;
                    }
                    None => self.abandoned(server, second).await,
                }
            }
            Step::Create { server } => {
                let server = SERVERS[server];
                let second = self.interrupt(interlude);
                let outcome = self.vpn.call(CreateWireGuardConfig { server_id: server }).await;
                self.created(server, outcome.map(|()| None), mishaps, second).await;
            }
            Step::Revoke { config } => {
                let config = self.config(config);
                let outcome = self.vpn.revoke_config(&self.id(config).to_string()).await;
                self.deleted(config, true, outcome, mishaps).await;
            }
            Step::Delete { config } => {
                let config = self.config(config);
                let operation = DeleteWireGuardConfig { config_id: self.id(config) };
                let outcome = self.vpn.call(operation).await;
                self.deleted(config, false, outcome, mishaps).await;
            }
            Step::ObtainOpenVpn => {
                let request = ConfigRequest::new("1", Protocol::OpenVpn);
                let outcome = self.vpn.obtain_config(&request).await.map(|config| config.id);
                self.answered(outcome, None, mishaps);
            }
            Step::Account => {
                let outcome = self.vpn.account().await.map(|account| account.login);
                let suspended = self.account.suspended && !self.quirks.suspended_may_read_account;
                if suspended || !self.account.suspended {
                    self.answered(outcome, Some(USERNAME), mishaps);
                }
            }
            Step::Wait { seconds } => self.sandbox.clock().advance(Duration::from_secs(seconds)),
            Step::FailNextJob => {
                service.fail_next_job(REASON);
                self.account.failures += 1;
            }
            Step::JobDuration(seconds) => {
                service.set_job_duration(Duration::from_secs(seconds.into()));
                self.account.job_seconds = seconds;
            }
            Step::Devices(devices) => {
                service.set_devices(USERNAME, devices);
                self.account.devices = devices;
            }
            Step::Service(state) => {
                service.set_service(USERNAME, state);
                self.account.service = state;
            }
            Step::Suspend(true) => {
                service.suspend(USERNAME, Some("spam"));
                self.account.suspended = true;
            }
            Step::Suspend(false) => {
                service.unsuspend(USERNAME);
                self.account.suspended = false;
                // A client whose sign-in was refused does not try again at once.
                self.sign_in_anew();
                service.revoke_tokens(USERNAME);
            }
            Step::RevokeTokens => {
                // A token that was just created is not renewed.
                self.sandbox.clock().advance(Duration::from_secs(2 * 3600));
                service.revoke_tokens(USERNAME);
            }
        }
    }

    /// Returns the configuration at this position, or one that does not exist.
    fn config(&self, place: usize) -> Option<usize> {
        let place = place % (self.account.configs.len() + 1);
        (place < self.account.configs.len()).then_some(place)
    }

    fn id(&self, config: Option<usize>) -> u64 {
        config.map_or(7777, |config| self.account.configs[config].id)
    }

    /// A read is answered or refused, and changes nothing.
    fn answered(
        &self,
        outcome: Result<Option<String>, Error>,
        value: Option<&str>,
        mishaps: &[Mishap],
    ) {
        match (outcome, self.account.locked()) {
            (Ok(read), None) => assert_eq!(read.as_deref(), value),
            (Ok(read), Some(ErrorKind::Suspended)) => panic!("{read:?} though suspended"),
            (Ok(read), Some(_)) => assert_eq!(read.as_deref(), Some(USERNAME)),
            (Err(error), locked) => {
                // A profile can be refused with the same words whatever the service's state is.
                let general = locked.is_some() && error.kind() == ErrorKind::ServiceInactive;
                let same = Some(error.kind()) == locked || general;
                assert!(!mishaps.is_empty() || same, "{error:?}");
            }
        }
    }

    /// Checks a returned configuration: it must be the machine's own, with its own text.
    fn own(&self, machine: Machine, id: u64, text: &Secret) -> u64 {
        assert_eq!(
            self.ledger.maker(&id.to_string()),
            Some(machine),
            "{id} was handed out to {machine:?}"
        );
        let configs = self.service().configs(USERNAME);
        let own = configs.iter().find(|it| it.id == id).unwrap();
        assert_eq!(own.text.as_deref(), Some(text.expose()), "another one's text");
        id
    }

    /// Makes the other machine act after this many requests of the first machine.
    fn interrupt(&self, interlude: Option<Interlude>) -> Second {
        let Interlude { after, server, waits, .. } = interlude?;
        let (vpn, server_id) = (self.second.clone(), SERVERS[server]);
        let outcome_slot = Arc::new(Mutex::new(None));
        let slot = Arc::clone(&outcome_slot);
        self.wire.interrupt(after, async move {
            let outcome = match waits {
                true => obtain(vpn, server_id).await.map(Some),
                false => vpn.call(CreateWireGuardConfig { server_id }).await.map(|()| None),
            };
            *slot.lock().unwrap() = Some(outcome);
        });
        Some((server_id, outcome_slot))
    }

    /// Updates the model with the other machine's result, after it has finished.
    async fn end(&self, second: Second) -> Option<(u64, Outcome)> {
        let has_acted = self.wire.calm();
        let (server, outcome) = second.filter(|_| has_acted)?;
        loop {
            if let Some(outcome) = outcome.lock().unwrap().take() {
                let own = |(id, text): (u64, Secret)| self.own(Machine::Second, id, &text);
                return Some((server, outcome.map(|obtained| obtained.map(own))));
            }
            tokio::task::yield_now().await;
        }
    }

    /// Updates the model with everything that both machines created and deleted in a step, in
    /// order. Returns what each of them created, with whether its job fails.
    fn take_in(&mut self, server: u64, others: u64) -> [Vec<(u64, bool)>; 2] {
        let now = self.now();
        let mut made = [Vec::new(), Vec::new()];
        for (machine, deed) in self.ledger.since(self.began) {
            let (fails, by) = self.account.next_job(now);
            match deed {
                Deed::Made(id) => {
                    let id = id.parse().unwrap();
                    let server = if machine == Machine::First { server } else { others };
                    let state = State::Creating { fails, by };
                    self.account.configs.push(Config { id, server, state });
                    made[machine as usize].push((id, fails));
                }
                Deed::Deleted(id) => {
                    let id: u64 = id.parse().unwrap();
                    let configs = &mut self.account.configs;
                    let config = configs.iter_mut().find(|it| it.id == id).unwrap();
                    config.state = State::Deleting { fails, by };
                }
            }
        }
        assert!(made.iter().all(|made| made.len() <= 1), "two were made: {made:?}");
        made
    }

    /// Updates the model after a creation, by listing, since only a list contains ids. An obtained
    /// configuration has already named its id.
    async fn created(&mut self, server: u64, outcome: Outcome, mishaps: &[Mishap], second: Second) {
        self.network.calm();
        let second = self.end(second).await;
        let smooth = mishaps.is_empty() && second.is_none();
        let refusals = self.account.refuses_config(server);
        let known: Vec<_> = self.account.configs.iter().map(|it| it.id).collect();
        // An earlier job may have finished meanwhile, which frees a slot for this one.
        let refused = !refusals.is_empty() && (smooth || !self.account.is_unsettled());
        let listed = self.listed().await;
        let others = second.as_ref().map_or(0, |(server, _)| *server);
        let [ours, theirs] = self.take_in(server, others);
        if let Some(listed) = listed {
            let ids = listed.into_iter().filter(|id| !known.contains(id)).count();
            assert_eq!(ids, ours.len() + theirs.len(), "what was made is not what is listed");
        }
        assert!(
            ours.is_empty() || !refused,
            "{ours:?} was made, and not refused with {refusals:?}"
        );
        let done = self.done("vpnscript.create-wireguard-config");
        assert_eq!(done, ours.len() + theirs.len());
        if let Some((_, theirs_outcome)) = second {
            self.concluded(&theirs_outcome, theirs.first().copied());
        }
        let ours = ours.first().copied();
        self.concluded(&outcome, ours);
        match &outcome {
            Ok(_) => {}
            Err(error) if ours.is_some() => {
                let failed = error.message() == Some(REASON);
                let long = self.account.job_seconds > DEADLINE;
                assert!(
                    !smooth || failed || long && error.kind() == ErrorKind::Pending,
                    "{error:?}"
                );
            }
            Err(error) => assert!(!smooth || refusals.contains(&error.kind()), "{error:?}"),
        }
    }

    /// A machine's result must match what it created: nothing is lost without an error.
    fn concluded(&self, outcome: &Outcome, made: Option<(u64, bool)>) {
        match (outcome, made) {
            (Ok(Some(id)), _) => {
                assert!(made == Some((*id, false)), "{id} is not {made:?}");
            }
            (Ok(None), _) => assert!(made.is_some(), "nothing was made"),
            (Err(error), Some((id, fails))) => {
                let failed = fails && error.message() == Some(REASON);
                assert!(failed || error.advice() == Advice::ReadBack, "{id} after {error:?}");
            }
            (Err(_), None) => {}
        }
        if let Err(error) = outcome {
            for leftover in error.left_behind() {
                let id: u64 = leftover.id().parse().unwrap();
                assert!(
                    self.ledger.maker(&id.to_string()).is_some(),
                    "{id} is named, and nobody made it"
                );
            }
        }
    }

    /// Updates the model after a caller has given up: it was told nothing, so only the account
    /// shows the effect.
    async fn abandoned(&mut self, server: u64, second: Second) {
        // Background work has finished once no more requests arrive.
        let mut quiet = 0;
        let mut count = self.ledger.requests(Machine::First);
        while quiet < 20 {
            tokio::time::sleep(Duration::from_millis(1)).await;
            let now = self.ledger.requests(Machine::First);
            quiet = if now == count { quiet + 1 } else { 0 };
            count = now;
        }
        self.network.calm();
        let second = self.end(second).await;
        let others = second.as_ref().map_or(0, |(server, _)| *server);
        let [ours, theirs] = self.take_in(server, others);
        let done = self.done("vpnscript.create-wireguard-config");
        assert_eq!(done, ours.len() + theirs.len());
        if let Some((_, outcome)) = second {
            self.concluded(&outcome, theirs.first().copied());
        }
    }

    /// Updates the model after a deletion.
    async fn deleted(
        &mut self,
        config: Option<usize>,
        waits: bool,
        outcome: Result<(), Error>,
        mishaps: &[Mishap],
    ) {
        self.network.calm();
        let smooth = mishaps.is_empty();
        let refusals = self.account.refuses_deletion(config, &self.quirks);
        let Some(place) = config else {
            match outcome {
                // One attempt was lost, and then there was nothing to delete: the lost attempt may
                // have deleted it.
                Ok(()) => assert!(!smooth, "nothing was deleted"),
                Err(error) => assert!(!smooth || refusals.contains(&error.kind()), "{error:?}"),
            }
            return;
        };
        let Config { id, state: before, .. } = self.account.configs[place];
        let gone = !self.shown().contains_key(&id);
        let done = self.done("vpnscript.delete-wireguard-config");
        let was_deleting = matches!(before, State::Deleting { .. });
        let (mut fails, mut by) = (false, 0);
        for _ in 0..done {
            (fails, by) = self.account.next_job(self.now());
        }
        match &outcome {
            Ok(()) => assert!(gone || (!waits && done > 0), "it is still there"),
            Err(error) if done > 0 => {
                let job_failed = waits && fails && error.message() == Some(REASON);
                let pending = waits && error.kind() == ErrorKind::Pending;
                let told = job_failed || pending || error.advice() == Advice::ReadBack;
                assert!(told, "{id} is being deleted after {error:?}");
                // Without a service, no call can show whether it is gone.
                let blind = waits && self.account.locked() == Some(error.kind());
                assert!(!smooth || job_failed || pending || blind, "{error:?}");
            }
            Err(error) => {
                let other = waits && was_deleting;
                assert!(!smooth || other || refusals.contains(&error.kind()), "{error:?}");
            }
        }
        assert!(!smooth || (done > 0) == refusals.is_empty(), "{done} though {refusals:?}");
        if done > 0 {
            self.account.configs[place].state = State::Deleting { fails, by };
        }
    }
}
