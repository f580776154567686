//! What the journal of an order must not hold, and which reasons to park an order are true.

use anyvpn_core::ErrorKind;
use anyvpn_fleet::{Adopt, Entry, Event, Operation, Order, OrderState, Reason, Wanted};

use crate::book::{Account, Book, Quirk};
use crate::history::{LOST_CREATIONS, Setup};

/// What is wrong with the journal of an order.
pub fn broken(setup: &Setup, journal: &[Entry]) -> Vec<&'static str> {
    let mut wrong = Vec::new();
    let mut need = |holds: bool, what| {
        if !holds {
            wrong.push(what);
        }
    };
    let mut reached = None;
    let (mut was_created, mut was_adopted) = (false, false);
    // Whether the journal has an intent without an outcome.
    let mut is_unheard = false;
    let (mut changed, mut sent_for) = (None, None);
    // Whether a person asked to create a customer who is gone.
    let mut shall_create = false;
    let mut before: Option<&Entry> = None;
    for entry in journal {
        let was_done = before.is_some_and(|before| before.state == OrderState::Done);
        if let Event::Failed { doing, .. } = &entry.event
            && doing == "find"
        {
            need(
                !was_done || is_unheard || entry.state == OrderState::Done,
                "not done, although nothing says so",
            );
        }
        match &entry.event {
            Event::Sending(operation) => {
                need(
                    reached != Some(entry.revision) || *operation == Operation::SetPassword,
                    "changed after it was done, without a new revision",
                );
                need(
                    *operation != Operation::Create || !was_created,
                    "created again without a person's word",
                );
                need(
                    *operation != Operation::SetPassword
                        || was_adopted
                        || setup.adopt >= Adopt::InDoubt,
                    "the password of a customer who may be another's was changed",
                );
                (is_unheard, shall_create) = (true, false);
                sent_for = Some(entry.revision);
            }
            // An order that was changed is pending until it is claimed again.
            Event::Waiting { .. } => need(
                changed == Some(entry.fence)
                    || (entry.state == OrderState::Ambiguous) == is_unheard
                    // The lost operation was seen, and the next one is another revision's.
                    || (is_unheard && sent_for != Some(entry.revision)),
                "ambiguous without a lost answer, or the other way round",
            ),
            Event::Confirmed(operation) => {
                was_created |= *operation == Operation::Create;
                is_unheard = false;
            }
            Event::Failed { doing, .. } if doing != "find" => is_unheard = false,
            Event::NotSent(_) => is_unheard = false,
            // Another operation was about to be sent, so that the lost one was seen.
            Event::Budget
                if entry.state != OrderState::Ambiguous && changed != Some(entry.fence) =>
            {
                is_unheard = false;
            }
            Event::AsOrdered => {
                need(!was_done, "a row for an order that stays done");
                is_unheard = false;
            }
            Event::Changed => changed = Some(entry.fence),
            Event::Retried => {
                (was_created, reached) = (false, None);
                let is_gone = Event::Parked(Reason::Vanished);
                shall_create = before.is_some_and(|before| before.event == is_gone);
            }
            Event::Adopted => (was_adopted, shall_create, reached) = (true, false, None),
            Event::Parked(Reason::Vanished) => {
                need(!shall_create, "not created again, although a person asked for it");
            }
            _ => {}
        }
        if entry.state == OrderState::Done {
            reached = Some(entry.revision);
        }
        before = Some(entry);
    }
    wrong
}

/// Whether the reason to park an order is true. The journal ends with it.
pub fn is_true(
    setup: &Setup,
    book: &Book,
    key: &str,
    reason: &Reason,
    accounts: &[Account],
    journal: &[Entry],
) -> bool {
    let revision = journal.last().map(|entry| entry.revision);
    let is_parked = |order: &&Order| order.key == key && Some(order.revision) == revision;
    let wanted = setup.orders.iter().find(is_parked).map(|order| order.wanted);
    let quirk = book.quirks.get(key).copied();
    let was_refused = |kind| book.refused.contains(&(key.to_owned(), kind));
    let was_closed_by_hand = accounts.iter().any(|account| account.was_closed_by_hand);
    let since_retry = journal.rsplit(|entry| entry.event == Event::Retried).next();
    let creations = |counts: fn(&Event) -> bool| {
        since_retry.unwrap_or_default().iter().filter(|entry| counts(&entry.event)).count()
    };
    let sent = creations(|event| *event == Event::Sending(Operation::Create));
    let heard = creations(|event| match event {
        Event::Failed { doing, .. } => doing == "create",
        Event::Confirmed(operation) | Event::NotSent(operation) => *operation == Operation::Create,
        _ => false,
    });
    let is_park = |entry: &Entry| matches!(entry.event, Event::Parked(_));
    let since_park = journal.split_last().and_then(|(_, before)| before.rsplit(is_park).next());
    let is_try = |entry: &Entry| matches!(entry.event, Event::Sending(_));
    let was_tried = since_park.is_some_and(|entries| entries.iter().any(is_try));
    match reason {
        Reason::Foreign => {
            // A creation that arrived twice looks like this, and so does one that arrived late, after a retry.
            let was_retried = journal.iter().any(|entry| entry.event == Event::Retried);
            sent == heard
                && (accounts.iter().any(|account| account.is_strangers)
                    || was_refused(ErrorKind::AlreadyExists)
                    || was_retried)
        }
        Reason::Late => book.lost.contains(key) || sent > heard,
        // A person can give an order a customer who is not there.
        Reason::Vanished => {
            was_closed_by_hand || journal.iter().any(|entry| entry.event == Event::Adopted)
        }
        // A creation can arrive after the account was closed.
        Reason::NoEffect(Operation::Close) if book.lost.contains(key) => true,
        Reason::NoEffect(_) => {
            book.outdated.contains(key) || was_closed_by_hand || setup.changed_by_hand
        }
        // The customer may have been read after the refusal from a replica that was out of date.
        Reason::InDoubt(_) => {
            let kinds = [ErrorKind::InvalidRequest, ErrorKind::AlreadyExists];
            sent > heard && kinds.into_iter().any(was_refused)
        }
        Reason::Lost(times) => *times == LOST_CREATIONS && sent >= heard + *times as usize,
        Reason::Refused(_) if !was_tried => false,
        // The customer who was there can have left.
        Reason::Refused(why) if why.contains("already exists") => was_closed_by_hand,
        Reason::Refused(why) if why.contains("invalid input") => match quirk {
            Some(Quirk::NotCreated) => sent == heard,
            _ => quirk == Some(Quirk::NoOtherPlan),
        },
        Reason::Refused(why) if why.contains("not found") => {
            quirk == Some(Quirk::NotKnown) || was_closed_by_hand
        }
        Reason::Refused(_) => {
            was_refused(ErrorKind::Suspended)
                && (wanted == Some(Wanted::Suspended) || setup.changed_by_hand)
        }
        _ => false,
    }
}
