//! The imitation of VPNresellers: raw requests, and each variation.

use anyvpn_sandbox::vpnresellers::{Quirks, Status};
use anyvpn_sandbox::{Clock, Fault, FaultRule, Sandbox, Variation};
use serde_json::{Value, json};

use crate::client::{Answer, Client, DAY, START};

const NAME: &str = "acme_u1001";

/// A reseller with an account, and a client with its token.
struct Shop {
    sandbox: Sandbox,
    client: Client,
    id: u64,
}

impl Shop {
    async fn new(variation: &str) -> Shop {
        let builder = Sandbox::builder().clock(Clock::fixed(START.parse().unwrap()));
        let builder = match variation {
            "" => builder,
            name => builder.variation(format!("vpnresellers.{name}")),
        };
        let sandbox = builder.start().await.unwrap();
        let id = sandbox.vpnresellers().add_account("acme", NAME, "correct horse");
        sandbox.vpnresellers().add_account("rival", "rival_u7", "correct horse");
        let token = sandbox.vpnresellers().add_reseller("acme").token;
        let client = Client::new(&sandbox).with_token(&token);
        Shop { sandbox, client, id }
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        let path = format!("/vpnresellers/v4_1{path}");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = "content-type: application/json\r\naccept: application/json\r\n";
        self.client.raw(&self.client.request(method, &path, headers, &body)).await.answer()
    }

    async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, Value::Null).await
    }

    async fn create(&self, name: &str) -> Answer {
        let body = json!({"username": name, "password": "correct horse"});
        self.send("POST", "/accounts", body).await
    }

    fn path(&self, action: &str) -> String {
        format!("/accounts/{}{action}", self.id)
    }
}

#[tokio::test]
async fn an_account_is_created_read_changed_and_deleted() {
    let shop = Shop::new("").await;
    let made = shop.create("acme_u1002").await;
    assert_eq!((made.status, &made.json()["code"]), (201, &json!(201)));
    let made = made.json()["data"].take();
    let id = &made["id"];
    assert_eq!((&made["status"], &made["expired_at"]), (&json!("Active"), &json!(null)));
    assert_eq!(made["created"], "2026-01-01 00:00:00");
    let read = shop.get(&format!("/accounts/{id}")).await.json()["data"].take();
    assert_eq!(read, made);

    let end = json!({"expire_at": "2026-12-31"});
    let ended = shop.send("PUT", &format!("/accounts/{id}/expire"), end).await.json();
    assert_eq!(ended["data"]["expired_at"], "2026-12-31T00:00:00.000000Z");
    for (body, field) in [
        (json!({}), "expire_at"),
        (json!({"expire": "2026-12-31"}), "expire_at"),
        (json!({"expire_at": "2026-01-01"}), "expire_at"),
        (json!({"expire_at": "tomorrow"}), "expire_at"),
    ] {
        let refused = shop.send("PUT", &format!("/accounts/{id}/expire"), body.clone()).await;
        assert_eq!(refused.status, 422, "{body}");
        assert!(refused.json()["errors"][field].is_array(), "{body}");
    }
    let gone = shop.send("DELETE", &format!("/accounts/{id}"), Value::Null).await;
    assert_eq!((gone.status, gone.json()), (200, json!({"data": [], "code": 200})));
    let again = shop.send("DELETE", &format!("/accounts/{id}"), Value::Null).await;
    assert_eq!(again.json(), json!({"message": "Account not found.", "code": 404}));
}

/// A creation takes effect without an answer, and is answered with 422 when it is sent again.
#[tokio::test]
async fn a_name_is_taken_for_all_resellers() {
    let shop = Shop::new("").await;
    let lost = FaultRule::once("vpnresellers.create-account", Fault::Wire("reset-after"));
    shop.sandbox.inject(lost).unwrap();
    let path = "/vpnresellers/v4_1/accounts";
    let body = json!({"username": "acme_u1002", "password": "correct horse"}).to_string();
    let headers = "content-type: application/json\r\n";
    let request = shop.client.request("POST", path, headers, &body);
    shop.client.raw(&request).await.assert_reset();
    assert_eq!(shop.sandbox.vpnresellers().created("acme_u1002"), 1);
    for name in ["acme_u1002", "rival_u7"] {
        let taken = shop.create(name).await;
        assert_eq!(taken.status, 422);
        let why = "The username has already been taken.";
        assert_eq!(taken.json()["message"], why);
        assert_eq!(taken.json()["errors"]["username"], json!([why]));
        assert_eq!(
            shop.get(&format!("/accounts/check_username?username={name}")).await.status,
            422
        );
    }
    let free = shop.get("/accounts/check_username?username=acme_u1003").await;
    let message = "The username checking was successfully.";
    assert_eq!(free.json(), json!({"message": message, "code": 200}));
    for name in ["ab", "no spaces", &"a".repeat(51)] {
        assert_eq!(shop.create(name).await.status, 422, "{name}");
    }
}

#[tokio::test]
async fn days_are_charged_and_an_empty_balance_refuses_what_costs() {
    let shop = Shop::new("").await;
    let service = shop.sandbox.vpnresellers();
    let balance = async || shop.get("/profile").await.json()["data"]["balance"].clone();
    assert_eq!(balance().await, "1000.00");
    service.set_balance("acme", 25);
    // A creation costs one day, and so does each midnight for each active account.
    assert_eq!(shop.create("acme_u1002").await.status, 201);
    assert_eq!(balance().await, "0.18");
    shop.sandbox.clock().advance(DAY);
    assert_eq!(balance().await, "0.04");
    let refused = shop.create("acme_u1003").await;
    assert_eq!(refused.json(), json!({"message": "Insufficient Balance.", "code": 402}));
    // Disabling stops the charge, and enabling costs one day.
    let disabled = shop.send("PUT", &shop.path("/disable"), Value::Null).await;
    assert_eq!(disabled.json()["data"]["status"], "Disabled");
    assert_eq!(shop.send("PUT", &shop.path("/enable"), Value::Null).await.status, 402);
    service.set_balance("acme", 14);
    shop.sandbox.clock().advance(DAY);
    assert_eq!(service.balance("acme"), Some(7));
    assert_eq!(shop.send("PUT", &shop.path("/enable"), Value::Null).await.status, 200);
    assert_eq!((service.balance("acme"), service.created("acme_u1003")), (Some(0), 0));
}

#[tokio::test]
async fn accounts_come_in_pages() {
    let shop = Shop::new("").await;
    for number in 0..119 {
        shop.sandbox.vpnresellers().add_account("acme", &format!("acme_{number:03}"), "secret");
    }
    for (query, count, last) in
        [("", 15, 8), ("?page=8", 15, 8), ("?per_page=100&page=2", 20, 2), ("?page=9", 0, 8)]
    {
        let page = shop.get(&format!("/accounts{query}")).await.json();
        assert_eq!(page["data"].as_array().unwrap().len(), count, "{query}");
        let meta = &page["meta"];
        assert_eq!((&meta["last_page"], &meta["total"]), (&json!(last), &json!(120)), "{query}");
    }
    for query in ["?page=0", "?per_page=101", "?page=x"] {
        assert_eq!(shop.get(&format!("/accounts{query}")).await.status, 422, "{query}");
    }
}

#[tokio::test]
async fn configurations_are_json_or_plain_text_on_request() {
    let shop = Shop::new("").await;
    let path = format!("/configuration/wireguard?server_id=1&account_id={}", shop.id);
    let json = shop.get(&path).await.json();
    let text = json["data"]["content"].as_str().unwrap();
    assert!(text.starts_with("[Interface]\nPrivateKey = "), "{text}");
    let full = format!("/vpnresellers/v4_1{path}");
    let request = shop.client.request("GET", &full, "accept: text/html; charset=UTF-8\r\n", "");
    let bare = shop.client.raw(&request).await.answer();
    assert_eq!(bare.header("content-type"), Some("text/html; charset=UTF-8"));
    assert_eq!(bare.body, text.as_bytes());
    for (path, status) in [
        ("/configuration/openvpn?server_id=1&port_id=1", 200),
        ("/configuration/openvpn?server_id=19&port_id=1", 404),
        ("/configuration/openvpn?server_id=1&port_id=5", 404),
        ("/configuration/openvpn?server_id=1", 422),
        ("/configuration/wireguard?server_id=1&account_id=1", 404),
    ] {
        assert_eq!(shop.get(path).await.status, status, "{path}");
    }
    assert_eq!(shop.get("/vless-servers").await.json()["data"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_token_is_needed_and_tells_nothing_of_others() {
    let shop = Shop::new("").await;
    let stranger = shop.sandbox.vpnresellers().account("rival_u7").unwrap().id;
    assert_eq!(shop.get(&format!("/accounts/{stranger}")).await.status, 404);
    let anybody = Shop { client: shop.client.with_token("wrong"), ..shop };
    let refused = anybody.get("/profile").await;
    assert_eq!(refused.json(), json!({"message": "Unauthorized.", "code": 401}));
    assert_eq!(anybody.get("/geoip").await.status, 200);
    let nowhere = anybody.get("/nothing").await;
    assert_eq!((nowhere.status, &nowhere.json()["code"]), (404, &json!(null)));
}

/// Each variation changes the choices and the replies.
#[tokio::test]
async fn each_variation_is_seen() {
    assert_eq!(Quirks::from_seed(0), Quirks::default());
    assert!((1..500).any(|seed| Quirks::from_seed(seed).created == 200));
    let names = Variation::all().filter_map(|it| it.name.strip_prefix("vpnresellers."));
    for name in names {
        let shop = Shop::new(name).await;
        assert_ne!(shop.sandbox.vpnresellers().quirks(), Quirks::default(), "{name}");
        let plain = Shop::new("").await;
        assert_ne!(answers(&shop).await, answers(&plain).await, "{name}");
    }
}

/// Returns replies of many kinds, without numbers that differ by chance.
async fn answers(shop: &Shop) -> Vec<(u16, String)> {
    let mut answers = Vec::new();
    let mut keep = |answer: Answer| {
        answers.push((answer.status, String::from_utf8_lossy(&answer.body).into_owned()));
    };
    let service = shop.sandbox.vpnresellers();
    let stranger = service.account("rival_u7").unwrap().id;
    let wrong = json!({"username": NAME, "password": "wrong horse"});
    keep(shop.create("acme_u1002").await);
    keep(shop.create("ab").await);
    keep(shop.get("/accounts").await);
    keep(shop.get("/servers").await);
    keep(shop.get("/ports").await);
    keep(shop.get(&format!("/accounts/{stranger}")).await);
    keep(shop.send("PUT", &shop.path("/enable"), Value::Null).await);
    keep(shop.send("POST", "/accounts/validate", wrong).await);
    keep(shop.get("/configuration/openvpn?server_id=1&port_id=1").await);
    keep(shop.get("/configuration/openvpn?server_id=99&port_id=1").await);
    let end = json!({"expire_at": "2026-01-02"});
    keep(shop.send("PUT", &shop.path("/expire"), end).await);
    shop.sandbox.clock().advance(2 * DAY);
    keep(shop.get(&shop.path("")).await);
    service.set_status(NAME, Status::Active);
    service.set_balance("acme", 7);
    shop.sandbox.clock().advance(DAY);
    keep(shop.get("/servers").await);
    keep(shop.get("/accounts").await);
    answers
}
