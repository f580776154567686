//! Complete and well-formed messages that something else sends instead of the provider: a proxy, a
//! gateway, a content-delivery network, a network's login page, or another application at a wrong
//! address.

use super::answer::{Answer, Script};
use super::{AFTER, BEFORE, Level, Wanted, WireFault};

const fn foreign(
    kind: (bool, Wanted),
    name: &'static str,
    what: &'static str,
    play: fn(Answer) -> Script,
) -> WireFault {
    super::row(Level::Foreign, kind, name, what, play)
}

pub(super) static FAULTS: &[WireFault] = &[
    // Pages.
    foreign(BEFORE, "login-page-302", "A 302 redirect to a network's login page.", |it| {
        html(it.with("location", "https://portal.example/login?from=vpn"), 302)
    }),
    foreign(BEFORE, "login-page-307", "A 307 redirect to a login page on the same host.", |it| {
        html(it.with("location", "/login"), 307)
    }),
    foreign(BEFORE, "proxy-407", "A proxy that requires authentication.", |it| {
        html(it.with("proxy-authenticate", "Basic realm=\"proxy\""), 407)
    }),
    foreign(
        AFTER,
        "page-403-after",
        "The request takes effect, but the reply is an HTML page with status 403.",
        |it| html(it, 403),
    ),
    foreign(
        AFTER,
        "page-404-after",
        "The request takes effect, but the reply is an HTML page with status 404.",
        |it| html(it, 404),
    ),
    // Nothing, and text.
    foreign(BEFORE, "empty-401", "401 without a body.", |it| body(it, 401, "text/plain", "")),
    foreign(BEFORE, "empty-403", "403 without a body.", |it| body(it, 403, "text/plain", "")),
    foreign(BEFORE, "empty-404", "404 without a body.", |it| body(it, 404, "text/plain", "")),
    foreign(BEFORE, "text-404", "404 with a line of text.", |it| {
        body(it, 404, "text/plain", "404 page not found\n")
    }),
    // JSON.
    foreign(BEFORE, "json-401-empty", "401 with `{}`.", |it| json(it, 401, "{}")),
    foreign(BEFORE, "json-401-error", "401 with a text in `error`.", |it| {
        json(it, 401, r#"{"error":"unauthorized"}"#)
    }),
    foreign(BEFORE, "json-401-errors", "401 with `errors` in the style of GraphQL.", |it| {
        json(it, 401, r#"{"data":null,"errors":[{"message":"Unauthenticated."}]}"#)
    }),
    foreign(BEFORE, "json-403-message", "403 with `message`, as sent by API gateways.", |it| {
        json(it, 403, r#"{"message":"Forbidden"}"#)
    }),
    foreign(BEFORE, "json-403-number", "403 with a number in `status`.", |it| {
        json(it, 403, r#"{"timestamp":1767225600,"status":403,"error":"Forbidden","path":"/"}"#)
    }),
    foreign(BEFORE, "json-403-success", "403 with a body that reports success.", |it| {
        json(it, 403, r#"{"status":"success","success":true,"data":null}"#)
    }),
    foreign(BEFORE, "json-404-error", "404 with a text in `error`.", |it| {
        json(it, 404, r#"{"error":"not found"}"#)
    }),
    foreign(BEFORE, "json-404-message", "404 with `message`, as sent by web frameworks.", |it| {
        json(it, 404, r#"{"message":"Not Found"}"#)
    }),
    foreign(BEFORE, "json-404-problem", "404 with an RFC 9457 problem document.", |it| {
        let problem = r#"{"type":"about:blank","title":"Not Found","status":404}"#;
        body(it, 404, "application/problem+json", problem)
    }),
    foreign(BEFORE, "json-404-list", "404 with `[]`.", |it| json(it, 404, "[]")),
    foreign(BEFORE, "json-404-null", "404 with `null`.", |it| json(it, 404, "null")),
    foreign(BEFORE, "json-404-text", "404 with a JSON string.", |it| json(it, 404, r#""error""#)),
    foreign(BEFORE, "json-406-message", "406 with `message`.", |it| {
        json(it, 406, r#"{"message":"Not Acceptable"}"#)
    }),
    foreign(BEFORE, "json-409-error", "409 with a text in `error`.", |it| {
        json(it, 409, r#"{"error":"conflict"}"#)
    }),
    foreign(BEFORE, "json-422-detail", "422 with a list in `detail`.", |it| {
        json(it, 422, r#"{"detail":[{"loc":["body"],"msg":"field required"}]}"#)
    }),
    foreign(
        AFTER,
        "json-403-after",
        "The request takes effect, but the reply is 403 with `message`.",
        |it| json(it, 403, r#"{"message":"Forbidden"}"#),
    ),
];

fn body(answer: Answer, status: u16, content_type: &str, body: &str) -> Script {
    let answer = answer.status(status).without("content-type").with("content-type", content_type);
    answer.body(body).whole()
}

fn html(answer: Answer, status: u16) -> Script {
    let page = "<!DOCTYPE html>\n<html><body><h1>Access</h1></body></html>\n";
    body(answer, status, "text/html; charset=UTF-8", page)
}

fn json(answer: Answer, status: u16, text: &str) -> Script {
    body(answer, status, "application/json", text)
}
