//! Single steps of the machine that histories reach seldom.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::time::Duration;

use anyvpn_core::{Error, ErrorKind, Lease, PortCheck, PortForward, PortProtocols, Timestamp};
use anyvpn_keeper::journal::{CreateIntent, HeldForward};
use anyvpn_keeper::machine::{Action, Event, Machine, Now, Settings, Stop};
use anyvpn_keeper::{ClientError, ClientState, Journal, Phase, Snapshot, Tunnel};

fn after(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).unwrap()
}

/// So many seconds after the start.
fn now(seconds: u32) -> Now {
    Now { time: after(seconds.into()), elapsed: Duration::from_secs(seconds.into()) }
}

/// A tunnel with this index.
fn tunnel(index: u32) -> Event {
    Event::Tunnel(Some(Tunnel::new("wg0", index, vec!["10.0.0.1".parse().unwrap()])))
}

/// A forward that ends so many seconds after the start.
fn forward(port: u16, end: i64) -> PortForward {
    let mut forward = PortForward::new(port);
    forward.expires_at = Some(after(end));
    forward
}

/// The journal of a keeper that opened a forward.
fn holding(forward: PortForward) -> Journal {
    let granted = Some(Duration::from_secs(86_400));
    let mut journal = Journal::new();
    journal.held = Some(HeldForward { forward, is_own: true, is_open: true, granted });
    journal
}

fn fixed(journal: Journal) -> Machine {
    Machine::new(Settings::new(Lease::Fixed), journal, now(0))
}

fn kept_alive(journal: Journal) -> Machine {
    let every = Duration::from_secs(300);
    Machine::new(Settings::new(Lease::KeptAlive { every }), journal, now(0))
}

fn error<T>(kind: ErrorKind) -> Result<T, Error> {
    Err(Error::new(kind))
}

/// What the machine publishes last.
fn published(actions: &[Action]) -> Snapshot {
    let snapshot = |action: &Action| match action {
        Action::Publish(snapshot) => Some(Snapshot::clone(snapshot)),
        _ => None,
    };
    actions.iter().rev().find_map(snapshot).unwrap()
}

/// A list that was asked for before a port's end says nothing about the time after it.
#[test]
fn a_port_that_ended_while_it_was_listed_is_lost() {
    let mut machine = fixed(holding(forward(50_123, 10)));
    let asked = machine.handle(now(9), tunnel(1));
    assert!(asked.iter().any(|action| matches!(action, Action::List { .. })), "{asked:?}");
    assert!(machine.journal().announced.is_some());
    machine.handle(now(11), Event::Listed(Ok(vec![forward(50_123, 10)])));
    assert_eq!(machine.journal().announced, None);
    // One that is listed although it seems to have ended long ago: this machine's clock is wrong.
    let mut machine = fixed(Journal::new());
    machine.handle(now(100), tunnel(1));
    machine.handle(now(101), Event::Listed(Ok(vec![forward(50_123, 10)])));
    assert!(machine.journal().announced.is_some());
}

/// A clock that was set back while no keeper ran makes no wait longer than a day.
#[test]
fn times_in_the_future_of_a_journal_are_not_waited_for() {
    let day = 24 * 60 * 60;
    let mut used_up = Journal::new();
    used_up.creations = vec![after(3 * day); 5];
    let mut refused = Journal::new();
    refused.quota_until = Some(after(3 * day));
    for journal in [used_up, refused] {
        let mut machine = fixed(journal);
        machine.handle(now(0), tunnel(1));
        let actions = machine.handle(now(1), Event::Listed(Ok(Vec::new())));
        assert_eq!(published(&actions).next_at, Some(after(day)));
    }
}

/// A forward that was refused over one tunnel may be there over the next.
#[test]
fn a_refusal_over_an_earlier_tunnel_takes_no_port_away() {
    let mut machine = kept_alive(holding(forward(50_123, 600)));
    machine.handle(now(0), tunnel(1));
    let asked = machine.handle(now(1), Event::Listed(Ok(vec![forward(50_123, 600)])));
    assert!(asked.iter().any(|action| matches!(action, Action::Renew(_))), "{asked:?}");
    machine.handle(now(2), tunnel(2));
    machine.handle(now(3), Event::Renewed(error(ErrorKind::NotFound)));
    assert!(machine.journal().announced.is_some());
    // A forward that is refused over the second tunnel is tried again over the third.
    machine.handle(now(30), Event::Woke);
    machine.handle(now(32), Event::Renewed(error(ErrorKind::CapacityReached)));
    assert_eq!(machine.journal().announced, None);
    machine.handle(now(33), tunnel(3));
    let asked = machine.handle(now(34), Event::Listed(Ok(vec![forward(50_123, 600)])));
    assert!(asked.iter().any(|action| matches!(action, Action::Renew(_))), "{asked:?}");
}

#[test]
fn a_renewal_over_an_earlier_tunnel_confirms_nothing() {
    let mut machine = kept_alive(holding(forward(50_123, 600)));
    machine.handle(now(0), tunnel(1));
    machine.handle(now(1), Event::Listed(Ok(vec![forward(50_123, 600)])));
    machine.handle(now(2), tunnel(2));
    machine.handle(now(2), Event::Saved(Ok(())));
    let actions = machine.handle(now(3), Event::Renewed(Ok(forward(50_123, 603))));
    let mut phases = actions.iter().filter_map(|action| match action {
        Action::Publish(snapshot) => Some(snapshot.phase),
        _ => None,
    });
    assert!(phases.all(|phase| phase == Phase::Opening), "{actions:?}");
}

/// A machine that is about to close an old port.
fn deleting() -> Machine {
    let mut journal = holding(forward(50_124, 80_000));
    journal.retired = vec![forward(50_123, 20_000)];
    let mut machine = fixed(journal);
    machine.handle(now(0), tunnel(1));
    let listed = vec![forward(50_123, 20_000), forward(50_124, 80_000)];
    let actions = machine.handle(now(1), Event::Listed(Ok(listed)));
    assert!(deletes(&actions), "{actions:?}");
    machine
}

fn deletes(actions: &[Action]) -> bool {
    actions.iter().any(|action| matches!(action, Action::Delete(_)))
}

#[test]
fn an_old_port_that_another_tunnel_does_not_know_is_still_to_be_closed() {
    let mut machine = deleting();
    machine.handle(now(2), tunnel(2));
    machine.handle(now(3), Event::Deleted(error(ErrorKind::NotFound)));
    assert_eq!(machine.journal().retired.len(), 1);
    let mut machine = deleting();
    machine.handle(now(3), Event::Deleted(error(ErrorKind::NotFound)));
    assert!(machine.journal().retired.is_empty());
}

#[test]
fn a_deletion_waits_as_long_as_the_provider_asks() {
    let mut machine = deleting();
    let busy = Error::new(ErrorKind::RateLimited);
    let busy = busy.with_retry_after(Some(Duration::from_secs(300)));
    machine.handle(now(10), Event::Deleted(Err(busy)));
    assert!(!deletes(&machine.handle(now(309), Event::Woke)));
    assert!(deletes(&machine.handle(now(310), Event::Woke)));
}

#[test]
fn a_success_ends_the_back_off() {
    let mut machine = fixed(holding(forward(50_123, 80_000)));
    machine.handle(now(0), tunnel(1));
    for attempt in 1..=8 {
        machine.handle(now(attempt * 1000), Event::Listed(error(ErrorKind::Timeout)));
        machine.handle(now(attempt * 1000 + 900), Event::Woke);
    }
    machine.handle(now(9000), Event::Listed(Ok(vec![forward(50_123, 80_000)])));
    machine.handle(now(10_000), Event::Woke);
    let actions = machine.handle(now(10_001), Event::Listed(error(ErrorKind::Timeout)));
    let next = published(&actions).next_at.unwrap();
    assert!(next <= after(10_004), "{next}");
}

/// A client that does not answer holds no other one back.
#[test]
fn clients_are_told_each_on_its_own() {
    let mut settings = Settings::new(Lease::Fixed);
    settings.clients = vec!["silent".to_owned(), "other".to_owned()];
    let mut machine = Machine::new(settings, holding(forward(50_123, 80_000)), now(0));
    machine.handle(now(0), tunnel(1));
    let asked = machine.handle(now(0), Event::Saved(Ok(())));
    let told = |actions: &[Action]| {
        let index = |action: &Action| match action {
            Action::TellClient { index, .. } => Some(*index),
            _ => None,
        };
        actions.iter().filter_map(index).collect::<Vec<_>>()
    };
    assert_eq!(told(&asked), [0, 1]);
    let outcome = Err(ClientError::Unreachable("connection refused".to_owned()));
    machine.handle(now(1), Event::ClientAnswered { index: 1, outcome });
    assert_eq!(told(&machine.handle(now(60), Event::Woke)), [1]);
}

/// Otherwise the next start would look for it for 30 s, and it would count towards the budget.
#[test]
fn a_creation_that_was_not_sent_is_given_up_at_the_end() {
    let mut machine = fixed(Journal::new());
    machine.handle(now(0), tunnel(1));
    machine.handle(now(1), Event::Listed(Ok(Vec::new())));
    assert!(machine.journal().intent.is_some());
    machine.handle(now(2), Event::Stop(Stop::Keep));
    machine.handle(now(3), Event::Saved(Ok(())));
    assert_eq!(machine.journal(), &Journal::new());
}

/// A reply that says nothing about the port is read back; one that surely refused it is not.
#[test]
fn a_creation_is_in_doubt_unless_it_was_surely_refused() {
    for (kind, is_in_doubt) in [
        (ErrorKind::Ambiguous, true),
        (ErrorKind::Timeout, true),
        (ErrorKind::Unavailable, true),
        (ErrorKind::UnexpectedReply, true),
        (ErrorKind::Unreachable, false),
        (ErrorKind::RateLimited, false),
        (ErrorKind::QuotaReached, false),
    ] {
        let mut machine = fixed(Journal::new());
        machine.handle(now(0), tunnel(1));
        machine.handle(now(1), Event::Listed(Ok(Vec::new())));
        let created = machine.handle(now(2), Event::Saved(Ok(())));
        assert!(created.iter().any(|action| matches!(action, Action::Create(_))), "{created:?}");
        machine.handle(now(3), Event::Created(error(kind)));
        assert_eq!(machine.journal().intent.is_some(), is_in_doubt, "{kind:?}");
        assert_eq!(machine.journal().creations.len(), usize::from(is_in_doubt), "{kind:?}");
    }
}

/// The computer slept, or its clock was wrong: what was known may be long over.
#[test]
fn a_jump_of_the_clock_has_the_provider_asked_at_once() {
    let mut machine = fixed(holding(forward(50_123, 80_000)));
    machine.handle(now(0), tunnel(1));
    machine.handle(now(1), Event::Listed(Ok(vec![forward(50_123, 80_000)])));
    let lists =
        |actions: Vec<Action>| actions.iter().any(|action| matches!(action, Action::List { .. }));
    assert!(!lists(machine.handle(now(10), Event::Woke)));
    let slept = Now { time: after(36_000), elapsed: Duration::from_secs(11) };
    assert!(lists(machine.handle(slept, Event::Woke)));
}

/// A machine with a client that listens, and its check, which is under way.
fn checking() -> Machine {
    let mut settings = Settings::new(Lease::Fixed);
    settings.clients = vec!["client".to_owned()];
    settings.can_check = true;
    let mut machine = Machine::new(settings, holding(forward(50_123, 80_000)), now(0));
    machine.handle(now(0), tunnel(1));
    machine.handle(now(0), Event::Saved(Ok(())));
    machine.handle(now(1), Event::Listed(Ok(vec![forward(50_123, 80_000)])));
    let mut listens = ClientState::new(50_123);
    (listens.listens_tcp, listens.listens_udp) = (Some(true), Some(true));
    machine.handle(now(2), Event::ClientAnswered { index: 0, outcome: Ok(listens) });
    let asked = machine.handle(now(10), Event::Woke);
    assert!(asked.contains(&Action::Check(50_123)), "{asked:?}");
    machine
}

/// A port that nobody reaches has clients open their sockets anew. A check that failed says nothing.
#[test]
fn a_closed_port_has_clients_rebind_and_a_failed_check_has_not() {
    for (outcome, rebinds) in [
        (Ok(PortCheck::new(50_123, false, None)), vec![true]),
        (error(ErrorKind::Unavailable), vec![]),
    ] {
        let mut machine = checking();
        let actions = machine.handle(now(11), Event::Checked(outcome));
        let rebind = |action: &Action| match action {
            Action::TellClient { listen, .. } => Some(listen.rebind),
            _ => None,
        };
        assert_eq!(actions.iter().filter_map(rebind).collect::<Vec<_>>(), rebinds);
        let is_told = actions.iter().any(|action| match action {
            Action::Publish(snapshot) => snapshot.problem.is_some(),
            _ => false,
        });
        assert_eq!(is_told, !rebinds.is_empty());
    }
}

/// A deletion that failed earlier, of another port, is no reason not to try.
#[test]
fn a_port_is_released_although_another_deletion_failed() {
    let mut machine = deleting();
    machine.handle(now(3), Event::Deleted(error(ErrorKind::Unavailable)));
    assert!(deletes(&machine.handle(now(4), Event::Stop(Stop::Release))));
}

/// A machine whose creation was sent, and whose outcome is not known. Its forward, if any, ends soon.
fn in_doubt(held: Option<PortForward>) -> Machine {
    let listed: Vec<PortForward> = held.iter().cloned().collect();
    let mut machine = fixed(held.map_or_else(Journal::new, holding));
    machine.handle(now(0), tunnel(1));
    machine.handle(now(1), Event::Listed(Ok(listed)));
    // The generation, where there is one, and the intent.
    let mut asked = machine.handle(now(2), Event::Saved(Ok(())));
    asked.extend(machine.handle(now(2), Event::Saved(Ok(()))));
    assert!(asked.iter().any(|action| matches!(action, Action::Create(_))), "{asked:?}");
    machine.handle(now(3), Event::Created(error(ErrorKind::Ambiguous)));
    machine
}

#[test]
fn a_port_that_is_found_after_doubt_is_used_at_once() {
    let mut machine = in_doubt(None);
    machine.handle(now(4), Event::Listed(Ok(vec![forward(50_124, 80_000)])));
    let journal = machine.journal();
    assert_eq!(journal.announced.as_ref().unwrap().port, 50_124);
    assert_eq!((&journal.intent, journal.counters.creates), (&None, 1));
    // A person may have opened it.
    assert!(!journal.held.as_ref().unwrap().is_own);
}

#[test]
fn neither_a_known_port_nor_one_for_other_protocols_decides_a_doubt() {
    let mut machine = in_doubt(Some(forward(50_123, 10_000)));
    let intent = machine.journal().intent.clone();
    machine.handle(now(4), Event::Listed(Ok(vec![forward(50_123, 10_000)])));
    assert_eq!((&machine.journal().intent, machine.journal().counters.creates), (&intent, 0));
    let mut machine = in_doubt(None);
    let mut other = forward(50_124, 80_000);
    other.protocols = PortProtocols::Tcp;
    machine.handle(now(4), Event::Listed(Ok(vec![other])));
    assert!(machine.journal().intent.is_some());
    assert_eq!(machine.journal().announced, None);
}

#[test]
fn a_list_of_an_earlier_tunnel_takes_no_port_away() {
    let mut machine = fixed(holding(forward(50_123, 80_000)));
    machine.handle(now(0), tunnel(1));
    machine.handle(now(1), tunnel(2));
    machine.handle(now(2), Event::Listed(Ok(Vec::new())));
    assert!(machine.journal().announced.is_some());
}

#[test]
fn a_port_is_not_replaced_by_one_that_ends_soon_too() {
    let mut machine = fixed(holding(forward(50_123, 10_000)));
    machine.handle(now(0), tunnel(1));
    let listed = vec![forward(50_123, 10_000), forward(50_124, 20_000)];
    machine.handle(now(1), Event::Listed(Ok(listed)));
    assert_eq!(machine.journal().announced.as_ref().unwrap().port, 50_123);
}

/// Otherwise the port would be lost while a creation is in doubt.
#[test]
fn a_renewal_comes_before_a_list() {
    let mut journal = holding(forward(50_123, 600));
    journal.intent = Some(CreateIntent { at: after(0), before: vec![50_123] });
    let mut machine = kept_alive(journal);
    machine.handle(now(0), tunnel(1));
    let asked = machine.handle(now(1), Event::Listed(Ok(vec![forward(50_123, 600)])));
    assert!(asked.iter().any(|action| matches!(action, Action::Renew(_))), "{asked:?}");
    let asked = machine.handle(now(20), Event::Renewed(error(ErrorKind::Timeout)));
    assert_eq!(published(&asked).phase, Phase::BackingOff);
    let asked = machine.handle(now(30), Event::Woke);
    assert!(asked.iter().any(|action| matches!(action, Action::Renew(_))), "{asked:?}");
}

#[test]
fn a_check_waits_as_long_as_the_provider_asks() {
    let mut machine = checking();
    let busy = Error::new(ErrorKind::RateLimited);
    let busy = busy.with_retry_after(Some(Duration::from_secs(300)));
    machine.handle(now(10), Event::Checked(Err(busy)));
    let checks = |actions: Vec<Action>| actions.contains(&Action::Check(50_123));
    assert!(!checks(machine.handle(now(309), Event::Woke)));
    assert!(checks(machine.handle(now(310), Event::Woke)));
}

#[test]
fn a_client_in_sync_is_told_of_another_tunnel_at_once() {
    let mut machine = checking();
    machine.handle(now(11), Event::Saved(Ok(())));
    machine.handle(now(12), tunnel(2));
    let told = machine.handle(now(12), Event::Saved(Ok(())));
    let rebinds = |action: &Action| match action {
        Action::TellClient { listen, .. } => listen.rebind,
        _ => false,
    };
    assert!(told.iter().any(rebinds), "{told:?}");
}

#[test]
fn another_number_over_an_earlier_tunnel_takes_no_port_away() {
    let mut machine = kept_alive(holding(forward(50_123, 600)));
    machine.handle(now(0), tunnel(1));
    machine.handle(now(1), Event::Listed(Ok(vec![forward(50_123, 600)])));
    machine.handle(now(2), tunnel(2));
    machine.handle(now(3), Event::Renewed(Ok(forward(50_124, 600))));
    assert_eq!(machine.journal().announced.as_ref().unwrap().port, 50_123);
}

/// The journal does not have the last renewals; the provider's own list may.
#[test]
fn a_port_that_is_kept_alive_ends_when_its_stored_forward_does() {
    let mut machine = kept_alive(holding(forward(50_123, 10)));
    machine.handle(now(0), tunnel(1));
    machine.handle(now(1), Event::Listed(Ok(vec![forward(50_123, 600)])));
    machine.handle(now(599), Event::Woke);
    assert!(machine.journal().announced.is_some());
    machine.handle(now(600), Event::Woke);
    assert_eq!(machine.journal().announced, None);
}

#[test]
fn a_full_disk_does_not_hide_that_a_port_was_released() {
    let mut machine = fixed(holding(forward(50_123, 80_000)));
    machine.handle(now(0), tunnel(1));
    machine.handle(now(1), Event::Saved(Ok(())));
    machine.handle(now(1), Event::Listed(Ok(vec![forward(50_123, 80_000)])));
    assert!(deletes(&machine.handle(now(2), Event::Stop(Stop::Release))));
    machine.handle(now(3), Event::Deleted(Ok(())));
    let actions = machine.handle(now(3), Event::Saved(Err("no space".to_owned())));
    assert_eq!(published(&actions).port, None);
    assert!(matches!(actions.last(), Some(Action::End(_))), "{actions:?}");
}
