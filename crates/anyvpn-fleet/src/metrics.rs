//! Metrics in Prometheus' text format.

use anyvpn_core::{MetricsText, Timestamp};

use crate::store::Summary;
use crate::{Counters, OrderState};

/// Returns the page of metrics. Its only labels are profiles and states, so it names no orders and no
/// customers.
#[must_use]
pub fn metrics(summary: &Summary, counters: &Counters, now: Timestamp) -> String {
    let mut text = MetricsText::default();
    let mut orders = text.gauge("anyvpn_fleet_orders", "Orders, by profile and state.");
    let profiles: std::collections::BTreeSet<_> =
        summary.counts.keys().map(|(profile, _)| profile).collect();
    for profile in profiles {
        for state in OrderState::ALL {
            let count = summary.counts.get(&(profile.clone(), state)).copied().unwrap_or_default();
            orders.sample(&[("profile", profile), ("state", state.name())], count as f64);
        }
    }
    text.gauge("anyvpn_fleet_due_orders", "Orders that are due.").sample(&[], summary.due as f64);
    let age = |since: Option<Timestamp>| {
        since.map_or(0.0, |since| now.duration_since(since).as_secs_f64().max(0.0))
    };
    text.gauge(
        "anyvpn_fleet_oldest_due_seconds",
        "How long the order that is due longest has waited.",
    )
    .sample(&[], age(summary.oldest_due));
    text.gauge("anyvpn_fleet_oldest_ambiguous_seconds", "How long the oldest lost answer is open.")
        .sample(&[], age(summary.oldest_ambiguous));
    let mut stopped = text.gauge("anyvpn_fleet_stopped", "Profiles that are stopped.");
    for profile in summary.stopped.keys() {
        stopped.sample(&[("profile", profile)], 1.0);
    }
    let mut sent =
        text.counter("anyvpn_fleet_operations_total", "Operations that this worker sent.");
    for (operation, count) in &counters.sent {
        sent.sample(&[("operation", operation)], *count as f64);
    }
    let mut steps = text.counter(
        "anyvpn_fleet_steps_total",
        "Steps that this worker finished, by the state in which they left the order.",
    );
    for (state, count) in &counters.steps {
        steps.sample(&[("state", state.name())], *count as f64);
    }
    text.counter("anyvpn_fleet_overtaken_total", "Steps whose order another worker had claimed.")
        .sample(&[], counters.overtaken as f64);
    text.counter("anyvpn_fleet_store_failures_total", "Failures of the database.")
        .sample(&[], counters.store_failures as f64);
    text.into_string()
}
