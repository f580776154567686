//! What an account says about its products, and an account that settings name.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyvpn_core::{Accounts as _, Context, Customers as _, Driver as _, Settings};
use anyvpn_testkit::scripted::{Script, Step};
use anyvpn_vpngn::{INFO, VpngnDriver};
use world::{Credential, EMAIL, World};

/// Three products. A cancelled one ends last.
const PRODUCTS: &str = r#"{"status":"success","result":"success","response":[
    {"product_id":"1","product_type":"1 Month","product_status":"Active",
     "username":"a","password":"b","nextduedate":"2024-02-27"},
    {"product_id":"2","product_type":"12 Months","product_status":"Active",
     "username":"c","password":"d","nextduedate":"2024-05-01"},
    {"product_id":"3","product_type":"36 Months","product_status":"Cancelled",
     "username":"e","password":"f","nextduedate":"2027-01-01"}]}"#;

#[tokio::test]
async fn an_account_ends_with_its_active_products() {
    let world = World::new(0).await;
    let script = Script::new([Step::json(200, PRODUCTS), Step::json(200, PRODUCTS)]);
    let vpngn = world.builder(Credential::SecretKey).transport(Arc::new(script)).build().unwrap();
    let account = vpngn.clone().for_customer(EMAIL).account().await.unwrap();
    assert_eq!(account.services.len(), 3);
    assert_eq!(account.expires_at, Some("2024-05-01T00:00:00Z".parse().unwrap()));
    let customer = vpngn.find_customer(EMAIL).await.unwrap().unwrap();
    assert_eq!(customer.expires_at, account.expires_at);
}

#[tokio::test]
async fn the_environment_can_name_the_customer() {
    let world = World::new(0).await;
    let variables = BTreeMap::from([
        ("ANYVPN_VPNGN_URL", world.sandbox.vpngn_url()),
        ("ANYVPN_VPNGN_API_KEY", world.sandbox.vpngn().api_key()),
        ("ANYVPN_VPNGN_SECRET_KEY", world.sandbox.vpngn().secret_key()),
        ("ANYVPN_VPNGN_CUSTOMER", EMAIL.to_owned()),
    ]);
    let settings =
        Settings::from_environment(INFO.name, INFO.settings, |name| variables.get(name).cloned());
    let provider = VpngnDriver.open(&settings, &Context::default()).unwrap();
    let account = provider.accounts().unwrap().account().await.unwrap();
    assert_eq!(account.email.as_deref(), Some(EMAIL));
}
