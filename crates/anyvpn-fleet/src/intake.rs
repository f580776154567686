//! Reads orders from CSV and JSON lines.

use std::fmt;
use std::io::{BufRead, Read};

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

/// Reads all orders of a file, each with its line. An order without a profile gets `profile`.
///
/// # Errors
///
/// Returns all mistakes in the file.
pub fn read_orders(
    input: impl Read,
    format: Format,
    profile: Option<&str>,
) -> Result<Vec<(u64, Order)>, Vec<Mistake>> {
    let read = match format {
        Format::Csv => csv_orders(input),
        Format::JsonLines => json_orders(input),
    };
    let (mut orders, mut mistakes) = (Vec::new(), Vec::new());
    for (line, order) in read {
        let checked = order.and_then(|mut order: Order| {
            if order.profile.is_empty() {
                order.profile = profile.unwrap_or_default().to_owned();
            }
            order.check().map_err(|error| reasons(&error))?;
            Ok(order)
        });
        match checked {
            Ok(order) => orders.push((line, order)),
            Err(why) => mistakes.push(Mistake { line, why }),
        }
    }
    if mistakes.is_empty() { Ok(orders) } else { Err(mistakes) }
}

/// Returns an error's reasons about fields and its detail, without its kind.
pub(crate) fn reasons(error: &anyvpn_core::Error) -> String {
    let fields = error.fields().iter().map(|(field, whys)| format!("{field}: {}", whys.join(", ")));
    let parts: Vec<_> = fields.chain(error.detail().map(str::to_owned)).collect();
    if parts.is_empty() { error.to_string() } else { parts.join("; ") }
}

type Line = (u64, Result<Order, String>);

/// The columns of a CSV file. Only `id` and `key` are needed.
const COLUMNS: [&str; 8] = ["id", "profile", "key", "plan", "country", "wanted", "end", "revision"];

fn csv_orders(input: impl Read) -> Vec<Line> {
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
    if let Some(unknown) = headers.iter().find(|header| !COLUMNS.contains(header)) {
        let why = format!("unknown column {unknown:?}; known are {}", COLUMNS.join(", "));
        return vec![(1, Err(why))];
    }
    let line_of = |position: Option<&csv::Position>| position.map_or(0, csv::Position::line);
    let rows = reader.into_records().map(|record| match record {
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
