//! VPNresellers: listing, suspending and closing a reseller's customers, and their configurations.
//! The command has no code for this provider.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod common;

use std::process::Command;

use anyvpn_sandbox::vpnresellers::Status;
use anyvpn_sandbox::{Fault, FaultRule};
use common::{World, command, error, fails, json, ok, with_stdin};
use serde_json::json;

const RESELLER: &str = "acme";
const CUSTOMER: &str = "acme_u1001";
const PASSWORD: &str = "canary horse battery";

/// A reseller with one customer.
struct Shop(World);

impl Shop {
    fn new() -> Self {
        let world = World::new();
        let service = world.sandbox.vpnresellers();
        service.add_account(RESELLER, CUSTOMER, PASSWORD);
        service.add_account("rival", "rival_u7", PASSWORD);
        Self(world)
    }

    fn run(&self, words: &[&str]) -> Command {
        self.0.vpnresellers(RESELLER, words)
    }

    fn status(&self) -> Status {
        self.0.sandbox.vpnresellers().account(CUSTOMER).unwrap().status
    }
}

#[test]
fn customers_are_created_listed_suspended_resumed_ended_and_closed() {
    let shop = Shop::new();
    let service = shop.0.sandbox.vpnresellers();
    let create = ["customer", "create", "acme_u1002", "--generate-password"];
    let made = json(&mut shop.run(&create));
    assert_eq!((&made["created"], &made["status"]), (&json!(true), &json!("active")));
    let password = service.account("acme_u1002").unwrap().password;
    assert_eq!(made["generated_password"], password);
    assert_eq!(json(&mut shop.run(&create))["created"], false);
    assert_eq!(service.created("acme_u1002"), 1);

    let all = json(&mut shop.run(&["customer", "list"]));
    let names = all["customers"].as_array().unwrap().iter().map(|it| &it["customer"]);
    assert_eq!(names.collect::<Vec<_>>(), ["acme_u1001", "acme_u1002"]);
    assert!(ok(&mut shop.run(&["customer", "list"])).contains("acme_u1002"));

    ok(&mut shop.run(&["customer", "suspend", CUSTOMER]));
    assert_eq!(shop.status(), Status::Disabled);
    let found = json(&mut shop.run(&["customer", "find", CUSTOMER]));
    assert_eq!(found["status"], "suspended");
    ok(&mut shop.run(&["customer", "resume", CUSTOMER]));
    assert_eq!(shop.status(), Status::Active);

    let end = ["customer", "end", CUSTOMER, "--at", "2099-12-31T12:00:00Z", "--yes"];
    ok(&mut shop.run(&end));
    let found = json(&mut shop.run(&["customer", "find", CUSTOMER]));
    assert_eq!(found["expires_at"], "2099-12-31T00:00:00Z");
    let never = ["customer", "end", CUSTOMER, "--at", "never", "--yes"];
    assert!(ok(&mut shop.run(&never)).contains("has no end date"));
    let found = json(&mut shop.run(&["customer", "find", CUSTOMER]));
    assert_eq!(found["expires_at"], json!(null));
    let period = ["customer", "end", CUSTOMER, "--at", "paid-period", "--yes"];
    assert!(fails(2, &mut shop.run(&period)).contains("or never"));

    let set = ["customer", "set-password", CUSTOMER, "--password-file", "-"];
    assert!(with_stdin(&mut shop.run(&set), "another canary").status.success());
    assert_eq!(service.account(CUSTOMER).unwrap().password, "another canary");
    ok(&mut shop.run(&["customer", "close", CUSTOMER, "--yes"]));
    assert!(service.account(CUSTOMER).is_none());
    fails(4, &mut shop.run(&["customer", "find", CUSTOMER]));
    fails(4, &mut shop.run(&["customer", "suspend", CUSTOMER]));
    let plan = error(5, &mut shop.run(&["customer", "change-plan", CUSTOMER, "12", "--yes"]));
    assert_eq!(plan["kind"], "unsupported");
}

#[test]
fn a_taken_name_and_a_lost_reply_are_reported_differently() {
    let shop = Shop::new();
    let create = |name| shop.run(&["customer", "create", name, "--generate-password"]);
    let taken = error(5, &mut create("rival_u7"));
    assert_eq!(taken["kind"], "already-exists");
    assert!(taken["detail"].as_str().unwrap().contains("another reseller"), "{taken}");

    let lost = FaultRule::once("vpnresellers.create-account", Fault::Wire("reset-after"));
    shop.0.sandbox.inject(lost).unwrap();
    let doubt = error(9, &mut create("acme_u1003"));
    assert_eq!(doubt["kind"], "ambiguous");
    assert_eq!(shop.0.sandbox.vpnresellers().created("acme_u1003"), 1);
}

#[test]
fn a_generated_password_that_nobody_read_is_reported() {
    let shop = Shop::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut create = shop.run(&["customer", "create", "acme_u1003", "--generate-password"]);
    let ran = create.stdout(writer).output().unwrap();
    let text = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(1), "{text}");
    for part in [
        "acme_u1003 was created with a generated password that could not be shown",
        "set another password: anyvpn customer set-password acme_u1003",
    ] {
        assert!(text.contains(part), "{text}");
    }
    assert_eq!(shop.0.sandbox.vpnresellers().created("acme_u1003"), 1);
}

#[test]
fn an_empty_balance_is_reported_with_a_hint() {
    let shop = Shop::new();
    let service = shop.0.sandbox.vpnresellers();
    service.set_balance(RESELLER, 3);
    let account = json(&mut shop.run(&["account", "show"]));
    assert_eq!((&account["balance"], &account["login"]), (&json!("0.03"), &json!(null)));
    assert!(ok(&mut shop.run(&["account", "show"])).contains("0.03"));

    service.set_status(CUSTOMER, Status::Disabled);
    for words in [
        &["customer", "create", "acme_u1004", "--generate-password"][..],
        &["customer", "resume", CUSTOMER],
    ] {
        let refused = error(5, &mut shop.run(words));
        assert_eq!(refused["kind"], "insufficient-balance", "{refused}");
        assert!(fails(5, &mut shop.run(words)).contains("hint: add funds at the provider"));
    }
    assert_eq!((service.created("acme_u1004"), shop.status()), (0, Status::Disabled));
}

#[test]
fn configurations_are_for_a_customer_and_a_port() {
    let shop = Shop::new();
    let servers = json(&mut shop.run(&["server", "list", "--country", "nl"]));
    assert_eq!(servers["servers"].as_array().unwrap().len(), 1);
    assert_eq!(servers["servers"][0]["id"], "1");

    let file = shop.0.path("ams.conf");
    let wireguard = ["config", "get", "1", "--protocol", "wireguard", "--customer", CUSTOMER, "-o"];
    ok(shop.run(&wireguard).arg(&file));
    let key = shop.0.sandbox.vpnresellers().account(CUSTOMER).unwrap().private_key;
    assert!(std::fs::read_to_string(file).unwrap().contains(&key));
    let nobody = fails(2, &mut shop.run(&["config", "get", "1", "--protocol", "wireguard"]));
    assert!(nobody.contains("customer"), "{nobody}");
    let own = shop.0.file("own.key", "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=");
    let own = shop.run(&wireguard[..7]).arg("--private-key-file").arg(own).output().unwrap();
    assert_eq!(own.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&own.stderr).contains("one for each account"));

    let openvpn = ["config", "get", "1", "--protocol", "openvpn"];
    assert!(ok(&mut shop.run(&openvpn)).contains("remote 203.0.113.40 1194"));
    let tcp = ok(shop.run(&openvpn).args(["--openvpn-port", "tcp/443"]));
    assert!(tcp.contains("proto tcp") && tcp.contains("remote 203.0.113.40 443"));
    let wrong = fails(2, shop.run(&openvpn).args(["--openvpn-port", "sctp/1"]));
    assert!(wrong.contains("udp/1194"), "{wrong}");
    let name = servers["servers"][0]["name"].as_str().unwrap().to_uppercase();
    let named = ["config", "get", &name, "--protocol", "openvpn"];
    assert!(ok(&mut shop.run(&named)).contains("remote 203.0.113.40 1194"));
    let listed = json(&mut shop.run(&["config", "list"]));
    assert_eq!(listed["configs"], json!([]));
    fails(4, &mut shop.run(&["config", "revoke", "1"]));
}

#[test]
fn profiles_capabilities_and_calls_follow_from_the_description() {
    let shop = Shop::new();
    let service = shop.0.sandbox.vpnresellers();
    let token = shop.0.file("token", &service.add_reseller(RESELLER).token);
    let url = shop.0.sandbox.vpnresellers_url();
    let home = |words: &[&str]| {
        let mut command = command(words);
        command.env("HOME", shop.0.folder.path());
        command
    };
    let add = ["profile", "add", "shop", "--provider", "vpnresellers", "--token-file", &token];
    ok(home(&add).args(["--url", &url, "--customer", CUSTOMER]));
    let shown = json(&mut home(&["account", "show"]));
    assert_eq!(
        (&shown["provider"], &shown["balance"]),
        (&json!("vpnresellers"), &json!("1000.00"))
    );
    assert!(ok(&mut home(&["config", "get", "2", "--protocol", "wireguard"])).contains("[Peer]"));

    let capabilities = ["capabilities", "--provider", "vpnresellers"];
    let all = json(&mut home(&capabilities));
    let abilities = all["providers"][0]["capabilities"].as_array().unwrap();
    let of = |name: &str| abilities.iter().find(|it| it["name"] == name).unwrap();
    assert_eq!(of("suspend-customers")["answer"], "can");
    assert_eq!(of("change-plan")["answer"], "cannot");
    let note = of("customers")["note"].as_str().unwrap();
    assert!(note.contains("the API's customers and projects are not used"), "{note}");
    let text = ok(&mut home(&capabilities));
    assert!(text.contains("the provider creates the key"), "{text}");

    let call = ["call", "vpnresellers", "get-account"];
    let id = service.account(CUSTOMER).unwrap().id;
    let account = json(home(&call).arg(format!("id={id}")));
    assert_eq!(account["username"], CUSTOMER);
    assert_eq!(account["wg_private_key"], "[redacted]");
    let missing = fails(2, &mut home(&["call", "vpnresellers", "expire-account", "id=1"]));
    assert!(missing.contains("expire_at"), "{missing}");
    assert_eq!(shop.0.calls("vpnresellers.expire-account"), 0);
}
