//! Reads orders from CSV and JSON lines.

use std::fmt;
use std::io::{BufRead, Read};

use anyvpn_core::Error;
use serde::Deserialize;

use crate::{End, Order, Wanted};

/// The maximum length of a line of JSON, in bytes.
const LONGEST: u64 = 64 << 10;

/// The format of a file of orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values, with a line of column names first.
    Csv,
    /// One JSON object per line.
    JsonLines,
}

/// A mistake in a file of orders.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mistake {
    /// The line, counted from 1.
    pub line: u64,
    /// What is wrong.
    pub why: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.why)
    }
}

/// What was read from a file of orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct OrderFile {
    /// The orders without mistakes, each with its line.
    pub orders: Vec<(u64, Order)>,
    /// All mistakes. If there is one, the file should not be imported.
    pub mistakes: Vec<Mistake>,
    /// The columns of an export that are not part of an order.
    pub ignored: Vec<&'static str>,
}

/// Reads all orders of a file. An order without a profile gets `profile`.
///
/// The CSV of `anyvpn fleet export` can be read too. Its columns `state`, `reason` and `password` are ignored, but
/// released orders are left out.
#[must_use]
pub fn read_orders(input: impl Read, format: Format, profile: Option<&str>) -> OrderFile {
    let mut file = OrderFile::default();
    let read = match format {
        Format::Csv => csv_orders(input, &mut file.ignored),
        Format::JsonLines => json_orders(input),
    };
    for (line, order) in read {
        let order = order.map_err(|why| Mistake { line, why });
        let checked = order.and_then(|mut order: Order| {
            if order.profile.is_empty() {
                order.profile = profile.unwrap_or_default().to_owned();
            }
            match order.check() {
                Ok(()) => Ok(order),
                Err(error) => Err(Mistake::of_error(line, &order, &error)),
            }
        });
        match checked {
            Ok(order) => file.orders.push((line, order)),
            Err(mistake) => file.mistakes.push(mistake),
        }
    }
    file
}

impl Mistake {
    /// Creates a mistake of an order in this line.
    #[must_use]
    pub fn of(line: u64, order: &Order, why: &str) -> Self {
        let why = match order.id.is_empty() {
            true => why.to_owned(),
            false => format!("order {}: {why}", order.id),
        };
        Self { line, why }
    }

    /// Creates the mistake for an error of [`Order::check`] or [`Order::check_reachable`].
    #[must_use]
    pub fn of_error(line: u64, order: &Order, error: &Error) -> Self {
        Self::of(line, order, &reasons(error))
    }
}

/// Returns an error's reasons about fields and its detail, without its kind.
pub(crate) fn reasons(error: &Error) -> String {
    let fields = error.fields().iter().map(|(field, whys)| format!("{field}: {}", whys.join(", ")));
    let parts: Vec<_> = fields.chain(error.detail().map(str::to_owned)).collect();
    if parts.is_empty() { error.to_string() } else { parts.join("; ") }
}

type Line = (u64, Result<Order, String>);

/// The columns of a CSV file. Only `id` and `key` are needed.
const COLUMNS: [&str; 8] = ["id", "profile", "key", "plan", "country", "wanted", "end", "revision"];

/// The columns that an export has besides.
const EXPORTED: [&str; 3] = ["state", "reason", "password"];

fn csv_orders(input: impl Read, ignored: &mut Vec<&'static str>) -> Vec<Line> {
    /// An order as in a row of CSV, where empty cells count as absent.
    #[derive(Deserialize)]
    struct Row {
        id: String,
        #[serde(default)]
        profile: String,
        key: String,
        plan: Option<String>,
        country: Option<String>,
        wanted: Option<Wanted>,
        end: Option<End>,
        revision: Option<u32>,
    }
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(input);
    let headers = match reader.headers() {
        Ok(headers) => headers.clone(),
        Err(error) => return vec![(1, Err(csv_reason(&error)))],
    };
    let is_known = |header: &&str| COLUMNS.contains(header) || EXPORTED.contains(header);
    if let Some(unknown) = headers.iter().find(|header| !is_known(header)) {
        let why = format!("unknown column {unknown:?}; known are {}", COLUMNS.join(", "));
        return vec![(1, Err(why))];
    }
    ignored.extend(EXPORTED.into_iter().filter(|name| headers.iter().any(|it| it == *name)));
    let state = headers.iter().position(|header| header == "state");
    let is_released =
        |record: &csv::StringRecord| state.and_then(|at| record.get(at)) == Some("released");
    let line_of = |position: Option<&csv::Position>| position.map_or(0, csv::Position::line);
    let rows = reader.into_records();
    let rows = rows.filter(|record| !record.as_ref().is_ok_and(is_released));
    let rows = rows.map(|record| match record {
        Ok(record) => {
            let row = record.deserialize::<Row>(Some(&headers)).map_err(|e| csv_reason(&e));
            let order = row.map(|row| {
                let mut order = Order::new(row.id, row.profile, row.key);
                (order.plan, order.country, order.end) = (row.plan, row.country, row.end);
                order.wanted = row.wanted.unwrap_or_default();
                order.revision = row.revision.unwrap_or(order.revision);
                order
            });
            (line_of(record.position()), order)
        }
        Err(error) => (line_of(error.position()), Err(csv_reason(&error))),
    });
    rows.collect()
}

fn csv_reason(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::Deserialize { err, .. } => err.kind().to_string(),
        _ => error.to_string(),
    }
}

fn json_orders(input: impl Read) -> Vec<Line> {
    let mut reader = std::io::BufReader::new(input);
    let mut lines = Vec::new();
    let mut line = String::new();
    for number in 1.. {
        line.clear();
        match reader.by_ref().take(LONGEST).read_line(&mut line) {
            Ok(0) => break,
            Ok(read) if read as u64 == LONGEST => {
                lines.push((number, Err("the line is longer than 64 KiB".to_owned())));
                break;
            }
            Ok(_) if line.trim().is_empty() => {}
            Ok(_) => lines.push((number, serde_json::from_str(&line).map_err(|e| e.to_string()))),
            Err(error) => {
                lines.push((number, Err(error.to_string())));
                break;
            }
        }
    }
    lines
}
