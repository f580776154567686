//! Records a person's decisions about orders.

use std::time::Duration;

use anyvpn_core::Clock;

use crate::store::{Change, ClaimRequest, Committed, Finish, Store, StoreError};
use crate::{Event, OrderState, Owner};

/// How long writing a person's decision may take.
const LEASE: Duration = Duration::from_secs(60);

/// A person's decision about an order that is parked, drifted or waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Try again. Drift is repaired, and a customer who no longer exists is created again.
    Retry,
    /// Assign the customer to the order. The customer gets the order's plan, state and password.
    Adopt,
    /// Release the order. The customer stays as it is, and its key is free for another order.
    Release,
}

/// The outcome of a person's decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Acted {
    /// The decision is in the journal.
    Done,
    /// There is no such order, or it is released.
    NotFound,
    /// A worker is handling the order. Try again later.
    Busy,
}

/// Records a person's decision about an order.
///
/// # Errors
///
/// Any error of the store.
pub async fn act(
    store: &dyn Store,
    clock: &dyn Clock,
    id: &str,
    person: &str,
    act: Act,
) -> Result<Acted, StoreError> {
    let record = store.order(id).await?;
    if record.is_none_or(|record| record.state == OrderState::Released) {
        return Ok(Acted::NotFound);
    }
    let request = ClaimRequest {
        worker: person.to_owned(),
        profiles: Vec::new(),
        instant: clock.instant(),
        lease: LEASE,
        limit: 1,
        only: Some(id.to_owned()),
    };
    let Some(claim) = store.claim(request).await?.pop() else { return Ok(Acted::Busy) };
    let mut progress = claim.progress;
    progress.forget_failures();
    (progress.lost_creations, progress.refusal, progress.reached) = (0, None, None);
    if std::mem::take(&mut progress.is_vanished) {
        // The next customer with this key is another one.
        (progress.owner, progress.has_password, progress.end) = (Owner::Nobody, false, None);
    }
    let (state, due, event) = match act {
        Act::Retry => (OrderState::Pending, Some(claim.now), Event::Retried),
        Act::Adopt => {
            (progress.owner, progress.has_password) = (Owner::Adopted, false);
            (OrderState::Pending, Some(claim.now), Event::Adopted)
        }
        Act::Release => (OrderState::Released, None, Event::Released),
    };
    let finish = Finish {
        id: id.to_owned(),
        fence: claim.fence,
        revision: claim.order.revision,
        progress,
        state,
        due,
        event: Some(event),
        brand: None,
    };
    let committed = store.commit(vec![Change::Finish(Box::new(finish))]).await?;
    Ok(if committed == [Committed::Done] { Acted::Done } else { Acted::Busy })
}
