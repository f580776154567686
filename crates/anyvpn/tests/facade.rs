//! Calls of a provider that was opened by its name, and the capability table of the README.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use anyvpn::{Ability, Capability, ErrorKind, Registry, Settings};
use anyvpn_sandbox::Sandbox;
use anyvpn_testkit::document;

#[test]
fn every_provider_opens_and_is_what_its_data_says() {
    let registry = Registry::builtin();
    for info in registry.infos() {
        assert_eq!(registry.info(info.name).unwrap().title, info.title);
        let mut settings = Settings::new();
        if info.setting("url").is_some() {
            settings.set("url", "https://vpn.example.com");
        }
        let provider = registry.open(info.name, &settings).unwrap();
        assert_eq!(provider.info().name, info.name);
        assert!(!info.operations.is_empty());
        assert!(info.operations.iter().all(|operation| operation.id.provider() == info.name));
    }
    let error = registry.info("nordvpn").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("azire"), "{error}");
}

#[test]
fn the_environment_is_read_and_an_empty_secret_is_absent() {
    let registry = Registry::builtin();
    let azire = registry.info("azire").unwrap();
    let settings = Settings::from_environment("azire", azire.settings, |name| match name {
        "ANYVPN_AZIRE_URL" => Some("https://vpn.example.com".to_owned()),
        "ANYVPN_AZIRE_TOKEN" => Some(String::new()),
        other => panic!("{other} is not documented"),
    });
    assert_eq!(settings.text("url"), Some("https://vpn.example.com"));
    assert!(settings.get("token").is_none());

    let vpngn = registry.info("vpngn").unwrap();
    let settings = Settings::from_environment("vpngn", vpngn.settings, |name| {
        (name == "ANYVPN_VPNGN_BRAND").then(|| "evil.example.com/".to_owned())
    });
    let error = registry.open("vpngn", &settings).unwrap_err();
    assert!(error.fields().contains_key("brand"), "{error}");

    let empty = Settings::from_environment("azire", azire.settings, |_| Some(String::new()));
    let error = registry.open("azire", &empty).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest, "not the vendor's address");
}

#[tokio::test]
async fn a_call_by_name_refuses_what_does_not_fit_before_sending() {
    let azire = Registry::builtin().open("azire", &Settings::new()).unwrap();
    for (operation, input, field) in [
        ("create-everything", serde_json::json!({}), "operation"),
        ("check-port", serde_json::json!({}), "port"),
        ("check-port", serde_json::json!({"port": 70000}), "port"),
        ("check-port", serde_json::json!({"port": 1, "prot": 2}), "prot"),
    ] {
        let error = azire.call_json(operation, input, false).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
        assert!(error.fields().contains_key(field), "{error}");
    }
}

/// VPNGN allows one AddClient in ten seconds, and the calls of one client observe that.
#[tokio::test]
async fn calls_by_name_share_the_providers_rate_limit() {
    let sandbox = Sandbox::start().await.unwrap();
    let settings =
        Settings::new().with("url", sandbox.vpngn_url()).with("api_key", sandbox.vpngn().api_key());
    let vpngn = Registry::builtin().open("vpngn", &settings).unwrap();
    let add = |email: &'static str| {
        let input = serde_json::json!({"country": "SE", "type": 1, "email": email});
        vpngn.call_json("add-client", input, false)
    };
    add("a@example.com").await.unwrap();
    let mut second = pin!(add("b@example.com"));
    let polled = poll_fn(|context| Poll::Ready(second.as_mut().poll(context))).await;
    assert!(polled.is_pending(), "it did not wait");
    assert_eq!(sandbox.received().len(), 1);
}

#[test]
fn the_readme_has_the_capabilities() {
    let registry = Registry::builtin();
    let mut table = "| ability |".to_owned();
    table += &registry.infos().map(|info| format!(" {} |", info.title)).collect::<String>();
    table += &format!("\n|---|{}\n", "---|".repeat(registry.infos().count()));
    for (ability, name) in Ability::ALL {
        table += &format!("| {name} |");
        for info in registry.infos() {
            table += &match info.capabilities.of(*ability) {
                Capability::Cannot { why, link } => format!(" no: [{why}]({link}) |"),
                other => format!(" {other} |"),
            };
        }
        table += "\n";
    }
    document::check("../../README.md", Some("capabilities"), &table);
}
