//! Runs every operation over real HTTP against the sandbox, with each of its variations and each
//! credential.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use anyvpn_core::{
    Ability, ChangePassword, CreatedCustomer, Customers, NewCustomer, Provider, Secret,
};
use anyvpn_lab::bounds::check_bounds;
use anyvpn_lab::harness::{check_operations, check_replies};
use anyvpn_vpngn::ops::{AddClient, ListAliases, NewProduct, call_by_name};
use anyvpn_vpngn::{CAPABILITIES, ErrorKind, ProductType};
use world::harness::Harness;
use world::{Credential, EMAIL, PASSWORD, World};

#[test]
fn the_sandbox_serves_exactly_the_clients_operations() {
    check_operations::<Harness>(14);
}

#[tokio::test]
async fn every_operation_works_with_every_credential_and_its_reply_is_as_documented() {
    check_replies::<Harness>(8).await;
}

#[tokio::test]
async fn every_reply_that_fits_the_document_is_accepted() {
    check_bounds::<Harness>(&[]).await;
}

/// An account without products and aliases, in each form in which the provider reports that.
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
    assert_eq!(vpngn.info().capabilities, &CAPABILITIES);
    assert!(vpngn.accounts().is_some() && vpngn.customers().is_some() && vpngn.sign_up().is_none());
    assert!(vpngn.port_forwards().is_none() && vpngn.server_configs().is_none());
    assert!(!CAPABILITIES.can(Ability::PortForwards));
}

/// If VPNGN requires a field or does not support one, the error comes before anything is sent.
#[tokio::test]
async fn a_customer_who_cannot_be_created_is_refused_before_sending() {
    let world = World::new(0).await;
    let vpngn = world.vpngn(Credential::SecretKey);
    let mut good = NewCustomer::new("new@example.com", Secret::from(PASSWORD));
    good.country = Some("US".to_owned());
    good.plan = Some("6".to_owned());
    type Spoil = fn(&mut NewCustomer);
    let spoils: [(&str, Spoil); 5] = [
        ("country", |new| new.country = None),
        ("country", |new| new.country = Some("USA".to_owned())),
        ("plan", |new| new.plan = None),
        ("plan", |new| new.plan = Some("3".to_owned())),
        ("plan", |new| new.plan = Some("6 months".to_owned())),
    ];
    for (field, spoil) in spoils {
        let mut new = good.clone();
        spoil(&mut new);
        let error = vpngn.create_customer(new).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.fields().contains_key(field), "{field}: {error}");
    }
    let mut weak = good.clone();
    weak.password = Secret::from("password");
    let error = vpngn.create_customer(weak).await.unwrap_err();
    assert!(error.to_string().contains("needs at least 10 characters"), "{error}");
    let error = vpngn.change_password(Secret::from(PASSWORD)).await.unwrap_err();
    assert!(error.fields().contains_key("customer"), "{error}");
    assert_eq!(world.sandbox.received(), []);

    let created = vpngn.create_customer(good).await.unwrap();
    assert!(matches!(created, CreatedCustomer::Created(_)), "{created:?}");
    assert_eq!(created.customer().key, "new@example.com");
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
