//! Why a command did not do what it was asked, for people and for programs.

use std::collections::BTreeMap;
use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

use anyvpn::{Advice, Error, ErrorKind, ProviderName};
use serde::Serialize;

use crate::profiles::Entry;
use crate::text::plain;

/// Why a command did not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    cause: Cause,
    provider: Option<ProviderName>,
    hint: Option<String>,
    /// What it was a part of.
    part_of: Option<String>,
    /// What `--json` tells beside the message.
    detail: Option<String>,
}

#[derive(Debug)]
enum Cause {
    /// The library's.
    Library(Error),
    /// The command's own: what was typed, a file, the terminal.
    Own { kind: Kind, what: String },
    /// Nobody reads the answer any more, which is no error.
    ClosedPipe,
}

/// What the library has no kind for.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Usage,
    Unsupported,
    NotFound,
    Other,
    /// By this signal.
    Interrupted(i32),
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

    fn own(kind: Kind, what: impl Into<String>) -> Self {
        Self::new(Cause::Own { kind, what: what.into() })
    }

    fn new(cause: Cause) -> Self {
        Self { cause, provider: None, hint: None, part_of: None, detail: None }
    }

    /// Says what to do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds what `--json` tells beside the message.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says what it was a part of, such as which of many.
    pub fn part_of(mut self, whole: impl Into<String>) -> Self {
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
        Self { hint: Some(hint), provider: self.provider, detail: self.detail, ..left }
    }

    /// The kind of the library's error.
    pub fn library_kind(&self) -> Option<ErrorKind> {
        match &self.cause {
            Cause::Library(error) => Some(error.kind()),
            _ => None,
        }
    }

    /// Says which provider it is about, where the error itself does not know.
    pub fn of(mut self, provider: ProviderName) -> Self {
        self.provider = Some(provider);
        self
    }

    /// Says how one signs in to a named profile, when that is what is missing.
    pub fn of_profile(mut self, entry: &Entry) -> Self {
        if let (None, Cause::Library(error)) = (&self.hint, &self.cause)
            && needs_sign_in(error)
        {
            self.hint = sign_in_to(entry);
        }
        self
    }

    /// Says where to look, when something was not found.
    pub fn where_missing(self, hint: &str) -> Self {
        match &self.cause {
            Cause::Library(error) if error.kind() == ErrorKind::NotFound => self.hint(hint),
            _ => self,
        }
    }

    pub fn is_closed_pipe(&self) -> bool {
        matches!(self.cause, Cause::ClosedPipe)
    }

    /// The exit code that scripts see.
    pub fn exit(&self) -> ExitCode {
        ExitCode::from(match &self.cause {
            Cause::Library(error) => code(error.kind()),
            Cause::Own { kind, .. } => match kind {
                Kind::Usage => 2,
                Kind::NotFound => code(ErrorKind::NotFound),
                Kind::Unsupported => 5,
                Kind::Other => 1,
                // For systems without signals; elsewhere the signal itself ends the process.
                Kind::Interrupted(_) => 130,
            },
            Cause::ClosedPipe => 0,
        })
    }

    /// At most four lines: what failed, the vendor's words, where exactly, what to do next.
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
            let where_: Vec<_> = fields.chain(error.detail().map(str::to_owned)).collect();
            if !where_.is_empty() {
                lines.push(format!("  {}", where_.join("; ")));
            }
        }
        if let Some(hint) = self.next() {
            lines.push(format!("  hint: {hint}"));
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
            provider: self.provider().map(ProviderName::as_str),
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
            fields: error.map(Error::fields).filter(|fields| !fields.is_empty()),
            detail: error.and_then(Error::detail).or(self.detail.as_deref()),
            retry_after_seconds: error.and_then(Error::retry_after).map(seconds),
        }
    }

    fn kind(&self) -> &'static str {
        match &self.cause {
            Cause::Library(error) => error.kind().name(),
            Cause::Own { kind, .. } => match kind {
                Kind::Usage => "usage",
                Kind::Unsupported => "unsupported",
                Kind::NotFound => ErrorKind::NotFound.name(),
                Kind::Other => "other",
                Kind::Interrupted(_) => "interrupted",
            },
            Cause::ClosedPipe => "closed-pipe",
        }
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
        };
        format!("{}{what}", part_of.unwrap_or_default())
    }

    fn provider(&self) -> Option<ProviderName> {
        let named = match &self.cause {
            Cause::Library(error) => error.operation().map(|id| id.provider()),
            _ => None,
        };
        named.and_then(|name| name.parse().ok()).or(self.provider)
    }

    fn provider_title(&self) -> Option<&'static str> {
        self.provider().map(ProviderName::title)
    }

    fn next(&self) -> Option<String> {
        match (&self.hint, &self.cause) {
            (Some(hint), _) => Some(hint.clone()),
            (None, Cause::Library(error)) => Some(advice(error, self.provider())),
            (None, _) => None,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::new(Cause::Library(error))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what())
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
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<&'a BTreeMap<String, Vec<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_seconds: Option<u64>,
}

/// The exit code of a kind.
fn code(kind: ErrorKind) -> u8 {
    use ErrorKind as K;
    match kind {
        K::InvalidRequest => 2,
        K::Unauthorized => 3,
        K::NotFound => 4,
        K::NoService
        | K::ServiceInactive
        | K::ServiceExpired
        | K::Suspended
        | K::AlreadyExists
        | K::CapacityReached
        | K::DeviceLimit
        | K::QuotaReached
        | K::Pending
        | K::Refused => 5,
        K::RateLimited => 6,
        K::Unreachable | K::Unavailable | K::Timeout => 7,
        K::UnexpectedReply => 8,
        K::Ambiguous => 9,
        // A kind that is newer than this table.
        _ => 1,
    }
}

/// The time in whole seconds, none too few.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// What to do next.
fn advice(error: &Error, provider: Option<ProviderName>) -> String {
    use ErrorKind as K;
    if error.advice() == Advice::ReadBack {
        return "it may have been done: look (show, list) before you repeat it".to_owned();
    }
    if let (K::RateLimited, Some(wait)) = (error.kind(), error.retry_after()) {
        return format!("wait {} s, then try again", seconds(wait));
    }
    match error.kind() {
        K::Unauthorized if error.operation().is_some_and(|id| id.name() == "create-token") => {
            "check the user name and the password"
        }
        K::Unauthorized => return sign_in(provider),
        K::InvalidRequest if error.fields().contains_key("credential") => return sign_in(provider),
        K::Suspended => "write to the provider's support",
        K::NoService => "buy a plan from the provider",
        K::ServiceInactive => "look at the provider's site for an unpaid bill or an activation",
        K::ServiceExpired => "renew the plan at the provider",
        K::NotFound => "list what exists and compare the identifier",
        K::AlreadyExists => "use what exists, or choose another name",
        K::InvalidRequest => "correct that and try again; nothing was changed",
        K::CapacityReached => "choose another server, or try later",
        K::DeviceLimit => "free a place: anyvpn config list, then anyvpn config revoke ID",
        K::QuotaReached => "wait until the provider's next period, as a rule a day",
        K::Pending => "wait and try again",
        K::RateLimited => "wait a minute, then try again; make fewer calls",
        K::Refused => "the provider's words are all that is known; ask its support",
        K::Unavailable => "try again later; look at the provider's status page",
        K::Timeout => "look at the network, then try again",
        K::Unreachable => "look at the network, the address and this machine's clock",
        K::UnexpectedReply => "a login page of the network can cause this; see more with -v",
        _ => "try again with -v to see more",
    }
    .to_owned()
}

/// How one signs in to a provider.
pub fn sign_in(provider: Option<ProviderName>) -> String {
    match provider {
        Some(ProviderName::Vpngn) => {
            "set ANYVPN_VPNGN_API_KEY, and ANYVPN_VPNGN_SECRET_KEY or the customer's \
             ANYVPN_VPNGN_PASSWORD"
                .to_owned()
        }
        Some(name) => {
            let variable = name.as_str().to_uppercase();
            format!("anyvpn login --provider {name}; ANYVPN_{variable}_TOKEN counts more, if set")
        }
        None => "anyvpn login, or set the provider's credentials in the environment".to_owned(),
    }
}

/// Whether signing in once more is what helps.
fn needs_sign_in(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Unauthorized => error.operation().is_none_or(|id| id.name() != "create-token"),
        ErrorKind::InvalidRequest => error.fields().contains_key("credential"),
        _ => false,
    }
}

/// How one signs in to a named profile; `None` where its provider says it as well.
fn sign_in_to(entry: &Entry) -> Option<String> {
    let name = &entry.name;
    match &entry.sources[..] {
        [] if entry.provider == ProviderName::Vpngn => None,
        [] => Some(format!("anyvpn login --profile {name}")),
        sources => {
            let keys: Vec<_> = sources.iter().map(|(it, source)| source.key(*it)).collect();
            Some(format!("look at {} of the profile {name}", keys.join(" and ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use anyvpn::OperationId;

    use super::*;

    #[test]
    fn every_kind_has_a_code_of_its_own_class_and_a_hint() {
        for kind in ErrorKind::ALL {
            assert!((2..=9).contains(&code(kind)), "{kind:?}");
            let hint = advice(&Error::new(kind), None);
            assert!(!hint.contains("try again with -v"), "{kind:?}");
        }
        assert_eq!(code(ErrorKind::Unauthorized), 3);
        assert_eq!(code(ErrorKind::Ambiguous), 9);
    }

    #[test]
    fn every_kind_has_a_page_in_the_guide_with_its_exit_code() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors");
        let read = |page: &str| std::fs::read_to_string(format!("{folder}{page}.md")).unwrap();
        let all = read("");
        for kind in ErrorKind::ALL {
            let (name, code) = (kind.name(), code(kind));
            let page = read(&format!("/{name}"));
            let begin = format!(
                "# `{name}`: {kind}\n\nExit code {code}. In a program: `ErrorKind::{kind:?}`."
            );
            assert!(page.starts_with(&begin), "docs/errors/{name}.md must begin with:\n{begin}");
            for part in ["\n## Likely causes\n", "\n## What to do\n"] {
                assert!(page.contains(part), "docs/errors/{name}.md: no{part}");
            }
            let row = format!("| [`{name}`](errors/{name}.md) | {kind} | {code} |");
            assert!(all.contains(&row), "docs/errors.md must have the line:\n{row}");
        }
        // And no page is of a kind that there is not.
        let pages = std::fs::read_dir(folder).unwrap().count();
        assert_eq!(pages, ErrorKind::ALL.len());
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
        let lines = Failure::from(error).lines();
        assert_eq!(
            lines,
            [
                "error: azire.get-user: too many requests (HTTP 429)",
                r#"  AzireVPN says: "slow\u{1b}[31m\ndown" [E7]"#,
                r"  port: is odd; a\nb",
                "  hint: wait 2 s, then try again",
            ]
        );
    }

    #[test]
    fn work_that_may_have_been_done_is_never_advised_to_be_repeated() {
        let error = Error::new(ErrorKind::Unavailable).with_read_back();
        assert!(Failure::from(error).lines()[1].contains("may have been done"));
    }
}
