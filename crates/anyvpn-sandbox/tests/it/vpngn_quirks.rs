//! Errors in each of their forms, lost replies, the log and the controls.

use std::collections::BTreeSet;

use anyvpn_sandbox::vpngn::{CodeForm, ErrorStatus, Quirks};
use anyvpn_sandbox::{Fault, FaultRule};
use serde_json::{Value, json};

use crate::client::{Client, sandbox};
use crate::vpngn_client::*;

#[test]
fn seed_0_takes_the_usual_answers() {
    let quirks = Quirks::from_seed(0);
    assert_eq!((quirks.code_field, quirks.message_field), ("code", "message"));
    assert_eq!((quirks.code_form, quirks.error_status), (CodeForm::Number, ErrorStatus::Exact));
    assert_eq!((quirks.denied, quirks.exists, quirks.invalid), (401, 409, 422));
    assert!(quirks.refresh_ends_short_token && quirks.refresh_ends_long_token);
    assert_eq!(quirks, Quirks::default());
}

#[tokio::test]
async fn errors_have_every_form() {
    let mut seen = BTreeSet::new();
    for seed in 0..60 {
        let (sandbox, _, server) = world(seed).await;
        let quirks = sandbox.vpngn().quirks();
        let again = [("type", "1"), ("country", "SE")];
        let nobody = Amapi::new(&sandbox);
        for (answer, exact, number, word) in [
            (server.send("AddClient", &again).await, quirks.exists, 1301, "client_exists"),
            (server.send("AddClient", &[]).await, quirks.invalid, 1101, "invalid_parameter"),
            (server.send("DelAlias", &[("alias", "x")]).await, 404, 1203, "alias_not_found"),
            (
                nobody.send("CloseClient", &[("email", EMAIL)]).await,
                quirks.denied,
                1002,
                "access_denied",
            ),
        ] {
            let json = answer.json();
            let status = match quirks.error_status {
                ErrorStatus::Exact => exact,
                ErrorStatus::Ok => 200,
                _ => 400,
            };
            assert_eq!(answer.status, status);
            let code = match quirks.code_form {
                CodeForm::Number => json!(number),
                CodeForm::Digits => json!(number.to_string()),
                _ => json!(word),
            };
            assert_eq!(json["status"], "error");
            assert_eq!(json[quirks.code_field], code);
            assert!(json[quirks.message_field].as_str().unwrap().ends_with('.'));
            assert_eq!(json.as_object().unwrap().len(), 3);
            assert_eq!(answer.header("retry-after"), None);
            seen.extend([
                quirks.code_field.to_owned(),
                quirks.message_field.to_owned(),
                status.to_string(),
                format!("{:?}", quirks.code_form),
            ]);
        }
        assert_eq!(sandbox.vpngn().customers(), 1);
    }
    let all = [
        "200",
        "400",
        "401",
        "403",
        "404",
        "409",
        "422",
        "Digits",
        "Number",
        "Word",
        "code",
        "description",
        "error",
        "error_code",
        "error_message",
        "errorcode",
        "message",
        "msg",
    ];
    assert_eq!(seen.iter().collect::<Vec<_>>(), all);
}

#[tokio::test]
async fn faults_are_in_the_form_of_errors() {
    let seed = seed(|quirks| quirks.code_field == "error" && quirks.message_field == "msg");
    let (sandbox, _, server) = world(seed).await;
    for (fault, status) in
        [(Fault::TooManyRequests { retry_after: None }, 429), (Fault::Status(503), 503)]
    {
        sandbox.inject(FaultRule::once("vpngn.close-client", fault)).unwrap();
        let answer = server.send("CloseClient", &[]).await;
        assert_eq!(answer.status, status);
        let json = answer.json();
        assert_eq!(json["status"], "error");
        assert!(!json["error"].is_null() && json["msg"].is_string(), "{json}");
    }
    assert_eq!(sandbox.vpngn().customers(), 1);
}

#[tokio::test]
async fn replies_are_lost_after_the_work_at_the_rate_that_is_asked_for() {
    let course = async |seed: u64| {
        let sandbox = sandbox(seed).await;
        let server = server(&sandbox);
        lose_replies(&sandbox, 30, "vpngn.add-client");
        let mut lost = Vec::new();
        for number in 0..200 {
            let email = format!("{number}@mail.example");
            let fields = [("email", &*email), ("type", "1"), ("country", "SE")];
            lost.push(server.send_raw("AddClient", &fields).await.end.is_err());
            assert_eq!(sandbox.vpngn().created(&email), 1);
            // Only this call is affected.
            server.done("GetProducts", &[("email", &email)]).await;
        }
        assert_eq!(sandbox.vpngn().customers(), 200);
        lost
    };
    let lost = course(7).await;
    let count = lost.iter().filter(|lost| **lost).count();
    assert!((45..=75).contains(&count), "{count} of 200");
    assert_eq!(course(7).await, lost);
    assert_ne!(course(8).await, lost);
}

#[tokio::test]
async fn a_rate_counts_only_requests_that_were_not_skipped() {
    let (sandbox, _, server) = world(0).await;
    let status = async || server.send("GetProducts", &[]).await.status;
    let rule = FaultRule::sometimes(50, "vpngn.get-products", Fault::Status(500));
    sandbox.inject(FaultRule { skip: 2, times: Some(3), ..rule }).unwrap();
    sandbox.inject(FaultRule { skip: 2, ..FaultRule::always(Fault::Status(503)) }).unwrap();
    let mut seen = Vec::new();
    for _ in 0..40 {
        seen.push(status().await);
    }
    assert_eq!(seen[..2], [200, 200]);
    assert_eq!(seen.iter().filter(|status| **status == 500).count(), 3);
    assert_eq!(seen.iter().filter(|status| **status == 503).count(), 35);
    sandbox.clear_faults();
    for (percent, expected) in [(0, 200), (100, 500), (255, 500)] {
        let fault = json!({ "fault": "status", "status": 500, "percent": percent, "times": 9 });
        let accepted = server.client.send_raw("POST", "/_sandbox/faults", fault).await.answer();
        assert_eq!(accepted.status, 200);
        for _ in 0..9 {
            assert_eq!(status().await, expected);
        }
        sandbox.clear_faults();
    }
}

#[tokio::test]
async fn the_log_contains_no_secret() {
    let (sandbox, account, server) = world(0).await;
    let canary = "Canary_5f2a";
    let secrets = [
        canary.to_owned(),
        sandbox.vpngn().api_key(),
        sandbox.vpngn().secret_key(),
        account.short_token.clone(),
        account.long_token.clone(),
    ];
    let fields = [
        ("password", canary),
        ("setpassword", canary),
        ("short_token", canary),
        ("long_token", canary),
        ("reason", canary),
        ("first_name", canary),
        ("unknown", canary),
    ];
    let calls = anyvpn_sandbox::operations();
    let calls = calls.iter().filter_map(|name| name.strip_prefix("vpngn."));
    let camel = |call: &str| {
        let word = |word: &str| word[..1].to_uppercase() + &word[1..];
        call.split('-').map(word).collect::<String>()
    };
    for call in calls {
        let call = camel(call);
        for caller in [
            server.clone(),
            server.with_bearer(&account.short_token),
            server.with_bearer(&account.long_token),
            server.with_bearer(canary),
        ] {
            caller.send(&call, &fields).await;
            caller.send(&format!("{call}?apikey={canary}&password={canary}"), &fields).await;
        }
        let path = format!("/vpngn/api/amapi/{call}");
        let json = json!({ "apikey": canary, "secret_key": canary, "password": canary });
        server.client.send_raw("POST", &path, json).await;
    }
    let log = sandbox.received();
    assert_eq!(log.len(), 14 * 9);
    let http = server.client.send_raw("GET", "/_sandbox/log", Value::Null).await.answer();
    let http = String::from_utf8(http.body).unwrap();
    for entry in &log {
        assert!(entry.operation.is_some());
        let shown = format!("{entry:?} {}", String::from_utf8_lossy(&entry.body));
        for secret in &secrets {
            assert!(!shown.contains(secret), "{shown}");
            assert!(!http.contains(secret));
        }
    }
    // Public values are logged.
    sandbox.clear_received();
    server.send("CancelRequest", &[("type", "midnight"), ("product_id", "7")]).await;
    let entry = sandbox.received().pop().unwrap();
    let body = String::from_utf8(entry.body).unwrap();
    assert!(body.ends_with("email=liam%40mail.example&type=midnight&product_id=7"), "{body}");
    assert_eq!((entry.status, entry.effect), (Some(404), false));
}

#[tokio::test]
async fn the_controls_are_there_over_http() {
    let (sandbox, _, _) = world(0).await;
    let client = Client::new(&sandbox);
    let control = async |action: &str, input: Value| {
        let path = format!("/_sandbox/vpngn/{action}");
        let answer = client.send_raw("POST", &path, input).await.answer();
        (answer.status, answer.json())
    };
    let (status, keys) = control("keys", json!({})).await;
    assert_eq!((status, &keys["api_key"]), (200, &json!(sandbox.vpngn().api_key())));
    assert_eq!(keys["secret_key"], sandbox.vpngn().secret_key());
    let (_, other) = control("keys", json!({ "brand": "other" })).await;
    assert_eq!(other["api_key"], sandbox.vpngn().brand("other").api_key());
    assert_eq!(control("whitelist", json!({ "whitelisted": true })).await.0, 200);
    Amapi::new(&sandbox).done("GetProducts", &[("email", EMAIL)]).await;
    assert_eq!(control("whitelist", json!({ "whitelisted": 1 })).await.0, 400);
    assert_eq!(control("fly", json!({})).await.0, 400);
    for number in 0..120 {
        let status = control("keys", json!({ "brand": number.to_string() })).await.0;
        assert_eq!(status, if number < 98 { 200 } else { 400 });
    }
}

#[tokio::test]
async fn one_seed_gives_one_course_of_things() {
    let course = async |seed: u64| {
        let (sandbox, account, server) = world(seed).await;
        sandbox.vpngn().whitelist(true);
        let mut answers = vec![account.short_token.into_bytes()];
        for (call, fields) in [
            ("TokenRefresh", vec![]),
            ("NewProduct", vec![("type", "1"), ("force_upgrade", "1")]),
            ("GetProducts", vec![]),
            ("AddClient", vec![]),
        ] {
            answers.push(server.send(call, &fields).await.body);
        }
        answers
    };
    assert_eq!(course(7).await, course(7).await);
    assert_ne!(course(7).await, course(8).await);
}
