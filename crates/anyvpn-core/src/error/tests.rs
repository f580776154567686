//! Tests of what errors show and hide.

use super::*;
use crate::{Secret, redact};

#[test]
fn every_text_is_fit_for_a_log() {
    let long = format!("a\u{1b}[2J\n{}", "ä".repeat(9000));
    let told = format!("a [2J {}", "ä".repeat(494));
    let mut error =
        Error::invalid(&long, &long).with_code(&long).with_message(&long).with_detail(&long);
    for number in 0..99 {
        error = error.with_field(format!("field {number}"), "is wrong");
    }
    for text in [error.code(), error.message(), error.detail()] {
        assert_eq!(text, Some(&*told));
    }
    assert_eq!(error.fields().len(), 10);
    for error in [error.to_string(), error.map_texts(str::to_owned).to_string()] {
        let marked = format!("a [2J {}…", "ä".repeat(493));
        assert_eq!(error.matches(&marked).count(), 5, "{error}");
        assert!(error.chars().count() < 4000 && !error.contains(char::is_control), "{error}");
    }
    // A text within the limit is not cut.
    let text = "ä".repeat(500);
    let error = Error::new(ErrorKind::Refused).with_message(&text).map_texts(str::to_owned);
    assert_eq!(error.message(), Some(&*text));
}

/// Found by the fuzz target `input`, which has it as the seed `control-character`.
#[test]
fn quoted_input_has_no_control_characters() {
    let input = "vpngn.cancel-request\n{\"email\": \"email@`xample.com\", \
                 \"type\": \"at_due_dat\", \"prod\u{7f}ct_id\": \"12345$\"}";
    let told = "vpngn.cancel-request {\"email\": \"email@`xample.com\", \
                \"type\": \"at_due_dat\", \"prod ct_id\": \"12345$\"}";
    let error = Error::invalid(input, input).with_code(input).with_detail(input);
    let error = error.with_message(input);
    assert_eq!(
        (error.code(), error.message(), error.detail()),
        (Some(told), Some(told), Some(told))
    );
    assert_eq!(error.fields()[told], [told]);
    for error in [format!("{error:?}"), error.to_string()] {
        assert!(!error.contains(char::is_control), "{error:?}");
    }
}

#[test]
fn truncation_never_leaves_part_of_a_secret() {
    let secrets = [Secret::from("t0ken-of-the-caller")];
    for before in 470..505 {
        let text = format!("{} {}", "x".repeat(before), secrets[0].expose());
        let error = Error::invalid(&text, &text).with_message(text);
        let error = error.map_texts(|text| redact(text, &secrets));
        assert!(!format!("{error} {error:?}").contains("t0ke"), "{error}");
    }
}

#[test]
fn each_part_of_an_error_is_printed_once() {
    let source = std::io::Error::other("the inner one");
    let mut error = Error::new(ErrorKind::RateLimited)
        .with_operation(OperationId::new("acme", "list-ports"))
        .with_status(429)
        .with_code("1301")
        .with_message("Slow down.")
        .with_field("port", "is busy")
        .with_detail("nothing was sent")
        .with_retry_after(Some(Duration::from_millis(1500)));
    error = error.with_source(source);
    assert_eq!(
        error.to_string(),
        "acme.list-ports: too many requests (HTTP 429): \"Slow down.\" [1301]; port: is busy; \
         nothing was sent; try again in 2 s"
    );
    assert_eq!(
        format!("{error:?}"),
        "Error { kind: RateLimited, operation: Some(OperationId { provider: \"acme\", name: \"list-ports\" }), status: Some(429), \
         code: Some(\"1301\"), message: Some(\"Slow down.\"), detail: Some(\"nothing was sent\"), \
         fields: {\"port\": [\"is busy\"]}, retry_after: Some(1.5s), left_behind: [], \
         source: Some(Custom { kind: Other, error: \"the inner one\" }) }"
    );
    assert_eq!(error.operation().unwrap().to_string(), "acme.list-ports");
    assert_eq!(error.status(), Some(429));
    assert_eq!(error.retry_after(), Some(Duration::from_millis(1500)));
    assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "the inner one");
    let bare = Error::new(ErrorKind::NotFound);
    assert_eq!(bare.to_string(), "not found");
    assert_eq!((bare.operation(), bare.status(), bare.retry_after()), (None, None, None));
    assert!(std::error::Error::source(&bare).is_none());
}

#[test]
fn each_kind_has_its_name_and_its_advice() {
    let advice = |kind| Error::new(kind).with_retry_after(Some(Duration::from_secs(7))).advice();
    let later = Advice::Retry(Some(Duration::from_secs(7)));
    let all = [
        (ErrorKind::Unauthorized, "unauthorized", Advice::SignIn),
        (ErrorKind::Suspended, "suspended", Advice::Change),
        (ErrorKind::NoService, "no-service", Advice::Change),
        (ErrorKind::ServiceInactive, "service-inactive", Advice::Change),
        (ErrorKind::ServiceExpired, "service-expired", Advice::Change),
        (ErrorKind::NotFound, "not-found", Advice::Change),
        (ErrorKind::AlreadyExists, "already-exists", Advice::Change),
        (ErrorKind::InvalidRequest, "invalid-request", Advice::Change),
        (ErrorKind::CapacityReached, "capacity-reached", Advice::Change),
        (ErrorKind::DeviceLimit, "device-limit", Advice::Change),
        (ErrorKind::QuotaReached, "quota-reached", Advice::Change),
        (ErrorKind::InsufficientBalance, "insufficient-balance", Advice::Change),
        (ErrorKind::Pending, "pending", later),
        (ErrorKind::RateLimited, "rate-limited", later),
        (ErrorKind::Refused, "refused", Advice::Change),
        (ErrorKind::Unavailable, "unavailable", later),
        (ErrorKind::Timeout, "timeout", later),
        (ErrorKind::Unreachable, "unreachable", later),
        (ErrorKind::UnexpectedReply, "unexpected-reply", Advice::Change),
        (ErrorKind::Ambiguous, "ambiguous", Advice::ReadBack),
    ];
    let names: std::collections::BTreeSet<_> =
        ErrorKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(names.len(), ErrorKind::ALL.len(), "two kinds have one name");
    for (kind, name, expected) in all {
        assert_eq!((kind.name(), advice(kind)), (name, expected));
        let read_back = Error::new(kind).with_read_back();
        assert_eq!(read_back.advice(), Advice::ReadBack, "{name}");
    }
}

#[test]
fn leftovers_are_data_and_advise_to_read_back() {
    let text = Secret::from("canary-private-key");
    let leftover = Leftover::new(LeftoverKind::Configuration, "7\n8").with_text(text);
    let error = Error::new(ErrorKind::UnexpectedReply).with_leftover(leftover);
    assert_eq!(error.advice(), Advice::ReadBack);
    let [leftover] = error.left_behind() else { panic!("{error}") };
    assert_eq!((leftover.kind, leftover.id()), (LeftoverKind::Configuration, "7 8"));
    assert_eq!(leftover.text.as_ref().unwrap().expose(), "canary-private-key");
    assert!(error.to_string().ends_with("; left behind: configuration 7 8"), "{error}");
    for shown in [error.to_string(), format!("{error:?}")] {
        assert!(!shown.contains("canary"), "{shown}");
    }
    assert!(Error::new(ErrorKind::Refused).left_behind().is_empty());
}
