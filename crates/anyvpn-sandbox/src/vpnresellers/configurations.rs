//! `/v4_1/configuration/…`

use http::header::ACCEPT;
use serde_json::json;

use super::answer::{Answer, invalid, refusal, success};
use super::quirks::ConfigForm;
use super::state::{Account, State};
use crate::certificate::certificate;
use crate::fields::Fields;
use crate::provider::Call;
use crate::reply::Reply;

const ANY: std::ops::RangeInclusive<i64> = 1..=i64::MAX;

/// Returns the server's id and the other id in the query.
fn ids(state: &State, call: &Call, other: &'static str) -> Result<(i64, i64), Reply> {
    let mut query = Fields::of_query(call);
    let ids = (query.required_integer("server_id", ANY), query.required_integer(other, ANY));
    query.done().map_err(|errors| invalid(&state.quirks, errors))?;
    Ok(ids)
}

fn account(state: &State, reseller: usize, id: i64) -> Result<&Account, Reply> {
    Ok(&state.accounts[state.place(reseller, &id.to_string())?])
}

pub(super) fn openvpn(state: &mut State, _reseller: usize, call: &Call) -> Answer {
    let (id, port) = ids(state, call, "port_id")?;
    let server = state.server(id)?;
    let (protocol, number) = state.port(port)?;
    let ca = certificate(state.seed, id.unsigned_abs() << 8, state.started);
    let ca = ca.map_err(|error| refusal(&state.quirks, 500, &error.to_string()))?;
    let text = format!(
        "client\ndev tun\nproto {protocol}\nremote {} {number}\nresolv-retry infinite\nnobind\n\
         persist-key\npersist-tun\nauth-user-pass\nremote-cert-tls server\ncipher AES-256-GCM\n\
         auth SHA256\nverb 3\n<ca>\n{ca}</ca>\n",
        server.address
    );
    Ok(file(state, call, &format!("{}.ovpn", server.name), text))
}

pub(super) fn wireguard(state: &mut State, reseller: usize, call: &Call) -> Answer {
    let (id, owner) = ids(state, call, "account_id")?;
    let (server, owner) = (state.server(id)?, account(state, reseller, owner)?);
    let text = format!(
        "[Interface]\nPrivateKey = {}\nAddress = {}/32\nDNS = 10.64.0.1\n\n[Peer]\n\
         PublicKey = {}\nAllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = {}:51820\n\
         PersistentKeepalive = 25\n",
        owner.key, owner.address, server.public_key, server.address
    );
    Ok(file(state, call, &format!("{}.conf", server.name), text))
}

pub(super) fn vless(state: &mut State, reseller: usize, call: &Call) -> Answer {
    let (id, owner) = ids(state, call, "account_id")?;
    let (server, owner) = (state.vless_server(id)?, account(state, reseller, owner)?);
    let uuid = format!("00000000-0000-4000-8000-{:012x}", owner.id);
    let text = format!(
        "vless://{uuid}@{}:443?encryption=none&security=reality&type=tcp#{}",
        server.address, server.name
    );
    Ok(file(state, call, &format!("{}.txt", server.name), text))
}

/// Returns a configuration in the form that the caller requests, and that this sandbox's choices give
/// it.
fn file(state: &State, call: &Call, name: &str, text: String) -> Reply {
    let quirks = &state.quirks;
    let is_json = call.header(ACCEPT).is_some_and(|accept| accept.contains("application/json"));
    match quirks.configuration {
        _ if !is_json => Reply::page(200, text),
        ConfigForm::Content => success(quirks, json!({ "name": name, "content": text })),
        ConfigForm::Nameless => success(quirks, json!({ "content": text })),
        ConfigForm::FileBody => {
            let url = format!("https://api.vpnresellers.example/download/{name}");
            success(quirks, json!({ "file_name": name, "file_body": text, "download_url": url }))
        }
        ConfigForm::Text => success(quirks, text),
        ConfigForm::Config => Reply::json(200, &json!({ "config": text })),
        ConfigForm::Bare => Reply::page(200, text),
    }
}
