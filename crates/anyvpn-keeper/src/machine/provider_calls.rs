//! Which call the provider gets next, and what its answer means.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyvpn_core::{
    Advice, Error, ErrorKind, Lease, PortCheck, PortForward, PortProtocols, Timestamp,
};

use crate::journal::{CreateIntent, HeldForward};
use crate::machine::journal_writes::LAZY;
use crate::machine::time::{BackOff, Now};
use crate::machine::{Action, Problem, Shared, Stop};

/// How long after a start a forward that is kept alive may seem to have ended, until the provider answers.
const PROOF: Duration = Duration::from_secs(60);
/// How often fixed forwards are listed: the provider's word that the port is still there.
const LIST_EVERY: Duration = Duration::from_secs(15 * 60);
/// How old a list may be when a creation is begun.
const FRESH: Duration = Duration::from_secs(30);
/// How often a list is read after a creation whose answer was lost, and how long it must show nothing new
/// before another one is allowed. Servers end a request within 30 s.
const LOOK_EVERY: Duration = Duration::from_secs(15);
const DOUBT: Duration = Duration::from_secs(30);
/// How soon a failed call is retried: one that can be retried, and one that somebody has to do
/// something about.
const RETRY: (Duration, Duration) = (Duration::from_secs(2), Duration::from_secs(5 * 60));
const CHANGE: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(30 * 60));
/// How soon a port that was found closed is checked again.
const CHECK_AGAIN: (Duration, Duration) = (Duration::from_secs(60), Duration::from_secs(60 * 60));
/// How long after a client was told a port is checked: they lag by up to 2 s.
const CHECK_AFTER: Duration = Duration::from_secs(5);
/// An allowance that ends with the provider's day is tried up to this long after it.
const AFTER_MIDNIGHT: u64 = 10 * 60;
const SECONDS_OF_DAY: i64 = 24 * 60 * 60;

/// A call to the provider.
#[derive(Clone, Debug, PartialEq)]
enum Call {
    List,
    Create,
    Renew(PortForward),
    Delete(PortForward),
    Check(u16),
}

/// What the rest of the machine says about itself, for the next call.
#[derive(Clone, Copy)]
pub(crate) struct Readiness {
    /// Whether the intended creation is on the disk.
    pub has_intent: bool,
    /// When the disk may be written again.
    pub writable_at: Duration,
    /// Whether clients and hooks have the announced port.
    pub is_told: bool,
    /// Whether every client was asked.
    pub is_asked: bool,
    /// When a client that was told answered last.
    pub told_at: Option<Duration>,
}

pub(crate) struct ProviderCalls {
    /// The call under way, and the tunnel that it was begun over.
    call: Option<(Call, u64)>,
    /// When that call was begun.
    asked_at: Duration,
    /// Counts the changes of the tunnel.
    epoch: u64,
    list_at: Option<Duration>,
    /// When the provider listed which numbers, over this tunnel.
    listed: Option<(Duration, Vec<u16>)>,
    renew_at: Option<Duration>,
    replace_at: Option<Duration>,
    closes_at: Option<Duration>,
    /// The number that the provider says is gone.
    gone: Option<u16>,
    /// Since when the outcome of the intended creation is not known; `None` while it has not been sent.
    doubt_since: Option<Duration>,
    look_at: Duration,
    /// After a creation that failed, or whose outcome was not known. Lists and renewals go on meanwhile.
    pub creation: BackOff,
    creation_problem: Option<Problem>,
    /// When the allowance lets another creation through; `None` unless one is wanted and has to wait.
    pub allowed_at: Option<Timestamp>,
    /// Whether the provider has confirmed the forward over this tunnel.
    pub is_confirmed: bool,
    pub back_off: BackOff,
    pub problem: Option<Problem>,
    check: Check,
    delete: BackOff,
    /// Whether the forward that was to be released at the end could not be closed.
    is_release_failed: bool,
}

#[derive(Default)]
struct Check {
    /// The generation that the rest is about.
    generation: u64,
    due: Option<Duration>,
    back_off: BackOff,
    is_done: bool,
    is_closed: bool,
    verified_at: Option<Timestamp>,
    address: Option<IpAddr>,
}

impl ProviderCalls {
    pub fn new(shared: &mut Shared) -> Self {
        let mut calls = Self {
            call: None,
            asked_at: Duration::ZERO,
            epoch: 0,
            list_at: Some(Duration::ZERO),
            listed: None,
            renew_at: None,
            replace_at: None,
            closes_at: None,
            gone: None,
            doubt_since: shared.journal.intent.is_some().then_some(shared.now().elapsed),
            look_at: Duration::ZERO,
            creation: BackOff::default(),
            creation_problem: None,
            allowed_at: None,
            is_confirmed: false,
            back_off: BackOff::default(),
            problem: None,
            check: Check::default(),
            delete: BackOff::default(),
            is_release_failed: false,
        };
        let now = shared.now();
        let held = shared.journal.held.as_ref().filter(|held| held.is_open);
        calls.closes_at = held.and_then(|held| held.forward.expires_at).map(|end| {
            let ends_at = now.elapsed_at(end);
            // A forward that is kept alive may have been renewed since the journal was written.
            let renewed = end.checked_add(LAZY).map_or(ends_at, |end| now.elapsed_at(end));
            match shared.settings.is_fixed() {
                true => ends_at,
                false => ends_at.max(renewed.min(now.elapsed + PROOF)),
            }
        });
        calls
    }

    pub fn is_idle(&self) -> bool {
        self.call.is_none()
    }

    /// The tunnel is another one, or came back: only the provider knows what is open now.
    pub fn tunnel_changed(&mut self, now: Now) {
        self.epoch += 1;
        self.look_again(now);
        self.back_off.reset();
        self.creation.reset();
        self.delete.reset();
        self.gone = None;
        self.check.due = None;
    }

    /// Has the provider confirm the forward soon.
    pub fn look_again(&mut self, now: Now) {
        self.is_confirmed = false;
        self.listed = None;
        self.allowed_at = None;
        self.list_at = Some(now.elapsed);
    }

    /// What the check found out, for the announced port: whether it is closed, when it was last reached, and
    /// the public address.
    pub fn verdict(&self) -> (bool, Option<Timestamp>, Option<IpAddr>) {
        (self.check.is_closed, self.check.verified_at, self.check.address)
    }

    /// Whether the port was checked, or cannot be.
    pub fn is_checked(&self, shared: &Shared) -> bool {
        !shared.settings.can_check || self.check.is_done
    }

    /// Somebody has reached a client from outside.
    pub fn reached(&mut self, now: Now) {
        self.check.verified_at = Some(now.time);
        self.check.is_closed = false;
    }

    /// Why the last creation failed, until one succeeds or none is wanted.
    pub fn creation_problem(&self) -> Option<Problem> {
        self.creation_problem.clone().filter(|_| self.creation.failures > 0)
    }

    /// Whether a call failed or has to wait, and no creation is in doubt.
    pub fn has_failed(&self) -> bool {
        let is_creation_failing = self.creation.failures > 0 && self.doubt_since.is_none();
        self.back_off.failures > 0 || is_creation_failing || self.allowed_at.is_some()
    }

    /// When the next call is due, or when the call under way was begun if it is that one. Absent while the
    /// tunnel is down and at the end, when nothing is due.
    pub fn next_at(&self, shared: &Shared) -> Option<Duration> {
        let now = shared.now();
        if shared.tunnel.is_none() || shared.is_stopping() {
            return None;
        }
        if self.back_off.is_waiting(now) {
            return Some(self.back_off.until);
        }
        let begun = self.call.as_ref().map(|_| self.asked_at);
        let is_check = matches!(self.call, Some((Call::Check(_), _)));
        if begun.is_some() && (self.problem.is_some() || (is_check && self.check.is_closed)) {
            return begun;
        }
        let allowed = self.allowed_at.map(|time| now.elapsed_at(time));
        let check = self.check.due.filter(|_| self.check.is_closed);
        // A creation in doubt is looked for in the list before another one is tried.
        let create = self.doubt_since.map_or(self.creation.until, |_| self.look_at);
        let due = [allowed, check, Some(create), self.renew_at, self.replace_at];
        due.into_iter().flatten().filter(|at| *at > now.elapsed).min().or(begun)
    }

    pub fn step(&mut self, shared: &mut Shared, ready: Readiness) {
        self.close_if_ended(shared);
        let now = shared.now().time;
        self.allowed_at = self.allowed_at.filter(|allowed| *allowed > now);
        if self.check.generation != shared.journal.generation {
            let address = self.check.address;
            let generation = shared.journal.generation;
            self.check = Check { generation, address, ..Check::default() };
        }
        if self.call.is_some() {
            return;
        }
        if shared.is_stopping() {
            self.drop_unsent(shared);
        }
        if shared.tunnel.is_none() {
            return;
        }
        let call = match shared.is_stopping() {
            true => self.releasing(shared),
            false => self.choose(shared, ready),
        };
        let Some(call) = call else { return };
        let device = device(shared);
        shared.actions.push(match &call {
            Call::List => Action::List { device },
            Call::Create => Action::Create(self.wanted(shared, device)),
            Call::Renew(forward) => Action::Renew(forward.clone()),
            Call::Delete(forward) => Action::Delete(forward.clone()),
            Call::Check(port) => Action::Check(*port),
        });
        self.call = Some((call, self.epoch));
        self.asked_at = shared.now().elapsed;
    }

    fn choose(&mut self, shared: &mut Shared, ready: Readiness) -> Option<Call> {
        if !shared.timer.is_due(self.back_off.until) {
            return None;
        }
        let held = shared.journal.held.as_ref();
        if let (Some(at), Some(held)) = (self.renew_at, held)
            && shared.timer.is_due(at)
        {
            return Some(Call::Renew(held.forward.clone()));
        }
        if self.doubt_since.is_some() {
            return shared.timer.is_due(self.look_at).then_some(Call::List);
        }
        if self.list_at.is_some_and(|at| shared.timer.is_due(at)) {
            self.drop_unsent(shared);
            return Some(Call::List);
        }
        let is_replaced = self.replace_at.is_some_and(|at| shared.timer.is_due(at));
        if shared.journal.held.is_none() || is_replaced {
            if let Some(call) = self.creating(shared, ready) {
                return Some(call);
            }
        } else {
            self.allowed_at = None;
            self.creation.reset();
        }
        if let Some(retired) = shared.journal.retired.first()
            && ready.is_told
            && shared.timer.is_due(self.delete.until)
        {
            return Some(Call::Delete(retired.clone()));
        }
        self.checking(shared, ready)
    }

    /// The next step towards another forward: a fresh list, the intent on the disk, the creation.
    fn creating(&mut self, shared: &mut Shared, ready: Readiness) -> Option<Call> {
        if shared.journal.intent.is_none() {
            let daily = shared.settings.daily_creations;
            let now = shared.now();
            let Some(allowed) = shared.journal.next_creation(daily, now.time) else {
                self.problem =
                    Some(Problem::new("no port is open, and the daily limit allows no new one"));
                return None;
            };
            self.allowed_at = Some(allowed).filter(|allowed| *allowed > now.time);
            if !shared.timer.is_due(now.elapsed_at(allowed).max(self.creation.until)) {
                return None;
            }
        }
        let now = shared.now();
        let fresh = self.listed.as_ref().filter(|(at, _)| now.elapsed <= *at + FRESH);
        let Some((_, before)) = fresh else {
            self.drop_unsent(shared);
            return shared.timer.is_due(ready.writable_at).then_some(Call::List);
        };
        if shared.journal.intent.is_none() {
            shared.journal.creations.push(now.time);
            shared.journal.intent = Some(CreateIntent { at: now.time, before: before.clone() });
            return None;
        }
        ready.has_intent.then_some(Call::Create)
    }

    /// Gives up a creation that was intended and has not been sent. No call is under way.
    fn drop_unsent(&self, shared: &mut Shared) {
        if self.doubt_since.is_none() {
            shared.journal.withdraw_intent();
        }
    }

    fn checking(&mut self, shared: &mut Shared, ready: Readiness) -> Option<Call> {
        let announced = shared.journal.announced.as_ref()?;
        if !shared.settings.can_check || !ready.is_asked {
            return None;
        }
        let wait = if shared.settings.once { Duration::ZERO } else { CHECK_AFTER };
        let due = self.check.due.max(ready.told_at.map(|at| at + wait)).unwrap_or_default();
        shared.timer.is_due(due).then(|| Call::Check(announced.port))
    }

    /// Before the end: closes the forward where that is wanted, once.
    fn releasing(&self, shared: &Shared) -> Option<Call> {
        let held = shared.journal.held.as_ref().filter(|held| held.is_own && held.is_open)?;
        let is_first = shared.stop == Some(Stop::Release) && !self.is_release_failed;
        is_first.then(|| Call::Delete(held.forward.clone()))
    }

    /// Whether nothing is left to be done before the end.
    pub fn is_released(&self, shared: &Shared) -> bool {
        let is_held = shared.journal.held.as_ref().is_some_and(|held| held.is_own && held.is_open);
        let is_over = !is_held || self.is_release_failed || shared.tunnel.is_none();
        self.call.is_none() && (shared.stop != Some(Stop::Release) || is_over)
    }

    pub fn answered_list(&mut self, shared: &mut Shared, outcome: Result<Vec<PortForward>, Error>) {
        let Some((Call::List, epoch)) = self.call.take() else { return };
        let mut list = match outcome {
            Ok(list) => list,
            Err(error) => return self.fail(shared, &error),
        };
        self.succeed();
        if epoch != self.epoch {
            // It is about the forwards of another tunnel.
            return;
        }
        let now = shared.now();
        self.listed = Some((now.elapsed, list.iter().map(|forward| forward.port).collect()));
        let every = shared.jittered(LIST_EVERY);
        self.list_at = shared.settings.is_fixed().then_some(now.elapsed + every);
        self.read_back(shared, &list);
        if shared.settings.is_fixed() {
            // One whose end passed while the answer was on its way is no longer there.
            let took = now.elapsed.saturating_sub(self.asked_at);
            list.retain(|forward| {
                forward.expires_at.and_then(|end| now.since(end)).is_none_or(|ago| ago > took)
            });
            self.adopt_listed(shared, &list);
        } else {
            self.adopt_stored(shared, &list);
        }
    }

    /// Decides a creation whose outcome was not known.
    fn read_back(&mut self, shared: &mut Shared, list: &[PortForward]) {
        let (Some(since), Some(intent)) = (self.doubt_since, &shared.journal.intent) else {
            return;
        };
        let now = shared.now();
        let is_new = |forward: &&PortForward| {
            carries(forward, shared) && !intent.before.contains(&forward.port)
        };
        if let Some(created) = best(list.iter().filter(is_new)) {
            shared.journal.intent = None;
            self.doubt_since = None;
            self.creation.reset();
            shared.journal.counters.creates += 1;
            // A person may have opened it just now: it is used, and never deleted.
            if shared.settings.is_fixed() {
                self.hold(shared, created.clone(), false);
            } else {
                self.revive(shared, created.clone(), true);
            }
        } else if now.elapsed >= since + DOUBT {
            // It counts nevertheless: perhaps it was created at another server.
            shared.journal.intent = None;
            self.doubt_since = None;
        } else {
            self.look_at = now.elapsed + LOOK_EVERY;
        }
    }

    /// Where the list is the provider's own word: keeps what is there, or takes another one of this device.
    fn adopt_listed(&mut self, shared: &mut Shared, list: &[PortForward]) {
        if let Some(held) = &shared.journal.held {
            let (port, is_own) = (held.forward.port, held.is_own);
            match list.iter().find(|forward| forward.port == port) {
                Some(forward) => self.hold(shared, forward.clone(), is_own),
                None => self.lose(shared),
            }
        }
        let is_listed = |retired: &PortForward| list.iter().any(|it| it.port == retired.port);
        shared.journal.retired.retain(is_listed);
        if self.doubt_since.is_some() {
            return;
        }
        let now = shared.now().elapsed;
        // For as long as this list is fresh, it may be the reason to open the port that replaces the held one.
        let is_replaced = self.replace_at.is_some_and(|at| at <= now + FRESH);
        if shared.journal.held.is_some() && !is_replaced {
            return;
        }
        let is_retired = |port| shared.journal.retired.iter().any(|retired| retired.port == port);
        let lasts = |forward: &PortForward| {
            let lead = shared.settings.replace_before;
            forward.expires_at.is_none_or(|end| shared.now().until(end).is_some_and(|it| it > lead))
        };
        let is_better = |forward: &PortForward| match &shared.journal.held {
            None => true,
            Some(held) => held.forward.port != forward.port && lasts(forward),
        };
        let usable = list.iter().filter(|forward| carries(forward, shared) && is_better(forward));
        if let Some(found) = best(usable).cloned() {
            let is_own = is_retired(found.port);
            self.hold(shared, found, is_own);
        }
    }

    /// Where the list is this machine's own: has the provider renew the forward that was had.
    fn adopt_stored(&mut self, shared: &mut Shared, list: &[PortForward]) {
        let held = shared.journal.held.as_ref();
        let gone = self.gone;
        let usable =
            |forward: &&PortForward| carries(forward, shared) && Some(forward.port) != gone;
        let stored = held.and_then(|held| list.iter().find(|it| it.port == held.forward.port));
        let is_open = held.is_some_and(|held| held.is_open);
        let others = list.iter().rev().filter(usable);
        let found =
            stored.into_iter().chain(others).next().filter(|_| !is_open || stored.is_some());
        match (found.cloned(), is_open) {
            (Some(found), _) => self.revive(shared, found, true),
            (None, _) if shared.journal.held.is_some() => {
                self.renew_at = Some(shared.now().elapsed)
            }
            (None, _) => {}
        }
    }

    pub fn answered_create(&mut self, shared: &mut Shared, outcome: Result<PortForward, Error>) {
        let Some((Call::Create, epoch)) = self.call.take() else { return };
        let error = match outcome {
            Ok(created) => {
                self.succeed();
                shared.journal.intent = None;
                shared.journal.counters.creates += 1;
                if epoch == self.epoch {
                    self.hold(shared, created, true);
                    let now = shared.now();
                    if self.replace_at.is_some_and(|at| at <= now.elapsed) {
                        // The provider gave what is to be replaced.
                        self.creation.fail(now, CHANGE.0, CHANGE.1, &mut shared.random);
                        self.creation_problem = None;
                    } else {
                        self.creation.reset();
                    }
                } else {
                    // The port was opened over another tunnel. The next list shows whether this tunnel has it too.
                    shared.journal.retired.push(created);
                }
                return;
            }
            Err(error) => error,
        };
        if may_exist(&error, shared.settings.is_fixed()) {
            let now = shared.now().elapsed;
            (self.doubt_since, self.look_at) = (Some(now), now);
            self.fail_creation(shared, &error);
            return;
        }
        shared.journal.withdraw_intent();
        if error.kind() == ErrorKind::QuotaReached {
            let until = self.quota_end(shared, error.retry_after());
            shared.journal.quota_until = Some(until);
            self.creation.reset();
            self.problem = Some(Problem::of(&error));
            return;
        }
        self.fail_creation(shared, &error);
    }

    /// When an allowance begins anew: when the provider says, or else with the next day in UTC.
    fn quota_end(&self, shared: &mut Shared, retry_after: Option<Duration>) -> Timestamp {
        let now = shared.now().time;
        if let Some(wait) = retry_after {
            return now.checked_add(wait).unwrap_or(Timestamp::MAX);
        }
        let midnight = (now.as_second().div_euclid(SECONDS_OF_DAY) + 1) * SECONDS_OF_DAY;
        let after = shared.random.below(AFTER_MIDNIGHT).cast_signed();
        Timestamp::from_second(midnight + after).unwrap_or(Timestamp::MAX)
    }

    pub fn answered_renew(&mut self, shared: &mut Shared, outcome: Result<PortForward, Error>) {
        let Some((Call::Renew(asked), epoch)) = self.call.take() else { return };
        match outcome {
            Ok(renewed) if epoch == self.epoch => {
                self.succeed();
                let is_own = shared.journal.held.as_ref().is_none_or(|held| held.is_own);
                self.hold(shared, renewed, is_own);
            }
            Ok(renewed) => {
                self.succeed();
                let now = shared.now();
                // Another number over an earlier tunnel says nothing about this one.
                if let Some(held) = &mut shared.journal.held
                    && held.forward.port == renewed.port
                {
                    self.closes_at = renewed.expires_at.map(|end| now.elapsed_at(end));
                    held.forward = renewed;
                }
            }
            // The port is gone; at PIA, this can also mean that another tunnel to the same server has
            // it.
            Err(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::CapacityReached)
                    && epoch == self.epoch =>
            {
                self.gone = Some(asked.port);
                self.lose(shared);
                self.back_off.fail(shared.now(), RETRY.0, RETRY.1, &mut shared.random);
                self.problem = Some(Problem::of(&error));
            }
            Err(error) => self.fail(shared, &error),
        }
    }

    pub fn answered_delete(&mut self, shared: &mut Shared, outcome: Result<(), Error>) {
        let Some((Call::Delete(deleted), epoch)) = self.call.take() else { return };
        let is_gone = |error: &Error| error.kind() == ErrorKind::NotFound && epoch == self.epoch;
        if let Some(error) = outcome.err().filter(|error| !is_gone(error)) {
            self.delete.fail(shared.now(), CHANGE.0, CHANGE.1, &mut shared.random);
            self.delete.pause(shared.now(), &error);
            let held = shared.journal.held.as_ref();
            self.is_release_failed = held.is_some_and(|held| held.forward.port == deleted.port);
            return;
        }
        self.delete.reset();
        shared.journal.retired.retain(|retired| retired.port != deleted.port);
        if shared.journal.held.as_ref().is_some_and(|held| held.forward.port == deleted.port) {
            self.lose(shared);
        }
    }

    /// Takes the answer of a check. Whether nobody got through to the port.
    pub fn answered_check(
        &mut self,
        shared: &mut Shared,
        outcome: Result<PortCheck, Error>,
    ) -> bool {
        let Some((Call::Check(port), epoch)) = self.call.take() else { return false };
        let now = shared.now();
        let is_current = shared.journal.announced.as_ref().is_some_and(|it| it.port == port);
        if !is_current || epoch != self.epoch {
            return false;
        }
        self.check.is_done = true;
        if let Ok(PortCheck { open: true, address, .. }) = outcome {
            self.check.is_closed = false;
            self.check.verified_at = Some(now.time);
            self.check.address = address.or(self.check.address);
            self.check.back_off.reset();
            let every = shared.jittered(shared.settings.check_every);
            self.check.due = Some(now.elapsed + every);
            return false;
        }
        let (first, longest) = CHECK_AGAIN;
        self.check.back_off.fail(now, first, longest, &mut shared.random);
        // After an error, nothing is known.
        let is_closed = outcome.is_ok();
        match outcome {
            Err(error) => self.check.back_off.pause(now, &error),
            Ok(_) => {
                self.check.is_closed = true;
                // Perhaps the provider no longer has it.
                self.list_at = Some(now.elapsed);
                if !shared.settings.is_fixed() {
                    self.renew_at = self.renew_at.map(|at| at.min(now.elapsed));
                }
            }
        }
        self.check.due = Some(self.check.back_off.until);
        is_closed
    }

    fn succeed(&mut self) {
        self.back_off.reset();
        self.problem = None;
    }

    fn fail(&mut self, shared: &mut Shared, error: &Error) {
        wait_after(&mut self.back_off, shared, error);
        self.problem = Some(Problem::of(error));
    }

    fn fail_creation(&mut self, shared: &mut Shared, error: &Error) {
        wait_after(&mut self.creation, shared, error);
        self.creation_problem = Some(Problem::of(error));
    }

    /// Holds a forward that the provider has just confirmed. The one before is replaced.
    fn hold(&mut self, shared: &mut Shared, forward: PortForward, is_own: bool) {
        let now = shared.now();
        let earlier = shared.journal.held.take();
        let is_same = |held: &HeldForward| held.forward.port == forward.port;
        let earlier_granted =
            earlier.as_ref().filter(|held| is_same(held)).and_then(|held| held.granted);
        if let Some(earlier) = earlier
            && !is_same(&earlier)
            && earlier.is_own
            && earlier.is_open
            && shared.settings.is_fixed()
        {
            shared.journal.retired.push(earlier.forward);
        }
        shared.journal.retired.retain(|retired| retired.port != forward.port);
        let granted = earlier_granted.or_else(|| granted(&forward, now));
        self.plan(shared, &forward, granted);
        self.is_confirmed = true;
        self.gone = None;
        self.check.address = forward.address.or(self.check.address);
        shared.journal.held = Some(HeldForward { forward, is_own, is_open: true, granted });
    }

    /// Holds a stored forward, and has it renewed: only that shows whether it is open.
    fn revive(&mut self, shared: &mut Shared, forward: PortForward, is_own: bool) {
        let earlier = shared.journal.held.take().filter(|held| held.forward.port == forward.port);
        let is_open = earlier.as_ref().is_some_and(|held| held.is_open);
        let granted = earlier.and_then(|held| held.granted);
        let now = shared.now();
        if is_open {
            let end = forward.expires_at.map(|end| now.elapsed_at(end));
            self.closes_at = self.closes_at.max(end);
        }
        shared.journal.held = Some(HeldForward { forward, is_own, is_open, granted });
        self.renew_at = Some(now.elapsed);
    }

    /// When a confirmed forward is renewed or replaced, and when it closes.
    fn plan(&mut self, shared: &Shared, forward: &PortForward, granted: Option<Duration>) {
        let now = shared.now();
        // One that has just been confirmed and seems to have ended: this machine's clock is wrong.
        let left = forward.expires_at.and_then(|end| now.until(end));
        self.closes_at = left.map(|left| now.elapsed.saturating_add(left));
        let last_end = match shared.settings.lease {
            Lease::KeptAlive { every } => {
                let half = left.map_or(every, |left| left / 2);
                self.renew_at = Some(now.elapsed.saturating_add(every.min(half)));
                forward.ends_at
            }
            _ => forward.expires_at,
        };
        let lead = granted.map_or(Duration::ZERO, |granted| granted / 4);
        let lead = lead.min(shared.settings.replace_before);
        let left = last_end.and_then(|end| now.until(end));
        self.replace_at = left.map(|left| now.elapsed.saturating_add(left.saturating_sub(lead)));
    }

    /// The forward is lost: the provider says so, or its end has passed.
    fn lose(&mut self, shared: &mut Shared) {
        shared.journal.held = None;
        self.forget_plan();
    }

    fn forget_plan(&mut self) {
        (self.renew_at, self.replace_at, self.closes_at) = (None, None, None);
        self.is_confirmed = false;
    }

    fn close_if_ended(&mut self, shared: &mut Shared) {
        if !self.closes_at.is_some_and(|at| shared.timer.is_due(at)) {
            return;
        }
        if shared.settings.is_fixed() {
            self.lose(shared);
        } else {
            // Renewing it may bring the same number back.
            self.forget_plan();
            if let Some(held) = &mut shared.journal.held {
                held.is_open = false;
                self.renew_at = Some(shared.timer.now.elapsed);
            }
        }
        self.list_at = Some(shared.now().elapsed);
    }

    fn wanted(&self, shared: &Shared, device: Option<Ipv4Addr>) -> anyvpn_core::NewPortForward {
        let mut wanted = shared.settings.forward.clone();
        wanted.device = device;
        if !shared.settings.is_fixed() && wanted.wished_port.is_none() {
            // The number that was lost is the best one; the one that is replaced is the worst.
            let is_free = shared.journal.held.is_none() && self.gone.is_none();
            wanted.wished_port = shared.journal.last_port.filter(|_| is_free);
        }
        wanted
    }
}

fn wait_after(back_off: &mut BackOff, shared: &mut Shared, error: &Error) {
    let is_for_people = matches!(error.advice(), Advice::Change | Advice::SignIn)
        && error.kind() != ErrorKind::UnexpectedReply;
    let (first, longest) = if is_for_people { CHANGE } else { RETRY };
    back_off.fail(shared.now(), first, longest, &mut shared.random);
    back_off.pause(shared.now(), error);
}

/// The device that forwards are asked for: the tunnel's first IPv4 address, unless another one is set.
fn device(shared: &Shared) -> Option<Ipv4Addr> {
    let addresses = shared.tunnel.iter().flat_map(|tunnel| &tunnel.addresses);
    let mut addresses = addresses.filter_map(|address| match address {
        IpAddr::V4(address) => Some(*address),
        IpAddr::V6(_) => None,
    });
    shared.settings.forward.device.or_else(|| addresses.next())
}

/// Whether a forward carries what is asked for.
fn carries(forward: &PortForward, shared: &Shared) -> bool {
    let wanted = shared.settings.forward.protocols;
    forward.protocols == wanted || forward.protocols == PortProtocols::Both
}

/// The forward that lasts longest.
fn best<'a>(forwards: impl Iterator<Item = &'a PortForward>) -> Option<&'a PortForward> {
    forwards.max_by_key(|forward| forward.expires_at.unwrap_or(Timestamp::MAX))
}

/// How long a forward is open for from now on, at most.
fn granted(forward: &PortForward, now: Now) -> Option<Duration> {
    forward.ends_at.or(forward.expires_at).and_then(|end| now.until(end))
}

/// Whether a forward may exist although the call that created it failed. One that is kept alive lapses if
/// nobody renews it, so only an explicit doubt counts there.
fn may_exist(error: &Error, is_fixed: bool) -> bool {
    let is_unclear = matches!(
        error.kind(),
        ErrorKind::Ambiguous
            | ErrorKind::Timeout
            | ErrorKind::UnexpectedReply
            | ErrorKind::Unavailable
    );
    error.advice() == Advice::ReadBack || (is_fixed && is_unclear)
}
