//! Customers: adding, closing, cancelling.

use std::time::Duration;

use anyvpn_sandbox::Sandbox;
use anyvpn_sandbox::vpngn::Status;
use serde_json::{Value, json};

use crate::client::{DAY, sandbox};
use crate::vpngn_client::*;

const YEARLY: [(&str, &str); 3] = [("email", EMAIL), ("type", "12"), ("country", "SE")];

fn keys(reply: &Value) -> Vec<&str> {
    reply.as_object().unwrap().keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_whitelisted_caller_gets_all_fields() {
    let sandbox = sandbox(0).await;
    sandbox.vpngn().whitelist(true);
    let caller = Amapi::new(&sandbox);
    let mut reply =
        caller.done("AddClient", &[&YEARLY[..], &[("password", PASSWORD)]].concat()).await;
    for (name, length) in
        [("short_token", 35), ("long_token", 35), ("vpn_username", 11), ("vpn_password", 16)]
    {
        let text = reply.as_object_mut().unwrap().remove(name).unwrap();
        assert_eq!(text.as_str().unwrap().len(), length);
        assert_eq!(text.as_str().unwrap().starts_with("0x"), name.ends_with("token"));
    }
    assert_eq!(
        reply,
        json!({
            "status": "success", "username": EMAIL, "password": PASSWORD,
            "short_token_expire": "2026-01-01 12:00:00", "short_token_expire_ts": 1_767_268_800,
            "long_token_expire": "2027-01-01 00:00:00", "long_token_expire_ts": 1_798_761_600,
        })
    );
    let customer = sandbox.vpngn().customer(EMAIL).unwrap();
    let [product] = &customer.products[..] else { panic!("{customer:?}") };
    assert_eq!((product.plan, product.status, product.renews), (12, Status::Active, true));
    assert_eq!(product.due_at.unwrap().to_string(), "2027-01-01T00:00:00Z");
    assert_eq!((sandbox.vpngn().customers(), sandbox.vpngn().created(EMAIL)), (1, 1));
}

#[tokio::test]
async fn other_callers_get_no_secrets() {
    for for_all in [false, true] {
        let sandbox = sandbox(seed(|quirks| quirks.username_for_all == for_all)).await;
        let expected = if for_all { vec!["status", "username"] } else { vec!["status"] };
        let stranger = Amapi::new(&sandbox).done("AddClient", &YEARLY).await;
        assert_eq!(keys(&stranger), expected);
        let server = server(&sandbox).with("email", "another@mail.example");
        let fields = [("type", "6"), ("country", "SE"), ("password", PASSWORD)];
        assert_eq!(keys(&server.done("AddClient", &fields).await), expected);
        let forced = [("type", "1"), ("force_upgrade", "1")];
        assert_eq!(keys(&server.done("NewProduct", &forced).await), expected);
        let id = sandbox.vpngn().customer("another@mail.example").unwrap().products[0].id.clone();
        let upgrade = [("product_id", &*id), ("new_product_plan", "36")];
        assert_eq!(keys(&server.done("UpgradeProduct", &upgrade).await), ["status"]);
    }
}

#[tokio::test]
async fn a_password_that_is_left_out_is_made_and_strong() {
    let sandbox = sandbox(0).await;
    sandbox.vpngn().whitelist(true);
    let caller = Amapi::new(&sandbox);
    let made = caller.done("AddClient", &YEARLY).await;
    let password = made["password"].as_str().unwrap();
    // It satisfies the rule, and the customer uses it.
    caller.done("SetPassword", &[("email", EMAIL), ("setpassword", password)]).await;
    sandbox.vpngn().whitelist(false);
    let customer = Amapi::new(&sandbox).with("password", password);
    customer.done("TokenRefresh", &[("email", EMAIL)]).await;
}

#[tokio::test]
async fn a_client_that_exists_is_not_made_again() {
    let (sandbox, account, server) = world(0).await;
    let again = [("type", "1"), ("country", "SE"), ("password", OTHER_PASSWORD)];
    assert_eq!(server.refused("AddClient", &again).await, CLIENT_EXISTS);
    assert_eq!(
        server.with("email", "LIAM@mail.example").refused("AddClient", &again).await,
        CLIENT_EXISTS
    );
    server.done("AddAlias", &[("setemail", "alias@mail.example")]).await;
    let alias = server.with("email", "alias@mail.example");
    assert_eq!(alias.refused("AddClient", &again).await, CLIENT_EXISTS);
    assert_eq!((sandbox.vpngn().customers(), sandbox.vpngn().created(EMAIL)), (1, 1));
    // It is unchanged.
    let bearer = Amapi::new(&sandbox).with_bearer(&account.short_token).with("email", EMAIL);
    bearer.with("password", PASSWORD).done("GetProducts", &[]).await;
}

#[tokio::test]
async fn fields_are_checked_before_anything_is_made() {
    let sandbox = sandbox(0).await;
    let server = server(&sandbox);
    for (name, value) in [
        ("email", ""),
        ("email", "nobody"),
        ("type", ""),
        ("type", "2"),
        ("type", "01"),
        ("country", ""),
        ("country", "SWE"),
        ("country", "se"),
        ("country", "Å"),
        ("auto_terminate", "0"),
        ("auto_terminate", "true"),
        ("test_user", "yes"),
        ("first_name", &"a".repeat(256)),
    ] {
        let fields = [&YEARLY[..], &[(name, value)]].concat();
        assert_eq!(server.refused("AddClient", &fields).await, INVALID, "{name}={value:.9}");
    }
    for missing in 0..YEARLY.len() {
        let mut fields = YEARLY.to_vec();
        fields.remove(missing);
        assert_eq!(server.refused("AddClient", &fields).await, INVALID);
    }
    assert_eq!(sandbox.vpngn().customers(), 0);
    for (number, plan) in ["1", "6", "12", "24", "36"].into_iter().enumerate() {
        let email = format!("{plan}@mail.example");
        let fields = [("email", &*email), ("type", plan), ("country", "US"), ("last_name", "Å")];
        server.done("AddClient", &fields).await;
        assert_eq!(sandbox.vpngn().customers(), number + 1);
    }
}

#[tokio::test]
async fn a_password_has_10_characters_of_three_categories() {
    let (sandbox, _, server) = world(0).await;
    let set = |password: &'static str| {
        let server = server.clone();
        async move { server.send("SetPassword", &[("setpassword", password)]).await.status }
    };
    for strong in
        ["Abcdefghi1", "abcdefgh_1", "ABCDEFGHI1", "Abcdefgh_i", "ÅÄÖåäöÅÄÖ_", "1234567_aB"]
    {
        assert_eq!(set(strong).await, 200, "{strong}");
    }
    for weak in [
        "Abcdefgh1",
        "abcdefghi1",
        "abcdefghij",
        "Abcdefghij",
        "123456789_",
        "abcdefghi_",
        "abcdefgh 1",
    ] {
        assert_eq!(server.refused("SetPassword", &[("setpassword", weak)]).await, WEAK, "{weak}");
        let alias = [("setemail", "alias@mail.example"), ("setpassword", weak)];
        assert_eq!(server.refused("AddAlias", &alias).await, WEAK);
        let client =
            [("email", "new@mail.example"), ("type", "1"), ("country", "SE"), ("password", weak)];
        assert_eq!(server.refused("AddClient", &client).await, WEAK);
    }
    assert_eq!(server.refused("SetPassword", &[]).await, INVALID);
    assert_eq!(sandbox.vpngn().customers(), 1);
    let customer = Amapi::new(&sandbox).with("email", EMAIL);
    customer.with("password", "1234567_aB").done("GetProducts", &[]).await;
    assert_eq!(customer.with("password", PASSWORD).refused("GetProducts", &[]).await, DENIED);
}

#[tokio::test]
async fn a_stranger_adds_one_client_every_10_seconds() {
    for told in [true, false] {
        let sandbox = sandbox(seed(|quirks| quirks.retry_after == told)).await;
        let add = async |caller: Amapi, email: &str| {
            let fields = [("email", email), ("type", "1"), ("country", "SE")];
            caller.send("AddClient", &fields).await
        };
        let stranger = Amapi::new(&sandbox);
        // Refused calls do not count.
        assert_eq!(add(stranger.clone(), "wrong").await.json()["status"], "error");
        assert_eq!(add(stranger.clone(), "1@mail.example").await.status, 200);
        for (millis, wait) in [(0, "10"), (9000, "1"), (999, "1")] {
            sandbox.clock().advance(Duration::from_millis(millis));
            let refused = add(stranger.clone(), "2@mail.example").await;
            assert_eq!(refused.status, 429);
            assert_eq!(refused.json()["status"], "error");
            assert_eq!(refused.header("retry-after"), told.then_some(wait));
        }
        // Servers neither wait nor make others wait, and a brand waits only for itself.
        assert_eq!(add(server(&sandbox), "3@mail.example").await.status, 200);
        let brand = sandbox.vpngn().brand("other");
        let other = Amapi { common: vec![("apikey", brand.api_key())], ..stranger.clone() };
        assert_eq!(add(other, "4@mail.example").await.status, 200);
        sandbox.vpngn().whitelist(true);
        assert_eq!(add(stranger.clone(), "5@mail.example").await.status, 200);
        sandbox.vpngn().whitelist(false);
        sandbox.clock().advance(Duration::from_millis(1));
        assert_eq!(add(stranger, "2@mail.example").await.status, 200);
        assert_eq!((sandbox.vpngn().customers(), brand.customers()), (4, 1));
    }
}

#[tokio::test]
async fn a_closed_account_is_gone_at_once() {
    let (sandbox, account, server) = world(0).await;
    server.done("AddAlias", &[("setemail", "alias@mail.example")]).await;
    let customer = Amapi::new(&sandbox).with_bearer(&account.short_token).with("email", EMAIL);
    assert_eq!(customer.done("CloseClient", &[]).await, json!({ "status": "success" }));
    assert_eq!(customer.refused("CloseClient", &[]).await, NO_CLIENT);
    assert_eq!(server.refused("GetProducts", &[]).await, NO_CLIENT);
    assert_eq!(
        server.with("email", "alias@mail.example").refused("ResetAliasPassword", &[]).await,
        NO_ALIAS
    );
    assert_eq!(sandbox.vpngn().customers(), 0);
    let closed = sandbox.vpngn().customer(EMAIL).unwrap();
    assert!(closed.closed && closed.aliases.is_empty());
    assert_eq!(closed.products[0].status, Status::Terminated);

    // The address is free, but the old account's data is gone.
    server
        .done("AddClient", &[("type", "1"), ("country", "SE"), ("password", OTHER_PASSWORD)])
        .await;
    assert_eq!((sandbox.vpngn().customers(), sandbox.vpngn().created(EMAIL)), (1, 2));
    assert_eq!(customer.refused("GetProducts", &[]).await, DENIED);
    let reopened = sandbox.vpngn().customer(EMAIL).unwrap();
    assert!(!reopened.closed);
    assert_eq!((reopened.products.len(), reopened.products[0].plan), (1, 1));
}

#[tokio::test]
async fn an_account_ends_at_the_next_midnight() {
    for (hours, until) in [(0, 24), (23, 1)] {
        let (sandbox, _, server) = world(0).await;
        server.done("AddAlias", &[("setemail", "alias@mail.example")]).await;
        sandbox.clock().advance(Duration::from_secs(hours * 3600));
        let cancel = [("type", "midnight"), ("reason", "too dear")];
        assert_eq!(server.done("CancelRequest", &cancel).await, json!({ "status": "success" }));
        let end = sandbox.vpngn().customer(EMAIL).unwrap().ends_at.unwrap();
        assert_eq!(end.to_string(), "2026-01-02T00:00:00Z");
        sandbox.clock().advance(Duration::from_secs(until * 3600 - 1));
        server.done("GetProducts", &[]).await;
        sandbox.clock().advance(Duration::from_secs(1));
        assert_eq!(server.refused("GetProducts", &[]).await, NO_CLIENT);
        let ended = sandbox.vpngn().customer(EMAIL).unwrap();
        assert!(ended.closed && ended.aliases.is_empty() && ended.ends_at.is_none());
        assert_eq!(ended.products[0].status, Status::Terminated);
    }
}

#[tokio::test]
async fn an_account_ends_at_the_due_date() {
    let (sandbox, _, server) = world(0).await;
    let newer = sandbox.vpngn().add_customer(EMAIL, PASSWORD, Some(1)).product_id.unwrap();
    let products = sandbox.vpngn().customer(EMAIL).unwrap().products;
    let older = &products[0].id;
    assert_eq!(products[1].id, newer);
    let end = async |fields: &[(&str, &str)]| {
        let fields = [&[("type", "at_due_date")], fields].concat();
        server.done("CancelRequest", &fields).await;
        sandbox.vpngn().customer(EMAIL).unwrap().ends_at.unwrap().to_string()
    };
    assert_eq!(end(&[("product_id", older)]).await, "2027-01-01T00:00:00Z");
    // If no product is named, the newest is meant, and the latest request counts.
    assert_eq!(end(&[]).await, "2026-02-01T00:00:00Z");
    sandbox.clock().advance(31 * DAY - Duration::from_secs(1));
    server.done("GetProducts", &[]).await;
    sandbox.clock().advance(Duration::from_secs(1));
    assert_eq!(server.refused("GetProducts", &[]).await, NO_CLIENT);
    assert_eq!(sandbox.vpngn().customers(), 0);
}

#[tokio::test]
async fn a_cancellation_requires_a_time_and_a_product() {
    let (sandbox, _, server) = world(0).await;
    let other = sandbox.vpngn().add_customer("other@mail.example", PASSWORD, Some(1));
    let other = other.product_id.unwrap();
    assert_eq!(server.refused("CancelRequest", &[]).await, INVALID);
    assert_eq!(server.refused("CancelRequest", &[("type", "now")]).await, INVALID);
    for id in ["1", "x", &other] {
        let fields = [("type", "midnight"), ("product_id", id)];
        assert_eq!(server.refused("CancelRequest", &fields).await, NO_PRODUCT);
    }
    assert_eq!(sandbox.vpngn().customer(EMAIL).unwrap().ends_at, None);

    // Without a product there is no due date, so a midnight counts.
    sandbox.vpngn().add_customer("bare@mail.example", PASSWORD, None);
    let bare = server.with("email", "bare@mail.example");
    assert_eq!(bare.refused("CancelRequest", &[("type", "at_due_date")]).await, NO_PRODUCT);
    bare.done("CancelRequest", &[("type", "midnight")]).await;
}

#[tokio::test]
async fn a_test_user_is_never_due() {
    let sandbox = sandbox(0).await;
    let server = server(&sandbox);
    server.done("AddClient", &[&YEARLY[..], &[("test_user", "1")]].concat()).await;
    let list = server.done("GetProducts", &[("email", EMAIL)]).await;
    assert_eq!(list["response"][0]["nextduedate"], "0000-00-00");
    let tokens = server.done("TokenRefresh", &[("email", EMAIL)]).await;
    assert_eq!(tokens["long_token_expire"], "2026-01-31 00:00:00");
    sandbox.clock().advance(800 * DAY);
    let list = server.done("GetProducts", &[("email", EMAIL)]).await;
    assert_eq!(list["response"][0]["product_status"], "Active");
    // Nor does it have one with another type.
    let upgrade = [("email", EMAIL), ("type", "1"), ("force_upgrade", "1")];
    server.done("NewProduct", &upgrade).await;
    let product = &sandbox.vpngn().customer(EMAIL).unwrap().products[0];
    assert_eq!((product.plan, product.due_at), (1, None));
    server.done("CancelRequest", &[("email", EMAIL), ("type", "at_due_date")]).await;
    sandbox.clock().advance(DAY);
    assert_eq!(sandbox.vpngn().customers(), 0);
}

#[tokio::test]
async fn a_brand_has_room_for_so_many_customers_closed_ones_included() {
    let sandbox = Sandbox::builder().vpngn_max_customers(2).start().await.unwrap();
    let server = server(&sandbox);
    let add = |email| [("email", email), ("type", "12"), ("country", "SE")];
    for email in ["one@mail.example", "two@mail.example"] {
        server.done("AddClient", &add(email)).await;
    }
    server.done("CloseClient", &[("email", "one@mail.example")]).await;
    assert_eq!(server.refused("AddClient", &add("three@mail.example")).await, (503, 1900));
    server.done("AddClient", &add("one@mail.example")).await;
    assert_eq!(
        (sandbox.vpngn().customers(), sandbox.vpngn().created("three@mail.example")),
        (2, 0)
    );
}
