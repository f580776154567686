//! Which callers may use which call.

use anyvpn_sandbox::Sandbox;
use serde_json::json;

use crate::client::Client;
use crate::vpngn_client::*;

const ALIAS: &str = "alias@mail.example";

/// Each call, with valid fields, and the callers that it accepts: nobody, password, short token,
/// long token, secret key, white-listed address.
type Case = (&'static str, &'static [(&'static str, &'static str)], [bool; 6]);

const CUSTOMER: [bool; 6] = [false, true, true, false, true, true];
const SERVER: [bool; 6] = [false, false, false, false, true, true];
const NEW: &str = "new@mail.example";

#[rustfmt::skip]
const CASES: [Case; 14] = [
    ("AddClient", &[("email", NEW), ("type", "1"), ("country", "SE"), ("password", PASSWORD)], [true; 6]),
    ("TokenRefresh", &[("email", EMAIL)], [false, true, false, true, true, true]),
    ("CloseClient", &[("email", EMAIL)], CUSTOMER),
    ("CancelRequest", &[("email", EMAIL), ("type", "midnight")], CUSTOMER),
    ("GetProducts", &[("email", EMAIL)], CUSTOMER),
    ("NewProduct", &[("email", EMAIL), ("type", "6"), ("force_upgrade", "1")], CUSTOMER),
    ("UpgradeProduct", &[("email", EMAIL), ("new_product_plan", "6")], CUSTOMER),
    ("SetPassword", &[("email", EMAIL), ("setpassword", OTHER_PASSWORD)], CUSTOMER),
    ("ResetPassword", &[("email", EMAIL)], SERVER),
    ("ListAliases", &[("email", EMAIL)], CUSTOMER),
    ("AddAlias", &[("email", EMAIL), ("setemail", NEW)], CUSTOMER),
    ("DelAlias", &[("email", EMAIL), ("alias", ALIAS)], CUSTOMER),
    ("SetAliasPassword", &[("email", ALIAS), ("setpassword", OTHER_PASSWORD)], CUSTOMER),
    ("ResetAliasPassword", &[("email", ALIAS)], SERVER),
];

/// Returns the callers in the order of the table, for a customer with an alias and a product.
async fn callers() -> (Sandbox, String, Vec<Amapi>) {
    let (sandbox, account, server) = world(0).await;
    server.done("AddAlias", &[("setemail", ALIAS), ("setpassword", PASSWORD)]).await;
    sandbox.clear_received();
    let nobody = Amapi::new(&sandbox);
    let callers = vec![
        nobody.clone(),
        nobody.with("password", PASSWORD),
        nobody.with_bearer(&account.short_token),
        nobody.with_bearer(&account.long_token),
        nobody.with("secret_key", &sandbox.vpngn().secret_key()),
        nobody,
    ];
    (sandbox, account.product_id.unwrap(), callers)
}

#[tokio::test]
async fn every_call_accepts_only_the_documented_credentials() {
    for (call, fields, accepted) in CASES {
        for (number, accepted) in accepted.into_iter().enumerate() {
            let (sandbox, product_id, callers) = callers().await;
            sandbox.vpngn().whitelist(number == 5);
            let caller = match call {
                "UpgradeProduct" => callers[number].with("product_id", &product_id),
                _ => callers[number].clone(),
            };
            match accepted {
                true => drop(caller.done(call, fields).await),
                false => assert_eq!(caller.refused(call, fields).await, DENIED, "{call} {number}"),
            }
            let received = sandbox.received().pop().unwrap();
            assert_eq!(received.effect, accepted, "{call} {number}");
            assert!(received.operation.unwrap().starts_with("vpngn."));
        }
    }
}

#[tokio::test]
async fn the_calls_are_the_14_documented_ones() {
    let (sandbox, _, callers) = callers().await;
    let mut seen = Vec::new();
    for (call, fields, _) in CASES {
        callers[0].send(call, fields).await;
        seen.push(sandbox.received().pop().unwrap().operation.unwrap());
    }
    let all = anyvpn_sandbox::operations();
    let all: Vec<_> = all.into_iter().filter(|name| name.starts_with("vpngn.")).collect();
    assert_eq!(seen, all);
    assert_eq!(all[13], "vpngn.reset-alias-password");
}

#[tokio::test]
async fn a_wrong_credential_is_refused_even_beside_a_right_one() {
    let (sandbox, account, server) = world(0).await;
    let other = sandbox.vpngn().add_customer("other@mail.example", OTHER_PASSWORD, None);
    let nobody = Amapi::new(&sandbox).with("email", EMAIL);
    let right = nobody.with("password", PASSWORD);
    for wrong in [
        nobody.with("password", OTHER_PASSWORD),
        nobody.with("password", ""),
        nobody.with("secret_key", "unknown"),
        nobody.with_bearer("unknown"),
        nobody.with_bearer(""),
        nobody.with_bearer(&other.short_token),
        nobody.with_bearer(&account.long_token),
        right.with("secret_key", "unknown"),
        right.with_bearer("unknown"),
        server.with("password", "unknown"),
        server.with_bearer(&other.short_token),
    ] {
        assert_eq!(wrong.refused("CloseClient", &[]).await, DENIED);
    }
    assert_eq!(sandbox.vpngn().customers(), 2);
    // AddClient's password is no credential, but a secret key is one everywhere.
    let fields = [("email", "new@mail.example"), ("type", "1"), ("country", "SE")];
    let wrong = Amapi::new(&sandbox).with("secret_key", "unknown");
    assert_eq!(wrong.refused("AddClient", &fields).await, DENIED);
    right.with_bearer(&account.short_token).done("GetProducts", &[]).await;
}

#[tokio::test]
async fn the_api_key_is_checked_and_stands_in_the_body() {
    let (sandbox, _, server) = world(0).await;
    let key = sandbox.vpngn().api_key();
    for common in [vec![], vec![("apikey", "unknown".to_owned())]] {
        let caller = Amapi { common, ..server.clone() };
        let caller = caller.with("secret_key", &sandbox.vpngn().secret_key());
        assert_eq!(caller.refused("GetProducts", &[("email", EMAIL)]).await, UNKNOWN_KEY);
    }
    let in_address = format!("GetProducts?apikey={key}");
    assert_eq!(server.refused(&in_address, &[]).await, INVALID);
    assert!(!format!("{:?}", sandbox.received()).contains(&key));
    server.done("GetProducts", &[]).await;
}

#[tokio::test]
async fn a_body_must_be_a_form() {
    let (sandbox, _, _) = world(0).await;
    let client = Client::new(&sandbox);
    let fields = json!({
        "apikey": sandbox.vpngn().api_key(), "secret_key": sandbox.vpngn().secret_key(),
        "email": EMAIL,
    });
    let path = "/vpngn/api/amapi/CloseClient";
    let refused = client.send_raw("POST", path, fields.clone()).await.answer();
    assert_eq!((refused.status, &refused.json()["code"]), (422, &1101.into()));
    let untyped = client.request("POST", path, "", &fields.to_string());
    assert_eq!(client.raw(&untyped).await.answer().json()["code"], 1101);
    let nothing = client.request("POST", path, "", "");
    assert_eq!(client.raw(&nothing).await.answer().json()["code"], 1001);
    assert_eq!(sandbox.vpngn().customers(), 1);

    for (method, path, status) in [("GET", path, 405), ("POST", "/vpngn/api/amapi/Nothing", 404)] {
        let refused = client.send_raw(method, path, json!(null)).await.answer();
        assert_eq!((refused.status, &refused.json()["status"]), (status, &"error".into()));
    }
}

#[tokio::test]
async fn an_email_is_required_and_case_insensitive() {
    let (sandbox, _, _) = world(0).await;
    let server = server(&sandbox);
    assert_eq!(server.refused("GetProducts", &[]).await, INVALID);
    let nobody = [("email", "nobody@mail.example")];
    assert_eq!(server.refused("GetProducts", &nobody).await, NO_CLIENT);
    server.done("GetProducts", &[("email", "Liam@Mail.Example")]).await;
}

#[tokio::test]
async fn some_seeds_do_not_tell_who_is_a_customer() {
    for denied in [false, true] {
        let seed = seed(|it| {
            it.unknown_email_is_denied == denied && it.code_field == "code" && it.denied == 401
        });
        let (sandbox, _, _) = world(seed).await;
        let nobody = [("email", "nobody@mail.example")];
        let code = async |caller: Amapi| {
            let answer = caller.send("GetProducts", &nobody).await;
            answer.json()["code"].to_string()
        };
        let stranger = code(Amapi::new(&sandbox).with("password", PASSWORD)).await;
        let server = code(server(&sandbox)).await;
        assert_eq!(stranger != server, denied, "{stranger} {server}");
    }
}

#[tokio::test]
async fn brands_have_keys_customers_and_rules_of_their_own() {
    let (sandbox, account, _) = world(0).await;
    let other = sandbox.vpngn().brand("other");
    assert_ne!(other.api_key(), sandbox.vpngn().api_key());
    assert_ne!(other.secret_key(), sandbox.vpngn().secret_key());
    assert_eq!(other.api_key(), sandbox.vpngn().brand("other").api_key());
    assert_eq!((sandbox.vpngn().customers(), other.customers()), (1, 0));

    let caller = Amapi { client: Client::new(&sandbox), common: vec![("apikey", other.api_key())] };
    let caller = caller.with("email", EMAIL);
    let with_secret = caller.with("secret_key", &other.secret_key());
    let crossed = caller.with("secret_key", &sandbox.vpngn().secret_key());
    assert_eq!(with_secret.refused("CloseClient", &[]).await, NO_CLIENT);
    assert_eq!(crossed.refused("CloseClient", &[]).await, DENIED);

    // The same address belongs to a different customer there.
    other.whitelist(true);
    caller.done("AddClient", &[("type", "1"), ("country", "SE")]).await;
    caller.done("ResetPassword", &[]).await;
    assert_eq!((sandbox.vpngn().customers(), other.customers()), (1, 1));
    assert_eq!((sandbox.vpngn().outbox().len(), other.outbox().len()), (0, 1));
    let foreign = caller.with_bearer(&account.short_token);
    assert_eq!(foreign.refused("CloseClient", &[]).await, DENIED);
    let nobody = Amapi::new(&sandbox).with("email", EMAIL);
    assert_eq!(nobody.refused("CloseClient", &[]).await, DENIED);
}
