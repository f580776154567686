//! The rule that derives at most one operation from an order and the state of its customer.

use std::time::Duration;

use anyvpn_core::{Customer, Status, Timestamp};

use crate::progress::ABSENT_LOOKS;
use crate::{Adopt, Operation, Order, Owner, Progress, Reason, Rules, Wanted};

/// What to do next for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Decision {
    /// Send this operation, once.
    Send(Operation),
    /// Read again at this time. Nothing may be sent before.
    Wait(Timestamp),
    /// The customer matches the order.
    Done,
    /// The customer matched the order but no longer does; this operation would restore it.
    Drift(Operation),
    /// A person has to decide.
    Park(Reason),
}

/// Decides what to do next for an order whose customer was read: `None` if there is none. `asked` is the time before
/// the reading was sent.
///
/// This is a pure function. The returned progress replaces the given one.
#[must_use]
pub fn decide(
    order: &Order,
    mut progress: Progress,
    seen: Option<&Customer>,
    asked: Timestamp,
    settle: Duration,
    rules: &Rules,
) -> (Progress, Decision) {
    if let Some(mut open) = progress.open.take() {
        let due = later(open.since, settle);
        let settled = later(open.since, settle.saturating_mul(ABSENT_LOOKS));
        if is_visible(&open.operation, seen) {
            if open.operation == Operation::Create && !open.confirmed && !open.is_seen {
                progress.owner = Owner::InDoubt;
            }
            // The next reading can come from a replica that is behind. To act on it could pay for a plan twice.
            open.is_seen = true;
            progress.open = (asked < settled).then_some(open);
        } else if open.is_seen {
            // After the operation has settled, somebody else has changed the customer.
            if asked < settled {
                progress.open = Some(open);
                return (progress, Decision::Wait(settled));
            }
        } else if asked < due {
            progress.open = Some(open);
            return (progress, Decision::Wait(due));
        } else if open.looks + 1 < ABSENT_LOOKS {
            open.looks += 1;
            open.since = asked;
            progress.open = Some(open);
            return (progress, Decision::Wait(later(asked, settle)));
        } else if open.confirmed {
            return (progress, Decision::Park(Reason::NoEffect(open.operation)));
        } else if open.operation == Operation::Create {
            progress.lost_creations += 1;
        }
    }
    let mut decision = match (progress.owner, seen) {
        (Owner::Nobody, None) => absent(order, &mut progress, rules),
        (Owner::Nobody, Some(_)) if rules.adopt < Adopt::Foreign => {
            progress.refusal = None;
            let was_lost = progress.lost_creations > 0;
            Decision::Park(if was_lost { Reason::Late } else { Reason::Foreign })
        }
        (_, None) if order.wanted == Wanted::Closed => Decision::Done,
        (_, None) => Decision::Park(Reason::Vanished),
        (owner, Some(customer)) => {
            if owner == Owner::Nobody {
                progress.owner = Owner::Adopted;
            }
            match next_operation(order, &progress, customer, rules) {
                None => Decision::Done,
                // The policy has changed and asks for the password, so this is not drift.
                Some(operation)
                    if progress.reached == Some(order.revision)
                        && operation != Operation::SetPassword =>
                {
                    Decision::Drift(operation)
                }
                Some(operation) => Decision::Send(operation),
            }
        }
    };
    if let (Decision::Send(_), Some(open)) = (&decision, &progress.open)
        && open.revision != order.revision
    {
        // What an older reading shows could be taken for the effect of undoing this operation.
        decision = Decision::Wait(later(open.since, settle.saturating_mul(ABSENT_LOOKS)));
    }
    progress.is_vanished = decision == Decision::Park(Reason::Vanished);
    if decision == Decision::Done {
        progress.reached = Some(order.revision);
        progress.forget_failures();
    }
    (progress, decision)
}

/// Decides for an order that has no customer and, as far as we know, never had one.
fn absent(order: &Order, progress: &mut Progress, rules: &Rules) -> Decision {
    let lost = progress.lost_creations;
    match progress.refusal.take() {
        _ if order.wanted == Wanted::Closed => Decision::Done,
        // The lost creation may be the reason why this one was refused.
        Some(why) if lost > 0 => Decision::Park(Reason::InDoubt(why)),
        Some(why) => Decision::Park(Reason::Refused(why)),
        None if lost >= rules.lost_creations => Decision::Park(Reason::Lost(lost)),
        None => Decision::Send(Operation::Create),
    }
}

/// Returns whether reading a customer shows that an operation took effect. Passwords and ends are never
/// shown.
fn is_visible(operation: &Operation, seen: Option<&Customer>) -> bool {
    match (operation, seen) {
        (Operation::Create, seen) => seen.is_some(),
        (Operation::Close, seen) => seen.is_none_or(is_closed),
        (Operation::ChangePlan(plan), Some(customer)) => customer.plan.as_ref() == Some(plan),
        (Operation::Suspend, Some(customer)) => customer.status == Status::Suspended,
        (Operation::Resume, Some(customer)) => customer.status != Status::Suspended,
        _ => false,
    }
}

/// Returns whether a customer is closed. If the provider still shows a closed customer, it has nothing
/// active.
fn is_closed(customer: &Customer) -> bool {
    customer.status == Status::Inactive
}

/// Returns the operation that brings a customer closer to the order; `None` if there is nothing to do.
pub(crate) fn next_operation(
    order: &Order,
    progress: &Progress,
    customer: &Customer,
    rules: &Rules,
) -> Option<Operation> {
    if order.wanted == Wanted::Closed {
        return (!is_closed(customer)).then_some(Operation::Close);
    }
    let gets_password = match progress.owner {
        Owner::Adopted => true,
        Owner::InDoubt => rules.adopt >= Adopt::InDoubt,
        Owner::Nobody | Owner::Order => false,
    };
    let is_suspended = customer.status == Status::Suspended;
    let plan = order.plan.as_ref().filter(|plan| customer.plan.as_ref() != Some(*plan));
    let end = order.end.filter(|end| progress.end != Some(*end));
    // Resuming comes first and suspending last, because a provider may refuse other changes of a
    // suspended customer.
    if gets_password && !progress.has_password {
        Some(Operation::SetPassword)
    } else if is_suspended && order.wanted == Wanted::Active {
        Some(Operation::Resume)
    } else if let Some(plan) = plan {
        Some(Operation::ChangePlan(plan.clone()))
    } else if let Some(end) = end {
        Some(Operation::SetEnd(end))
    } else if !is_suspended && order.wanted == Wanted::Suspended {
        Some(Operation::Suspend)
    } else {
        None
    }
}

/// Returns the time later by this duration.
pub(crate) fn later(time: Timestamp, by: Duration) -> Timestamp {
    time.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_who_comes_back_has_not_vanished() {
        let order = Order::new("1", "shop", "ada@example.com");
        let progress = Progress { owner: Owner::Order, has_password: true, ..Progress::default() };
        let decide = |progress, seen: Option<&Customer>| {
            let (now, settle) = (Timestamp::UNIX_EPOCH, Duration::from_secs(15));
            super::decide(&order, progress, seen, now, settle, &Rules::default())
        };
        let (progress, decision) = decide(progress, None);
        assert_eq!(decision, Decision::Park(Reason::Vanished));
        assert!(progress.is_vanished);
        let customer = Customer::new("ada@example.com", Status::Active);
        let (progress, decision) = decide(progress, Some(&customer));
        assert_eq!(decision, Decision::Done);
        assert!(!progress.is_vanished);
    }

    #[test]
    fn who_changes_a_customer_after_an_operation_has_settled_makes_drift() {
        let mut order = Order::new("1", "shop", "ada@example.com");
        order.plan = Some("large".into());
        let settle = Duration::from_secs(15);
        let progress = Progress {
            owner: Owner::Order,
            has_password: true,
            reached: Some(1),
            open: Some(crate::Open {
                operation: Operation::ChangePlan("large".into()),
                confirmed: true,
                since: Timestamp::UNIX_EPOCH,
                looks: 0,
                is_seen: true,
                revision: 1,
            }),
            ..Progress::default()
        };
        let mut customer = Customer::new("ada@example.com", Status::Active);
        customer.plan = Some("small".into());
        let decide = |asked| {
            decide(&order, progress.clone(), Some(&customer), asked, settle, &Rules::default()).1
        };
        let settled = later(Timestamp::UNIX_EPOCH, settle * 2);
        assert_eq!(decide(later(Timestamp::UNIX_EPOCH, settle)), Decision::Wait(settled));
        assert_eq!(decide(settled), Decision::Drift(Operation::ChangePlan("large".into())));
    }
}
