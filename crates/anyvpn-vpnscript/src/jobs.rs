//! WireGuard configurations are made and removed by queued jobs. This waits for them.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyvpn_core::{Advice, Error, ErrorKind, Secret};
use anyvpn_http::Operation as _;
use tracing::field;

use crate::VpnScript;
use crate::ops::{
    CreateWireGuardConfig, DeleteWireGuardConfig, ListWireGuardConfigs, WireGuardConfigEntry,
};
use crate::server_configs::refuse_unreadable;
use crate::turn::Turn;

/// The states of a configuration that the page explains.
pub(crate) const PENDING_CREATION: i64 = 0;
pub(crate) const ACTIVE: i64 = 1;
pub(crate) const PENDING_DELETION: i64 = 2;

/// The first wait between two looks at a job; each is twice as long, up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// Looks after which a creation whose reply was lost counts as not done.
const LOOKS_FOR_A_LOST_ONE: u32 = 3;

/// When to look again, until the job's deadline.
struct Looks {
    deadline: Instant,
    wait: Duration,
}

impl VpnScript {
    fn looks(&self) -> Looks {
        let deadline = self.client.clock().instant() + self.job_deadline;
        Looks { deadline, wait: FIRST_WAIT }
    }

    /// Waits until the next look; `false` when that would be past the deadline.
    async fn next(&self, looks: &mut Looks) -> bool {
        let clock = self.client.clock();
        if clock.instant() + looks.wait > looks.deadline {
            return false;
        }
        clock.sleep(looks.wait).await;
        looks.wait = (looks.wait * 2).min(LONGEST_WAIT);
        true
    }

    /// The account's configurations, of one server or of all; none is an empty list here.
    pub(crate) async fn entries(
        &self,
        server_id: Option<u64>,
    ) -> Result<Vec<WireGuardConfigEntry>, Error> {
        match self.call(ListWireGuardConfigs { server_id }).await {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            list => list,
        }
    }

    /// Creates a configuration and waits until it is active.
    ///
    /// When the future is dropped on the way, what was created is removed again, as far as the
    /// runtime lives long enough.
    pub(crate) async fn create_config(&self, server_id: u64) -> Result<(u64, Secret), Error> {
        let turn = self.turn().await;
        let before = self.entries(Some(server_id)).await?;
        refuse_unreadable(&before)?;
        let before = before.iter().map(|it| it.id).collect();
        let mut claim = Claim {
            vpn: self.clone(),
            server_id,
            before,
            accepted: false,
            id: None,
            turn: Some(turn),
            answered: false,
        };
        let lost = match self.call(CreateWireGuardConfig { server_id }).await {
            Ok(()) => None,
            Err(error) if error.advice() == Advice::ReadBack => Some(error),
            Err(error) => return Err(claim.end(error)),
        };
        claim.accepted = lost.is_none();
        let job = tracing::debug_span!("job", what = "create", config = field::Empty);
        let mut looks = self.looks();
        let id = match self.own(&mut claim, lost, &mut looks).await {
            Ok(id) => id,
            Err(error) => return Err(claim.end(error)),
        };
        job.record("config", id);
        // Whoever comes next finds this one among the older ones.
        claim.turn = None;
        let outcome = self.active(server_id, id, &mut looks).await;
        match outcome {
            Ok(config) => {
                claim.release();
                Ok((id, config))
            }
            Err(error) => Err(claim.end(error)),
        }
    }

    /// Finds the configuration that was not there before.
    async fn own(
        &self,
        claim: &mut Claim,
        lost: Option<Error>,
        looks: &mut Looks,
    ) -> Result<u64, Error> {
        let mut look = 0;
        loop {
            let new = self.entries(Some(claim.server_id)).await;
            let mut new = new.map_err(Error::with_read_back)?;
            new.retain(|entry| !claim.before.contains(&entry.id));
            look += 1;
            match (&new[..], lost.as_ref()) {
                ([entry], _) => {
                    claim.id = Some(entry.id);
                    return Ok(entry.id);
                }
                ([], Some(_)) if look >= LOOKS_FOR_A_LOST_ONE => break,
                ([], _) if self.next(looks).await => {}
                ([], _) => break,
                (several, _) => {
                    let ids: Vec<_> = several.iter().map(|it| it.id.to_string()).collect();
                    return Err(ambiguous(format!(
                        "another program created a configuration at the same time; which of {} is \
                         whose cannot be told",
                        ids.join(", ")
                    )));
                }
            }
        }
        Err(lost
            .unwrap_or_else(|| ambiguous("the created configuration did not appear".to_owned())))
    }

    /// Waits until a configuration is active, and gives its text.
    async fn active(&self, server_id: u64, id: u64, looks: &mut Looks) -> Result<Secret, Error> {
        loop {
            let entries = self.entries(Some(server_id)).await.map_err(|e| left_behind(e, id))?;
            let entry = entries.into_iter().find(|entry| entry.id == id);
            match entry {
                None => return Err(job(ErrorKind::NotFound, id, "is gone again")),
                Some(WireGuardConfigEntry { fail_reason: Some(reason), .. }) => {
                    let failed = job(ErrorKind::Refused, id, "was not made");
                    return Err(failed.with_message(reason));
                }
                Some(WireGuardConfigEntry { status: PENDING_DELETION, .. }) => {
                    return Err(job(ErrorKind::Pending, id, "is being deleted by somebody"));
                }
                Some(WireGuardConfigEntry { config: Some(text), .. }) => return Ok(text),
                Some(_) if self.next(looks).await => {}
                Some(_) => {
                    let what = "is still being created; list it later";
                    return Err(job(ErrorKind::Pending, id, what).with_read_back());
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
            // Somebody, or a lost attempt of this call, has asked for it already.
            if !unsure || !self.entries(None).await.is_ok_and(deleting) {
                return Err(error);
            }
        }
        let _job = tracing::debug_span!("job", what = "delete", config = id);
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

/// A failure after the creation, which leaves the configuration where it is: who repeats the call
/// has two.
fn left_behind(error: Error, id: u64) -> Error {
    let why = error.detail().map(|why| format!("; {why}")).unwrap_or_default();
    error
        .with_detail(format!("the configuration {id} was created and is listed{why}"))
        .with_read_back()
}

fn ambiguous(why: String) -> Error {
    Error::new(ErrorKind::Ambiguous).with_operation(CreateWireGuardConfig::ID).with_detail(why)
}

/// A creation under way. Dropped before its end, it removes what it created.
struct Claim {
    vpn: VpnScript,
    server_id: u64,
    before: BTreeSet<u64>,
    /// Whether the provider has said that it creates one.
    accepted: bool,
    id: Option<u64>,
    /// Kept until the own configuration is known; `None` after that.
    turn: Option<Turn>,
    /// Whether the caller has had its answer.
    answered: bool,
}

impl Claim {
    /// The caller has the configuration.
    fn release(mut self) {
        self.answered = true;
    }

    /// The caller has the error, which says what is left behind.
    fn end(self, error: Error) -> Error {
        self.release();
        error
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.answered {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (vpn, server_id, turn) = (self.vpn.clone(), self.server_id, self.turn.take());
        let (before, accepted, id) = (std::mem::take(&mut self.before), self.accepted, self.id);
        runtime.spawn(async move {
            let owner = vpn.clone();
            let mut claim =
                Claim { vpn: owner, server_id, before, accepted, id, turn, answered: false };
            let mut looks = vpn.looks();
            let id = match claim.id {
                Some(id) => Ok(id),
                // The longer one waits for what may never come, the more likely is it another's.
                None => {
                    let lost = (!accepted).then(|| Error::new(ErrorKind::Ambiguous));
                    vpn.own(&mut claim, lost, &mut looks).await
                }
            };
            if let Ok(id) = id {
                // A configuration can be deleted only after it has been made.
                let _ = vpn.active(server_id, id, &mut looks).await;
                let _ = vpn.delete_config(id).await;
            }
            claim.release();
        });
    }
}
