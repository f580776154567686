//! Errors and omissions in a document.

use std::fmt;

/// How serious a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Code is still generated.
    Warning,
    /// No code is generated.
    Error,
}

/// A problem in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// How serious it is.
    pub severity: Severity,
    /// The place of the problem: a JSON pointer such as `#/components/schemas/Thing`.
    pub place: String,
    /// Describes the problem and what to do about it.
    pub message: String,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}: {}", self.severity, self.place, self.message)
    }
}

/// The findings so far.
#[derive(Default)]
pub struct Findings(pub Vec<Finding>);

impl Findings {
    pub fn error(&mut self, place: &str, message: impl Into<String>) {
        self.add(Severity::Error, place, message.into());
    }

    pub fn warn(&mut self, place: &str, message: impl Into<String>) {
        self.add(Severity::Warning, place, message.into());
    }

    /// A component that is used twice is read twice, but reported once.
    fn add(&mut self, severity: Severity, place: &str, message: String) {
        let finding = Finding { severity, place: place.to_owned(), message };
        if !self.0.contains(&finding) {
            self.0.push(finding);
        }
    }

    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|finding| finding.severity == Severity::Error)
    }
}
