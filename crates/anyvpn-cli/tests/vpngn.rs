//! VPNGN: a reseller's customers and their plans, and aliases by `call`.

mod common;

use std::time::Duration;

use anyvpn_sandbox::vpngn::MailSubject;
use anyvpn_sandbox::{Fault, FaultRule};
use common::{World, command, error, fails, json, ok, with_stdin};
use serde_json::{Value, json};

const EMAIL: &str = "jo@mail.example";
const STRONG: &str = "Strong-canary-1";

fn create<'a>(email: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let create = ["customer", "create", email, "--country", "us", "--plan", "12"];
    [&create[..], more].concat()
}

#[test]
fn creating_a_customer_twice_says_whether_it_is_new() {
    let world = World::new();
    let generated = create(EMAIL, &["--generate-password"]);
    let made = json(&mut world.vpngn(&generated));
    assert_eq!(made["created"], true);
    assert_eq!(made["customer"], EMAIL);
    let password = made["generated_password"].as_str().unwrap().to_owned();

    let again = json(&mut world.vpngn(&generated));
    assert_eq!(again["created"], false);
    assert_eq!(again.get("generated_password"), None);
    assert_eq!(again["services"][0]["name"], "12 Months");
    assert!(ok(&mut world.vpngn(&generated)).contains("already exists; nothing was"));
    assert_eq!(world.sandbox.vpngn().created(EMAIL), 1);
    assert_eq!(world.calls("vpngn.add-client"), 1);

    // The password belongs to the customer.
    let show = ["account", "show", "--customer", EMAIL];
    let mut shown = world.vpngn_client(&show);
    let shown = json(shown.env("ANYVPN_VPNGN_PASSWORD", &password));
    assert_eq!((&shown["login"], &shown["status"]), (&json!(EMAIL), &json!("active")));
    assert_eq!(shown["services"][0]["name"], "12 Months");

    // If a reply is lost, the command neither creates a second customer nor assumes that the
    // existing one has this password.
    world.sandbox.inject(FaultRule::once("vpngn.add-client", Fault::Wire("reset-after"))).unwrap();
    let lost = with_stdin(
        &mut world.vpngn(&create("al@mail.example", &["--password-file", "-", "--json"])),
        STRONG,
    );
    assert_eq!((lost.status.code(), &*lost.stdout), (Some(9), &b""[..]));
    let lost: Value = serde_json::from_slice(&lost.stderr).unwrap();
    assert_eq!(lost["error"]["kind"], "ambiguous");
    assert!(lost["error"]["detail"].as_str().unwrap().contains("al@mail.example exists"));
    assert_eq!(world.sandbox.vpngn().created("al@mail.example"), 1);
}

/// The existing customer has another plan than the one requested.
#[test]
fn a_customer_with_another_plan_exits_with_5() {
    let world = World::new();
    let vpngn = world.sandbox.vpngn();
    vpngn.add_customer(EMAIL, STRONG, Some(1));
    vpngn.add_customer("bare@mail.example", STRONG, None);
    for (email, has) in [(EMAIL, "1 Month: active"), ("bare@mail.example", "no plan")] {
        let create = create(email, &["--generate-password"]);
        let text = fails(5, &mut world.vpngn(&create));
        for words in [email, has, "12 months", "nothing was changed", "change-plan"] {
            assert!(text.contains(words), "no {words}: {text}");
        }
        let error = error(5, &mut world.vpngn(&create));
        assert_eq!(error["kind"], "already-exists");
        assert!(error["detail"].as_str().unwrap().contains(has), "{error}");
    }
    assert_eq!(world.calls("vpngn.add-client"), 0);
    assert_eq!(vpngn.customer(EMAIL).unwrap().products.len(), 1);
    let month = ["customer", "create", EMAIL, "--country", "us", "--plan", "1"];
    let month = [&month[..], &["--generate-password"]].concat();
    assert_eq!(json(&mut world.vpngn(&month))["created"], false);
}

#[test]
fn invalid_arguments_are_found_before_sending() {
    let world = World::new();
    let weak = world.file("weak", "password\n");
    for arguments in [
        create("x@mail.example", &[]),
        create("x@mail.example", &["--password-file", &weak]),
        create("x@mail.example", &["--password", STRONG]),
        create("x@mail.example", &["--currency", "EUR", "--generate-password"]),
        create("x@mail.example", &["y@mail.example", "--generate-password"]),
        vec!["customer", "create", "--country", "US", "--plan", "1", "--generate-password"],
        vec!["customer", "create", EMAIL, "--country", "USA", "--plan", "1", "--generate-password"],
        vec!["customer", "create", EMAIL, "--country", "US", "--plan", "2", "--generate-password"],
        vec!["customer", "create", EMAIL, "--plan", "1", "--generate-password"],
        vec!["customer", "create", EMAIL, "--country", "US", "--generate-password"],
        vec!["account", "show"],
        vec!["customer", "end", EMAIL],
        vec!["customer", "end", EMAIL, "--at", "noon"],
        vec!["customer", "end", EMAIL, "--at", "2031-01-01T00:00:00Z", "--yes"],
        vec!["customer", "find"],
        vec!["customer", "change-plan", EMAIL],
        vec!["customer", "change-plan", EMAIL, "2", "--yes"],
        vec!["--brand", "evil.example.com/", "customer", "find", EMAIL],
        vec!["--brand", "acme", "--url", "https://x.example", "customer", "find", EMAIL],
    ] {
        fails(2, &mut world.vpngn(&arguments));
        error(2, &mut world.vpngn(&arguments));
    }
    assert!(world.sandbox.received().is_empty());
    let text = fails(2, &mut command(&["--provider", "vpngn", "customer", "find", EMAIL]));
    assert!(text.contains("--brand") && text.contains("ANYVPN_VPNGN_BRAND"), "{text}");
    let text = fails(3, &mut world.vpngn_client(&["customer", "find", EMAIL]));
    assert!(text.contains("ANYVPN_VPNGN_SECRET_KEY"), "{text}");
}

#[test]
fn plans_are_given_and_changed() {
    let world = World::new();
    let vpngn = world.sandbox.vpngn();
    vpngn.add_customer(EMAIL, STRONG, None);
    let run = |arguments: &[&str]| world.vpngn(&[&["customer"], arguments].concat());
    let found = json(&mut run(&["find", EMAIL]));
    assert_eq!((&found["plan"], &found["services"]), (&Value::Null, &json!([])));
    let changed = json(&mut run(&["change-plan", EMAIL, "1", "--yes"]));
    assert_eq!(changed, json!({ "provider": "vpngn", "done": "change-plan", "customer": EMAIL }));
    let found = json(&mut run(&["find", EMAIL]));
    assert_eq!((&found["plan"], &found["status"]), (&json!("1"), &json!("active")));
    assert!(ok(&mut run(&["find", EMAIL])).contains("1 Month: active"));

    // Changes need confirmation, and there is no terminal to ask.
    assert!(fails(2, &mut run(&["change-plan", EMAIL, "24"])).contains("--yes"));
    assert_eq!(vpngn.customer(EMAIL).unwrap().products[0].plan, 1);
    json(&mut run(&["change-plan", EMAIL, "24", "--yes"]));
    assert_eq!(vpngn.customer(EMAIL).unwrap().products[0].plan, 24);
    fails(4, &mut run(&["find", "nobody@mail.example"]));
}

/// VPNGN's own operations have no command.
#[test]
fn aliases_come_get_passwords_and_go_by_calls() {
    let world = World::new();
    let vpngn = world.sandbox.vpngn();
    vpngn.add_customer(EMAIL, STRONG, Some(1));
    let email = format!("email={EMAIL}");
    let run = |arguments: &[&str]| world.vpngn(&[&["call", "vpngn"], arguments].concat());
    let alias = "jo.at.work@mail.example";
    let field = |name: &str| format!("{name}={alias}");
    let add = [&email, &field("setemail"), "first_name=Jo", "auto_passreset=true"];
    ok(&mut run(&[&["add-alias"], &add[..]].concat()));
    let list = json(&mut run(&["list-aliases", &email]));
    assert_eq!((&list[0]["email"], &list[0]["first_name"]), (&json!(alias), &json!("Jo")));
    let table = ok(&mut run(&["list-aliases", &email]));
    assert!(table.starts_with("EMAIL ") && table.contains(alias), "{table}");

    let set = ["set-alias-password", &field("email"), "setpassword=-"];
    assert_eq!(with_stdin(&mut run(&set), STRONG).status.code(), Some(0));
    ok(&mut run(&["reset-alias-password", &field("email")]));
    ok(&mut run(&["reset-password", &email]));
    let subjects: Vec<_> = vpngn.outbox().iter().map(|mail| mail.subject).collect();
    let alias_mail = MailSubject::ResetAliasPassword;
    assert_eq!(subjects, [alias_mail, alias_mail, MailSubject::ResetPassword]);

    fails(4, &mut run(&["del-alias", &email, "alias=x@mail.example"]));
    assert_eq!(vpngn.customer(EMAIL).unwrap().aliases.len(), 1);
    ok(&mut run(&["del-alias", &email, &field("alias")]));
    assert!(vpngn.customer(EMAIL).unwrap().aliases.is_empty());
}

#[test]
fn a_customer_gets_a_password_is_ended_and_closed() {
    let world = World::new();
    let vpngn = world.sandbox.vpngn();
    vpngn.add_customer(EMAIL, STRONG, Some(1));
    let run = |arguments: &[&str]| world.vpngn(&[&["customer"], arguments].concat());
    let set = json(&mut run(&["set-password", EMAIL, "--generate-password"]));
    assert_eq!(set["done"], "set-password");
    let password = set["generated_password"].as_str().unwrap().to_owned();
    assert_eq!(password.len(), 20);
    let weak = with_stdin(&mut run(&["set-password", EMAIL, "--password-file", "-"]), "weak");
    assert_eq!(weak.status.code(), Some(2));
    assert!(String::from_utf8(weak.stderr).unwrap().contains("--generate-password"));

    for destructive in [&["close", EMAIL][..], &["end", EMAIL, "--at", "next-run"]] {
        assert!(fails(2, &mut run(destructive)).contains("--yes"));
    }
    assert_eq!(vpngn.customer(EMAIL).unwrap().ends_at, None);
    let done = json(&mut run(&["end", EMAIL, "--at", "paid-period", "--yes"]));
    assert_eq!(done, json!({ "provider": "vpngn", "done": "end", "customer": EMAIL }));
    assert!(vpngn.customer(EMAIL).unwrap().ends_at.is_some());

    // The customer's own password is sufficient.
    let mut close = world.vpngn_client(&["account", "close", "--customer", EMAIL, "--yes"]);
    let closed = with_stdin(close.args(["--password-file", "-"]), &password);
    assert_eq!(closed.status.code(), Some(0));
    assert!(vpngn.customer(EMAIL).unwrap().closed);
    fails(4, &mut run(&["find", EMAIL]));
}

/// `script` provides a terminal to ask on.
#[cfg(target_os = "linux")]
#[test]
fn confirmations_name_what_will_be_lost() {
    let has_script = std::process::Command::new("script").arg("--version").output().is_ok();
    if !has_script {
        return;
    }
    let world = World::new();
    let vpngn = world.sandbox.vpngn();
    vpngn.add_customer(EMAIL, STRONG, Some(1));
    let typed = format!("{} customer close {EMAIL}", env!("CARGO_BIN_EXE_anyvpn"));
    let mut script = std::process::Command::new("script");
    let environment = world.vpngn(&[]);
    let variables = environment.get_envs().filter_map(|(name, value)| Some((name, value?)));
    script.args(["-qec", &typed, "/dev/null"]).envs(variables);
    let ran = with_stdin(&mut script, "n\n");
    let text = String::from_utf8_lossy(&ran.stdout).replace("\r\n", "");
    assert!(text.contains(EMAIL) && text.contains("1 Month: active"), "{text}");
    assert!(!vpngn.customer(EMAIL).unwrap().closed);
}

/// The secret key is needed to look up a customer. Creating one without looking it up
/// requires `call`, which VPNGN limits to one in ten seconds.
#[test]
fn without_a_secret_key_the_wait_for_the_rate_limit_is_reported() {
    let world = World::new();
    fails(3, &mut world.vpngn_client(&create(EMAIL, &["--generate-password"])));
    let password = format!("password=@{}", world.file("strong", STRONG));
    let add = |email: &str| {
        let email = format!("email={email}");
        world.vpngn_client(&[
            "call",
            "vpngn",
            "add-client",
            &email,
            "country=US",
            "type=12",
            "--reveal",
            &password,
        ])
    };
    ok(&mut add(EMAIL));
    world.sandbox.clock().advance(Duration::from_secs(7));
    let ran = add("al@mail.example").output().unwrap();
    let text = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(0), "{text}");
    assert_eq!(text, "VPNGN: too many requests (HTTP 429); retrying in 3 s\n");
    world.sandbox.clock().advance(Duration::from_secs(10));
    fails(5, &mut add(EMAIL));
}

#[test]
fn unsupported_commands_name_the_providers_that_support_them() {
    let world = World::new();
    for (mut command, words) in [
        (world.vpngn(&["server", "list"]), &["manages only accounts", "AzireVPN, VPN Script"][..]),
        (world.vpngn(&["port", "list"]), &["manages only accounts", "AzireVPN, NAT-PMP"]),
        (world.vpngn(&["login"]), &["resellers use keys", "AzireVPN, VPN Script"]),
        (world.vpngn(&["customer", "list"]), &["cannot list customers"]),
        (world.vpngn(&["customer", "suspend", EMAIL]), &["cannot suspend customers"]),
        (world.vpngn(&["account", "create", "jo", "--generate-password"]), &["only a reseller"]),
        (world.vpnscript(&["port", "list"]), &["has no call for this", "AzireVPN, NAT-PMP"]),
        (world.vpnscript(&["account", "close"]), &["can only read accounts", "AzireVPN"]),
        (
            world.command(&["--provider", "azire", "customer", "find", EMAIL]),
            &["not for resellers", "supported by VPNGN"],
        ),
    ] {
        let text = fails(5, &mut command);
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
        assert_eq!(error(5, &mut command)["kind"], "unsupported");
    }
    let azire = ["--provider", "azire", "account", "show"];
    for (option, value) in [("--customer", EMAIL), ("--brand", "x")] {
        let text = fails(2, world.command(&azire).args([option, value]));
        assert!(text.contains(&format!("{option} is not for AzireVPN")), "{text}");
    }
}

#[test]
fn every_operation_of_both_can_be_called_and_no_secret_comes_from_the_arguments() {
    let world = World::new();
    world.sandbox.vpngn().add_customer(EMAIL, STRONG, Some(1));
    let email = format!("email={EMAIL}");
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
    let sign_in = ["call", "vpnscript", "create-token", "--reveal", "username=david", "password=x"];
    fails(2, &mut world.vpnscript(&sign_in));
}

#[test]
fn logs_and_notes_contain_no_secret() {
    let world = World::new();
    let vpngn = world.sandbox.vpngn();
    vpngn.add_customer(EMAIL, STRONG, Some(1));
    let strong = world.file("strong", STRONG);
    let commands: [&[&str]; 5] = [
        &["account", "show", "--customer", EMAIL],
        &["customer", "find", EMAIL],
        &["account", "set-password", "--customer", EMAIL, "--password-file", &strong],
        &["call", "vpngn", "get-products", "email=jo@mail.example"],
        &["customer", "close", EMAIL, "--yes"],
    ];
    for arguments in commands {
        let ran = world.vpngn(arguments).arg("-vv").output().unwrap();
        let all = String::from_utf8([ran.stdout, ran.stderr].concat()).unwrap();
        assert!(all.contains("operation=vpngn."), "{arguments:?}: {all}");
        for secret in [&vpngn.api_key(), &vpngn.secret_key(), STRONG] {
            assert!(!all.contains(secret), "{arguments:?}: {all}");
        }
    }
}
