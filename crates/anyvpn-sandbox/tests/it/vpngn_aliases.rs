//! Aliases, and the e-mails that password resets send.

use anyvpn_sandbox::vpngn::MailSubject;
use serde_json::{Value, json};

use crate::client::{START, START_SECOND};
use crate::vpngn_client::*;

const ALIAS: &str = "alias@mail.example";

#[tokio::test]
async fn aliases_are_added_listed_and_deleted() {
    let (sandbox, _, server) = world(0).await;
    let first = [("setemail", ALIAS), ("first_name", "First"), ("last_name", "Last")];
    assert_eq!(server.done("AddAlias", &first).await, json!({ "status": "success" }));
    server.done("AddAlias", &[("setemail", "bare@mail.example")]).await;
    assert_eq!(
        server.done("ListAliases", &[]).await,
        json!({ "status": "success", "response": [
            { "email": ALIAS, "first_name": "First", "last_name": "Last" },
            { "email": "bare@mail.example", "first_name": "", "last_name": "" },
        ] })
    );
    server.done("DelAlias", &[("alias", "ALIAS@mail.example")]).await;
    assert_eq!(sandbox.vpngn().customer(EMAIL).unwrap().aliases, ["bare@mail.example"]);
    assert_eq!(server.refused("DelAlias", &[("alias", ALIAS)]).await, NO_ALIAS);
    assert_eq!(server.refused("DelAlias", &[]).await, INVALID);
    assert_eq!(sandbox.vpngn().outbox(), []);
}

#[tokio::test]
async fn a_name_that_is_absent_may_be_null() {
    let (_sandbox, _, server) = world(seed(|quirks| quirks.absent_name_is_null)).await;
    server.done("AddAlias", &[("setemail", ALIAS)]).await;
    let list = server.done("ListAliases", &[]).await;
    assert_eq!(list["response"][0].get("first_name"), Some(&Value::Null));
}

#[tokio::test]
async fn an_address_is_used_once() {
    let (sandbox, _, server) = world(0).await;
    sandbox.vpngn().add_customer("other@mail.example", PASSWORD, None);
    let other = server.with("email", "other@mail.example");
    server.done("AddAlias", &[("setemail", ALIAS)]).await;
    for taken in [ALIAS, "Alias@mail.example", EMAIL, "other@mail.example"] {
        for caller in [&server, &other] {
            assert_eq!(caller.refused("AddAlias", &[("setemail", taken)]).await, ALIAS_EXISTS);
        }
    }
    for fields in [vec![], vec![("setemail", "nobody")]] {
        assert_eq!(server.refused("AddAlias", &fields).await, INVALID);
    }
    // Only its own account can delete an alias.
    assert_eq!(other.refused("DelAlias", &[("alias", ALIAS)]).await, NO_ALIAS);
    server.done("DelAlias", &[("alias", ALIAS)]).await;
    other.done("AddAlias", &[("setemail", ALIAS)]).await;
    // It ends with its account.
    assert_eq!(server.refused("AddAlias", &[("setemail", ALIAS)]).await, ALIAS_EXISTS);
    other.done("CloseClient", &[]).await;
    server.done("AddAlias", &[("setemail", ALIAS)]).await;
}

#[tokio::test]
async fn an_alias_has_a_password_of_its_own() {
    let (sandbox, account, server) = world(0).await;
    server.done("AddAlias", &[("setemail", ALIAS), ("setpassword", "Alias_Word_1")]).await;
    let alias = Amapi::new(&sandbox).with("email", ALIAS);
    let set = |password| [("setpassword", password)];
    // By its own password, the account's password, or the account's token.
    alias.with("password", "Alias_Word_1").done("SetAliasPassword", &set("Alias_Word_2")).await;
    alias.with("password", PASSWORD).done("SetAliasPassword", &set("Alias_Word_3")).await;
    let bearer = alias.with_bearer(&account.short_token);
    bearer.done("SetAliasPassword", &set("Alias_Word_4")).await;
    let old = alias.with("password", "Alias_Word_3");
    assert_eq!(old.refused("SetAliasPassword", &set("Alias_Word_5")).await, DENIED);
    assert_eq!(bearer.refused("SetAliasPassword", &set("short")).await, WEAK);
    assert_eq!(bearer.refused("SetAliasPassword", &[]).await, INVALID);
    // The account's password is another, and its address is no alias.
    let customer = Amapi::new(&sandbox).with("password", PASSWORD).with("email", EMAIL);
    customer.done("GetProducts", &[]).await;
    assert_eq!(customer.refused("SetAliasPassword", &set("Alias_Word_5")).await, NO_ALIAS);
    assert_eq!(server.refused("ResetAliasPassword", &[]).await, NO_ALIAS);
    // It gives no access to the account.
    let as_customer = alias.with("password", "Alias_Word_4");
    assert_eq!(as_customer.refused("GetProducts", &[]).await, NO_CLIENT);
    let account = Amapi::new(&sandbox).with("email", EMAIL).with("password", "Alias_Word_4");
    assert_eq!(account.refused("GetProducts", &[]).await, DENIED);
}

#[tokio::test]
async fn seeds_decide_whether_an_alias_signs_in() {
    for signs_in in [true, false] {
        let (sandbox, _, server) = world(seed(|it| it.aliases_sign_in == signs_in)).await;
        server.done("AddAlias", &[("setemail", ALIAS), ("setpassword", "Alias_Word_1")]).await;
        let alias = Amapi::new(&sandbox).with("email", ALIAS);
        let sign_in = alias.with("password", "Alias_Word_1").send("TokenRefresh", &[]).await.json();
        assert_eq!(sign_in["status"] == "success", signs_in, "{sign_in}");
        let with_another = alias.with("password", PASSWORD).send("TokenRefresh", &[]).await;
        assert_eq!(with_another.json()["status"], "error");
        if signs_in {
            let token = sign_in["short_token"].as_str().unwrap();
            let account = Amapi::new(&sandbox).with("email", EMAIL).with_bearer(token);
            account.done("GetProducts", &[]).await;
        }
    }
}

#[tokio::test]
async fn resets_send_mail() {
    let (sandbox, _, server) = world(0).await;
    server.done("AddAlias", &[("setemail", ALIAS), ("auto_passreset", "1")]).await;
    server.done("ResetPassword", &[]).await;
    server.with("email", "ALIAS@mail.example").done("ResetAliasPassword", &[]).await;
    let zero = [("setemail", "new@mail.example"), ("auto_passreset", "0")];
    assert_eq!(server.refused("AddAlias", &zero).await, INVALID);
    let outbox = sandbox.vpngn().outbox();
    let sent: Vec<_> = outbox.iter().map(|mail| (&*mail.to, mail.subject)).collect();
    let (of_account, of_alias) = (MailSubject::ResetPassword, MailSubject::ResetAliasPassword);
    assert_eq!(sent, [(ALIAS, of_alias), (EMAIL, of_account), (ALIAS, of_alias)]);
    assert!(outbox.iter().all(|mail| mail.sent_at.as_second() == START_SECOND));

    // The same over HTTP.
    let outbox = server.client.send_raw("POST", "/_sandbox/vpngn/outbox", json!({})).await.answer();
    let first = json!({ "to": ALIAS, "subject": "reset-alias-password", "sent_at": START });
    assert_eq!((outbox.json().as_array().unwrap().len(), &outbox.json()[0]), (3, &first));
}
