//! Products: listing, adding, upgrading, renewing, ending.

use std::time::Duration;

use anyvpn_sandbox::Sandbox;
use anyvpn_sandbox::vpngn::{EmptyList, Product, Status};
use serde_json::{Value, json};

use crate::client::{DAY, sandbox};
use crate::vpngn_client::*;

fn products(sandbox: &Sandbox) -> Vec<Product> {
    sandbox.vpngn().customer(EMAIL).unwrap().products
}

fn due(product: &Product) -> String {
    product.due_at.unwrap().strftime("%F %T").to_string()
}

#[tokio::test]
async fn a_list_is_as_the_sample() {
    let (sandbox, account, server) = world(0).await;
    let mut list = server.done("GetProducts", &[]).await;
    let product = list["response"][0].as_object_mut().unwrap();
    let username = product.remove("username").unwrap();
    assert!(username.as_str().unwrap().starts_with("vpn"));
    assert_eq!(product.remove("password").unwrap().as_str().unwrap().len(), 16);
    assert_eq!(
        list,
        json!({ "status": "success", "result": "success", "response": [{
            "product_id": account.product_id, "product_type": "12 Months",
            "product_status": "Active", "nextduedate": "2027-01-01",
        }] })
    );
    sandbox.vpngn().add_customer("month@mail.example", PASSWORD, Some(1));
    let list = server.with("email", "month@mail.example").done("GetProducts", &[]).await;
    assert_eq!(list["response"][0]["product_type"], "1 Month");
}

#[tokio::test]
async fn seeds_list_in_different_forms() {
    for number in [false, true] {
        let (_sandbox, _, server) = world(seed(|it| it.product_id_is_number == number)).await;
        let list = server.done("GetProducts", &[]).await;
        let product = &list["response"][0];
        assert_eq!(product["product_id"].is_number(), number);
        assert_eq!(product["product_id"].is_string(), !number);
    }
    for for_all in [false, true] {
        let seed = seed(|quirks| quirks.product_credentials_for_all == for_all);
        let (sandbox, _, server) = world(seed).await;
        let list = server.done("GetProducts", &[]).await;
        for name in ["username", "password"] {
            assert_eq!(list["response"][0].get(name).is_some(), for_all);
        }
        sandbox.vpngn().whitelist(true);
        let list = server.done("GetProducts", &[]).await;
        assert!(list["response"][0]["password"].is_string());
    }
    for form in [EmptyList::Array, EmptyList::Missing] {
        let sandbox = sandbox(seed(|quirks| quirks.empty_list == form)).await;
        sandbox.vpngn().add_customer(EMAIL, PASSWORD, None);
        let server = server(&sandbox).with("email", EMAIL);
        let expected = (form == EmptyList::Array).then(|| json!([]));
        for call in ["GetProducts", "ListAliases"] {
            assert_eq!(server.done(call, &[]).await.get("response").cloned(), expected);
        }
    }
    for word in ["Active", "Cancelled"] {
        let (_sandbox, _, server) = world(seed(|quirks| quirks.cancelling == word)).await;
        server.done("CancelRequest", &[("type", "midnight")]).await;
        let list = server.done("GetProducts", &[]).await;
        assert_eq!(list["response"][0]["product_status"], word);
    }
}

#[tokio::test]
async fn a_second_product_is_an_upgrade_or_an_error() {
    let (sandbox, account, server) = world(0).await;
    let add = [("type", "24")];
    assert_eq!(server.refused("NewProduct", &add).await, ACTIVE_PRODUCT);
    let zero = [("type", "24"), ("force_upgrade", "0")];
    assert_eq!(server.refused("NewProduct", &zero).await, INVALID);
    assert_eq!(server.refused("NewProduct", &[("force_upgrade", "1")]).await, INVALID);
    assert_eq!(products(&sandbox)[0].plan, 12);

    // The newest is upgraded, and keeps its id.
    sandbox.vpngn().add_customer(EMAIL, PASSWORD, Some(1));
    sandbox.clock().advance(DAY);
    let force = [("type", "24"), ("force_upgrade", "1"), ("auto_terminate", "1")];
    sandbox.vpngn().whitelist(true);
    let made = server.done("NewProduct", &force).await;
    let [first, second] = &products(&sandbox)[..] else { panic!("not two products") };
    assert_eq!((&first.id, first.plan, first.renews), (&account.product_id.unwrap(), 12, true));
    assert_eq!((second.plan, second.renews), (24, false));
    assert_eq!(due(second), "2028-01-02 00:00:00");
    assert_eq!(made["username"], EMAIL);
    assert_eq!(made["long_token_expire"], "2028-01-02 00:00:00");
    assert!(made.get("password").is_none());
    let list = server.done("GetProducts", &[]).await;
    assert_eq!(made["vpn_username"], list["response"][1]["username"]);
    assert_eq!(made["vpn_password"], list["response"][1]["password"]);
    let bearer = Amapi::new(&sandbox).with("email", EMAIL);
    sandbox.vpngn().whitelist(false);
    bearer.with_bearer(made["short_token"].as_str().unwrap()).done("GetProducts", &[]).await;
}

#[tokio::test]
async fn a_customer_without_a_product_gets_one() {
    let (sandbox, _, _) = world(0).await;
    sandbox.vpngn().add_customer("bare@mail.example", PASSWORD, None);
    let bare = server(&sandbox).with("email", "bare@mail.example");
    bare.done("NewProduct", &[("type", "6"), ("force_upgrade", "1")]).await;
    let [product] = &sandbox.vpngn().customer("bare@mail.example").unwrap().products[..] else {
        panic!("not one product");
    };
    assert_eq!((product.plan, due(product)), (6, "2026-07-01 00:00:00".to_owned()));
    assert_ne!(product.id, products(&sandbox)[0].id);
}

#[tokio::test]
async fn a_product_goes_up_and_down() {
    let (sandbox, account, server) = world(0).await;
    let id = account.product_id.unwrap();
    sandbox.vpngn().whitelist(true);
    for (plan, months, end) in [("36", 36, "2029-01-01 00:00:00"), ("1", 1, "2026-02-01 00:00:00")]
    {
        let upgrade = [("product_id", &*id), ("new_product_plan", plan)];
        let reply = server.done("UpgradeProduct", &upgrade).await;
        assert_eq!(reply["long_token_expire"], end);
        assert_eq!(reply.as_object().unwrap().len(), 7);
        let [product] = &products(&sandbox)[..] else { panic!("not one product") };
        assert_eq!((&product.id, product.plan, product.renews), (&id, months, true));
        assert_eq!(due(product), end);
    }
    let terminate = [("product_id", &*id), ("new_product_plan", "1"), ("auto_terminate", "1")];
    server.done("UpgradeProduct", &terminate).await;
    assert!(!products(&sandbox)[0].renews);
}

#[tokio::test]
async fn only_an_own_active_product_is_upgraded() {
    let (sandbox, account, server) = world(0).await;
    let other = sandbox.vpngn().add_customer("other@mail.example", PASSWORD, Some(1));
    for id in ["0", "x", &other.product_id.unwrap()] {
        let fields = [("product_id", id), ("new_product_plan", "36")];
        assert_eq!(server.refused("UpgradeProduct", &fields).await, NO_PRODUCT);
    }
    let id = account.product_id.unwrap();
    for fields in [
        vec![("new_product_plan", "36")],
        vec![("product_id", &*id)],
        vec![("product_id", &*id), ("new_product_plan", "3")],
        vec![("product_id", &*id), ("new_product_plan", "36"), ("auto_terminate", "no")],
    ] {
        assert_eq!(server.refused("UpgradeProduct", &fields).await, INVALID);
    }
    let fields = [("product_id", &*id), ("new_product_plan", "1"), ("auto_terminate", "1")];
    server.done("UpgradeProduct", &fields).await;
    sandbox.clock().advance(31 * DAY);
    assert_eq!(server.refused("UpgradeProduct", &fields).await, NO_PRODUCT);
}

#[tokio::test]
async fn a_product_is_renewed_by_its_months_or_ends() {
    let sandbox = sandbox(0).await;
    let server = server(&sandbox).with("email", EMAIL);
    let month = [("type", "1"), ("country", "SE")];
    server.done("AddClient", &month).await;
    let ending = server.with("email", "ending@mail.example");
    ending.done("AddClient", &[&month[..], &[("auto_terminate", "1")]].concat()).await;
    let listed = async |of: &Amapi| -> (Value, Value) {
        let list = of.done("GetProducts", &[]).await;
        let product = &list["response"][0];
        (product["product_status"].clone(), product["nextduedate"].clone())
    };
    let expected = |status: &str, date: &str| (json!(status), json!(date));

    sandbox.clock().advance(31 * DAY - Duration::from_secs(1));
    assert_eq!(listed(&server).await, expected("Active", "2026-02-01"));
    assert_eq!(listed(&ending).await, expected("Active", "2026-02-01"));
    sandbox.clock().advance(Duration::from_secs(1));
    assert_eq!(listed(&server).await, expected("Active", "2026-03-01"));
    assert_eq!(listed(&ending).await, expected("Terminated", "2026-02-01"));
    assert_eq!(ending.done("TokenRefresh", &[]).await["last_product_change_ts"], 1_769_904_000);
    // It advances years at once, and not a day too far.
    sandbox.clock().advance(1000 * DAY);
    assert_eq!(listed(&server).await, expected("Active", "2028-11-01"));
    // Now there is room for another one.
    ending.done("NewProduct", &[("type", "1")]).await;
    let list = ending.done("GetProducts", &[]).await;
    assert_eq!(list["response"][0]["product_status"], "Terminated");
    assert_eq!(list["response"][1]["product_status"], "Active");
    assert_eq!(sandbox.vpngn().customer(EMAIL).unwrap().products[0].status, Status::Active);
}

#[tokio::test]
async fn a_month_is_not_longer_than_it_is() {
    let sandbox = sandbox(0).await;
    sandbox.clock().advance(30 * DAY);
    sandbox.vpngn().add_customer(EMAIL, PASSWORD, Some(1));
    assert_eq!(due(&products(&sandbox)[0]), "2026-02-28 00:00:00");
    // If a due date was missed by whole months, the next one counts at once.
    let sandbox = crate::client::sandbox(0).await;
    sandbox.vpngn().add_customer(EMAIL, PASSWORD, Some(1));
    sandbox.clock().advance(59 * DAY);
    assert_eq!(due(&products(&sandbox)[0]), "2026-04-01 00:00:00");
    // To the end of time, without a panic.
    for _ in 0..2 {
        sandbox.clock().advance(Duration::MAX);
        let server = server(&sandbox).with("email", EMAIL);
        let list = server.done("GetProducts", &[]).await;
        assert_eq!(list["response"][0]["product_status"], "Active");
        server.done("TokenRefresh", &[]).await;
        server.done("CancelRequest", &[("type", "midnight")]).await;
        server.done("NewProduct", &[("type", "36"), ("force_upgrade", "1")]).await;
    }
}
