//! Short tokens, long tokens, and how a refresh affects them.

use std::time::Duration;

use serde_json::Value;

use crate::client::{DAY, START_SECOND, sandbox};
use crate::vpngn_client::*;

const HOUR: Duration = Duration::from_secs(3600);
const SECOND: Duration = Duration::from_secs(1);

fn token<'a>(reply: &'a Value, name: &str) -> &'a str {
    reply[name].as_str().unwrap()
}

#[tokio::test]
async fn a_refresh_tells_everyone_the_tokens_and_one_name_twice() {
    let (sandbox, account, _) = world(0).await;
    sandbox.clock().advance(DAY);
    let customer = Amapi::new(&sandbox).with_bearer(&account.long_token).with("email", EMAIL);
    let answer = customer.send("TokenRefresh", &[]).await;
    let text = String::from_utf8(answer.body.clone()).unwrap();
    let name = r#""last_product_change_ts":"#;
    let first = START_SECOND - 170_783;
    assert!(text.starts_with(&format!(r#"{{"status":"success",{name}{first},"short_token":"0x"#)));
    assert!(text.ends_with(&format!(",{name}{START_SECOND}}}")), "{text}");
    assert_eq!(text.matches(name).count(), 2);
    let reply = answer.json();
    assert_eq!(reply["short_token_expire"], "2026-01-02 12:00:00");
    assert_eq!(reply["short_token_expire_ts"], START_SECOND + 36 * 3600);
    assert_eq!(reply["long_token_expire"], "2027-01-01 00:00:00");
    assert_eq!(reply["long_token_expire_ts"], START_SECOND + 365 * 86_400);
    assert_eq!(reply.as_object().unwrap().len(), 8);
    let customer = Amapi::new(&sandbox).with("email", EMAIL);
    customer.with_bearer(token(&reply, "short_token")).done("GetProducts", &[]).await;
    customer.with_bearer(token(&reply, "long_token")).done("TokenRefresh", &[]).await;
}

#[tokio::test]
async fn the_last_change_is_that_of_a_product() {
    let (sandbox, account, server) = world(0).await;
    let change = async || server.done("TokenRefresh", &[]).await["last_product_change_ts"].clone();
    sandbox.clock().advance(DAY);
    server.done("SetPassword", &[("setpassword", OTHER_PASSWORD)]).await;
    assert_eq!(change().await, START_SECOND);
    let id = account.product_id.unwrap();
    server.done("UpgradeProduct", &[("product_id", &id), ("new_product_plan", "1")]).await;
    assert_eq!(change().await, START_SECOND + 86_400);
}

#[tokio::test]
async fn a_short_token_lasts_12_hours() {
    let (sandbox, account, _) = world(0).await;
    let customer = Amapi::new(&sandbox).with_bearer(&account.short_token).with("email", EMAIL);
    sandbox.clock().advance(12 * HOUR - SECOND);
    customer.done("GetProducts", &[]).await;
    sandbox.clock().advance(SECOND);
    assert_eq!(customer.refused("GetProducts", &[]).await, DENIED);
}

#[tokio::test]
async fn a_long_token_lasts_until_the_due_date_or_30_days() {
    for (plan, days) in [(Some(1), 31), (Some(6), 181), (None, 30)] {
        let sandbox = sandbox(0).await;
        let account = sandbox.vpngn().add_customer(EMAIL, PASSWORD, plan);
        let customer = Amapi::new(&sandbox).with_bearer(&account.long_token).with("email", EMAIL);
        sandbox.clock().advance(days * DAY - SECOND);
        customer.done("TokenRefresh", &[]).await;
        sandbox.clock().advance(SECOND);
        assert_eq!(customer.refused("TokenRefresh", &[]).await, DENIED);
    }
}

#[tokio::test]
async fn seeds_decide_whether_a_refresh_ends_the_tokens_before() {
    for ends in [false, true] {
        let (sandbox, account, server) =
            world(seed(|quirks| quirks.refresh_ends_short_token == ends)).await;
        let fresh = server.done("TokenRefresh", &[]).await;
        let customer = Amapi::new(&sandbox).with("email", EMAIL);
        let old = customer.with_bearer(&account.short_token).send("GetProducts", &[]).await.json();
        assert_eq!(old["status"] == "error", ends);
        customer.with_bearer(token(&fresh, "short_token")).done("GetProducts", &[]).await;

        let (sandbox, account, server) =
            world(seed(|quirks| quirks.refresh_ends_long_token == ends)).await;
        let fresh = server.done("TokenRefresh", &[]).await;
        let customer = Amapi::new(&sandbox).with("email", EMAIL);
        let old = customer.with_bearer(&account.long_token).send("TokenRefresh", &[]).await.json();
        assert_eq!(old["status"] == "error", ends);
        if ends {
            customer.with_bearer(token(&fresh, "long_token")).done("TokenRefresh", &[]).await;
        }
    }
}

#[tokio::test]
async fn other_calls_leave_the_tokens_be() {
    let (sandbox, account, server) = world(0).await;
    sandbox.vpngn().whitelist(true);
    server.done("NewProduct", &[("type", "1"), ("force_upgrade", "1")]).await;
    server.done("SetPassword", &[("setpassword", OTHER_PASSWORD)]).await;
    sandbox.vpngn().whitelist(false);
    let customer = Amapi::new(&sandbox).with("email", EMAIL);
    customer.with_bearer(&account.short_token).done("GetProducts", &[]).await;
    customer.with_bearer(&account.long_token).done("TokenRefresh", &[]).await;
}
