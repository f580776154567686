//! The error type of the command, with its forms for people and for programs.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyvpn::{Error, ErrorKind, Leftover, ProviderInfo};
use serde::Serialize;

use crate::advice::{About, advice, seconds};
use crate::text::{command_line, plain};

/// The maximum number of lines of an error message.
const MAX_LINES: usize = 4;

/// The error of a command.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.what())]
pub struct Failure {
    cause: Cause,
    about: Box<About>,
    hint: Option<String>,
    /// The larger task in which it occurred.
    within: Option<Box<str>>,
    /// Details that only `--json` prints.
    detail: Option<Box<str>>,
    /// Leftovers at the provider, in addition to those that the library's error names.
    left_behind: Vec<Leftover>,
}

#[derive(Debug)]
enum Cause {
    /// An error of the library.
    Library(Error),
    /// An error of the command itself: the arguments, a file or the terminal.
    Own { kind: Kind, what: String },
    /// The reader of stdout is gone. This is not an error.
    ClosedPipe,
    /// The command succeeded and printed its answer, which is also its exit code.
    Answered(u8),
}

/// A kind of error that only the command has.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Usage,
    Unsupported,
    NotFound,
    Other,
    /// A signal arrived.
    Interrupted(i32),
}

/// A kind of error with its meaning and exit code.
#[derive(Serialize)]
pub struct Meaning {
    pub kind: &'static str,
    pub meaning: String,
    pub exit_code: u8,
}

impl Meaning {
    /// Lists all kinds: those of the library, then those of the command.
    pub fn all() -> Vec<Self> {
        let own = [Kind::Unsupported, Kind::Usage, Kind::Other, Kind::Interrupted(0)];
        let own = own.map(Kind::meaning);
        ErrorKind::ALL.iter().copied().map(Self::of).chain(own).collect()
    }

    fn of(kind: ErrorKind) -> Self {
        Self { kind: kind.name(), meaning: kind.to_string(), exit_code: kind.exit_code() }
    }
}

impl Kind {
    fn meaning(self) -> Meaning {
        let (kind, meaning, exit_code) = match self {
            Self::Usage => ("usage", "invalid command line", 2),
            Self::Unsupported => ("unsupported", "the provider does not support this", 5),
            Self::Other => ("other", "a local error: file, terminal or network setup", 1),
            // On systems with signals, the signal itself ends the process.
            Self::Interrupted(_) => ("interrupted", "ended by a signal, such as Ctrl-C", 130),
            Self::NotFound => return Meaning::of(ErrorKind::NotFound),
        };
        Meaning { kind, meaning: meaning.to_owned(), exit_code }
    }
}

impl Failure {
    /// Creates a failure about invalid arguments or input.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::own(Kind::Usage, what)
    }

    /// Creates a failure about something that the provider does not support.
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::own(Kind::Unsupported, what)
    }

    /// Creates a failure about something that does not exist.
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::own(Kind::NotFound, what)
    }

    /// Creates a failure about this machine, such as a file or the terminal.
    pub fn other(what: impl Into<String>) -> Self {
        Self::own(Kind::Other, what)
    }

    /// Creates the failure for a signal.
    pub fn interrupted(signal: i32, what: impl Into<String>) -> Self {
        Self::own(Kind::Interrupted(signal), what)
    }

    /// Returns the signal that interrupted the command.
    pub fn signal(&self) -> Option<i32> {
        match self.cause {
            Cause::Own { kind: Kind::Interrupted(signal), .. } => Some(signal),
            _ => None,
        }
    }

    /// Creates the failure for a reader of stdout that is gone.
    pub fn closed_pipe() -> Self {
        Self::new(Cause::ClosedPipe)
    }

    /// Creates the result of a command whose exit code is part of its answer.
    pub fn answered(exit_code: u8) -> Self {
        Self::new(Cause::Answered(exit_code))
    }

    fn own(kind: Kind, what: impl Into<String>) -> Self {
        Self::new(Cause::Own { kind, what: what.into() })
    }

    fn new(cause: Cause) -> Self {
        let about = Box::default();
        Self { cause, about, hint: None, within: None, detail: None, left_behind: Vec::new() }
    }

    /// Sets the hint that says what to do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Sets details that only `--json` prints.
    pub fn detail(mut self, detail: impl Into<Box<str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Names the larger task in which the failure occurred.
    pub fn within(mut self, whole: impl Into<Box<str>>) -> Self {
        self.within = Some(whole.into());
        self
    }

    /// Adds a change that was made although the command failed, and what to do about it.
    ///
    /// In that case a broken pipe is reported instead of ignored.
    pub fn leaving(self, what: &str, hint: impl Into<String>) -> Self {
        let kind = match &self.cause {
            Cause::Own { kind, .. } => *kind,
            _ => Kind::Other,
        };
        let after = self.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
        let left = Self::own(kind, format!("{}; {what}", self.what()));
        let hint = format!("{}{after}", hint.into());
        let left_behind = self.left_behind().cloned().collect();
        Self { hint: Some(hint), about: self.about, detail: self.detail, left_behind, ..left }
    }

    /// Adds something that exists at the provider although the command failed.
    pub fn with_leftover(mut self, leftover: Leftover) -> Self {
        self.left_behind.push(leftover);
        self
    }

    /// Lists everything that exists at the provider although the command failed.
    fn left_behind(&self) -> impl Iterator<Item = &Leftover> {
        let known = match &self.cause {
            Cause::Library(error) => error.left_behind(),
            _ => &[],
        };
        known.iter().chain(&self.left_behind)
    }

    /// Returns the kind of the library's error, if it is one.
    pub fn library_kind(&self) -> Option<ErrorKind> {
        match &self.cause {
            Cause::Library(error) => Some(error.kind()),
            _ => None,
        }
    }

    /// Sets the provider, for errors that do not name one.
    pub fn of(self, provider: &'static ProviderInfo) -> Self {
        let about = About { provider: Some(provider), ..About::default() };
        self.about(about)
    }

    /// Sets the situation that decides the hint.
    pub fn about(mut self, about: About) -> Self {
        *self.about = about;
        self
    }

    /// Whether something was not found.
    pub fn is_not_found(&self) -> bool {
        self.kind() == ErrorKind::NotFound.name()
    }

    /// Sets the hint, if something was not found.
    pub fn where_missing(self, hint: &str) -> Self {
        if self.is_not_found() { self.hint(hint) } else { self }
    }

    pub fn is_closed_pipe(&self) -> bool {
        matches!(self.cause, Cause::ClosedPipe)
    }

    /// Whether the failure has no message.
    pub fn is_silent(&self) -> bool {
        matches!(self.cause, Cause::ClosedPipe | Cause::Answered(_))
    }

    /// Returns the exit code.
    pub fn exit(&self) -> ExitCode {
        ExitCode::from(match &self.cause {
            Cause::Library(error) => error.kind().exit_code(),
            Cause::Own { kind, .. } => kind.meaning().exit_code,
            Cause::ClosedPipe => 0,
            Cause::Answered(exit_code) => *exit_code,
        })
    }

    /// Writes at most four lines: what failed, the vendor's message, the details, and a hint. If there is
    /// room, a line says how to read more; otherwise the last line does.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("error: {}", self.what())];
        if let Cause::Library(error) = &self.cause {
            if let Some(message) = error.message() {
                let code = error.code().map(|code| format!(" [{code}]"));
                let provider = self.provider_title().unwrap_or("the provider");
                lines.push(format!("  {provider} says: \"{message}\"{}", code.unwrap_or_default()));
            }
            let fields = error.fields().iter();
            let fields = fields.map(|(field, whys)| format!("{field}: {}", whys.join(" ")));
            let left = error.left_behind().iter();
            let left = left.map(|leftover| format!("still at the provider: {leftover}"));
            let detail = error.detail().map(str::to_owned);
            let where_: Vec<_> = fields.chain(detail).chain(left).collect();
            if !where_.is_empty() {
                lines.push(format!("  {}", where_.join("; ")));
            }
        }
        if let Some(hint) = self.next() {
            lines.push(format!("  hint: {hint}"));
        }
        let full = lines.len() == MAX_LINES;
        match (self.has_more().then(|| self.more()), lines.last_mut()) {
            (Some(more), Some(last)) if full => last.push_str(&format!(" (more: {more})")),
            (Some(more), _) => lines.push(format!("  more: {more}")),
            (None, _) => {}
        }
        lines.iter().map(|line| plain(line)).collect()
    }

    /// Returns the object that `--json` prints.
    pub fn report(&self) -> Report<'_> {
        Report { error: self.details() }
    }

    /// Returns the content of that object.
    pub fn details(&self) -> Details<'_> {
        let error = match &self.cause {
            Cause::Library(error) => Some(error),
            _ => None,
        };
        let message = error.and_then(Error::message).map(str::to_owned);
        Details {
            kind: self.kind(),
            provider: self.provider(),
            operation: error.and_then(Error::operation).map(|id| id.to_string()),
            status: error.and_then(Error::status),
            code: error.and_then(Error::code),
            // The operation and the status have their own properties.
            message: match (error, message) {
                (_, Some(message)) => message,
                (Some(error), None) => error.kind().to_string(),
                (None, None) => self.what(),
            },
            hint: self.next(),
            more: self.more(),
            fields: error.map(Error::fields).filter(|fields| !fields.is_empty()),
            detail: error.and_then(Error::detail).or(self.detail.as_deref()),
            retry_after_seconds: error.and_then(Error::retry_after).map(seconds),
            left_behind: self.left_behind().map(LeftBehind::from).collect(),
        }
    }

    fn kind(&self) -> &'static str {
        match &self.cause {
            Cause::Library(error) => error.kind().name(),
            Cause::Own { kind, .. } => kind.meaning().kind,
            Cause::ClosedPipe => "closed-pipe",
            Cause::Answered(_) => "answered",
        }
    }

    fn more(&self) -> String {
        command_line(&["explain", self.kind()], &[])
    }

    /// Whether `explain` says more than the message.
    fn has_more(&self) -> bool {
        !matches!(
            &self.cause,
            Cause::Own { kind: Kind::Usage | Kind::Other | Kind::Interrupted(_), .. }
        )
    }

    /// Describes the failure in a sentence without a period.
    fn what(&self) -> String {
        let within = self.within.as_ref().map(|whole| format!("{whole}: "));
        let what = match &self.cause {
            Cause::Library(error) => {
                let operation = error.operation().map(|id| format!("{id}: "));
                let status = error.status().map(|status| format!(" (HTTP {status})"));
                format!(
                    "{}{}{}",
                    operation.unwrap_or_default(),
                    error.kind(),
                    status.unwrap_or_default()
                )
            }
            Cause::Own { what, .. } => what.clone(),
            Cause::ClosedPipe => "the reader of stdout is gone".to_owned(),
            Cause::Answered(_) => "the answer was printed".to_owned(),
        };
        format!("{}{what}", within.unwrap_or_default())
    }

    /// Returns the provider's short name.
    fn provider(&self) -> Option<&'static str> {
        let named = match &self.cause {
            Cause::Library(error) => error.operation().map(|id| id.provider()),
            _ => None,
        };
        named.or(self.about.provider.map(|info| info.name))
    }

    /// Returns the provider's title, or its short name if the title is not known.
    fn provider_title(&self) -> Option<&'static str> {
        let name = self.provider()?;
        Some(self.about.provider.filter(|info| info.name == name).map_or(name, |info| info.title))
    }

    fn next(&self) -> Option<String> {
        match (&self.hint, &self.cause) {
            (Some(hint), _) => Some(hint.clone()),
            (None, Cause::Library(error)) => Some(advice(error, &self.about)),
            (None, _) => None,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(Cause::Library(error))
    }
}

/// An error in JSON.
#[derive(Serialize)]
pub struct Report<'a> {
    error: Details<'a>,
}

#[derive(Serialize)]
pub struct Details<'a> {
    kind: &'static str,
    provider: Option<&'static str>,
    operation: Option<String>,
    status: Option<u16>,
    code: Option<&'a str>,
    message: String,
    hint: Option<String>,
    /// The command that explains the kind of error.
    more: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<&'a BTreeMap<String, Vec<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_behind: Vec<LeftBehind<'a>>,
}

/// A leftover at the provider.
#[derive(Serialize)]
struct LeftBehind<'a> {
    kind: &'static str,
    id: &'a str,
}

impl<'a> From<&'a Leftover> for LeftBehind<'a> {
    fn from(leftover: &'a Leftover) -> Self {
        Self { kind: leftover.kind.name(), id: leftover.id() }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyvpn::OperationId;

    use super::*;

    #[test]
    fn the_exit_codes_of_the_library_are_from_2_to_9() {
        for kind in ErrorKind::ALL {
            assert!((2..=9).contains(&kind.exit_code()), "{kind:?}");
        }
        assert_eq!(ErrorKind::Unauthorized.exit_code(), 3);
        assert_eq!(ErrorKind::Ambiguous.exit_code(), 9);
    }

    #[test]
    fn every_kind_has_a_page_in_the_guide_with_its_exit_code() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors");
        let read = |page: &str| std::fs::read_to_string(format!("{folder}{page}.md")).unwrap();
        let all = read("");
        for Meaning { kind: name, meaning, exit_code } in Meaning::all() {
            let page = read(&format!("/{name}"));
            let origin = match ErrorKind::ALL.iter().find(|kind| kind.name() == name) {
                Some(kind) => format!("In a program: `ErrorKind::{kind:?}`."),
                None => "Only the command `anyvpn` reports this error, never a library.".to_owned(),
            };
            let begin = format!("# `{name}`: {meaning}\n\nExit code {exit_code}. {origin}");
            assert!(page.starts_with(&begin), "docs/errors/{name}.md must begin with:\n{begin}");
            for part in ["\n## Likely causes\n", "\n## What to do\n"] {
                assert!(page.contains(part), "docs/errors/{name}.md: no{part}");
            }
            let row = format!("| [`{name}`](errors/{name}.md) | {meaning} | {exit_code} |");
            assert!(all.contains(&row), "docs/errors.md must have the line:\n{row}");
        }
        // There is no page without a kind.
        let pages = std::fs::read_dir(folder).unwrap().count();
        assert_eq!(pages, Meaning::all().len());
    }

    #[test]
    fn a_detailed_error_has_four_lines_without_control_characters() {
        let error = Error::new(ErrorKind::RateLimited)
            .with_operation(OperationId::new("azire", "get-user"))
            .with_status(429)
            .with_code("E7")
            .with_message("slow\x1b[31m\ndown")
            .with_detail("a\nb")
            .with_field("port", "is odd")
            .with_retry_after(Some(Duration::from_millis(1500)));
        let azire = anyvpn::Registry::builtin().info("azire").unwrap();
        let lines = Failure::from(error).of(azire).lines();
        assert_eq!(
            lines,
            [
                "error: azire.get-user: too many requests (HTTP 429)",
                r#"  AzireVPN says: "slow [31m down" [E7]"#,
                "  port: is odd; a b",
                "  hint: wait 2 s, then try again (more: anyvpn explain rate-limited)",
            ]
        );
    }

    #[test]
    fn the_explain_command_gets_a_line_if_there_is_room() {
        let lines = Failure::from(Error::new(ErrorKind::Pending)).lines();
        assert_eq!(lines.last().map(String::as_str), Some("  more: anyvpn explain pending"));
        assert_eq!(Failure::usage("x").lines(), ["error: x"]);
    }
}
