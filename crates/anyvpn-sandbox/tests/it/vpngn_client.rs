//! Calls VPNGN for the tests.

use anyvpn_sandbox::vpngn::{Account, Quirks};
use anyvpn_sandbox::{Fault, FaultRule, Sandbox};
use serde_json::Value;
use url::form_urlencoded::Serializer;

use crate::client::{Answer, Client, Raw, sandbox};

pub const EMAIL: &str = "liam@mail.example";
pub const PASSWORD: &str = "Correct_Horse7";
pub const OTHER_PASSWORD: &str = "Battery_Staple8";

pub const FORM: &str = "content-type: application/x-www-form-urlencoded\r\n";

/// A caller with the API key and the given credential.
#[derive(Clone)]
pub struct Amapi {
    pub client: Client,
    pub common: Vec<(&'static str, String)>,
}

impl Amapi {
    pub fn new(sandbox: &Sandbox) -> Amapi {
        let api_key = sandbox.vpngn().api_key();
        Amapi { client: Client::new(sandbox), common: vec![("apikey", api_key)] }
    }

    pub fn with(&self, name: &'static str, value: &str) -> Amapi {
        let mut with = self.clone();
        with.common.push((name, value.to_owned()));
        with
    }

    pub fn with_bearer(&self, token: &str) -> Amapi {
        Amapi { client: self.client.with_token(token), common: self.common.clone() }
    }

    pub async fn send_raw(&self, call: &str, fields: &[(&str, &str)]) -> Raw {
        let mut form = Serializer::new(String::new());
        form.extend_pairs(&self.common).extend_pairs(fields);
        let path = format!("/vpngn/api/amapi/{call}");
        self.client.raw(&self.client.request("POST", &path, FORM, &form.finish())).await
    }

    pub async fn send(&self, call: &str, fields: &[(&str, &str)]) -> Answer {
        self.send_raw(call, fields).await.answer()
    }

    /// Returns the reply of a call that must succeed.
    pub async fn done(&self, call: &str, fields: &[(&str, &str)]) -> Value {
        let answer = self.send(call, fields).await;
        let json = answer.json();
        assert_eq!((answer.status, &json["status"]), (200, &"success".into()), "{call}: {json}");
        json
    }

    /// Returns the code of a call that must be refused, in the form of seed 0.
    pub async fn refused(&self, call: &str, fields: &[(&str, &str)]) -> (u16, i64) {
        let answer = self.send(call, fields).await;
        let json = answer.json();
        assert_eq!(json["status"], "error", "{call}: {json}");
        assert!(json["message"].is_string(), "{json}");
        assert_eq!(json.as_object().unwrap().len(), 3, "{json}");
        (answer.status, json["code"].as_i64().unwrap())
    }
}

/// Returns the content of a refusal with seed 0.
pub const UNKNOWN_KEY: (u16, i64) = (401, 1001);
pub const DENIED: (u16, i64) = (401, 1002);
pub const INVALID: (u16, i64) = (422, 1101);
pub const WEAK: (u16, i64) = (422, 1102);
pub const NO_CLIENT: (u16, i64) = (404, 1201);
pub const NO_PRODUCT: (u16, i64) = (404, 1202);
pub const NO_ALIAS: (u16, i64) = (404, 1203);
pub const CLIENT_EXISTS: (u16, i64) = (409, 1301);
pub const ALIAS_EXISTS: (u16, i64) = (409, 1302);
pub const ACTIVE_PRODUCT: (u16, i64) = (409, 1303);

/// Creates a sandbox with a customer who has a yearly product, and a server's call about this
/// customer.
pub async fn world(seed: u64) -> (Sandbox, Account, Amapi) {
    let sandbox = sandbox(seed).await;
    let account = sandbox.vpngn().add_customer(EMAIL, PASSWORD, Some(12));
    let server = server(&sandbox).with("email", EMAIL);
    (sandbox, account, server)
}

/// Calls with the secret key.
pub fn server(sandbox: &Sandbox) -> Amapi {
    Amapi::new(sandbox).with("secret_key", &sandbox.vpngn().secret_key())
}

/// Returns a seed that selects the variation.
pub fn seed(choice: impl Fn(&Quirks) -> bool) -> u64 {
    (0..1000).find(|seed| choice(&Quirks::from_seed(*seed))).expect("no seed makes this choice")
}

pub fn lose_replies(sandbox: &Sandbox, percent: u8, operation: &str) {
    sandbox.inject(FaultRule::sometimes(percent, operation, Fault::Wire("reset-after"))).unwrap();
}
