//! Waits for the queued jobs that create and remove WireGuard configurations.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyvpn_core::{
    ActivityKind, Advice, Error, ErrorKind, Leftover, LeftoverKind, Observation, Secret,
};
use anyvpn_http::{Operation as _, RunToCompletion};

use crate::VpnScript;
use crate::creation_lock::CreationLock;
use crate::dialect::NO_CONFIGURATION;
use crate::ops::{
    CreateWireGuardConfig, DeleteWireGuardConfig, ListWireGuardConfigs, WireGuardConfigEntry,
};
use crate::server_configs::refuse_unreadable;

/// The documented states of a configuration.
pub(crate) const PENDING_CREATION: i64 = 0;
pub(crate) const ACTIVE: i64 = 1;
pub(crate) const PENDING_DELETION: i64 = 2;

/// The first wait between two checks of a job. Each wait is twice as long, up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// How long a new configuration must be the only new one before it counts as this caller's. By then, a list
/// that is out of date by less than this also shows the one that another machine made at the same time.
const SETTLE: Duration = Duration::from_secs(1);

/// The times of the checks, until the job's deadline.
struct Looks {
    /// `None` if it is beyond the range of the clock.
    deadline: Option<Instant>,
    wait: Duration,
}

impl VpnScript {
    fn looks(&self) -> Looks {
        let deadline = self.client.clock().instant().checked_add(self.job_deadline);
        Looks { deadline, wait: FIRST_WAIT }
    }

    /// Waits until the next check; returns `false` if that would be after the deadline.
    async fn next(&self, looks: &mut Looks) -> bool {
        let clock = self.client.clock();
        if looks.deadline.is_some_and(|deadline| clock.instant() + looks.wait > deadline) {
            return false;
        }
        let wait_ms = looks.wait.as_millis() as u64;
        tracing::debug!(wait_ms, "waiting for the provider's job before reading the list again");
        clock.sleep(looks.wait).await;
        looks.wait = (looks.wait * 2).min(LONGEST_WAIT);
        true
    }

    /// Returns the account's configurations, of one server or of all.
    ///
    /// If there are none, the provider refuses and this returns an empty list. Only the documented text
    /// counts as this refusal, because a server that is not found or not enabled can still have
    /// configurations.
    pub(crate) async fn entries(
        &self,
        server_id: Option<u64>,
    ) -> Result<Vec<WireGuardConfigEntry>, Error> {
        match self.call(ListWireGuardConfigs { server_id }).await {
            Err(error) if error.message() == Some(NO_CONFIGURATION) => Ok(Vec::new()),
            list => list,
        }
    }

    /// Creates a configuration and waits until it is active.
    ///
    /// If the future is dropped before it completes, the work continues in the background while the
    /// runtime runs, and a configuration that is certainly this caller's is removed again.
    pub(crate) async fn create_config(&self, server_id: u64) -> Result<(u64, Secret), Error> {
        let lock = self.lock_creation().await;
        let before = self.entries(Some(server_id)).await?;
        refuse_unreadable(&before)?;
        let before = before.iter().map(|entry| entry.id).collect();
        let creation = Creation { vpn: self.clone(), server_id, before, seen: BTreeSet::new() };
        let vpn = self.clone();
        RunToCompletion::new(creation.run(lock))
            .on_abandon(async move |created| {
                if let Ok((id, _)) = created {
                    // There is no caller to report a failure to; the configuration remains in the list.
                    let _ = vpn.delete_config(id).await;
                }
            })
            .await
    }

    /// Waits until a configuration is active, and returns its text.
    async fn active(&self, server_id: u64, id: u64, looks: &mut Looks) -> Result<Secret, Error> {
        loop {
            let entries = self.entries(Some(server_id)).await.map_err(|e| left_behind(e, id))?;
            let entry = entries.into_iter().find(|entry| entry.id == id);
            match entry {
                None => return Err(job(ErrorKind::NotFound, id, "no longer exists")),
                Some(WireGuardConfigEntry { fail_reason: Some(reason), .. }) => {
                    let failed = job(ErrorKind::Refused, id, "was not created");
                    return Err(failed.with_message(reason).with_leftover(configuration(id)));
                }
                Some(WireGuardConfigEntry { status: PENDING_DELETION, .. }) => {
                    return Err(job(ErrorKind::Pending, id, "is being deleted by another caller"));
                }
                Some(WireGuardConfigEntry { config: Some(text), .. }) => return Ok(text),
                Some(_) if self.next(looks).await => {}
                Some(_) => {
                    let what = "is still being created; list it later";
                    return Err(job(ErrorKind::Pending, id, what).with_leftover(configuration(id)));
                }
            }
        }
    }

    /// Deletes a configuration and waits until it is gone.
    pub(crate) async fn delete_config(&self, id: u64) -> Result<(), Error> {
        if let Err(error) = self.call(DeleteWireGuardConfig { config_id: id }).await {
            let unsure = error.kind() == ErrorKind::Pending || error.advice() == Advice::ReadBack;
            let deleting = |entries: Vec<WireGuardConfigEntry>| {
                entries.iter().all(|entry| entry.id != id || entry.status == PENDING_DELETION)
            };
            // Somebody, or a lost attempt of this call, has already requested it.
            if !unsure || !self.entries(None).await.is_ok_and(deleting) {
                return Err(error);
            }
        }
        let kind = ActivityKind::removal(DeleteWireGuardConfig::ID);
        let observation = Observation::start(self.client.observer(), kind);
        observation.identify(id);
        let outcome = self.gone(id).await;
        observation.finish(outcome.as_ref().err());
        outcome
    }

    /// Waits until a configuration is gone.
    async fn gone(&self, id: u64) -> Result<(), Error> {
        let mut looks = self.looks();
        loop {
            let entries = self.entries(None).await.map_err(Error::with_read_back)?;
            let entry = entries.into_iter().find(|entry| entry.id == id);
            match entry {
                None => return Ok(()),
                Some(WireGuardConfigEntry { fail_reason: Some(reason), .. }) => {
                    return Err(job(ErrorKind::Refused, id, "was not deleted").with_message(reason));
                }
                Some(_) if self.next(&mut looks).await => {}
                Some(_) => return Err(job(ErrorKind::Pending, id, "is still being deleted")),
            }
        }
    }
}

fn job(kind: ErrorKind, id: u64, what: &str) -> Error {
    Error::new(kind)
        .with_operation(ListWireGuardConfigs::ID)
        .with_detail(format!("the configuration {id} {what}"))
}

fn configuration(id: u64) -> Leftover {
    Leftover::new(LeftoverKind::Configuration, id.to_string())
}

/// Returns the error for a failure after the creation. The configuration stays, so a caller who repeats
/// the call gets a second one.
pub(crate) fn left_behind(error: Error, id: u64) -> Error {
    let why = error.detail().map(|why| format!("; {why}")).unwrap_or_default();
    error
        .with_detail(format!("the configuration {id} was created and is listed{why}"))
        .with_leftover(configuration(id))
}

/// A creation in progress.
///
/// The provider's answer does not name the configuration. After an accepted creation, a new entry in
/// the list belongs to this caller only if it is the only new one. After a creation whose answer was
/// lost, it may be another machine's, so we must neither return nor delete it.
struct Creation {
    vpn: VpnScript,
    server_id: u64,
    before: BTreeSet<u64>,
    /// All configurations that were new in any check.
    seen: BTreeSet<u64>,
}

impl Creation {
    /// Creates the configuration, and holds the lock until it is identified, so that the next program
    /// finds it among the older ones.
    async fn run(mut self, lock: CreationLock) -> Result<(u64, Secret), Error> {
        match self.vpn.call(CreateWireGuardConfig { server_id: self.server_id }).await {
            Ok(()) => {}
            Err(error) if error.advice() == Advice::ReadBack => {
                return Err(self.in_doubt(error).await);
            }
            Err(error) => return Err(error),
        }
        let kind = ActivityKind::creation(CreateWireGuardConfig::ID);
        let observation = Observation::start(self.vpn.client.observer(), kind);
        let outcome = async {
            let mut looks = self.vpn.looks();
            let id = self.own(&mut looks).await?;
            observation.identify(id);
            drop(lock);
            let config = self.vpn.active(self.server_id, id, &mut looks).await?;
            Ok((id, config))
        }
        .await;
        observation.finish(outcome.as_ref().err());
        outcome
    }

    /// Finds the configuration of an accepted creation: the one that has been the only new one for the
    /// settle time.
    ///
    /// If an installation shows nothing new right after it has accepted the request, it shows its
    /// configurations late, and another machine's may appear first. In that case we also wait until the
    /// configuration is active.
    async fn own(&mut self, looks: &mut Looks) -> Result<u64, Error> {
        let mut since = None;
        let mut is_late = false;
        loop {
            let new = self.look().await.map_err(|error| self.name_seen(error).with_read_back())?;
            let mut seen = self.seen.iter();
            match (seen.next().copied(), seen.next()) {
                (None, _) => is_late = true,
                (Some(id), None) => {
                    let now = self.vpn.client.clock().instant();
                    let alone = now.duration_since(*since.get_or_insert(now));
                    let is_pending = new.iter().any(|entry| {
                        entry.status == PENDING_CREATION && entry.fail_reason.is_none()
                    });
                    if alone >= SETTLE && !(is_late && is_pending) {
                        return Ok(id);
                    }
                }
                (Some(_), Some(_)) => {
                    return Err(self.ambiguous(
                        "another program created a configuration at the same time; it is not \
                         known which one belongs to whom",
                    ));
                }
            }
            if !self.vpn.next(looks).await {
                let why = match since {
                    None => "the created configuration did not appear",
                    Some(_) => {
                        "the only new configuration appeared too late to be certain that it is this one"
                    }
                };
                return Err(self.ambiguous(why));
            }
        }
    }

    /// Returns an error that lists what is new after a creation whose answer was lost, if it appears
    /// within the settle time.
    async fn in_doubt(&mut self, lost: Error) -> Error {
        let vpn = self.vpn.clone();
        let (mut looks, began) = (vpn.looks(), vpn.client.clock().instant());
        while self.look().await.is_ok()
            && vpn.client.clock().instant().duration_since(began) < SETTLE
            && vpn.next(&mut looks).await
        {}
        if self.seen.is_empty() {
            return lost;
        }
        let why = "new configurations may belong to this call or to another machine";
        let why = match lost.detail() {
            Some(lost) => format!("{why}; {lost}"),
            None => why.to_owned(),
        };
        self.name_seen(lost.with_kind(ErrorKind::Ambiguous).with_detail(why))
    }

    /// Returns the configurations that did not exist before.
    async fn look(&mut self) -> Result<Vec<WireGuardConfigEntry>, Error> {
        let mut new = self.vpn.entries(Some(self.server_id)).await?;
        new.retain(|entry| !self.before.contains(&entry.id));
        self.seen.extend(new.iter().map(|entry| entry.id));
        Ok(new)
    }

    fn ambiguous(&self, why: &str) -> Error {
        let error = Error::new(ErrorKind::Ambiguous).with_operation(CreateWireGuardConfig::ID);
        self.name_seen(error.with_detail(why))
    }

    fn name_seen(&self, error: Error) -> Error {
        self.seen.iter().fold(error, |error, id| error.with_leftover(configuration(*id)))
    }
}
