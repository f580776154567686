//! The list of all test cases.

use std::time::Duration;

use anyvpn_sandbox::{Fault, Level, Wanted, WireFault};

use crate::faults::{Kind, LabFault, LabLevel};

/// A test case: a fault and how it is caused.
#[derive(Clone, Debug)]
pub(super) struct FaultCase {
    pub(super) name: String,
    pub(super) section: &'static str,
    pub(super) what: String,
    pub(super) wanted: Wanted,
    /// Whether something other than the provider answers: the fault's last reply is not in the
    /// provider's form.
    pub(super) foreign: bool,
    pub(super) play: Play,
}

#[derive(Clone, Debug)]
pub(super) enum Play {
    Nothing,
    Sandbox(Fault),
    /// A fault for the first request, and another for the rest.
    Then(Fault, Fault),
    Lab(Kind),
}

/// The sections of the page, in order.
pub(super) const SECTIONS: &[&str] = &[
    "Nothing",
    "Names",
    "Connections",
    "TLS",
    "Bytes",
    "Statuses",
    FOREIGN,
    "HTTP",
    "JSON",
    "Two faults",
];

/// The section with replies that do not come from the provider.
const FOREIGN: &str = "Replies of others";

const STATUSES: &[u16] = &[
    400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 413, 414, 415, 417, 418, 421, 422,
    423, 425, 426, 428, 429, 431, 451, 499, 500, 501, 502, 503, 504, 505, 507, 508, 511, 520, 522,
    524, 525, 529, 530, 599,
];

const PAGES: &[u16] =
    &[200, 302, 400, 401, 402, 403, 404, 406, 407, 408, 409, 410, 422, 429, 500, 502, 503, 504];

/// Returns all cases; in the first, nothing goes wrong.
pub(super) fn all() -> Vec<FaultCase> {
    let case = |section, name: String, what: String, wanted, play| FaultCase {
        name,
        section,
        what,
        wanted,
        foreign: section == FOREIGN,
        play,
    };
    let mut cases =
        vec![case("Nothing", "none".into(), "No fault.".into(), Wanted::Value, Play::Nothing)];
    for fault in LabFault::all() {
        let section = match fault.level {
            LabLevel::Name => "Names",
            LabLevel::Connection => "Connections",
            LabLevel::Tls => "TLS",
        };
        let play = Play::Lab((fault.kind)());
        cases.push(case(section, fault.name.into(), fault.what.into(), fault.wanted, play));
    }
    let sandbox = |section, name: String, what: String, wanted, fault| {
        case(section, name, what, wanted, Play::Sandbox(fault))
    };
    let seconds = Duration::from_secs;
    for (delay, time, wanted) in
        [(20, "20 seconds", Wanted::Value), (60, "a minute", Wanted::NoValue)]
    {
        let (name, what) = (format!("delay-{delay}"), format!("The reply arrives after {time}."));
        cases.push(sandbox("Bytes", name, what, wanted, Fault::Delay(seconds(delay))));
    }
    for status in STATUSES {
        let what = format!("Status {status} in the provider's error format.");
        let fault = Fault::Status(*status);
        cases.push(sandbox("Statuses", status.to_string(), what, wanted(*status), fault));
    }
    for status in PAGES {
        let what = format!("Status {status} with an HTML page.");
        let fault = Fault::Html(*status);
        cases.push(sandbox(FOREIGN, format!("html-{status}"), what, Wanted::NoValue, fault));
    }
    for wait in [0, 5, 60, 119] {
        let what = format!("Status 429 with a `Retry-After` of {wait} seconds.");
        let fault = Fault::TooManyRequests { retry_after: Some(seconds(wait)) };
        cases.push(sandbox("Statuses", format!("429-after-{wait}"), what, Wanted::NoValue, fault));
    }
    for fault in WireFault::all() {
        let section = match fault.level {
            Level::Tcp => "Bytes",
            Level::Json => "JSON",
            Level::Foreign => FOREIGN,
            _ => "HTTP",
        };
        let play = Fault::Wire(fault.name);
        cases.push(sandbox(section, fault.name.into(), fault.what.into(), fault.wanted, play));
    }
    let (wire, status, page) = (Fault::Wire, Fault::Status, Fault::Html);
    let silence = || Fault::Delay(seconds(600));
    let (undone, done) = (|| wire("reset-before"), || wire("reset-after"));
    for (name, what, first, then) in [
        (
            "reset-then-html-404",
            "A reset before the request takes effect, then a gateway's 404.",
            undone(),
            page(404),
        ),
        (
            "reset-then-404",
            "A reset before the request takes effect, then 404.",
            undone(),
            status(404),
        ),
        ("done-then-401", "A reset after the request takes effect, then 401.", done(), status(401)),
        ("done-then-500", "A reset after the request takes effect, then 500.", done(), status(500)),
        ("done-then-429", "A reset after the request takes effect, then 429.", done(), status(429)),
        (
            "done-then-silence",
            "The request takes effect, but the reply takes ten minutes; then the same again.",
            silence(),
            silence(),
        ),
        (
            "502-then-half",
            "A gateway's 502, then a reply with half of the JSON.",
            page(502),
            wire("half-json"),
        ),
    ] {
        let foreign = matches!(then, Fault::Html(_));
        let play = Play::Then(first, then);
        let case = case("Two faults", name.into(), what.into(), Wanted::AsDocumented, play);
        cases.push(FaultCase { foreign, ..case });
    }
    cases
}

/// Returns whether "not found" is a valid answer for the operation, meaning that there is nothing.
fn wanted(status: u16) -> Wanted {
    if status == 404 { Wanted::AsDocumented } else { Wanted::NoValue }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{SECTIONS, all};

    #[test]
    fn every_case_has_a_unique_name_and_a_section() {
        let mut names = BTreeSet::new();
        for case in all() {
            assert!(names.insert(case.name.clone()), "there are two cases named {}", case.name);
            assert!(SECTIONS.contains(&case.section), "{}", case.section);
        }
        assert!(names.len() > 200, "{}", names.len());
    }
}
