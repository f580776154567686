//! Why a command did not do what it was asked, for people and for programs.

use std::collections::BTreeMap;
use std::process::ExitCode;

use anyvpn::{Error, ErrorKind, Leftover, ProviderInfo};
use serde::Serialize;

use crate::advice::{About, advice, seconds};
use crate::text::{command_line, plain};

/// The most lines that a failure has.
const MOST: usize = 4;

/// Why a command did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.what())]
pub struct Failure {
    cause: Cause,
    about: Box<About>,
    hint: Option<String>,
    /// What it was a part of.
    part_of: Option<Box<str>>,
    /// What `--json` tells beside the message.
    detail: Option<Box<str>>,
    /// What exists at the provider nevertheless, beside what the library's error knows of.
    left_behind: Vec<Leftover>,
}

#[derive(Debug)]
enum Cause {
    /// The library's.
    Library(Error),
    /// The command's own: what was typed, a file, the terminal.
    Own { kind: Kind, what: String },
    /// Nobody reads the answer any more, which is no error.
    ClosedPipe,
    /// Nothing failed: the answer was printed, and the exit code repeats it.
    Answered(u8),
}

/// What the command finds out itself.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Usage,
    Unsupported,
    NotFound,
    Other,
    /// By this signal.
    Interrupted(i32),
}

/// A kind of failure, as people and scripts know it.
#[derive(Serialize)]
pub struct Meaning {
    pub kind: &'static str,
    pub meaning: String,
    pub exit_code: u8,
}

impl Meaning {
    /// All kinds that a failure can be of: the library's, then those that it has not.
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
            Self::Unsupported => ("unsupported", "the provider has no such thing", 5),
            Self::Other => ("other", "a local error: file, terminal or network setup", 1),
            // For systems without signals; elsewhere the signal itself ends the process.
            Self::Interrupted(_) => ("interrupted", "a signal ended it, such as Ctrl-C", 130),
            Self::NotFound => return Meaning::of(ErrorKind::NotFound),
        };
        Meaning { kind, meaning: meaning.to_owned(), exit_code }
    }
}

impl Failure {
    /// Something about what was typed, before anything was done.
    pub fn usage(what: impl Into<String>) -> Self {
        Self::own(Kind::Usage, what)
    }

    /// The provider has no such thing.
    pub fn unsupported(what: impl Into<String>) -> Self {
        Self::own(Kind::Unsupported, what)
    }

    /// What the command needs is not there.
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::own(Kind::NotFound, what)
    }

    /// Something of this machine: a file, the terminal.
    pub fn other(what: impl Into<String>) -> Self {
        Self::own(Kind::Other, what)
    }

    /// A signal ended it.
    pub fn interrupted(signal: i32, what: impl Into<String>) -> Self {
        Self::own(Kind::Interrupted(signal), what)
    }

    /// The signal that ended it.
    pub fn signal(&self) -> Option<i32> {
        match self.cause {
            Cause::Own { kind: Kind::Interrupted(signal), .. } => Some(signal),
            _ => None,
        }
    }

    /// The other end of stdout is gone.
    pub fn closed_pipe() -> Self {
        Self::new(Cause::ClosedPipe)
    }

    /// The answer was printed, and this exit code repeats it.
    pub fn answered(exit_code: u8) -> Self {
        Self::new(Cause::Answered(exit_code))
    }

    fn own(kind: Kind, what: impl Into<String>) -> Self {
        Self::new(Cause::Own { kind, what: what.into() })
    }

    fn new(cause: Cause) -> Self {
        let about = Box::default();
        Self { cause, about, hint: None, part_of: None, detail: None, left_behind: Vec::new() }
    }

    /// Says what to do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds what `--json` tells beside the message.
    pub fn detail(mut self, detail: impl Into<Box<str>>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says what it was a part of, such as which of many.
    pub fn part_of(mut self, whole: impl Into<Box<str>>) -> Self {
        self.part_of = Some(whole.into());
        self
    }

    /// Adds what was done nevertheless, and what to do about it. A closed pipe is no quiet end then.
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

    /// Adds something that exists at the provider nevertheless.
    pub fn with_leftover(mut self, leftover: Leftover) -> Self {
        self.left_behind.push(leftover);
        self
    }

    /// What exists at the provider nevertheless.
    fn left_behind(&self) -> impl Iterator<Item = &Leftover> {
        let known = match &self.cause {
            Cause::Library(error) => error.left_behind(),
            _ => &[],
        };
        known.iter().chain(&self.left_behind)
    }

    /// The kind of the library's error.
    pub fn library_kind(&self) -> Option<ErrorKind> {
        match &self.cause {
            Cause::Library(error) => Some(error.kind()),
            _ => None,
        }
    }

    /// Says which provider it is about, where the error itself does not know.
    pub fn of(self, provider: &'static ProviderInfo) -> Self {
        let about = About { provider: Some(provider), ..About::default() };
        self.about(about)
    }

    /// Says what the advice depends on.
    pub fn about(mut self, about: About) -> Self {
        *self.about = about;
        self
    }

    /// Whether there is no such thing.
    pub fn is_not_found(&self) -> bool {
        self.kind() == ErrorKind::NotFound.name()
    }

    /// Says where to look, when something was not found.
    pub fn where_missing(self, hint: &str) -> Self {
        if self.is_not_found() { self.hint(hint) } else { self }
    }

    pub fn is_closed_pipe(&self) -> bool {
        matches!(self.cause, Cause::ClosedPipe)
    }

    /// Whether there is nothing to tell.
    pub fn is_silent(&self) -> bool {
        matches!(self.cause, Cause::ClosedPipe | Cause::Answered(_))
    }

    /// The exit code that scripts see.
    pub fn exit(&self) -> ExitCode {
        ExitCode::from(match &self.cause {
            Cause::Library(error) => error.kind().exit_code(),
            Cause::Own { kind, .. } => kind.meaning().exit_code,
            Cause::ClosedPipe => 0,
            Cause::Answered(exit_code) => *exit_code,
        })
    }

    /// At most four lines: what failed, the vendor's words, where exactly, what to do next, and how
    /// to read more.
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
            let left = left.map(|leftover| format!("left at the provider: {leftover}"));
            let detail = error.detail().map(str::to_owned);
            let where_: Vec<_> = fields.chain(detail).chain(left).collect();
            if !where_.is_empty() {
                lines.push(format!("  {}", where_.join("; ")));
            }
        }
        if let Some(hint) = self.next() {
            lines.push(format!("  hint: {hint}"));
        }
        let full = lines.len() == MOST;
        match (self.has_more().then(|| self.more()), lines.last_mut()) {
            (Some(more), Some(last)) if full => last.push_str(&format!(" (more: {more})")),
            (Some(more), _) => lines.push(format!("  more: {more}")),
            (None, _) => {}
        }
        lines.iter().map(|line| plain(line)).collect()
    }

    /// The object that `--json` prints.
    pub fn report(&self) -> Report<'_> {
        Report { error: self.details() }
    }

    /// What a report has of the failure.
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
            // The operation and the status stand beside it.
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

    /// Whether there is more to say of its kind than the message says.
    fn has_more(&self) -> bool {
        !matches!(
            &self.cause,
            Cause::Own { kind: Kind::Usage | Kind::Other | Kind::Interrupted(_), .. }
        )
    }

    /// What failed, as one sentence without its end.
    fn what(&self) -> String {
        let part_of = self.part_of.as_ref().map(|whole| format!("{whole}: "));
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
            Cause::ClosedPipe => "nobody reads the answer".to_owned(),
            Cause::Answered(_) => "the answer was printed".to_owned(),
        };
        format!("{}{what}", part_of.unwrap_or_default())
    }

    /// The provider's short name.
    fn provider(&self) -> Option<&'static str> {
        let named = match &self.cause {
            Cause::Library(error) => error.operation().map(|id| id.provider()),
            _ => None,
        };
        named.or(self.about.provider.map(|info| info.name))
    }

    /// The provider's name as its vendor writes it, where that is known.
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

/// The form of an error in JSON.
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
    /// The command that says more about the kind.
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

/// Something that exists at the provider although the command failed.
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
    fn every_kind_has_a_code_of_its_own_class() {
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
                None => "The command finds it out itself.".to_owned(),
            };
            let begin = format!("# `{name}`: {meaning}\n\nExit code {exit_code}. {origin}");
            assert!(page.starts_with(&begin), "docs/errors/{name}.md must begin with:\n{begin}");
            for part in ["\n## Likely causes\n", "\n## What to do\n"] {
                assert!(page.contains(part), "docs/errors/{name}.md: no{part}");
            }
            let row = format!("| [`{name}`](errors/{name}.md) | {meaning} | {exit_code} |");
            assert!(all.contains(&row), "docs/errors.md must have the line:\n{row}");
        }
        // And no page is of a kind that there is not.
        let pages = std::fs::read_dir(folder).unwrap().count();
        assert_eq!(pages, Meaning::all().len());
    }

    #[test]
    fn an_error_that_knows_everything_has_four_lines_without_control_characters() {
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
    fn how_to_read_more_has_a_line_where_there_is_room() {
        let lines = Failure::from(Error::new(ErrorKind::Pending)).lines();
        assert_eq!(lines.last().map(String::as_str), Some("  more: anyvpn explain pending"));
        assert_eq!(Failure::usage("x").lines(), ["error: x"]);
    }
}
