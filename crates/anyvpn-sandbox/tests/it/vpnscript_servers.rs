use anyvpn_sandbox::vpnscript::{Profile, Server};
use serde_json::{Value, json};

use crate::vpnscript_world::{
    ACCEPT, AS_DOCUMENTED, IKEV2, SMALL, WIREGUARD, World, assert_invalid,
};

#[tokio::test]
async fn a_new_sandbox_has_servers_of_every_kind() {
    let world = World::new(0).await;
    let answer = world.get("/servers").await;
    let json = answer.json();
    assert_eq!(json.as_object().unwrap().len(), 1);
    let servers = json["data"].as_array().unwrap();
    let first = json!({
        "id": 1, "name": "Frankfurt 1",
        "country": "Germany", "country_slug": "germany", "country_iso_code": "de",
        "city": "", "state": "Frankfurt", "host": "", "ipaddr": "127.0.0.1",
        "protocol": "openvpn", "config_id": 1, "wg_available_slots": 253, "wg_slots": 0,
    });
    assert_eq!(servers[0], first);
    assert_eq!(servers[1]["protocol"], "wireguard");
    assert_eq!(servers[1]["config_id"], Value::Null);
    assert_eq!(servers[2]["country_slug"], "united-states");
    let place = |id: u64| &servers[id as usize - 1];
    assert_eq!(place(SMALL)["wg_available_slots"], 2);
    assert_eq!((&place(IKEV2)["id"], &place(IKEV2)["protocol"]), (&json!(6), &json!("ikev2")));
    assert_eq!(place(AS_DOCUMENTED)["name"], "Profile as documented");
    let of = |protocol: &str| servers.iter().filter(|it| it["protocol"] == protocol).count();
    assert_eq!((of("openvpn"), of("wireguard"), servers.len()), (3, 3, 7));
}

#[tokio::test]
async fn a_page_has_the_documented_fields_and_addresses_that_lead_nowhere() {
    let world = World::new(0).await;
    let url = |page: u64| format!("http://vpnscript.example/api/servers?page={page}");
    let page = world.get("/servers?paginate=3").await.json();
    let link = |page: u64| json!({ "url": url(page), "label": page.to_string(), "active": false });
    let mut first = link(1);
    first["active"] = true.into();
    let expected = json!({
        "current_page": 1, "data": page["data"],
        "first_page_url": url(1), "from": 1, "last_page": 3, "last_page_url": url(3),
        "links": [
            { "url": null, "label": "« Previous", "active": false },
            first, link(2), link(3),
            { "url": url(2), "label": "Next »", "active": false },
        ],
        "next_page_url": url(2), "path": "http://vpnscript.example/api/servers",
        "per_page": "3", "prev_page_url": null, "to": 3, "total": 7,
    });
    assert_eq!(page, expected);

    let mut ids = Vec::new();
    for number in 1..=3 {
        let page = world.get(&format!("/servers?paginate=3&page={number}")).await.json();
        assert_eq!(page["current_page"], number);
        ids.extend(page["data"].as_array().unwrap().iter().map(|it| it["id"].as_u64().unwrap()));
        if number == 3 {
            assert_eq!((&page["from"], &page["to"]), (&json!(7), &json!(7)));
            assert_eq!(page["next_page_url"], Value::Null);
            assert_eq!(page["prev_page_url"], url(2));
            assert_eq!(page["links"][4]["url"], Value::Null);
        }
    }
    assert_eq!(ids, (1..=7).collect::<Vec<_>>());
}

#[tokio::test]
async fn pages_at_the_edges() {
    let world = World::new(0).await;
    let get = async |query: &str| world.get(&format!("/servers?{query}")).await;
    for query in [
        "paginate=3&page=4",
        "paginate=3&page=9223372036854775807",
        "paginate=4&page=4611686018427387905",
    ] {
        let page = get(query).await.json();
        assert_eq!(
            (&page["data"], &page["from"], &page["to"]),
            (&json!([]), &json!(null), &json!(null))
        );
        assert_eq!(page["next_page_url"], Value::Null);
    }
    // Text that is not a page number means the first page.
    for page in ["0", "-1", "two", ""] {
        let page = get(&format!("paginate=3&page={page}")).await.json();
        assert_eq!(page["current_page"], 1);
    }
    let all = get("paginate=9223372036854775807").await.json();
    assert_eq!((&all["last_page"], &all["to"]), (&json!(1), &json!(7)));
    assert_eq!(get("page=2").await.json()["data"].as_array().unwrap().len(), 7);
    for paginate in ["0", "-1", "ten", "1.5", "99999999999999999999"] {
        assert_invalid(&get(&format!("paginate={paginate}")).await, &["paginate"]);
    }

    for id in 1..=7 {
        assert!(world.service().change_server(id, |server| server.enabled = false));
    }
    let none = get("paginate=3").await.json();
    assert_eq!(
        (&none["total"], &none["last_page"], &none["from"]),
        (&json!(0), &json!(1), &json!(null))
    );
}

#[tokio::test]
async fn parameters_come_in_the_query_or_in_the_body() {
    let world = World::new(0).await;
    let body = world.send("GET", "/servers", json!({ "paginate": 2, "page": 2 })).await.json();
    assert_eq!(body["data"][0]["id"], 3);
    let both = world.send("GET", "/servers?paginate=2&page=3", json!({ "page": 2 })).await.json();
    assert_eq!(both, body);
    let form = format!("{ACCEPT}content-type: application/x-www-form-urlencoded\r\n");
    let request = world.client.request("GET", "/vpnscript/api/servers", &form, "paginate=2&page=2");
    assert_eq!(world.client.raw(&request).await.answer().json(), body);
    let broken = world.client.request("GET", "/vpnscript/api/servers", ACCEPT, "{");
    let answer = world.client.raw(&broken).await.answer();
    assert_eq!(answer.status, 400);
    assert!(answer.json()["message"].as_str().unwrap().starts_with("The body is not JSON"));
}

#[tokio::test]
async fn servers_are_added_changed_and_switched_off() {
    let world = World::new(0).await;
    let own = Server {
        address: [127, 0, 0, 9].into(),
        profile: Profile::Missing,
        ..Server::openvpn("Own")
    };
    let id = world.service().add_server(own);
    assert_eq!(id, 8);
    let listed = world.data("/servers").await[7].take();
    assert_eq!((&listed["name"], &listed["ipaddr"]), (&json!("Own"), &json!("127.0.0.9")));
    assert_eq!(listed["config_id"], Value::Null);

    assert!(world.service().change_server(WIREGUARD, |server| server.enabled = false));
    let left = world.data("/servers").await;
    let ids = left.as_array().unwrap().iter().map(|it| it["id"].as_u64().unwrap());
    assert_eq!(ids.collect::<Vec<_>>(), [1, 3, 4, 5, 6, 7, 8]);
    let page = world.get("/servers?paginate=2").await.json();
    assert_eq!((&page["data"][1]["id"], &page["total"]), (&json!(3), &json!(7)));
    let message = "The server is not found or enabled.";
    world.assert_refused(&world.create(WIREGUARD).await, message);
    for unknown in [0, 9] {
        assert!(!world.service().change_server(unknown, |_| ()));
    }
}

#[tokio::test]
async fn twenty_thousand_servers_come_page_by_page() {
    let world = World::new(0).await;
    world.service().add_servers(19_993);
    let page = world.get("/servers?paginate=100&page=100").await.json();
    assert_eq!((&page["total"], &page["last_page"]), (&json!(20_000), &json!(200)));
    assert_eq!(page["data"][0]["id"], 9_901);
    assert_eq!(page["data"].as_array().unwrap().len(), 100);
    let labels = |page: &Value| {
        let links = page["links"].as_array().unwrap();
        let labels: Vec<_> = links.iter().map(|it| it["label"].as_str().unwrap()).collect();
        labels[1..labels.len() - 1].join(" ")
    };
    assert_eq!(labels(&page), "1 2 ... 97 98 99 100 101 102 103 ... 199 200");
    for (query, expected) in [
        ("paginate=100&page=7", "1 2 3 4 5 6 7 8 9 10 ... 199 200"),
        ("paginate=100&page=8", "1 2 ... 5 6 7 8 9 10 11 ... 199 200"),
        ("paginate=100&page=193", "1 2 ... 190 191 192 193 194 195 196 ... 199 200"),
        ("paginate=100&page=194", "1 2 ... 191 192 193 194 195 196 197 198 199 200"),
        ("paginate=1539", "1 2 3 4 5 6 7 8 9 10 11 12 13"),
        ("paginate=1429", "1 2 3 4 5 6 7 8 9 10 ... 13 14"),
    ] {
        let page = world.get(&format!("/servers?{query}")).await.json();
        assert_eq!(labels(&page), expected, "{query}");
    }
    let last = world.get("/servers?paginate=100&page=200").await.json();
    assert_eq!(last["data"][99]["id"], 20_000);
    assert_eq!(last["data"][99]["protocol"], "wireguard");

    // A server at the end of a list of 20,000 works like any other.
    assert!(world.data("/openvpn/profile?server_id=19999").await.is_string());
    assert_eq!(world.create(20_000).await.status, 200);
}
