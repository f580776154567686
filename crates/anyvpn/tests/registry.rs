//! Providers by name: built-in ones, and one that a program adds.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

use std::sync::{Arc, Mutex};

use acme_vpn::AcmeDriver;
use anyvpn::{
    Activity, ActivityKind, Binding, BoundToken, CallEvent, CallObserver, Context, Credential,
    Driver as _, ErrorKind, Limits, MemoryStore, Registry, Settings, TokenStore,
};
use anyvpn_sandbox::Sandbox;
use serde_json::json;

#[tokio::test]
async fn a_provider_is_opened_by_its_name_and_called_by_the_name_of_an_operation() {
    let sandbox = Sandbox::start().await.unwrap();
    let token = sandbox.azire().add_account("david", "hunter2-canary").token;
    let settings = Settings::new().with("url", sandbox.azire_url()).with("token", token.clone());
    let provider = Registry::builtin().open("azire", &settings).unwrap();
    assert_eq!(provider.info().title, "AzireVPN");
    assert_eq!(
        provider.accounts().unwrap().account().await.unwrap().login.as_deref(),
        Some("david")
    );
    let user = provider.call_json("get-user", json!({}), false).await.unwrap();
    assert_eq!(user["username"], "david");
    let tokens = provider.call_json("list-tokens", json!({}), false).await.unwrap();
    assert_eq!(tokens[0]["key"], "[redacted]");
    let tokens = provider.call_json("list-tokens", json!({}), true).await.unwrap();
    assert_eq!(tokens[0]["key"], token);
    let error = provider.call_json("get-usr", json!({}), false).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidRequest);
    assert!(error.to_string().contains("get-user"), "{error}");
    // It can be moved to another task, and shown without its secret.
    let shown = tokio::spawn(async move { format!("{provider:?}") }).await.unwrap();
    assert!(!shown.contains(&token), "{shown}");
}

/// Records the calls.
#[derive(Default)]
struct Calls(Mutex<Vec<String>>);

impl CallObserver for Calls {
    fn observe(&self, activity: &Activity, event: &CallEvent<'_>) {
        if let (ActivityKind::Call { operation, .. }, CallEvent::Started) = (activity.kind, event) {
            self.0.lock().unwrap().push(operation.to_string());
        }
    }
}

#[tokio::test]
async fn each_provider_takes_what_the_program_gives_to_it() {
    let sandbox = Sandbox::start().await.unwrap();
    let calls = Arc::new(Calls::default());
    let limits = Limits { reply: 1, ..Limits::default() };
    let context = Context::default()
        .with_limits(limits)
        .with_user_agent("acme-app/2.1")
        .with_observer(calls.clone());
    let registry = Registry::builtin().with(AcmeDriver);
    for (name, operation, input, url) in [
        ("azire", "list-locations", json!({}), sandbox.azire_url()),
        ("vpnscript", "list-servers", json!({}), sandbox.vpnscript_url()),
        ("vpngn", "get-products", json!({"email": "a@example.com"}), sandbox.vpngn_url()),
        ("acme", "get-account", json!({}), sandbox.azire_url()),
    ] {
        sandbox.clear_received();
        let secret = if name == "vpngn" { "api_key" } else { "token" };
        let settings = Settings::new().with("url", url).with(secret, "canary");
        let settings =
            if name == "vpngn" { settings.with("short_token", "canary") } else { settings };
        let provider = registry.open_with(name, &settings, &context).unwrap();
        let error = provider.call_json(operation, input, false).await.unwrap_err();
        assert!(
            error.detail().unwrap_or_default().contains("larger than 1 bytes"),
            "{name}: {error}"
        );
        let received = sandbox.received();
        let mut agents = received[0].headers.iter().filter(|(name, _)| name == "user-agent");
        assert_eq!(agents.next().unwrap().1, "acme-app/2.1", "{name}");
    }
    assert_eq!(calls.0.lock().unwrap().len(), 4, "{:?}", calls.0);
    let wrong = context.with_user_agent("a\nb");
    let is_http = |info: &&anyvpn::ProviderInfo| info.setting("url").is_some();
    for info in registry.infos().filter(is_http).filter(|info| info.name != "vpngn") {
        let settings = Settings::new().with("url", sandbox.azire_url());
        let settings =
            if info.name == "acme" { settings.with("token", "canary") } else { settings };
        let error = registry.open_with(info.name, &settings, &wrong).unwrap_err();
        assert!(error.fields().contains_key("user_agent"), "{}: {error}", info.name);
    }
}

#[test]
fn a_provider_of_ones_own_is_opened_like_the_others() {
    let registry = Registry::builtin().with(AcmeDriver);
    let names: Vec<_> = registry.infos().map(|info| info.name).collect();
    assert!(names.starts_with(&["azire", "vpnscript", "vpngn"]) && names.ends_with(&["acme"]));
    let acme = registry.open("acme", &Settings::new().with("token", "canary")).unwrap();
    assert_eq!(acme.info().name, AcmeDriver.info().name);
    let again = registry.with(AcmeDriver);
    assert_eq!(again.infos().count(), names.len());
}

#[test]
fn invalid_settings_are_reported_without_their_values() {
    let registry = Registry::builtin();
    for (name, settings, field) in [
        ("acme", Settings::new(), "provider"),
        ("azire", Settings::new().with("tokn", "canary"), "tokn"),
        ("azire", Settings::new().with("url", "http://canary.example.com"), "url"),
        ("azire", Settings::new().with("url", ""), "url"),
        ("vpnscript", Settings::new().with("token", "canary"), "url"),
        ("vpngn", Settings::new().with("api_key", "canary"), "url"),
        ("vpngn", Settings::new().with("brand", "canary.example.com"), "brand"),
    ] {
        let error = registry.open(name, &settings).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest, "{name}");
        assert_eq!(error.fields().keys().collect::<Vec<_>>(), [field], "{error}");
        assert!(!format!("{error} {error:?}").contains("canary"), "{error}");
    }
}

#[test]
fn every_setting_has_a_valid_key_a_title_and_a_description() {
    for info in Registry::builtin().infos() {
        for setting in info.settings {
            let is_key = |c: char| c.is_ascii_lowercase() || c == '_';
            assert!(setting.key.chars().all(is_key), "{}: {}", info.name, setting.key);
            assert!(!setting.title.is_empty() && setting.doc.ends_with('.'), "{}", setting.key);
            assert_eq!(info.setting(setting.key).unwrap().title, setting.title);
        }
    }
}

#[tokio::test]
async fn a_program_keeps_its_sign_ins_in_a_store_of_its_own() {
    let sandbox = Sandbox::start().await.unwrap();
    for name in ["azire", "vpnscript"] {
        sandbox.add_login(name, "david", "hunter2-canary").unwrap();
        let store = Arc::new(MemoryStore::<Credential>::default());
        let context = Context::default().with_token_store(store.clone());
        let settings = Settings::new().with("url", sandbox.provider_url(name));
        let open = |settings| Registry::builtin().open_with(name, settings, &context).unwrap();
        let provider = open(&settings);
        let account = async || provider.accounts().unwrap().account().await;
        account().await.unwrap_err();

        let fields = Settings::new().with("username", "david").with("password", "hunter2-canary");
        let credential = provider.sign_in().unwrap().obtain_credential(&fields).await.unwrap();
        let kept = store.load().await.unwrap().unwrap();
        assert_eq!(kept.binding.subject.as_deref(), Some("david"));
        assert_eq!(kept.binding.base_url, sandbox.provider_url(name));
        // This client and another one with the same store are signed in.
        assert_eq!(account().await.unwrap().login.as_deref(), Some("david"));
        assert!(open(&settings).accounts().unwrap().account().await.is_ok());

        // An explicit token takes precedence over the stored one.
        let given = settings.clone().with("token", "canary");
        let error = open(&given).accounts().unwrap().account().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized);

        // The token is not sent to any other address.
        let sent = sandbox.received().len();
        let elsewhere = Settings::new().with("url", format!("{}/x", sandbox.provider_url(name)));
        let error = open(&elsewhere).accounts().unwrap().account().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.to_string().contains("the store has the token of david"), "{error}");
        assert_eq!(sandbox.received().len(), sent);

        if let Some(sign_out) = provider.sign_out() {
            sign_out.revoke_credential(&credential).await.unwrap();
            assert!(store.load().await.unwrap().is_none());
        }
    }

    // For a VPNGN customer, the settings contain the API key, and the store the customer's token.
    let keys = sandbox.add_login("vpngn", "jo", "Hunter2-canary").unwrap();
    let tokens = sandbox.vpngn().add_customer(&keys.username, "Hunter2-canary", None);
    let stored = Credential::new(Settings::new().with("short_token", tokens.short_token));
    let binding = Binding::new("vpngn", sandbox.vpngn_url(), Some(keys.username.clone()));
    let store = MemoryStore::new(Some(BoundToken::new(binding, stored)));
    let settings = Settings::new()
        .with("url", sandbox.vpngn_url())
        .with("api_key", sandbox.vpngn().api_key())
        .with("customer", keys.username.clone());
    let context = Context::default().with_token_store(Arc::new(store));
    let customer = Registry::builtin().open_with("vpngn", &settings, &context).unwrap();
    assert_eq!(customer.accounts().unwrap().account().await.unwrap().login, Some(keys.username));
}
