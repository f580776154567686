//! Opening a provider by its name, and the capability table of the README.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use anyvpn::{AnyClient, Capability, Error, ErrorKind, Profile, ProviderName};
use anyvpn_sandbox::Sandbox;
use anyvpn_testkit::document;

#[test]
fn every_provider_opens_and_is_what_its_data_says() {
    for name in ProviderName::ALL {
        assert_eq!(name.as_str().parse::<ProviderName>().unwrap(), *name);
        let url = |name: &str| name.ends_with("_URL").then(|| "https://vpn.example.com".to_owned());
        let provider = anyvpn::open(&Profile::from_environment(*name, url)).unwrap();
        assert_eq!(provider.name(), name.as_str());
        assert_eq!(provider.capabilities(), name.capabilities());
        assert!(!name.operations().is_empty());
        assert!(name.operations().iter().all(|entry| entry.id.provider() == name.as_str()));
    }
}

#[test]
fn an_unknown_provider_is_told_the_known_ones() {
    let error: Error = "nordvpn".parse::<ProviderName>().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("azire"), "{error}");
}

#[test]
fn the_environment_is_read_and_empty_is_absent() {
    let profile = Profile::from_environment(ProviderName::Azire, |name| match name {
        "ANYVPN_AZIRE_URL" => Some("https://vpn.example.com".to_owned()),
        "ANYVPN_AZIRE_TOKEN" => Some(String::new()),
        other => panic!("{other} is not documented"),
    });
    let Profile::Azire { url, token } = profile else { panic!("another provider") };
    assert_eq!(url.as_deref(), Some("https://vpn.example.com"));
    assert!(token.is_none());

    let brand = Profile::from_environment(ProviderName::Vpngn, |name| {
        (name == "ANYVPN_VPNGN_BRAND").then(|| "evil.example.com/".to_owned())
    });
    let error = anyvpn::open(&brand).err().unwrap();
    assert!(error.fields().contains_key("brand"), "{error}");

    let empty = Profile::from_environment(ProviderName::Azire, |_| Some(String::new()));
    let error = anyvpn::open(&empty).err().map(|error| error.kind());
    assert_eq!(error, Some(ErrorKind::InvalidRequest), "not the vendor's address");
}

#[tokio::test]
async fn a_call_by_name_refuses_what_does_not_fit_before_sending() {
    let azire = AnyClient::open(&Profile::from_environment(ProviderName::Azire, |_| None)).unwrap();
    for (operation, input, field) in [
        ("create-everything", serde_json::json!({}), "operation"),
        ("check-port", serde_json::json!({}), "port"),
        ("check-port", serde_json::json!({"port": 70000}), "port"),
        ("check-port", serde_json::json!({"port": 1, "prot": 2}), "prot"),
    ] {
        let error = azire.call(operation, input, false).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{error}");
        assert!(error.fields().contains_key(field), "{error}");
    }
}

/// VPNGN lets one add a client in ten seconds, and the calls of one client keep to it.
#[tokio::test]
async fn calls_by_name_share_the_providers_rate_limit() {
    let sandbox = Sandbox::start().await.unwrap();
    let url = sandbox.vpngn_url();
    let profile = Profile::from_environment(ProviderName::Vpngn, |name| match name {
        "ANYVPN_VPNGN_URL" => Some(url.clone()),
        "ANYVPN_VPNGN_API_KEY" => Some(sandbox.vpngn().api_key()),
        _ => None,
    });
    let vpngn = AnyClient::open(&profile).unwrap();
    let add = |email: &'static str| {
        let input = serde_json::json!({"country": "SE", "type": 1, "email": email});
        vpngn.call("add-client", input, false)
    };
    assert_eq!(vpngn.wait_for("add-client"), Duration::ZERO);
    add("a@example.com").await.unwrap();
    let ten = Duration::from_secs(10);
    assert!(vpngn.wait_for("add-client") > ten / 2, "{:?}", vpngn.wait_for("add-client"));
    assert!(vpngn.wait_for("add-client") <= ten);
    assert_eq!(vpngn.wait_for("no-such"), Duration::ZERO);
    let mut second = pin!(add("b@example.com"));
    let polled = poll_fn(|context| Poll::Ready(second.as_mut().poll(context))).await;
    assert!(polled.is_pending(), "it did not wait");
    // A third one would come after it.
    assert!(vpngn.clone().wait_for("add-client") > ten);
    assert_eq!(sandbox.received().len(), 1);
}

#[test]
fn the_readme_has_the_capabilities() {
    let mut table = "| provider |".to_owned();
    let names: Vec<_> = ProviderName::ALL[0].capabilities().all().map(|(name, _)| name).to_vec();
    table += &names.iter().map(|name| format!(" {name} |")).collect::<String>();
    table += &format!("\n|---|{}\n", "---|".repeat(names.len()));
    for provider in ProviderName::ALL {
        table += &format!("| {} |", provider.title());
        for (_, capability) in provider.capabilities().all() {
            table += &match capability {
                Capability::Cannot { why, link } => format!(" no: [{why}]({link}) |"),
                other => format!(" {other} |"),
            };
        }
        table += "\n";
    }
    document::check("../../README.md", Some("capabilities"), &table);
}
