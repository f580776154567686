//! `anyvpn fleet status`, `list`, `explain` and `export`

use std::collections::BTreeMap;

use anyvpn::{Secret, Timestamp};
use anyvpn_fleet::{Entry, Order, OrderState, Owner, Record, Sealer, Summary, Wanted};
use serde::Serialize;

use super::place::{Place, failed};
use super::{Export, List, OfOrder};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::only_copy;
use crate::text::{Column, Value, command_line, listing, plain, table, when};

/// The number of orders that are read at once.
const PAGE: u32 = 1000;

#[derive(Clone, Copy, clap::ValueEnum)]
pub enum StateName {
    Pending,
    Ambiguous,
    Done,
    Drifted,
    Parked,
    Released,
}

impl From<StateName> for OrderState {
    fn from(name: StateName) -> Self {
        match name {
            StateName::Pending => Self::Pending,
            StateName::Ambiguous => Self::Ambiguous,
            StateName::Done => Self::Done,
            StateName::Drifted => Self::Drifted,
            StateName::Parked => Self::Parked,
            StateName::Released => Self::Released,
        }
    }
}

#[derive(Serialize)]
pub struct Status {
    profiles: BTreeMap<String, BTreeMap<&'static str, u64>>,
    due: u64,
    held: u64,
    held_until: Option<Timestamp>,
    oldest_due: Option<Timestamp>,
    next_due: Option<Timestamp>,
    oldest_ambiguous: Option<Timestamp>,
    stopped: BTreeMap<String, String>,
}

impl Status {
    pub fn of(summary: &Summary) -> Self {
        let mut profiles: BTreeMap<String, BTreeMap<_, _>> = BTreeMap::new();
        for ((profile, state), count) in &summary.counts {
            profiles.entry(profile.clone()).or_default().insert(state.name(), *count);
        }
        Self {
            profiles,
            due: summary.due,
            held: summary.held,
            held_until: summary.held_until,
            oldest_due: summary.oldest_due,
            next_due: summary.next_due,
            oldest_ambiguous: summary.oldest_ambiguous,
            stopped: summary.stopped.clone(),
        }
    }
}

pub async fn status(context: &Context, place: Place) -> Result<(), Failure> {
    let summary = place.look(context).await?.summary().await.map_err(failed)?;
    context.output.answer(&Status::of(&summary), || status_text(&summary))
}

pub fn status_text(summary: &Summary) -> String {
    if summary.counts.is_empty() {
        return "There are no orders.".to_owned();
    }
    let profiles: std::collections::BTreeSet<_> =
        summary.counts.keys().map(|(profile, _)| profile).collect();
    let rows = profiles.into_iter().map(|profile| {
        let count = |state| match summary.counts.get(&(profile.clone(), state)) {
            Some(count) => count.to_string(),
            None => String::new(),
        };
        let stopped = summary.stopped.get(profile).map(|why| format!("stopped: {why}"));
        let mut row = vec![plain(profile)];
        row.extend(OrderState::ALL.map(count));
        row.push(stopped.map(|why| plain(&why)).unwrap_or_default());
        row
    });
    let columns = [
        Column::Text("PROFILE"),
        Column::Number("PENDING"),
        Column::Number("AMBIGUOUS"),
        Column::Number("DONE"),
        Column::Number("DRIFTED"),
        Column::Number("PARKED"),
        Column::Number("RELEASED"),
        Column::Text(""),
    ];
    let mut lines = vec![table(&columns, rows.collect())];
    let times = [
        ("Due since", summary.oldest_due),
        ("Next due", summary.next_due.filter(|_| summary.oldest_due.is_none())),
        ("Ambiguous since", summary.oldest_ambiguous),
    ];
    let times: Vec<_> =
        times.into_iter().filter_map(|(name, time)| Some((name, when(time?)))).collect();
    if !times.is_empty() {
        lines.push(listing(times));
    }
    lines.extend(held_text(summary.held, summary.held_until));
    for state in [OrderState::Parked, OrderState::Drifted] {
        let name = state.name();
        let waits = match summary.count(state) {
            0 => continue,
            1 => format!("1 {name} order waits"),
            count => format!("{count} {name} orders wait"),
        };
        let list = command_line(&["fleet", "list", "--state", name], &[]);
        lines.push(format!("{waits} for a person: {list}"));
    }
    lines.join("\n")
}

/// Says how many orders workers have, and until when at the latest.
pub fn held_text(held: u64, until: Option<Timestamp>) -> Option<String> {
    let ending = if held == 1 { "" } else { "s" };
    let until = until.filter(|_| held > 0).map(when)?;
    Some(format!(
        "Workers have {held} order{ending}.\nA killed worker's orders are free by {until}."
    ))
}

#[derive(Serialize)]
struct OrderAnswer {
    #[serde(flatten)]
    order: Order,
    state: OrderState,
    reason: Option<String>,
    due: Option<Timestamp>,
    /// Whether the customer is known to have the order's password.
    has_password: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<Secret>,
}

impl OrderAnswer {
    fn of(record: Record) -> Self {
        Self {
            order: record.order,
            state: record.state,
            reason: record.reason,
            due: record.due,
            has_password: record.progress.has_password,
            password: None,
        }
    }
}

#[derive(Serialize)]
struct ListAnswer {
    orders: Vec<OrderAnswer>,
}

pub async fn list(context: &Context, args: List) -> Result<(), Failure> {
    let store = args.place.look(context).await?;
    let state = args.state.map(OrderState::from);
    let records = store.orders(state, args.after.as_deref(), args.limit).await.map_err(failed)?;
    let is_full = records.len() == args.limit as usize;
    let answer = ListAnswer { orders: records.into_iter().map(OrderAnswer::of).collect() };
    context.output.answer(&answer, || {
        if answer.orders.is_empty() {
            return "There are no such orders.".to_owned();
        }
        let row = |answer: &OrderAnswer| {
            let order = &answer.order;
            vec![
                plain(&order.id),
                plain(&order.key),
                order.wanted.name().to_owned(),
                order.plan.as_deref().map(plain).unwrap_or_default(),
                answer.state.name().to_owned(),
                answer.reason.as_deref().map(plain).unwrap_or_default(),
            ]
        };
        let columns = [
            Column::Text("ORDER"),
            Column::Text("CUSTOMER"),
            Column::Text("WANTED"),
            Column::Text("PLAN"),
            Column::State("STATE"),
            Column::Text("WHY"),
        ];
        table(&columns, answer.orders.iter().map(row).collect())
    })?;
    if let Some(last) = answer.orders.last().filter(|_| is_full) {
        context.output.note(&format!("There may be more: --after {}", plain(&last.order.id)));
    }
    Ok(())
}

#[derive(Serialize)]
struct Explanation {
    #[serde(flatten)]
    order: OrderAnswer,
    journal: Vec<Explained>,
}

#[derive(Serialize)]
struct Explained {
    at: Timestamp,
    worker: String,
    revision: u32,
    state: OrderState,
    what: String,
}

impl From<Entry> for Explained {
    fn from(entry: Entry) -> Self {
        let what = entry.event.to_string();
        let Entry { at, worker, revision, state, .. } = entry;
        Self { at, worker, revision, state, what }
    }
}

pub async fn explain(context: &Context, args: OfOrder) -> Result<(), Failure> {
    let store = args.place.look(context).await?;
    let record = store.order(&args.order).await.map_err(failed)?.ok_or_else(|| {
        Failure::not_found(format!("there is no order {}", plain(&args.order)))
            .hint("anyvpn fleet list shows the orders")
    })?;
    let owner = record.progress.owner;
    let journal = store.journal(&args.order).await.map_err(failed)?;
    let journal = journal.into_iter().map(Explained::from).collect();
    let answer = Explanation { order: OrderAnswer::of(record), journal };
    context.output.answer(&answer, || explained(&answer, owner))
}

fn explained(answer: &Explanation, owner: Owner) -> String {
    let OrderAnswer { order, state, due, has_password, .. } = &answer.order;
    let password = match (has_password, owner) {
        (true, _) => "the order's",
        (false, Owner::Nobody) => "there is no customer of this order",
        (false, _) => {
            "unknown: an answer was lost, so another program may have created the customer"
        }
    };
    let mut pairs: Vec<(&str, Value)> = vec![
        ("Order", order.id.as_str().into()),
        ("Customer", order.key.as_str().into()),
        ("Profile", order.profile.as_str().into()),
        ("Wanted", order.wanted.name().into()),
    ];
    pairs.extend(order.plan.as_ref().map(|plan| ("Plan", plan.into())));
    pairs.extend(order.end.map(|end| ("End", end.to_string().into())));
    pairs.push(("State", Value::with_state(state.name(), state.name())));
    pairs.push(("Password", password.into()));
    pairs.extend(due.map(|due| ("Due", when(due).into())));
    let rows = answer.journal.iter().map(|entry| {
        let time = entry.at.strftime("%Y-%m-%d %H:%M:%S").to_string();
        vec![time, entry.worker.clone(), entry.what.clone()]
    });
    let columns = [Column::Whole("UTC"), Column::Text("WHO"), Column::Text("WHAT HAPPENED")];
    format!("{}\n\n{}", listing(pairs), table(&columns, rows.collect()))
}

pub async fn export(context: &Context, args: Export) -> Result<(), Failure> {
    let sealer = args.reveal.then(|| args.key.sealer(context, false)).transpose()?;
    let store = args.place.look(context).await?;
    let mut orders = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = store.orders(None, after.as_deref(), PAGE).await.map_err(failed)?;
        let Some(last) = page.last() else { break };
        after = Some(last.order.id.clone());
        for record in page {
            orders.push(exported(record, sealer.as_ref())?);
        }
    }
    let answer = ListAnswer { orders };
    let print = || context.output.answer(&answer, || csv(&answer.orders));
    if !args.reveal {
        return print();
    }
    only_copy(print, |failure| failure)?;
    let is_unknown = |it: &&OrderAnswer| {
        let is_open = it.state == OrderState::Done && it.order.wanted != Wanted::Closed;
        is_open && it.password.is_none()
    };
    let unknown = answer.orders.iter().filter(is_unknown).count();
    if unknown > 0 {
        context.output.note(&format!(
            "The passwords of {unknown} customers are not known, because other programs may\n\
             have created them. To set the password of an order: anyvpn fleet adopt ORDER"
        ));
    }
    Ok(())
}

fn exported(record: Record, sealer: Option<&Sealer>) -> Result<OrderAnswer, Failure> {
    let password = match sealer.filter(|_| record.progress.has_password) {
        Some(sealer) => {
            let opened = sealer.open(&record.order, &record.sealed);
            Some(opened.map_err(|error| Failure::other(error.to_string()))?)
        }
        None => None,
    };
    Ok(OrderAnswer { password, ..OrderAnswer::of(record) })
}

/// Returns the orders as CSV: the columns of an import, and three more.
fn csv(orders: &[OrderAnswer]) -> String {
    let mut lines =
        vec!["id,profile,key,plan,country,wanted,end,revision,state,reason,password".to_owned()];
    for answer in orders {
        let order = &answer.order;
        let end = order.end.map(|end| end.to_string()).unwrap_or_default();
        let password = answer.password.as_ref().map(Secret::expose).unwrap_or_default();
        let revision = order.revision.to_string();
        let cells = [
            &order.id,
            &order.profile,
            &order.key,
            order.plan.as_deref().unwrap_or_default(),
            order.country.as_deref().unwrap_or_default(),
            order.wanted.name(),
            &end,
            &revision,
            answer.state.name(),
            answer.reason.as_deref().unwrap_or_default(),
            password,
        ];
        lines.push(cells.map(cell).join(","));
    }
    lines.join("\n")
}

/// Returns a CSV cell, quoted if necessary.
fn cell(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_of_a_large_fleet_fits_80_columns() {
        let mut summary = Summary::default();
        for profile in ["shop", "a-brand-with-a-long-name"] {
            for state in OrderState::ALL {
                summary.counts.insert((profile.to_owned(), state), 123_456);
            }
        }
        let why = "unauthorized (HTTP 401): the key is unknown, or it was replaced by another one";
        summary.stopped.insert("shop".to_owned(), why.to_owned());
        let time = Some("2027-01-01T00:00:00Z".parse().unwrap());
        (summary.oldest_due, summary.oldest_ambiguous) = (time, time);
        (summary.held, summary.held_until) = (123_456, time);
        let text = crate::style::render(&status_text(&summary), false);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        for line in [
            "Workers have 123456 orders.",
            "246912 parked orders wait for a person: anyvpn fleet list --state parked",
            "246912 drifted orders wait for a person: anyvpn fleet list --state drifted",
        ] {
            assert!(text.lines().any(|it| it == line), "{text}");
        }
    }
}
