//! Texts for people: safe to print, times, tables, the word that was meant.

use std::io::{self, ErrorKind};

use anyvpn::Timestamp;
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, TableStyle};

/// The width that everything fits.
const WIDTH: u16 = 80;

/// Whether a terminal would obey or hide the character, or it makes a text look like another one.
pub fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// One line of text, from anywhere, safe to print on a terminal.
pub fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_treacherous(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Why the system did not do something, without its numbers.
pub fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "there is no such file or folder",
        ErrorKind::PermissionDenied => "permission denied",
        ErrorKind::AlreadyExists => "it exists already",
        ErrorKind::IsADirectory => "it is a folder",
        ErrorKind::StorageFull => "the disk is full",
        ErrorKind::QuotaExceeded => "your quota of the disk is used up",
        ErrorKind::ReadOnlyFilesystem => "the disk is read-only",
        ErrorKind::InvalidData => "it is no UTF-8 text",
        ErrorKind::AddrInUse => "another program uses it",
        ErrorKind::AddrNotAvailable => "this machine has no such address",
        other => return other.to_string(),
    }
    .to_owned()
}

/// A time, and how far away it is.
pub fn when(time: Timestamp) -> String {
    format!("{time} ({})", age(time))
}

/// How far away a time is.
pub fn age(time: Timestamp) -> String {
    distance(time, Timestamp::now())
}

fn distance(time: Timestamp, now: Timestamp) -> String {
    let seconds = time.as_second() - now.as_second();
    if seconds == 0 {
        return "now".to_owned();
    }
    let away = seconds.unsigned_abs();
    let (count, unit) = match away {
        0..60 => (away, "second"),
        60..3600 => (away / 60, "minute"),
        3600..86_400 => (away / 3600, "hour"),
        _ => (away / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    if seconds < 0 {
        format!("{count} {unit}{plural} ago")
    } else {
        format!("in {count} {unit}{plural}")
    }
}

/// A table's column: its title, and what it holds.
pub enum Column {
    Text(&'static str),
    /// Text that is never wrapped.
    Whole(&'static str),
    Number(&'static str),
}

/// A table that fits 80 columns. Cells may have several lines.
pub fn table(columns: &[Column], rows: Vec<Vec<String>>) -> String {
    let mut table = plain_table(rows);
    table.set_header(columns.iter().map(|column| match column {
        Column::Text(title) | Column::Whole(title) | Column::Number(title) => *title,
    }));
    for (index, column) in columns.iter().enumerate() {
        match (column, table.column_mut(index)) {
            (Column::Number(_), Some(it)) => {
                it.set_cell_alignment(CellAlignment::Right);
            }
            (Column::Whole(_), Some(it)) => {
                it.set_constraint(ColumnConstraint::ContentWidth);
            }
            _ => {}
        }
    }
    pad(&mut table);
    table.trim_fmt()
}

/// Names and their values, one a line.
pub fn listing(pairs: Vec<(&str, String)>) -> String {
    let rows = pairs.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect();
    let mut table = plain_table(rows);
    pad(&mut table);
    table.trim_fmt()
}

fn plain_table(rows: Vec<Vec<String>>) -> Table {
    let safe = |cell: String| cell.lines().map(plain).collect::<Vec<_>>().join("\n");
    let mut table = Table::new();
    table
        .load_style(TableStyle::new())
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(WIDTH);
    for row in rows {
        table.add_row(row.into_iter().map(safe).collect::<Vec<_>>());
    }
    table
}

/// Two spaces between the columns, none before the first.
fn pad(table: &mut Table) {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
}

/// The candidate that was probably meant by `word`; `None` when none is near.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (edits(word, candidate), candidate))
        .filter(|(edits, candidate)| *edits <= candidate.len() / 3)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// How many letters must be added, removed or replaced to make one word of the other.
fn edits(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (i, a) in one.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in other.chars().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_reaches_the_terminal_that_it_would_obey() {
        assert_eq!(plain("a\x1b[2Jb\u{9b}c\u{202e}d\ne é"), r"a\u{1b}[2Jb\u{9b}c\u{202e}d\ne é");
        let cell = vec![vec!["a\x1b]0;x\x07".to_owned()]];
        assert_eq!(table(&[Column::Text("T")], cell), "T\na\\u{1b}]0;x\\u{7}");
    }

    #[test]
    fn distances_count_in_the_largest_whole_unit() {
        let now = Timestamp::UNIX_EPOCH;
        let at = |seconds: i64| distance(Timestamp::from_second(seconds).unwrap(), now);
        assert_eq!(at(30 * 86_400 - 1), "in 29 days");
        assert_eq!(at(86_400), "in 1 day");
        assert_eq!(at(7_199), "in 1 hour");
        assert_eq!(at(-120), "2 minutes ago");
        assert_eq!(at(0), "now");
        assert_eq!(distance(Timestamp::MAX, Timestamp::MIN), "in 7304481 days");
    }

    #[test]
    fn a_slip_is_recognized_and_another_word_is_not() {
        let names = ["create-user", "get-user", "list-ips"];
        assert_eq!(nearest("creat-user", names), Some("create-user"));
        assert_eq!(nearest("list-ip", names), Some("list-ips"));
        assert_eq!(nearest("frobnicate", names), None);
        assert_eq!(nearest("", names), None);
    }
}
