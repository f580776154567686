//! Invariants that must hold after every history.

use std::collections::BTreeMap;

use anyvpn_fleet::{Adopt, Budget, Entry, Event, OrderState, Owner, Record, Store, Wanted};
use anyvpn_testkit::canary::Canary;

use crate::book::{Account, Book};
use crate::history::Setup;
use crate::laws;

/// Counts of events in all histories together, which show if the histories stop testing something.
#[derive(Debug, Default)]
pub struct Totals {
    states: BTreeMap<&'static str, u64>,
    events: BTreeMap<String, u64>,
    strangers: u64,
}

impl Totals {
    pub fn assert_everything_happened(&self) {
        for event in [
            "Imported",
            "Changed",
            "Sending",
            "NotSent",
            "Confirmed",
            "Lost",
            "Waiting",
            "Failed",
            "Budget",
            "AsOrdered",
            "Drifted",
            "Parked",
            "Retried",
            "Adopted",
            "Released",
        ] {
            assert!(self.events.contains_key(event), "no history had {event}");
        }
        assert!(self.strangers > 0);
    }

    fn count(&mut self, record: &Record, journal: &[Entry]) {
        *self.states.entry(record.state.name()).or_default() += 1;
        for entry in journal {
            let event = format!("{:?}", entry.event);
            let name = event.split(['(', ' ', '{']).next().unwrap().to_owned();
            *self.events.entry(name).or_default() += 1;
        }
    }
}

pub async fn check(setup: &Setup, store: &dyn Store, totals: &mut Totals) -> Vec<String> {
    let mut wrong = std::mem::take(&mut setup.provider.book().violations);
    let canary = Canary::default();
    let records = store.orders(None, None, 1000).await.unwrap();
    let wanted: BTreeMap<_, _> =
        setup.orders.iter().map(|order| (order.id.clone(), order)).collect();
    if records.len() != wanted.len() {
        wrong.push(format!("{} orders of {}", records.len(), wanted.len()));
    }
    for record in &records {
        let journal = store.journal(&record.order.id).await.unwrap();
        totals.count(record, &journal);
        let password = setup.sealer.open(&record.order, &record.sealed).unwrap();
        canary.mark(password.expose());
        canary
            .hears(format!("{record:?} {journal:?} {}", serde_json::to_string(&journal).unwrap()));
        canary.hears(&record.sealed.0);
        for entry in &journal {
            canary.hears(entry.event.to_string());
        }
        if record.order != *wanted[&record.order.id] {
            wrong.push(format!("{:?} is not the last revision", record.order));
        }
        let book = setup.provider.book();
        let accounts = book.accounts.get(&record.order.key).cloned().unwrap_or_default();
        for why in judge(setup, &book, record, &journal, &accounts, password.expose()) {
            wrong.push(format!(
                "{}: {why}\n{record:#?}\n{accounts:#?}\n{}",
                record.order.id,
                tell(&journal)
            ));
        }
        for ((name, key), arrived) in &book.arrivals {
            let intents = journal.iter().filter(
                |entry| matches!(&entry.event, Event::Sending(sent) if sent.name() == *name),
            );
            let intents = intents.count() as u64;
            if *key == record.order.key && *arrived > intents {
                wrong.push(format!(
                    "{arrived} times {name} for {key}, and {intents} intents\n{}",
                    tell(&journal)
                ));
            }
        }
        totals.strangers += accounts.iter().filter(|account| account.is_strangers).count() as u64;
    }
    canary.assert_silent();
    if let Some(budget) = setup.budget {
        wrong.extend(beyond(&setup.taken.lock().unwrap(), budget.parse().unwrap()));
    }
    if std::env::var_os("ANYVPN_HISTORY").is_some() {
        for record in &records {
            eprintln!(
                "{}\n{}",
                record.order.id,
                tell(&store.journal(&record.order.id).await.unwrap())
            );
        }
    }
    wrong
}

/// Returns the violations of one order.
fn judge(
    setup: &Setup,
    book: &Book,
    record: &Record,
    journal: &[Entry],
    accounts: &[Account],
    password: &str,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut need = |holds: bool, what: &str| {
        if !holds {
            wrong.push(what.to_owned());
        }
    };
    let order = &record.order;
    let ours: Vec<_> = accounts.iter().filter(|account| !account.is_strangers).collect();
    let open = accounts.iter().find(|account| !account.is_closed);
    match record.state {
        OrderState::Done => match (order.wanted, open) {
            (Wanted::Closed, open) => need(open.is_none(), "closed, yet there"),
            (_, None) => need(false, "done, and the customer is lost"),
            // The order remembers no failure that would make a later one look worse.
            (wanted, Some(_)) if record.progress.failures > 0 => {
                need(false, &format!("done and {wanted:?}, with failures"))
            }
            (wanted, Some(account)) => {
                need(account.plan == order.plan, "done with another plan");
                need(
                    account.is_suspended == (wanted == Wanted::Suspended),
                    "done, and wrongly suspended or not",
                );
                need(
                    order.end.is_none_or(|end| account.end == Some(end.0)),
                    "done with another end",
                );
                if record.progress.has_password {
                    need(account.password == password, "another password than the order's");
                }
                let is_doubtful =
                    record.progress.owner == Owner::InDoubt && setup.adopt < Adopt::InDoubt;
                need(record.progress.has_password || is_doubtful, "done without the password");
            }
        },
        OrderState::Drifted => {
            // A creation that was late for an order that was closed meanwhile looks like drift, if it may be taken over.
            let is_late = order.wanted == Wanted::Closed && book.lost.contains(&order.key);
            let was_closed = accounts.iter().any(|account| account.was_closed_by_hand);
            need(
                setup.changed_by_hand || is_late || was_closed,
                "nobody changed the customer, yet it drifted",
            );
        }
        OrderState::Parked => {
            need(
                record.reason.as_ref().is_some_and(|why| !why.is_empty()),
                "parked without a reason",
            );
        }
        OrderState::Released => need(
            journal.iter().any(|entry| entry.event == Event::Released),
            "nobody released the order",
        ),
        state => need(false, &format!("never ends: {state}")),
    }
    let is_closed = ours.iter().any(|account| account.is_closed && !account.was_closed_by_hand);
    need(!is_closed || order.wanted == Wanted::Closed, "closed without an order");
    let last = journal.last();
    need(
        last.is_some_and(|entry| entry.state == record.state),
        "the journal ends in another state",
    );
    let fences: Vec<_> = journal.iter().map(|entry| entry.fence).collect();
    need(fences.is_sorted(), "the journal has an older claim after a newer one");
    for what in laws::broken(setup, journal) {
        need(false, what);
    }
    for (at, entry) in journal.iter().enumerate() {
        if let (Event::Parked(reason), OrderState::Parked) = (&entry.event, entry.state) {
            let (key, until) = (&order.key, &journal[..=at]);
            let is_true = laws::is_true(setup, book, key, reason, accounts, until);
            need(is_true, &format!("parked at {} for a reason that is not true", entry.at));
        }
    }
    wrong
}

/// Returns the calls beyond a budget, which allows a burst at first and then one call at a time.
fn beyond(taken: &[(std::time::Duration, &'static str)], budget: Budget) -> Vec<String> {
    let interval = budget.per / budget.calls;
    let mut wrong = Vec::new();
    for operation in ["find", "create", "change-plan", "close"] {
        let times: Vec<_> =
            taken.iter().filter(|(_, other)| *other == operation).map(|(at, _)| *at).collect();
        for (first, from) in times.iter().enumerate() {
            for (last, to) in times.iter().enumerate().skip(first) {
                // The transaction reads the clock a little before it is recorded here.
                let time = *to - *from + std::time::Duration::from_secs(1);
                let allowed =
                    u64::from(budget.calls) + (time.as_nanos() / interval.as_nanos()) as u64;
                if (last - first + 1) as u64 > allowed {
                    wrong.push(format!("{operation}: {} calls in {time:?}", last - first + 1));
                }
            }
        }
    }
    wrong.truncate(1);
    wrong
}

fn tell(journal: &[Entry]) -> String {
    let lines = journal.iter().map(|entry| {
        format!(
            "  {} {} #{} r{} {}: {}",
            entry.at, entry.worker, entry.fence, entry.revision, entry.state, entry.event
        )
    });
    lines.collect::<Vec<_>>().join("\n")
}
