//! Checks that the output of `--json` matches `docs/schema`, for every command and provider that
//! has it.
#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod common;
#[path = "common/schema.rs"]
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Command, Stdio};

use anyvpn_sandbox::vpnscript::{Profile, Server};
use anyvpn_sandbox::{Fault, FaultRule};
use common::{LOGIN, PASSWORD, World, command, error, json};
use schema::Schemas;
use serde_json::{Deserializer, Value};

const EMAIL: &str = "jo@mail.example";
/// Schemas that `tests/customers.rs` checks, with a provider in memory.
const CUSTOMERS: [&str; 3] = ["customer-list", "customer-suspend", "customer-resume"];

/// Schemas that the tests of anyvpn-keeper check.
const KEEPER: [&str; 2] = ["port-keep", "port-status"];

/// The schemas, and their properties that were seen.
struct Answers {
    schemas: Schemas,
    seen: BTreeMap<String, BTreeSet<String>>,
}

impl Answers {
    fn check(&mut self, schema: &str, command: &mut Command) -> Value {
        let answer = json(command);
        self.check_value(schema, answer)
    }

    fn check_value(&mut self, schema: &str, answer: Value) -> Value {
        self.schemas.check(schema, &answer);
        collect_keys(&answer, self.seen.entry(schema.to_owned()).or_default());
        answer
    }
}

fn collect_keys(value: &Value, keys: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                keys.insert(key.clone());
                collect_keys(value, keys);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| collect_keys(value, keys)),
        _ => {}
    }
}

/// Lists the properties that a schema names, including those of shared parts.
fn declared(schema: &Value, common: &Value, keys: &mut BTreeSet<String>) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::Object(properties)) = object.get("properties") {
                keys.extend(properties.keys().cloned());
            }
            let part = object.get("$ref").and_then(|it| it.as_str()?.rsplit('/').next());
            // Other tests check errors, paths and the sandbox's network.
            if let Some(part) = part.filter(|part| !["error", "path", "data_plane"].contains(part))
            {
                declared(&common["$defs"][part], common, keys);
            }
            object.values().for_each(|value| declared(value, common, keys));
        }
        Value::Array(list) => list.iter().for_each(|value| declared(value, common, keys)),
        _ => {}
    }
}

#[test]
fn every_answer_is_as_its_schema_says() {
    let schemas = Schemas::load();
    let mut answers = Answers { schemas, seen: BTreeMap::new() };
    let world = World::with_device();
    azire(&mut answers, &world);
    vpnscript(&mut answers, &world);
    vpngn(&mut answers, &world);
    fleet(&mut answers, &world);
    signed_in(&mut answers, &world);
    of_this_machine(&mut answers, &world);

    // Every command with a JSON answer has a schema, and every property of each schema was seen.
    let place = world.path("man");
    let pages = json(command(&["man", "--output-dir"]).arg(&place))["pages"].take();
    let names = pages.as_array().unwrap().iter().map(|page| {
        let name = page.as_str().unwrap().rsplit('/').next().unwrap();
        name.trim_start_matches("anyvpn").trim_start_matches('-').trim_end_matches(".1").to_owned()
    });
    let names: Vec<String> = names.filter(|name| !name.is_empty()).collect();
    let is_leaf =
        |name: &&String| !names.iter().any(|other| other.starts_with(&format!("{name}-")));
    // A shell script is not JSON.
    let is_tried = |name: &&String| {
        *name != "completions"
            && !CUSTOMERS.contains(&name.as_str())
            && !KEEPER.contains(&name.as_str())
    };
    for name in names.iter().filter(is_leaf).filter(is_tried) {
        assert!(answers.seen.contains_key(name), "anyvpn {name}: no answer was tried");
    }
    let all: BTreeMap<&str, &Value> = answers.schemas.all().collect();
    for (name, schema) in &all {
        if ["common", "error"].contains(name) || CUSTOMERS.contains(name) || KEEPER.contains(name) {
            continue;
        }
        let seen = answers.seen.get(*name).unwrap_or_else(|| panic!("{name}: it was not tried"));
        let mut keys = BTreeSet::new();
        declared(schema, all["common"], &mut keys);
        let missing: Vec<_> = keys.difference(seen).collect();
        assert!(missing.is_empty(), "{name}: {missing:?} did not come");
    }
}

fn azire(answers: &mut Answers, world: &World) {
    let run = |words: &[&str]| world.command(words);
    let at = |name: &str| world.path(name).to_str().unwrap().to_owned();
    answers.check("account-show", &mut run(&["account", "show"]));
    answers.check("server-list", &mut run(&["server", "list"]));
    answers.check("call-list", &mut run(&["call", "azire"]));
    answers.check("call", &mut run(&["call", "azire", "get-user"]));

    let device = world.sandbox.azire().devices(LOGIN)[0].internal_ipv4.to_string();
    let device = ["--internal-ipv4", &device];
    let port = answers.check("port-create", run(&["port", "create", "--days", "3"]).args(device));
    let port = port["port"].to_string();
    answers.check("port-list", run(&["port", "list"]).args(device));
    answers.check("port-check", &mut run(&["port", "check", &port]));
    answers.check("port-delete", run(&["port", "delete", &port]).args(device));

    let get = ["config", "get", "se-sto"];
    let files = ["--output", &at("a.conf"), "--qr-file", &at("a.png")];
    let got = answers.check("config-get", run(&get).args(files));
    answers.check("config-get", run(&get).arg("--reveal"));
    answers.check("config-list", &mut run(&["config", "list"]));
    let id = got["id"].as_str().unwrap();
    let rotate = ["config", "rotate", id, "no-osl"];
    let files = ["--output", &at("b.conf"), "--qr-file", &at("b.png")];
    answers.check("config-rotate", run(&rotate).args(files));
    answers.check("config-rotate", run(&rotate).arg("--reveal"));
    answers.check("config-revoke", &mut run(&["config", "revoke", id]));
    answers
        .check("config-get-all", run(&["config", "get", "--all", "--output-dir"]).arg(at("all")));

    let new = ["account", "create", "eva", "--generate-password"];
    answers.check("account-create", &mut run(&new));
    let set = ["account", "set-password", "--generate-password"];
    let set = answers.check("account-set-password", &mut run(&set));
    let password = world.file("password", set["generated_password"].as_str().unwrap());
    let close = ["account", "close", "--yes", "--password-file", &password];
    answers.check("account-close", &mut run(&close));
}

fn vpnscript(answers: &mut Answers, world: &World) {
    let run = |words: &[&str]| world.vpnscript(words);
    answers.check("account-show", &mut run(&["account", "show"]));
    answers.check("server-list", &mut run(&["server", "list"]));
    answers.check("call-list", &mut run(&["call", "vpnscript"]));
    answers.check("call", &mut run(&["call", "vpnscript", "list-servers"]));
    answers.check("config-get", &mut run(&["config", "get", "1"]));
    // A profile that OpenVPN 2.6 refuses.
    let old = Server { profile: Profile::AsDocumented, ..Server::openvpn("Old") };
    let old = world.sandbox.vpnscript().add_server(old).to_string();
    let file = world.path("old.ovpn");
    answers.check("config-get", run(&["config", "get", &old, "--output"]).arg(file));
    let got = answers.check("config-get", &mut run(&["config", "get", "2", "--reveal"]));
    answers.check("config-list", &mut run(&["config", "list"]));
    let rotate = ["config", "rotate", got["id"].as_str().unwrap(), "2", "--reveal"];
    let rotated = answers.check("config-rotate", &mut run(&rotate));
    let revoke = ["config", "revoke", rotated["id"].as_str().unwrap()];
    answers.check("config-revoke", &mut run(&revoke));

    // Some servers cannot be used, and some fail.
    world.sandbox.vpnscript().change_server(5, |server| server.slots = 0);
    let folder = world.path("all-of-vpnscript");
    let ran = run(&["config", "get", "--all", "--json", "--output-dir"]).arg(folder).output();
    let ran = ran.unwrap();
    assert_eq!(ran.status.code(), Some(5));
    let answer: Value = serde_json::from_slice(&ran.stdout).unwrap();
    let answer = answers.check_value("config-get-all", answer);
    assert!(!answer["skipped"].as_array().unwrap().is_empty());
    let failed = answer["configs"].as_array().unwrap().iter().filter(|it| it["path"].is_null());
    assert_eq!(failed.map(|it| &it["error"]["kind"]).collect::<Vec<_>>(), ["capacity-reached"]);
}

fn fleet(answers: &mut Answers, world: &World) {
    let run = |words: &[&str]| {
        let mut command = world.vpngn(&[&["fleet"], words].concat());
        command.env("XDG_DATA_HOME", world.folder.path());
        command
    };
    let orders = world.path("orders.csv");
    let write = |text: &str| std::fs::write(&orders, text).unwrap();
    let file = orders.to_str().unwrap();
    write(
        "id,key,plan,country,end\n1,f1@mail.example,12,US,paid-period\n2,jo@mail.example,12,US,\n",
    );
    answers.check(
        "customer-create",
        &mut world.vpngn(&[
            "customer",
            "create",
            EMAIL,
            "--country",
            "US",
            "--plan",
            "12",
            "--generate-password",
        ]),
    );
    answers.check("fleet-import", &mut run(&["import", file, "--dry-run"]));
    answers.check("fleet-import", &mut run(&["import", file]));
    answers.check("fleet-plan", &mut run(&["plan"]));
    let ran = run(&["run", "--json"]).output().unwrap();
    assert_eq!(ran.status.code(), Some(10), "an order is parked");
    answers.check_value("fleet-run", serde_json::from_slice(&ran.stdout).unwrap());
    answers.check("fleet-status", &mut run(&["status"]));
    let listed = answers.check("fleet-list", &mut run(&["list"]));
    assert_eq!(listed["orders"][0]["state"], "done");
    assert_eq!(listed["orders"][1]["reason"], "parked: the customer was there before this order");
    answers.check("fleet-explain", &mut run(&["explain", "1"]));
    answers.check("fleet-export", &mut run(&["export", "--reveal"]));
    answers.check("fleet-retry", &mut run(&["retry", "2"]));
    answers.check("fleet-retry", &mut run(&["retry"]));
    answers.check("fleet-adopt", &mut run(&["adopt", "2", "--yes"]));
    answers.check("fleet-release", &mut run(&["release", "2", "--yes"]));
    answers.check("customer-close", &mut world.vpngn(&["customer", "close", EMAIL, "--yes"]));
}

fn vpngn(answers: &mut Answers, world: &World) {
    let run = |words: &[&str]| world.vpngn(words);
    let new =
        ["customer", "create", EMAIL, "--country", "US", "--plan", "12", "--generate-password"];
    answers.check("customer-create", &mut run(&new));
    answers.check("customer-create", &mut run(&new));
    answers.check("customer-find", &mut run(&["customer", "find", EMAIL]));
    let mine = |words: &[&str]| world.vpngn(&[words, &["--customer", EMAIL]].concat());
    answers.check("account-show", &mut mine(&["account", "show"]));
    let set = ["account", "set-password", "--generate-password"];
    answers.check("account-set-password", &mut mine(&set));
    answers.check("call-list", &mut run(&["call", "vpngn"]));
    let email = format!("email={EMAIL}");
    answers.check("call", &mut run(&["call", "vpngn", "get-products", &email]));

    let change = ["customer", "change-plan", EMAIL, "24", "--yes"];
    answers.check("customer-change-plan", &mut run(&change));
    let set = ["customer", "set-password", EMAIL, "--generate-password"];
    answers.check("customer-set-password", &mut run(&set));
    let end = ["customer", "end", EMAIL, "--at", "next-run", "--yes"];
    answers.check("customer-end", &mut run(&end));
    answers.check("customer-close", &mut run(&["customer", "close", EMAIL, "--yes"]));
    for words in [&["list"][..], &["suspend", EMAIL], &["resume", EMAIL]] {
        let error = error(5, &mut run(&[&["customer"], words].concat()));
        assert_eq!(error["kind"], "unsupported");
    }
}

/// Tokens and profiles, which are kept in a home folder.
fn signed_in(answers: &mut Answers, world: &World) {
    world.sandbox.azire().add_account(LOGIN, PASSWORD);
    let run = |words: &[&str]| {
        let mut command = command(words);
        command
            .env("HOME", world.folder.path())
            .env("ANYVPN_AZIRE_URL", world.sandbox.azire_url())
            .env("ANYVPN_VPNSCRIPT_URL", world.sandbox.vpnscript_url())
            .env("ANYVPN_PASSWORD", PASSWORD);
        command
    };
    for provider in ["azire", "vpnscript"] {
        let at = ["--provider", provider];
        answers.check("login", run(&["login", "--username", LOGIN]).args(at));
        answers.check("login", run(&["login"]).args(at));
        answers.check("logout", run(&["logout"]).args(at));
        answers.check("logout", run(&["logout"]).args(at));
        let add = ["profile", "add", provider, "--username", LOGIN];
        answers.check("profile-add", run(&add).args(at));
    }
    // A server without a profile.
    let config = world.path(".config/anyvpn/config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let renamed = text.replace("profiles.azire", "profiles.renamed").replace("default", "#");
    std::fs::write(&config, renamed).unwrap();
    answers.check("profile-list", &mut run(&["profile", "list"]));
    answers.check("profile-prune", &mut run(&["profile", "prune", "--yes"]));
    std::fs::write(&config, text).unwrap();
    let add = ["profile", "add", "shop", "--brand", "acme", "--no-check", "--api-key-file", "key"];
    answers.check("profile-add", &mut run(&add));
    answers.check("profile-list", &mut run(&["profile", "list"]));
    answers.check("profile-show", &mut run(&["profile", "show", "shop"]));
    answers.check("profile-use", &mut run(&["profile", "use", "shop"]));
    for name in ["azire", "vpnscript", "shop"] {
        answers.check("profile-remove", &mut run(&["profile", "remove", name]));
    }
}

fn of_this_machine(answers: &mut Answers, world: &World) {
    answers.check("capabilities", &mut command(&["capabilities"]));
    let kinds = answers.check("explain-list", &mut command(&["explain"]));
    for kind in kinds["kinds"].as_array().unwrap() {
        answers.check("explain", command(&["explain"]).arg(kind["kind"].as_str().unwrap()));
    }
    answers.check("man", command(&["man", "--output-dir"]).arg(world.path("pages")));
    let folder = world.path("demo");
    std::fs::create_dir(&folder).unwrap();
    answers.check("demo", command(&["demo", "--output-dir"]).arg(folder));

    answers.check("sandbox-variations", &mut command(&["sandbox", "--list-variations"]));
    // It prints its answer and keeps running.
    let mut sandbox = command(&["sandbox", "--json"]).stdout(Stdio::piped()).spawn().unwrap();
    let stdout = sandbox.stdout.take().unwrap();
    let answer = Deserializer::from_reader(stdout).into_iter::<Value>().next().unwrap().unwrap();
    answers.check_value("sandbox", answer);
    sandbox.kill().unwrap();
    sandbox.wait().unwrap();
}

/// A path on Unix is a sequence of bytes, but JSON has only texts.
#[cfg(unix)]
#[test]
fn a_path_that_is_not_utf8_is_preserved() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    use base64::prelude::{BASE64_STANDARD, Engine as _};

    let schemas = Schemas::load();
    let world = World::new();
    let home = world.path("").join(OsStr::from_bytes(b"a\xff\xfe"));
    std::fs::create_dir(&home).unwrap();
    let run = |words: &[&str]| {
        let mut command = command(words);
        command.env("HOME", &home).env("ANYVPN_AZIRE_URL", world.sandbox.azire_url());
        json(command.env("ANYVPN_PASSWORD", PASSWORD))
    };
    let login = ["login", "--provider", "azire", "--username", LOGIN];
    let add = ["profile", "add", "home", "--provider", "azire", "--no-check"];
    let file = home.join("se.conf");
    let mut get = world.command(&["config", "get", "se-sto", "--json", "--output"]);
    let got: Value = serde_json::from_str(&common::ok(get.arg(&file))).unwrap();
    schemas.check("config-get", &got);
    let path = BASE64_STANDARD.decode(got["path"]["base64"].as_str().unwrap()).unwrap();
    assert_eq!(path, file.as_os_str().as_bytes());
    let (profile, picture) = (home.join("de.ovpn"), home.join("fr.png"));
    let mut get = world.vpnscript(&["config", "get", "1", "--json", "--output"]);
    let got: Value = serde_json::from_str(&common::ok(get.arg(&profile))).unwrap();
    schemas.check("config-get", &got);
    let path = BASE64_STANDARD.decode(got["credentials_path"]["base64"].as_str().unwrap()).unwrap();
    assert!(std::path::Path::new(OsStr::from_bytes(&path)).is_file(), "{got}");
    let mut get = world.vpnscript(&["config", "get", "2", "--json", "--qr-file"]);
    let got: Value = serde_json::from_str(&common::ok(get.arg(&picture))).unwrap();
    schemas.check("config-get", &got);
    let path = BASE64_STANDARD.decode(got["qr_path"]["base64"].as_str().unwrap()).unwrap();
    assert_eq!(path, picture.as_os_str().as_bytes());
    for (schema, words) in
        [("login", &login[..]), ("profile-add", &add), ("profile-list", &["profile", "list"])]
    {
        let answer = run(words);
        schemas.check(schema, &answer);
        let path = BASE64_STANDARD.decode(answer["path"]["base64"].as_str().unwrap()).unwrap();
        assert!(path.starts_with(home.as_os_str().as_bytes()), "{answer}");
        let file = std::path::Path::new(OsStr::from_bytes(&path));
        assert!(file.is_file(), "{answer}");
    }
}

#[test]
fn an_undocumented_field_fails_the_schema() {
    let schemas = Schemas::load();
    let world = World::new();
    world.sandbox.inject(FaultRule::once("azire.get-user", Fault::Html(200))).unwrap();
    let mut error = serde_json::json!({ "error": world.error(8, &["account", "show"]) });
    schemas.check("error", &error);
    error["error"]["colour"] = "red".into();
    assert_eq!(schemas.errors("error", &error).len(), 1);
}
