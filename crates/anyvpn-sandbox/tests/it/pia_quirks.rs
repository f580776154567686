//! PIA as programs in other languages call it, and each choice that the vendor's sources leave
//! open.

use anyvpn_sandbox::Sandbox;
use anyvpn_sandbox::pia::Quirks;
use serde_json::{Value, json};

use crate::client::{Answer, Client, sandbox};

const KEY: &str = "HIgo9xNzJMWLKASShiTqIybxZ0U3wGLiUeJ1PKf8ykw%3D";

struct World {
    sandbox: Sandbox,
    client: Client,
    token: String,
}

impl World {
    /// Creates a world with a seed that selects the variation.
    async fn with(choice: impl Fn(&Quirks) -> bool) -> World {
        let seed = (0..1000).find(|seed| choice(&Quirks::from_seed(*seed)));
        let sandbox = sandbox(seed.expect("no seed makes this choice")).await;
        let token = sandbox.pia().add_account("p0000000", "secret").token;
        let token = token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let client = Client { address: sandbox.address(), token: None };
        World { sandbox, client, token }
    }

    async fn get(&self, path: &str) -> Answer {
        self.client.send_raw("GET", &format!("/pia{path}"), Value::Null).await.answer()
    }

    async fn sign_in(&self, password: &str) -> Answer {
        let input = json!({ "username": "p0000000", "password": password });
        self.client.send_raw("POST", "/pia/api/client/v2/token", input).await.answer()
    }

    async fn add_key(&self, token: &str) -> Answer {
        self.get(&format!("/addKey?pt={token}&pubkey={KEY}")).await
    }

    /// Returns payload and signature of a port, as a query.
    async fn pair(&self) -> (Value, String) {
        let pair = self.get(&format!("/getSignature?token={}", self.token)).await.json();
        let part = |name: &str| pair[name].as_str().unwrap().replace('+', "%2B");
        let query = format!("payload={}&signature={}", part("payload"), part("signature"));
        (pair, query)
    }
}

#[tokio::test]
async fn refusals_of_the_sign_in() {
    for is_text in [false, true] {
        let world = World::with(|it| it.wrong_password_is_text == is_text).await;
        let answer = world.sign_in("wrong").await;
        assert_eq!(answer.status, 401);
        let kind = answer.header("content-type").unwrap();
        assert_eq!(kind.starts_with("text/plain"), is_text, "{kind}");
        assert!(world.sign_in("secret").await.json()["token"].is_string());
    }
    for status in [429, 400, 403] {
        let world = World::with(|it| it.locked == status).await;
        world.sandbox.pia().set_locked(true);
        let answer = world.sign_in("secret").await;
        assert_eq!((answer.status, &answer.json()["code"]), (status, &json!("too_many_attempts")));
    }
}

#[tokio::test]
async fn a_server_knows_one_key_of_an_account() {
    for has_mask in [false, true] {
        let world = World::with(|it| it.peer_ip_has_mask == has_mask).await;
        let [first, again] = [world.add_key(&world.token).await, world.add_key(&world.token).await];
        assert_eq!(first.json(), again.json());
        let address = first.json()["peer_ip"].as_str().unwrap().to_owned();
        assert_eq!(address.ends_with("/32"), has_mask, "{address}");
        assert_eq!(world.sandbox.pia().keys("p0000000").len(), 1);
        assert_eq!(world.get(&format!("/addKey?pt={}&pubkey=x", world.token)).await.status, 400);
    }
    for status in [401, 400, 403, 500] {
        let world = World::with(|it| it.login_failed == status).await;
        let refused = json!({ "status": "ERROR", "message": "Login failed!" });
        let answer = world.add_key("another").await;
        assert_eq!((answer.status, answer.json()), (status, refused.clone()));
        world.sandbox.pia().expire("p0000000");
        assert_eq!(world.add_key(&world.token).await.json(), refused);
    }
}

#[tokio::test]
async fn a_port_is_open_for_twenty_minutes_and_reserved_for_two_months() {
    for status in [400, 401] {
        let world = World::with(|it| it.port_expired == status && !it.payload_lacks_end).await;
        let (pair, query) = world.pair().await;
        assert_eq!(pair["status"], "OK");
        let bind = async |query: &str| world.get(&format!("/bindPort?{query}")).await;
        assert_eq!(bind(&query).await.json()["message"], "port scheduled for add");
        assert_eq!(world.sandbox.pia().ports().len(), 1);
        world.sandbox.clock().advance(std::time::Duration::from_secs(20 * 60));
        assert!(world.sandbox.pia().ports().is_empty());
        let other = bind(&format!("{query}x")).await;
        assert_eq!((other.status, &other.json()["message"]), (401, &json!("bad signature")));
        world.sandbox.pia().take_next_port();
        assert_eq!(bind(&query).await.status, 409);
        world.sandbox.clock().advance(std::time::Duration::from_secs(63 * 86_400));
        let expired = bind(&query).await;
        assert_eq!((expired.status, &expired.json()["message"]), (status, &json!("port expired")));
        world.sandbox.pia().set_connected(false);
        assert_eq!(bind(&query).await.json()["message"], "Unauthorized client");
    }
    assert!(World::with(|it| it.payload_lacks_end).await.pair().await.0["payload"].is_string());
}

#[tokio::test]
async fn the_list_and_the_account_vary() {
    let list = async |world: &World| {
        let text = String::from_utf8(world.get("/vpninfo/servers/v6").await.body).unwrap();
        let (json, signature) = text.split_once("\n\n").unwrap();
        assert!(signature.lines().count() > 1 && !json.contains('\n'));
        serde_json::from_str::<Value>(json).unwrap()
    };
    for rotates in [false, true] {
        let world = World::with(|it| it.list_rotates == rotates).await;
        let [first, second] = [list(&world).await, list(&world).await];
        assert_eq!(first != second, rotates);
    }
    for sparse in [false, true] {
        let world = World::with(|it| it.account_is_sparse == sparse).await;
        let token = world.sandbox.pia().add_account("p0000000", "secret").token;
        let headers = format!("authorization: Token {token}\r\n");
        let request = world.client.request("GET", "/pia/api/client/v2/account", &headers, "");
        let account = world.client.raw(&request).await.answer().json();
        assert_eq!(account.get("plan").is_none(), sparse, "{account}");
    }
}
