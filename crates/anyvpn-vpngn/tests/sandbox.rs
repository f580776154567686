//! Every operation over real HTTP against the sandbox, with each of its quirks and each credential.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::sync::Arc;

use anyvpn_core::{AccountAdmin, Capability, NewAccount, Provider, Secret};
use anyvpn_http::transport::Reqwest;
use anyvpn_testkit::openapi::Document;
use anyvpn_testkit::witness::Witness;
use anyvpn_vpngn::ops::{AddClient, ListAliases, NewProduct, call_by_name};
use anyvpn_vpngn::{CAPABILITIES, ErrorKind, ProductType};
use world::{Credential, EMAIL, PASSWORD, World};

#[test]
fn the_sandbox_serves_exactly_the_clients_operations() {
    let mut client: Vec<_> = world::operations().map(|id| id.to_string()).collect();
    let mut sandbox: Vec<_> = anyvpn_sandbox::operations()
        .into_iter()
        .filter(|id| id.starts_with("vpngn."))
        .map(str::to_owned)
        .collect();
    client.sort();
    sandbox.sort();
    assert_eq!(client.len(), 14);
    assert_eq!(client, sandbox);
}

/// The sandbox shares no type with the client, so its replies are held against the document too.
#[tokio::test]
async fn every_operation_works_with_every_credential_and_its_reply_is_as_documented() {
    let document = Document::load(include_str!("../openapi.yaml")).unwrap();
    for seed in 0..8 {
        for operation in world::operations() {
            for credential in Credential::ALL {
                if credential.accepted_by(operation) {
                    works(&document, seed, operation, credential).await;
                }
            }
        }
    }
}

async fn works(
    document: &Document,
    seed: u64,
    operation: anyvpn_core::OperationId,
    credential: Credential,
) {
    let what = format!("{operation}, {credential:?}, seed {seed}");
    let world = World::new(seed).await;
    world.sandbox.vpngn().whitelist(credential == Credential::Whitelisted);
    let witness = Witness::new(Reqwest::loopback().unwrap());
    let builder = world.builder(credential).transport(Arc::new(witness.clone()));
    let outcome = world.call_with(&builder.build().unwrap(), operation).await;
    assert!(outcome.is_ok(), "{what}: {outcome:?}");
    let seen = witness.take();
    let [exchange] = &seen[..] else { panic!("{what}: {} requests", seen.len()) };
    let (reply, request) = (&exchange.reply, &exchange.request);
    let target = request.uri().to_string();
    let target = target.trim_start_matches(&world.sandbox.vpngn_url());
    let name = operation.name();
    document
        .validate_request(name, request.method().as_str(), target, request.body())
        .and_then(|()| document.validate_reply(name, reply.status().as_u16(), reply.body()))
        .unwrap_or_else(|e| panic!("{what}: {e}\n{exchange:?}"));
}

/// An account without product and alias, whichever way the provider says so.
#[tokio::test]
async fn nothing_is_an_empty_list_with_every_seed() {
    for seed in 0..16 {
        let world = World::new(seed).await;
        let email = "new@example.com".to_owned();
        world.sandbox.vpngn().add_customer(&email, PASSWORD, None);
        let vpngn = world.vpngn(Credential::SecretKey);
        let products = vpngn.call(anyvpn_vpngn::ops::GetProducts { email: email.clone() }).await;
        assert_eq!(products.unwrap().len(), 0, "seed {seed}");
        let aliases = vpngn.call(ListAliases { email: email.clone() }).await;
        assert_eq!(aliases.unwrap().len(), 0, "seed {seed}");
        let product = NewProduct {
            email: email.clone(),
            product_type: ProductType::Months36,
            force_upgrade: false,
            auto_terminate: true,
        };
        vpngn.call(product.clone()).await.unwrap();
        let error = vpngn.call(product).await.unwrap_err();
        assert!(error.code().is_some() && error.message().is_some(), "seed {seed}: {error:?}");
        let products = world.sandbox.vpngn().customer(&email).unwrap().products;
        let [product] = &products[..] else { panic!("{} products", products.len()) };
        assert!(product.plan == 36 && !product.renews);
    }
}

#[tokio::test]
async fn capabilities_are_what_the_accessors_give() {
    let world = World::new(0).await;
    let vpngn = world.vpngn(Credential::None);
    assert_eq!(vpngn.capabilities(), &CAPABILITIES);
    assert!(vpngn.accounts().is_some() && vpngn.account_admin().is_some());
    assert!(vpngn.port_forwards().is_none() && vpngn.server_configs().is_none());
    assert!(matches!(CAPABILITIES.port_forwards, Capability::Cannot { .. }));
}

/// What VPNGN needs, or has no place for, is told before anything is sent.
#[tokio::test]
async fn an_account_that_cannot_be_created_is_refused_before_sending() {
    let world = World::new(0).await;
    let vpngn = world.vpngn(Credential::SecretKey);
    let mut good = NewAccount::new("new@example.com", Some(Secret::from(PASSWORD)));
    good.country = Some("US".to_owned());
    good.months = Some(6);
    type Spoil = fn(&mut NewAccount);
    let spoils: [(&str, Spoil); 6] = [
        ("country", |new| new.country = None),
        ("country", |new| new.country = Some("USA".to_owned())),
        ("months", |new| new.months = None),
        ("type", |new| new.months = Some(3)),
        ("currency", |new| new.currency = Some("EUR".to_owned())),
        ("email", |new| new.email = Some("other@example.com".to_owned())),
    ];
    for (field, spoil) in spoils {
        let mut new = good.clone();
        spoil(&mut new);
        let error = vpngn.create(new).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.fields().contains_key(field), "{field}: {error}");
    }
    let mut weak = good.clone();
    weak.password = Some(Secret::from("password"));
    let error = vpngn.create(weak).await.unwrap_err();
    assert!(error.to_string().contains("needs at least 10 characters"), "{error}");
    let error = vpngn.set_password(Secret::from(PASSWORD)).await.unwrap_err();
    assert!(error.fields().contains_key("customer"), "{error}");
    assert_eq!(world.sandbox.received(), []);

    assert_eq!(vpngn.create(good).await.unwrap().login, "new@example.com");
    assert_eq!(world.arrived(<AddClient as anyvpn_http::Operation>::ID), 1);
    assert_eq!(world.sandbox.vpngn().created(EMAIL), 1);
}

#[tokio::test]
async fn an_unknown_field_is_named_without_its_control_characters() {
    let world = World::new(0).await;
    let vpngn = world.vpngn(Credential::SecretKey);
    let input = serde_json::json!({"email": "a@b", "type": "at_due_date", "prod\u{7f}ct_id": "1"});
    let error = call_by_name(vpngn.client(), "cancel-request", input, false).await.unwrap_err();
    assert!(error.fields().contains_key("prod ct_id"), "{error}");
    assert!(!error.to_string().contains(char::is_control), "{error}");
    assert_eq!(world.sandbox.received(), []);
}
