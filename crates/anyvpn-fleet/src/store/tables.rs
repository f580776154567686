//! The rows of a transaction, and what its changes make of them. All stores share this.

use std::collections::{BTreeMap, BTreeSet};

use anyvpn_core::Timestamp;

use super::{Begin, Brand, Change, Committed, Finish, Imported, Placed, Record, reason};
use crate::budget::Meter;
use crate::{Entry, Event, OrderState, Progress};

/// The name of a meter: profile and operation.
pub(super) type MeterKey = (String, String);

/// The rows that a transaction can read and change: those of its orders, or all of them.
#[derive(Clone, Debug, Default)]
pub(super) struct Tables {
    pub(super) orders: BTreeMap<String, Row>,
    /// The order of each customer, by profile and key.
    keys: BTreeMap<(String, String), String>,
    pub(super) meters: BTreeMap<MeterKey, Meter>,
    pub(super) stopped: BTreeMap<String, String>,
    /// What the transaction changed, and the rows that it adds to the journal.
    pub(super) changed: BTreeSet<String>,
    pub(super) changed_meters: BTreeSet<MeterKey>,
    pub(super) added: Vec<(String, Entry)>,
}

/// A row of the orders.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) record: Record,
    pub(super) lease_until: Option<Timestamp>,
    pub(super) worker: String,
    pub(super) state_since: Timestamp,
}

impl Row {
    fn enter(&mut self, state: OrderState, now: Timestamp) {
        if self.record.state != state {
            self.state_since = now;
        }
        self.record.state = state;
    }
}

impl Tables {
    pub(super) fn insert(&mut self, row: Row) {
        let order = &row.record.order;
        if row.record.state != OrderState::Released {
            self.keys.insert((order.profile.clone(), order.key.clone()), order.id.clone());
        }
        self.orders.insert(order.id.clone(), row);
    }

    pub(super) fn commit(&mut self, change: Change, now: Timestamp) -> Committed {
        match change {
            Change::Begin(begin) => self.begin(*begin, now),
            Change::Finish(finish) => self.finish(*finish, now),
            Change::Reserve { profile, operation } => self.reserve(profile, operation, now),
        }
    }

    pub(super) fn import(&mut self, placed: Placed, now: Timestamp) -> Imported {
        let Placed { order, sealed } = placed;
        let id = order.id.clone();
        if let Some(row) = self.orders.get_mut(&id) {
            if row.record.order == order {
                return Imported::Same;
            }
            if let Some(why) = order.conflict(&row.record.order) {
                return Imported::Refused(why);
            }
            if row.record.state == OrderState::Released {
                return Imported::Refused("the order was released; use another order id".into());
            }
            row.record.order = order;
            (row.record.due, row.record.reason) = (Some(now), None);
            row.enter(OrderState::Pending, now);
            self.write(&id, now, Event::Changed);
            return Imported::Changed;
        }
        if let Some(taken) = self.keys.get(&(order.profile.clone(), order.key.clone())) {
            return Imported::Refused(format!("order {taken} has the same customer"));
        }
        let record = Record {
            order,
            sealed,
            progress: Progress::default(),
            state: OrderState::Pending,
            reason: None,
            due: Some(now),
            fence: 0,
        };
        let worker = "import".to_owned();
        self.insert(Row { record, lease_until: None, worker, state_since: now });
        self.write(&id, now, Event::Imported);
        Imported::New
    }

    fn begin(&mut self, begin: Begin, now: Timestamp) -> Committed {
        let Some(row) = self.orders.get(&begin.id) else { return Committed::Overtaken };
        let record = &row.record;
        let profile = record.order.profile.clone();
        if (record.fence, record.order.revision) != (begin.fence, begin.revision)
            || self.stopped.contains_key(&profile)
        {
            return Committed::Overtaken;
        }
        let reserved = self.reserve(profile, begin.operation.name(), now);
        if reserved != Committed::Done {
            return reserved;
        }
        if let Some(row) = self.orders.get_mut(&begin.id) {
            row.record.progress = begin.progress;
        }
        self.write(&begin.id, now, Event::Sending(begin.operation));
        Committed::Done
    }

    fn finish(&mut self, finish: Finish, now: Timestamp) -> Committed {
        let Some(row) = self.orders.get_mut(&finish.id) else { return Committed::Overtaken };
        if row.record.fence != finish.fence {
            return Committed::Overtaken;
        }
        let profile = row.record.order.profile.clone();
        let is_current = row.record.order.revision == finish.revision;
        row.record.progress = finish.progress;
        row.lease_until = None;
        if is_current {
            row.record.reason = reason(finish.state, finish.event.as_ref());
            row.record.due = finish.due;
            row.enter(finish.state, now);
            if finish.state == OrderState::Released {
                self.keys.remove(&(profile.clone(), row.record.order.key.clone()));
            }
        }
        self.changed.insert(finish.id.clone());
        if let Some(event) = finish.event {
            self.write(&finish.id, now, event);
        }
        match finish.brand {
            Some(Brand::Stop(why)) => {
                self.stopped.insert(profile, why);
            }
            Some(Brand::Hold { operation, until }) => {
                let key = (profile, operation.to_owned());
                self.changed_meters.insert(key.clone());
                self.meters.entry(key).or_insert_with(|| Meter::new(None)).hold(until);
            }
            None => {}
        }
        Committed::Done
    }

    fn reserve(&mut self, profile: String, operation: &str, now: Timestamp) -> Committed {
        let key = (profile, operation.to_owned());
        let Some(meter) = self.meters.get_mut(&key) else { return Committed::Done };
        let taken = meter.take(now);
        self.changed_meters.insert(key);
        taken.map_or_else(Committed::Later, |()| Committed::Done)
    }

    fn write(&mut self, id: &str, at: Timestamp, event: Event) {
        let Some(row) = self.orders.get(id) else { return };
        let entry = Entry {
            at,
            worker: row.worker.clone(),
            fence: row.record.fence,
            revision: row.record.order.revision,
            state: row.record.state,
            event,
        };
        self.changed.insert(id.to_owned());
        self.added.push((id.to_owned(), entry));
    }
}
