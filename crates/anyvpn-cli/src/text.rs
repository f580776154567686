//! Text for people: escaping, shell quoting, times, tables and spelling suggestions.

use std::env;
use std::fs::Metadata;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

/// Escapes control characters, so that a text from anywhere is safe to print.
pub use anyvpn::escape_invisible as plain;
use anyvpn::{Clock as _, Timestamp};
use anyvpn_http::{SystemClock, system_message};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, TableStyle};
use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};
use strsim::osa_distance;
use terminal_size::{Height, Width, terminal_size_of};

use crate::style::Style;

/// The width without a terminal.
const WIDTH: u16 = 80;
/// The smallest width of tables. On narrower terminals, lines wrap.
const LEAST_WIDTH: u16 = 40;
/// The maximum length of a table's cell in characters. The time to wrap a cell grows with the square of
/// its length, so we cut longer ones. `--json` has the whole text.
const LONGEST_CELL: usize = 300;
/// The maximum length of a listing's value in characters. A value can be a whole configuration.
const LONGEST_VALUE: usize = 10_000;
/// The size limit in bytes of a file that `TZ` names. Real time zone files have a few thousand bytes.
const LONGEST_ZONE: u64 = 1 << 20;

/// Quotes a text as one word of a shell command.
pub fn shell_word(text: &str) -> String {
    // Only a NUL cannot be quoted, but a NUL cannot be part of an argument anyway.
    shlex::try_quote(text).map_or_else(|_| "?".to_owned(), Into::into)
}

/// Quotes a path as one word of a shell command. A bare file name gets `./`, so that wg-quick does not
/// read it as the name of an interface.
pub fn path_word(path: &Path) -> String {
    let has_folder = path.parent().is_some_and(|folder| !folder.as_os_str().is_empty());
    let begin = if has_folder { "" } else { "./" };
    shell_word(&format!("{begin}{}", path.display()))
}

/// Writes a command of this program that the user can copy into a shell. `values` may come from anywhere,
/// and are quoted so that they are neither shell code nor options.
pub fn command_line(words: &[&str], values: &[&str]) -> String {
    let end_of_options = values.iter().any(|value| value.starts_with('-')).then_some("--");
    let all = ["anyvpn"].iter().chain(words).chain(&end_of_options).chain(values);
    all.map(|word| shell_word(word)).collect::<Vec<_>>().join(" ")
}

/// A path in JSON: a string, or an object with its bytes in base64 if it is not UTF-8.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct ShownPath(PathBuf);

impl<T: AsRef<Path>> From<T> for ShownPath {
    fn from(path: T) -> Self {
        Self(path.as_ref().to_owned())
    }
}

impl std::fmt::Display for ShownPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.display().fmt(f)
    }
}

impl Serialize for ShownPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.to_str() {
            Some(text) => serializer.serialize_str(text),
            None => {
                let bytes = BASE64_STANDARD.encode(self.0.as_os_str().as_encoded_bytes());
                serializer.collect_map([("base64", bytes)])
            }
        }
    }
}

/// Describes an I/O error without its error number.
pub fn reason(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "no such file or folder",
        ErrorKind::PermissionDenied => "permission denied",
        ErrorKind::AlreadyExists => "it already exists",
        ErrorKind::IsADirectory => "it is a folder",
        ErrorKind::StorageFull => "the disk is full",
        ErrorKind::QuotaExceeded => "your disk quota is used up",
        ErrorKind::ReadOnlyFilesystem => "the disk is read-only",
        ErrorKind::InvalidData => "it is not UTF-8 text",
        ErrorKind::FileTooLarge => "it is too large",
        ErrorKind::InvalidFilename => "the name is too long or invalid",
        // The message of a lock says which file it waited for.
        ErrorKind::TimedOut if error.get_ref().is_some() => return error.to_string(),
        ErrorKind::AddrInUse => "the address is already in use",
        ErrorKind::AddrNotAvailable => "this machine does not have that address",
        _ => return system_message(error),
    }
    .to_owned()
}

/// Returns the width for the answer, in columns.
pub fn width() -> u16 {
    usable(terminal_size_of(io::stdout()))
}

/// Returns the height of the terminal that shows the answer, in lines. `None` without a terminal.
pub fn height() -> Option<u16> {
    terminal_size_of(io::stdout()).map(|(_, height)| height.0)
}

/// Returns the width of stderr, in columns.
pub fn stderr_width() -> u16 {
    usable(terminal_size_of(io::stderr()))
}

fn usable(size: Option<(Width, Height)>) -> u16 {
    size.map_or(WIDTH, |(width, _)| width.0.max(LEAST_WIDTH))
}

/// Writes a time in the user's time zone, and how far away it is.
pub fn when(time: Timestamp) -> String {
    format!("{} ({})", local(time, zone()), age(time))
}

/// Returns the user's time zone. It is unknown if `TZ` names a file that is too large to be a time zone,
/// such as a device that never ends.
fn zone() -> TimeZone {
    let named = env::var("TZ").unwrap_or_default();
    let named = Path::new(named.trim_start_matches(':'));
    let folder = env::var_os("TZDIR").map(PathBuf::from).unwrap_or_default();
    let is_endless = |path: &Path| {
        // A folder cannot be read without end, and the current folder may have one with the name of a
        // zone.
        let is_unusual = |found: &Metadata| !found.is_file() || found.len() > LONGEST_ZONE;
        path.metadata().is_ok_and(|found| !found.is_dir() && is_unusual(&found))
    };
    if is_endless(named) || is_endless(&folder.join(named)) {
        return TimeZone::unknown();
    }
    TimeZone::system()
}

fn local(time: Timestamp, zone: TimeZone) -> String {
    // An unknown zone would be printed without a name, so we use UTC.
    let zone = if zone.is_unknown() { TimeZone::UTC } else { zone };
    time.to_zoned_datetime(zone).strftime("%Y-%m-%d %H:%M %Z").to_string()
}

/// Says how far away a time is.
pub fn age(time: Timestamp) -> String {
    distance(time, SystemClock.now())
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

/// A column of a table with its title.
pub enum Column<'a> {
    Text(&'a str),
    /// Text that is never wrapped.
    Whole(&'a str),
    Number(&'a str),
    /// The name of a state, which can have a style.
    State(&'a str),
}

impl<'a> Column<'a> {
    fn title(&self) -> &'a str {
        match self {
            Self::Text(title) | Self::Whole(title) | Self::Number(title) | Self::State(title) => {
                title
            }
        }
    }
}

/// Writes a table that fits the terminal. Cells may have several lines. Empty columns are omitted.
pub fn table(columns: &[Column], rows: Vec<Vec<String>>) -> String {
    let width = width();
    let mut table = empty_table(width);
    let used = columns.iter().enumerate();
    let used = used.filter(|(index, _)| rows.iter().any(|row| !row[*index].is_empty()));
    let used: Vec<(usize, &Column)> = used.collect();
    let title = |column: &Column| Style::Title.apply(&safe(column.title(), LONGEST_CELL));
    table.set_header(used.iter().map(|(_, column)| title(column)));
    for row in &rows {
        let cells = used.iter().map(|(index, column)| match column {
            Column::State(_) => state(&row[*index], &row[*index]),
            _ => safe(&row[*index], LONGEST_CELL),
        });
        table.add_row(cells.collect::<Vec<_>>());
    }
    for (index, (_, column)) in used.iter().enumerate() {
        match (column, table.column_mut(index)) {
            (Column::Number(_), Some(column)) => {
                column.set_cell_alignment(CellAlignment::Right);
            }
            // On a narrow terminal, the other columns need the space.
            (Column::Whole(_), Some(column)) if width >= WIDTH => {
                column.set_constraint(ColumnConstraint::ContentWidth);
            }
            _ => {}
        }
    }
    pad(&mut table);
    table.trim_fmt()
}

/// A value of a listing.
pub struct Value {
    text: String,
}

impl<T: AsRef<str>> From<T> for Value {
    fn from(text: T) -> Self {
        Self { text: safe(text.as_ref(), LONGEST_VALUE) }
    }
}

impl Value {
    /// Creates a value with the style of the state that it contains.
    pub fn with_state(text: &str, state_in_it: &str) -> Self {
        Self { text: state(text, state_in_it) }
    }
}

/// Writes names and their values, one pair a line.
pub fn listing<V: Into<Value>>(pairs: Vec<(&str, V)>) -> String {
    let mut table = empty_table(width());
    for (name, value) in pairs {
        table.add_row([safe(name, LONGEST_CELL), value.into().text]);
    }
    pad(&mut table);
    table.trim_fmt()
}

/// Escapes control characters, and cuts a text to `longest` characters.
fn safe(cell: &str, longest: usize) -> String {
    let end = cell.char_indices().nth(longest).map(|(end, _)| end);
    let shown = end.map_or(cell, |end| &cell[..end]);
    let shown = shown.lines().map(plain).collect::<Vec<_>>().join("\n");
    if end.is_some() { shown + "…" } else { shown }
}

fn state(text: &str, state: &str) -> String {
    let text = safe(text, LONGEST_CELL);
    match Style::for_state(state) {
        Some(style) => style.apply(&text),
        None => text,
    }
}

fn empty_table(width: u16) -> Table {
    let mut table = Table::new();
    table
        .load_style(TableStyle::new())
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width);
    table
}

/// Puts two spaces between the columns.
fn pad(table: &mut Table) {
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
}

/// Returns the candidate that is most similar to `word`, or `None` if no candidate is similar.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (osa_distance(word, candidate), candidate))
        .filter(|(edits, candidate)| *edits <= candidate.len() / 3)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// Returns the text with its first letter as a capital.
pub fn capitalized(title: &str) -> String {
    let mut letters = title.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::style::render;

    #[test]
    fn control_characters_are_escaped() {
        assert_eq!(plain("a\x1b[2Jb\u{9b}c\u{202e}d\ne é"), r"a\u{1b}[2Jb\u{9b}c\u{202e}d\ne é");
        let cell = vec![vec!["a\x1b]0;x\x07".to_owned()]];
        let drawn = table(&[Column::Text("T")], cell);
        assert_eq!(render(&drawn, false), "T\na\\u{1b}]0;x\\u{7}");
    }

    #[test]
    fn values_in_a_command_line_are_quoted() {
        let line = |value| command_line(&["config", "revoke"], &[value]);
        assert_eq!(line("7"), "anyvpn config revoke 7");
        assert_eq!(line("--help"), "anyvpn config revoke -- --help");
        for value in ["a; b #", "$(b)", "`b`", "it's", "a\nb", "~", "*", "", "a\"b", "é|b"] {
            let words = shlex::split(&line(value)).unwrap();
            assert_eq!(words, ["anyvpn", "config", "revoke", value]);
        }
    }

    /// A message must not format a value into a command itself, because only `command_line` quotes it.
    #[test]
    fn messages_use_command_line_for_commands_with_values() {
        fn scan(folder: &std::path::Path, commands: &[String], found: &mut Vec<String>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    scan(&path, commands, found);
                    continue;
                }
                let source = std::fs::read_to_string(&path).unwrap();
                // Join strings that continue on the next line.
                let source = source.replace("\\\n", "");
                for begun in source.split("anyvpn ").skip(1) {
                    let mut words = begun.split([' ', '"']).filter(|word| !word.is_empty());
                    if !words.next().is_some_and(|word| commands.iter().any(|name| name == word)) {
                        continue;
                    }
                    let value = words.find(|word| {
                        !word.starts_with(|c: char| c.is_ascii_lowercase() || c == '-')
                    });
                    if value.is_some_and(|word| word.starts_with('{')) {
                        let line = begun.lines().next().unwrap_or_default();
                        found.push(format!("{}: anyvpn {line}", path.display()));
                    }
                }
            }
        }
        let all = crate::args::command(&anyvpn::Registry::builtin());
        let commands: Vec<_> =
            all.get_subcommands().map(|command| command.get_name().to_owned()).collect();
        let mut found = Vec::new();
        scan(concat!(env!("CARGO_MANIFEST_DIR"), "/src").as_ref(), &commands, &mut found);
        assert!(found.is_empty(), "{found:#?}");
    }

    #[test]
    fn styles_take_no_space_and_cannot_come_from_a_cell() {
        let cells = vec![vec!["expired".to_owned(), "a\u{2062}b".to_owned()]];
        let drawn = table(&[Column::State("STATE"), Column::Text("T")], cells);
        assert_eq!(render(&drawn, false), "STATE    T\nexpired  a\\u{2062}b");
        assert!(render(&drawn, true).contains("\u{1b}[31mexpired\u{1b}[0m  a"), "{drawn:?}");
    }

    #[test]
    fn long_cells_are_cut() {
        let long = "é".repeat(1 << 20);
        let columns = [Column::Text("T"), Column::State("S"), Column::Text(&long)];
        let drawn = table(&columns, vec![vec![long.clone(), long.clone(), "x".to_owned()]]);
        assert_eq!(drawn.matches('é').count(), 3 * LONGEST_CELL, "{drawn}");
        assert_eq!(drawn.matches('…').count(), 3, "{drawn}");
        let drawn = listing(vec![(&*long, &*long)]);
        assert_eq!(drawn.matches('é').count(), LONGEST_CELL + LONGEST_VALUE);
        let whole = "é".repeat(LONGEST_CELL);
        assert!(!table(&[Column::Text("T")], vec![vec![whole]]).contains('…'));
    }

    #[test]
    fn times_are_in_the_users_zone() {
        let time: Timestamp = "2026-01-31T23:30:45Z".parse().unwrap();
        let stockholm = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        assert_eq!(local(time, stockholm), "2026-02-01 00:30 CET");
        assert_eq!(local(time, TimeZone::unknown()), "2026-01-31 23:30 UTC");
    }

    #[test]
    fn distances_are_in_the_largest_whole_unit() {
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
    fn misspelled_words_are_recognized_but_different_words_are_not() {
        let names = ["create-user", "get-user", "list-ips"];
        assert_eq!(nearest("creat-user", names), Some("create-user"));
        assert_eq!(nearest("list-ip", names), Some("list-ips"));
        assert_eq!(nearest("azrie", ["azire"]), Some("azire"));
        assert_eq!(nearest("frobnicate", names), None);
        assert_eq!(nearest("", names), None);
    }
}
