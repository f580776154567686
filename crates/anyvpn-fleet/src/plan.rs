//! Plans show what the workers would do now, without doing it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyvpn_core::{Provider, Timestamp};
use futures_util::{StreamExt as _, stream};
use serde::{Deserialize, Serialize};

use crate::store::{Record, Store, StoreError};
use crate::{Decision, OrderState, Rules, decide};

/// How many orders are read from the store at once.
const PAGE: u32 = 1000;
/// How many customers are read from the providers at the same time.
const IN_FLIGHT: usize = 16;

/// What the workers would do now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Plan {
    /// The number of orders, excluding released ones.
    pub orders: u64,
    /// The next step of each order that is pending or ambiguous.
    pub steps: Vec<PlannedStep>,
}

/// The next step of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlannedStep {
    /// The id of the order.
    pub order: String,
    /// The profile.
    pub profile: String,
    /// The key of the customer.
    pub customer: String,
    /// The revision of the order.
    pub revision: u32,
    /// The fencing number of the order, which increases with each claim.
    pub fence: u64,
    /// The name of the operation, such as `create`, or of the one whose effect is not known yet; absent if
    /// nothing would be sent.
    pub operation: Option<String>,
    /// A description of the step.
    pub what: String,
}

impl Plan {
    /// Makes a plan by reading the customers of all waiting orders. Nothing is changed.
    ///
    /// # Errors
    ///
    /// Any error of the store. A customer that cannot be read is no error: the plan says so for that
    /// order.
    pub async fn make(
        store: &dyn Store,
        providers: &BTreeMap<String, Arc<dyn Provider>>,
        rules: &Rules,
    ) -> Result<Self, StoreError> {
        let summary = store.summary().await?;
        let orders = summary.total() - summary.count(OrderState::Released);
        let waiting = waiting(store).await?;
        let steps = stream::iter(waiting)
            .map(|record| plan_step(record, providers, rules))
            .buffered(IN_FLIGHT)
            .collect()
            .await;
        Ok(Self { orders, steps })
    }

    /// Returns how many orders would or may get an operation.
    #[must_use]
    pub fn changes(&self) -> usize {
        self.steps.iter().filter(|step| step.operation.is_some()).count()
    }

    /// Returns the orders that were changed, imported or handled since the plan was made; empty if the
    /// plan is still valid.
    ///
    /// # Errors
    ///
    /// Any error of the store.
    pub async fn stale(&self, store: &dyn Store) -> Result<Vec<String>, StoreError> {
        let now = waiting(store).await?;
        let now: BTreeSet<_> =
            now.into_iter().map(|it| (it.order.id, it.order.revision, it.fence)).collect();
        let planned: BTreeSet<_> =
            self.steps.iter().map(|it| (it.order.clone(), it.revision, it.fence)).collect();
        let mut stale: Vec<_> =
            planned.symmetric_difference(&now).map(|(id, ..)| id.clone()).collect();
        stale.dedup();
        Ok(stale)
    }
}

/// Reads the waiting orders.
async fn waiting(store: &dyn Store) -> Result<Vec<Record>, StoreError> {
    let mut waiting = Vec::new();
    for state in [OrderState::Pending, OrderState::Ambiguous] {
        let mut after: Option<String> = None;
        loop {
            let page = store.orders(Some(state), after.as_deref(), PAGE).await?;
            let Some(last) = page.last() else { break };
            after = Some(last.order.id.clone());
            waiting.extend(page);
        }
    }
    Ok(waiting)
}

async fn plan_step(
    record: Record,
    providers: &BTreeMap<String, Arc<dyn Provider>>,
    rules: &Rules,
) -> PlannedStep {
    let Record { order, progress, fence, .. } = record;
    let customers = providers.get(&order.profile).and_then(|provider| provider.customers());
    let (operation, what) = match customers {
        None => (None, format!("wait: no worker here has the profile {}", order.profile)),
        Some(customers) => match customers.find_customer(&order.key).await {
            Err(error) => (None, format!("the customer cannot be read: {error}")),
            Ok(seen) => {
                // Use the minimum time, so that the plan does not treat a lost operation as settled.
                let (asked, settle) = (Timestamp::MIN, customers.settle_time());
                let next = |progress| decide(&order, progress, seen.as_ref(), asked, settle, rules);
                let (mut progress, mut decision) = next(progress);
                // Workers wait until every replica shows what took effect. The plan does not wait, and
                // shows the operation that comes next.
                if progress.open.take_if(|open| open.is_seen).is_some() {
                    (progress, decision) = next(progress);
                }
                match decision {
                    Decision::Send(operation) | Decision::Drift(operation) => {
                        (Some(operation.name().to_owned()), operation.to_string())
                    }
                    // It counts as a change, because it may be sent again.
                    Decision::Wait(_) => {
                        let open = progress.open.map(|open| open.operation.name().to_owned());
                        (open, "read until it is known what was done".to_owned())
                    }
                    Decision::Done => (None, "nothing: the customer is as ordered".to_owned()),
                    Decision::Park(reason) => (None, format!("park: {reason}")),
                }
            }
        },
    };
    PlannedStep {
        order: order.id,
        profile: order.profile,
        customer: order.key,
        revision: order.revision,
        fence,
        operation,
        what,
    }
}
