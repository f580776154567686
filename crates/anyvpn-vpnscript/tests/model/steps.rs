//! What a caller can do, and what it concludes.

use std::time::Duration;

use anyvpn_core::{Accounts, Advice, Config as Obtained, ConfigRequest, Protocol, ServerConfigs};
use anyvpn_sandbox::vpnscript::ServiceState;
use anyvpn_testkit::network::Mishap;
use anyvpn_vpnscript::ops::{CreateWireGuardConfig, DeleteWireGuardConfig};
use anyvpn_vpnscript::{Error, ErrorKind};
use proptest::prelude::*;

use crate::account::{Config, SERVERS, State};
use crate::{USERNAME, World, client};

const REASON: &str = "No route to host";
/// How long the client waits for a job.
const DEADLINE: u32 = 120;

/// Servers and configurations are named by their place; one beyond the configurations names what is
/// not there.
#[derive(Clone, Debug)]
pub enum Step {
    Obtain { server: usize },
    Create { server: usize },
    Revoke { config: usize },
    Delete { config: usize },
    ObtainOpenVpn,
    Account,
    Wait { seconds: u64 },
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

impl World {
    pub async fn take(&mut self, step: Step, mishaps: &[Mishap]) {
        let service = self.service().clone();
        match step {
            Step::Obtain { server } => self.obtain(SERVERS[server], mishaps).await,
            Step::Create { server } => {
                let outcome = self.vpn.call(CreateWireGuardConfig { server_id: SERVERS[server] });
                let outcome = outcome.await;
                self.created(SERVERS[server], outcome.map(|()| None), mishaps).await;
            }
            Step::Revoke { config } => {
                let config = self.config(config);
                let outcome = self.vpn.revoke(&self.id(config).to_string()).await;
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
                let outcome = self.vpn.obtain(&request).await.map(|config| config.id);
                self.answered(outcome, None, mishaps);
            }
            Step::Account => {
                let outcome = self.vpn.account().await.map(|account| Some(account.login));
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
                self.vpn = client(&self.sandbox, &self.network, None);
                service.revoke_tokens(USERNAME);
            }
            Step::RevokeTokens => {
                // A token that was made a moment ago is not renewed.
                self.sandbox.clock().advance(Duration::from_secs(2 * 3600));
                service.revoke_tokens(USERNAME);
            }
        }
    }

    /// The configuration in this place, or one that is not there.
    fn config(&self, place: usize) -> Option<usize> {
        let place = place % (self.account.configs.len() + 1);
        (place < self.account.configs.len()).then_some(place)
    }

    fn id(&self, config: Option<usize>) -> u64 {
        config.map_or(7777, |config| self.account.configs[config].id)
    }

    /// What reads is answered or refused, and changes nothing.
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

    async fn obtain(&mut self, server: u64, mishaps: &[Mishap]) {
        let outcome = self.vpn.obtain(&ConfigRequest::wireguard(server.to_string())).await;
        let outcome = outcome.map(|obtained| {
            let id: u64 = obtained.id.unwrap().parse().unwrap();
            let Obtained::WireGuard(config) = obtained.config else { panic!("another protocol") };
            let configs = self.service().configs(USERNAME);
            let own = configs.iter().find(|it| it.id == id).unwrap();
            assert_eq!(own.text.as_deref(), Some(config.to_secret().expose()), "another one's");
            Some(id)
        });
        self.created(server, outcome, mishaps).await;
    }

    /// What a caller concludes from a creation: by listing, which is all that ever names an id. An
    /// obtained configuration has named it before.
    async fn created(
        &mut self,
        server: u64,
        outcome: Result<Option<u64>, Error>,
        mishaps: &[Mishap],
    ) {
        self.network.calm();
        let smooth = mishaps.is_empty();
        let refusals = self.account.refuses_config(server);
        let known: Vec<_> = self.account.configs.iter().map(|it| it.id).collect();
        // A job of before can have been done meanwhile, which makes room for this one.
        let refused = !refusals.is_empty() && (smooth || !self.account.is_unsettled());
        let mut new = self.listed().await.unwrap_or_default();
        new.retain(|id| !known.contains(id));
        assert!(new.len() <= 1, "two were made: {new:?}");
        let new = new.first().copied();
        assert!(new.is_none() || !refused, "{new:?} was made, and not refused with {refusals:?}");
        assert_eq!(self.done("vpnscript.create-wireguard-config"), usize::from(new.is_some()));
        let will_fail = self.account.failures > 0;
        match &outcome {
            Ok(Some(id)) => assert!(new == Some(*id) && !will_fail, "{id} is not {new:?}"),
            Ok(None) => assert!(new.is_some(), "nothing was made"),
            Err(error) if new.is_some() => {
                let failed = will_fail && error.message() == Some(REASON);
                assert!(failed || error.advice() == Advice::ReadBack, "{new:?} after {error:?}");
                let long = self.account.job_seconds > DEADLINE;
                assert!(
                    !smooth || failed || long && error.kind() == ErrorKind::Pending,
                    "{error:?}"
                );
            }
            Err(error) => assert!(!smooth || refusals.contains(&error.kind()), "{error:?}"),
        }
        if let Some(id) = new {
            let (fails, by) = self.account.next_job(self.now());
            let state = State::Creating { fails, by };
            self.account.configs.push(Config { id, server, state });
        }
    }

    /// What a caller concludes from a deletion.
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
                // A lost attempt, and then nothing to delete: it may have been the attempt's doing.
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
                // Without a service, nobody can look whether it is gone.
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
