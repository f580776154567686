//! VPNGN: a reseller's customers, products and aliases.

mod common;

use std::time::Duration;

use anyvpn_sandbox::vpngn::MailSubject;
use anyvpn_sandbox::{Fault, FaultRule};
use common::{World, command, error, fails, json, ok, with_stdin};
use serde_json::{Value, json};

const EMAIL: &str = "jo@mail.example";
const STRONG: &str = "Strong-canary-1";

fn create<'a>(email: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let create = ["account", "create", "--email", email, "--country", "us", "--months", "12"];
    [&create[..], more].concat()
}

#[test]
fn a_customer_exists_once_and_is_told_to_be_new_or_not() {
    let world = World::new();
    let generated = create(EMAIL, &["--generate-password"]);
    let made = json(&mut world.vpngn(&generated));
    assert_eq!(made["created"], true);
    assert_eq!(made["email"], EMAIL);
    let password = made["generated_password"].as_str().unwrap().to_owned();

    let again = json(&mut world.vpngn(&generated));
    assert_eq!(again["created"], false);
    assert_eq!(again.get("generated_password"), None);
    assert_eq!(again["products"][0]["product"], "12 Months");
    assert!(ok(&mut world.vpngn(&generated)).contains("is there already; nothing was"));
    assert_eq!(world.sandbox.vpngn().created(EMAIL), 1);
    assert_eq!(world.calls("vpngn.add-client"), 1);

    // The password is the customer's.
    let show = ["account", "show", "--email", EMAIL];
    let mut shown = world.vpngn_client(&show);
    let shown = json(shown.env("ANYVPN_VPNGN_PASSWORD", &password));
    assert_eq!((&shown["login"], &shown["status"]), (&json!(EMAIL), &json!("active")));
    assert_eq!(shown["services"][0]["name"], "12 Months");

    // A reply that is lost is no reason for a second customer, and no reason to believe that the one
    // who is there has this password.
    world.sandbox.inject(FaultRule::once("vpngn.add-client", Fault::Wire("reset-after"))).unwrap();
    let lost = with_stdin(
        &mut world.vpngn(&create("al@mail.example", &["--password-file", "-", "--json"])),
        STRONG,
    );
    assert_eq!((lost.status.code(), &*lost.stdout), (Some(9), &b""[..]));
    let lost: Value = serde_json::from_slice(&lost.stderr).unwrap();
    assert_eq!(lost["error"]["kind"], "ambiguous");
    assert!(lost["error"]["detail"].as_str().unwrap().contains("al@mail.example is there"));
    assert_eq!(world.sandbox.vpngn().created("al@mail.example"), 1);
}

/// A customer is there who has something else than what was sold.
#[test]
fn a_customer_without_the_wanted_product_is_code_five() {
    let world = World::new();
    let vpngn = world.sandbox.vpngn();
    vpngn.add_customer(EMAIL, STRONG, Some(1));
    vpngn.add_customer("bare@mail.example", STRONG, None);
    for (email, has) in [(EMAIL, "1 Month, Active"), ("bare@mail.example", "no product")] {
        let create = create(email, &["--generate-password"]);
        let text = fails(5, &mut world.vpngn(&create));
        for words in [email, has, "12 months", "nothing was changed", "anyvpn product"] {
            assert!(text.contains(words), "no {words}: {text}");
        }
        let error = error(5, &mut world.vpngn(&create));
        assert_eq!(error["kind"], "already-exists");
        assert!(error["detail"].as_str().unwrap().contains(has), "{error}");
    }
    assert_eq!(world.calls("vpngn.add-client"), 0);
    assert_eq!(vpngn.customer(EMAIL).unwrap().products.len(), 1);
    let month = ["account", "create", "--email", EMAIL, "--country", "us", "--months", "1"];
    let month = [&month[..], &["--generate-password"]].concat();
    assert_eq!(json(&mut world.vpngn(&month))["created"], false);
}

#[test]
fn what_is_typed_wrongly_is_found_out_before_sending() {
    let world = World::new();
    let weak = world.file("weak", "password\n");
    for arguments in [
        create("x@mail.example", &[]),
        create("x@mail.example", &["--password-file", &weak]),
        create("x@mail.example", &["--password", STRONG]),
        create("x@mail.example", &["--currency", "EUR", "--generate-password"]),
        create("x@mail.example", &["y@mail.example", "--generate-password"]),
        vec!["account", "create", "--country", "US", "--months", "1", "--generate-password"],
        vec!["account", "create", EMAIL, "--country", "USA", "--months", "1"],
        vec!["account", "create", EMAIL, "--country", "US", "--months", "2"],
        vec!["account", "create", EMAIL, "--months", "1", "--generate-password"],
        vec!["account", "create", EMAIL, "--country", "US", "--generate-password"],
        vec!["account", "show"],
        vec!["account", "cancel", "--email", EMAIL],
        vec!["account", "cancel", "--email", EMAIL, "--at", "noon"],
        vec!["product", "list"],
        vec!["product", "add", "--email", EMAIL],
        vec!["alias", "add", "--email", EMAIL],
        vec!["--brand", "evil.example.com/", "product", "list", "--email", EMAIL],
        vec!["--brand", "acme", "--url", "https://x.example", "product", "list"],
    ] {
        fails(2, &mut world.vpngn(&arguments));
        error(2, &mut world.vpngn(&arguments));
    }
    assert!(world.sandbox.received().is_empty());
    let text = fails(2, &mut command(&["product", "list", "--email", EMAIL]));
    assert!(text.contains("--brand") && text.contains("ANYVPN_VPNGN_BRAND"), "{text}");
    let text = fails(3, &mut world.vpngn_client(&["product", "list", "--email", EMAIL]));
    assert!(text.contains("ANYVPN_VPNGN_SECRET_KEY"), "{text}");
}

#[test]
fn products_are_listed_added_and_changed() {
    let world = World::new();
    let vpngn = world.sandbox.vpngn();
    vpngn.add_customer(EMAIL, STRONG, None);
    let run = |arguments: &[&str]| world.vpngn(&[arguments, &["--email", EMAIL]].concat());
    assert_eq!(ok(&mut run(&["product", "list"])), format!("{EMAIL} has no products.\n"));
    let added = json(&mut run(&["product", "add", "--months", "1", "--no-renew"]));
    assert_eq!((&added["months"], &added["renews"]), (&json!(1), &json!(false)));
    assert!(!vpngn.customer(EMAIL).unwrap().products[0].renews);
    fails(5, &mut run(&["product", "add", "--months", "1"]));

    let list = json(&mut run(&["product", "list"]));
    let product = &list["products"][0];
    let id = product["id"].as_str().unwrap();
    assert_eq!((&product["product"], &product["status"]), (&json!("1 Month"), &json!("Active")));
    assert!(ok(&mut run(&["product", "list"])).starts_with("ID "));

    // A change of what is there is asked about; there is nobody to ask.
    for change in [
        &["product", "upgrade", id, "--months", "24"][..],
        &["product", "add", "--months", "24", "--force-upgrade"],
    ] {
        assert!(fails(2, &mut run(change)).contains("--yes"));
    }
    assert_eq!(vpngn.customer(EMAIL).unwrap().products[0].plan, 1);
    fails(4, &mut run(&["product", "upgrade", "1", "--months", "24"]));
    json(&mut run(&["product", "upgrade", id, "--months", "24", "--yes"]));
    assert_eq!(vpngn.customer(EMAIL).unwrap().products[0].plan, 24);
    json(&mut run(&["product", "add", "--months", "6", "--force-upgrade", "--yes"]));
    assert_eq!(vpngn.customer(EMAIL).unwrap().products[0].plan, 6);
}

#[test]
fn aliases_come_get_passwords_and_go() {
    let world = World::new();
    let vpngn = world.sandbox.vpngn();
    vpngn.add_customer(EMAIL, STRONG, Some(1));
    let run = |arguments: &[&str]| world.vpngn(&[arguments, &["--email", EMAIL]].concat());
    let alias = "jo.at.work@mail.example";
    let added = json(&mut run(&["alias", "add", alias, "--first-name", "Jo", "--send-reset"]));
    assert_eq!(added, json!({ "done": "add", "alias": alias }));
    let list = json(&mut run(&["alias", "list"]));
    assert_eq!(list["aliases"][0]["email"], alias);
    assert_eq!(list["aliases"][0]["first_name"], "Jo");
    assert!(ok(&mut run(&["alias", "list"])).starts_with("ALIAS "));

    let set = json(&mut world.vpngn(&["alias", "set-password", alias, "--generate-password"]));
    assert_eq!(set["generated_password"].as_str().map(str::len), Some(20));
    let set = with_stdin(
        &mut world.vpngn(&["alias", "set-password", alias, "--password-file", "-"]),
        STRONG,
    );
    assert_eq!(set.stdout, b"The password is changed.\n");
    ok(&mut world.vpngn(&["alias", "reset-password", alias]));
    ok(&mut run(&["account", "reset-password"]));
    let subjects: Vec<_> = vpngn.outbox().iter().map(|mail| mail.subject).collect();
    let alias_mail = MailSubject::ResetAliasPassword;
    assert_eq!(subjects, [alias_mail, alias_mail, MailSubject::ResetPassword]);

    assert!(fails(2, &mut run(&["alias", "remove", alias])).contains("--yes"));
    assert!(fails(4, &mut run(&["alias", "remove", "x@mail.example"])).contains("alias list"));
    assert_eq!(vpngn.customer(EMAIL).unwrap().aliases.len(), 1);
    json(&mut run(&["alias", "remove", alias, "--yes"]));
    assert!(vpngn.customer(EMAIL).unwrap().aliases.is_empty());
}

#[test]
fn an_account_gets_a_password_is_cancelled_and_closed() {
    let world = World::new();
    let vpngn = world.sandbox.vpngn();
    vpngn.add_customer(EMAIL, STRONG, Some(1));
    let run = |arguments: &[&str]| world.vpngn(&[arguments, &["--email", EMAIL]].concat());
    let set = json(&mut run(&["account", "set-password", "--generate-password"]));
    assert_eq!(set["done"], "set-password");
    let password = set["generated_password"].as_str().unwrap().to_owned();

    for destructive in [&["account", "close"][..], &["account", "cancel", "--at", "midnight"]] {
        assert!(fails(2, &mut run(destructive)).contains("--yes"));
    }
    assert_eq!(vpngn.customer(EMAIL).unwrap().ends_at, None);
    let cancel = ["account", "cancel", "--at", "due-date", "--reason", "too dear", "--yes"];
    let done = json(&mut run(&cancel));
    assert_eq!(done, json!({ "provider": "vpngn", "done": "cancel", "email": EMAIL }));
    assert!(vpngn.customer(EMAIL).unwrap().ends_at.is_some());

    // The customer's own password is proof enough.
    let mut close = world.vpngn_client(&["account", "close", "--email", EMAIL, "--yes"]);
    let closed = with_stdin(close.args(["--password-file", "-"]), &password);
    assert_eq!(closed.status.code(), Some(0));
    assert!(vpngn.customer(EMAIL).unwrap().closed);
    fails(4, &mut run(&["account", "show"]));
}

/// There is a terminal to ask on where `script` makes one.
#[cfg(target_os = "linux")]
#[test]
fn what_goes_is_named_in_the_question() {
    let has_script = std::process::Command::new("script").arg("--version").output().is_ok();
    if !has_script {
        return;
    }
    let world = World::new();
    let vpngn = world.sandbox.vpngn();
    let id = vpngn.add_customer(EMAIL, STRONG, Some(1)).product_id.unwrap();
    let alias = "al@mail.example";
    let add = ["alias", "add", alias, "--email", EMAIL];
    ok(&mut world.vpngn(&add));
    let typed = format!("{} account close --email {EMAIL}", env!("CARGO_BIN_EXE_anyvpn"));
    let mut script = std::process::Command::new("script");
    let environment = world.vpngn(&[]);
    let variables = environment.get_envs().filter_map(|(name, value)| Some((name, value?)));
    script.args(["-qec", &typed, "/dev/null"]).envs(variables);
    let ran = with_stdin(&mut script, "n\n");
    let text = String::from_utf8_lossy(&ran.stdout).replace("\r\n", "");
    assert!(text.contains(&id) && text.contains(alias), "{text}");
    assert!(!vpngn.customer(EMAIL).unwrap().closed);
}

#[test]
fn without_a_secret_key_a_customer_waits_for_the_turn_and_is_told() {
    let world = World::new();
    let made = json(&mut world.vpngn_client(&create(EMAIL, &["--generate-password"])));
    assert_eq!(made["created"], true);
    world.sandbox.clock().advance(Duration::from_secs(7));
    let second = create("al@mail.example", &["--generate-password"]);
    let ran = world.vpngn_client(&second).output().unwrap();
    let text = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(0), "{text}");
    let line = "VPNGN takes one new customer in 10 s without a secret key; again in 3 s\n";
    assert_eq!(text, line);
    world.sandbox.clock().advance(Duration::from_secs(10));
    fails(5, &mut world.vpngn_client(&create(EMAIL, &["--generate-password"])));
}

#[test]
fn what_a_provider_has_not_is_told_with_who_has_it() {
    let world = World::new();
    for (mut command, words) in [
        (
            world.vpngn(&["server", "list"]),
            &["manages accounts only", "AzireVPN and VPN Script"][..],
        ),
        (world.vpngn(&["port", "list"]), &["manages accounts only", "AzireVPN has"]),
        (world.vpnscript(&["port", "list"]), &["the API has none", "AzireVPN has"]),
        (world.vpnscript(&["account", "close"]), &["reads accounts only", "AzireVPN and VPNGN"]),
        (world.vpnscript(&["account", "cancel", "--at", "midnight"]), &["reads accounts", "VPNGN"]),
        (world.command(&["account", "reset-password"]), &["no such call", "VPNGN has"]),
        (world.command(&["--provider", "azire", "product", "list"]), &["AzireVPN has no", "VPNGN"]),
        (world.vpnscript(&["--provider", "vpnscript", "alias", "list"]), &["VPN Script", "VPNGN"]),
    ] {
        let text = fails(5, &mut command);
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
        assert_eq!(error(5, &mut command)["kind"], "unsupported");
    }
    fails(2, &mut world.command(&["account", "show", "--email", EMAIL]));
    fails(2, &mut world.command(&["--provider", "azire", "--brand", "x", "account", "show"]));
}

#[test]
fn every_operation_of_both_can_be_called_and_no_secret_comes_from_the_arguments() {
    let world = World::new();
    world.sandbox.vpngn().add_customer(EMAIL, STRONG, Some(1));
    let email = format!("email={EMAIL}");
    let tokens = json(&mut world.vpngn(&["call", "vpngn", "token-refresh", &email]));
    assert_eq!(tokens["short_token"], "[redacted]");
    let tokens = json(&mut world.vpngn(&["call", "vpngn", "token-refresh", &email, "--reveal"]));
    let token = tokens["short_token"].as_str().unwrap();
    let mut products = world.vpngn_client(&["call", "vpngn", "get-products", &email]);
    let products = json(products.env("ANYVPN_VPNGN_SHORT_TOKEN", token));
    assert_eq!(products[0]["product_type"], "1 Month");
    let servers = json(&mut world.vpnscript(&["call", "vpnscript", "list-servers", "paginate=2"]));
    assert_eq!(servers["servers"].as_array().unwrap().len(), 2);

    for (mut command, count) in
        [(world.vpngn(&["call", "vpngn"]), 14), (world.vpnscript(&["call", "vpnscript"]), 8)]
    {
        assert_eq!(json(&mut command)["operations"].as_array().unwrap().len(), count);
    }
    let argument = format!("setpassword={STRONG}");
    let text = fails(2, &mut world.vpngn(&["call", "vpngn", "set-password", &email, &argument]));
    assert!(text.contains("setpassword=@FILE") && !text.contains(STRONG), "{text}");
    let sign_in = ["call", "vpnscript", "create-token", "username=david", "password=x"];
    fails(2, &mut world.vpnscript(&sign_in));
}

#[test]
fn what_is_told_on_the_way_has_no_secret() {
    let world = World::new();
    let vpngn = world.sandbox.vpngn();
    vpngn.add_customer(EMAIL, STRONG, Some(1));
    let strong = world.file("strong", STRONG);
    let commands: [&[&str]; 5] = [
        &["account", "show", "--email", EMAIL],
        &["product", "list", "--email", EMAIL],
        &["account", "set-password", "--email", EMAIL, "--password-file", &strong],
        &["call", "vpngn", "get-products", "email=jo@mail.example"],
        &["account", "close", "--email", EMAIL, "--yes", "--password-file", &strong],
    ];
    for arguments in commands {
        let ran = world.vpngn(arguments).arg("-vvv").output().unwrap();
        let all = String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap();
        assert!(all.contains("operation=vpngn."), "{arguments:?}: {all}");
        for secret in [&vpngn.api_key(), &vpngn.secret_key(), STRONG] {
            assert!(!all.contains(secret), "{arguments:?}: {all}");
        }
    }
}
