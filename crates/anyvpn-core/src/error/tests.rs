//! What errors tell, and what they do not.

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
    // Of a text that is not too long, nothing is cut.
    let text = "ä".repeat(500);
    let error = Error::new(ErrorKind::Refused).with_message(&text).map_texts(str::to_owned);
    assert_eq!(error.message(), Some(&*text));
}

/// Found by the fuzz target `input`, of which it is the seed `control-character`.
#[test]
fn what_is_repeated_of_an_input_has_no_control_characters() {
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
fn a_secret_that_the_cut_goes_through_is_no_secret_left() {
    let secrets = [Secret::from("t0ken-of-the-caller")];
    for before in 470..505 {
        let text = format!("{} {}", "x".repeat(before), secrets[0].expose());
        let error = Error::invalid(&text, &text).with_message(text);
        let error = error.map_texts(|text| redact(text, &secrets));
        assert!(!format!("{error} {error:?}").contains("t0ke"), "{error}");
    }
}
