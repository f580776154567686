//! Decoders for replies that have more than one form. `openapi.yaml` names them.

use std::borrow::Cow;

use anyvpn_core::{Error, Secret};
pub(crate) use anyvpn_http::lenient::{flag_option, time_option};
use anyvpn_http::{Dialect as _, Reply};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use crate::dialect::{Dialect, Envelope, PageNumbers, open};
use crate::ops::{
    AccountPage, CheckUsername, ConfigFile, GetOpenVpnConfig, GetVlessConfig, GetWireGuardConfig,
    ListAccounts, ListServers, ServerPage,
};

/// Decodes whether a name is free: from the documented text, or from a `code`.
pub(crate) fn free_name(_: &CheckUsername, reply: &Reply) -> Result<(), Error> {
    #[derive(Deserialize)]
    struct Checked {
        message: String,
    }
    let is_coded = open::<IgnoredAny>(reply)?.code.is_some();
    let checked: Checked = reply.json()?;
    match is_coded || checked.message == "The username checking was successfully." {
        true => Ok(()),
        false => Err(reply.unexpected("at `message`: not the documented one")),
    }
}

/// Decodes the reply to a change, which is not documented. Without a `code`, it must be an account, an empty
/// list or nothing, because any other `data` may come from another server.
pub(crate) fn done<O>(_: &O, reply: &Reply) -> Result<(), Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Done {
        Nothing([(); 0]),
        Account {
            #[serde(rename = "id")]
            _id: u64,
            #[serde(rename = "username")]
            _username: String,
        },
    }
    let is_empty = reply.status.is_success() && reply.body.trim_ascii().is_empty();
    if is_empty || open::<IgnoredAny>(reply)?.code.is_some() {
        return Ok(());
    }
    Dialect::decode::<Done>(reply).map(drop)
}

pub(crate) fn account_page(list: &ListAccounts, reply: &Reply) -> Result<AccountPage, Error> {
    let (accounts, numbers) = page(reply, list.page)?;
    // A skipped account would look like an account that does not exist.
    let PageNumbers { current_page: Some(_), last_page: Some(_), .. } = numbers else {
        return Err(
            reply.unexpected("at `meta`: the number of the page or of the last one is missing")
        );
    };
    let PageNumbers { current_page, last_page, per_page, total } = numbers;
    Ok(AccountPage { accounts, current_page, last_page, per_page, total })
}

pub(crate) fn server_page(list: &ListServers, reply: &Reply) -> Result<ServerPage, Error> {
    let (servers, PageNumbers { current_page, last_page, per_page, total }) =
        page(reply, list.page)?;
    Ok(ServerPage { servers, current_page, last_page, per_page, total })
}

/// Decodes a list with the numbers of its page under `meta`. Another client reads `last_page` beside the
/// list.
fn page<T: DeserializeOwned>(reply: &Reply, asked: Option<u32>) -> Result<(T, PageNumbers), Error> {
    let Envelope { data, meta, last_page, .. } = open::<T>(reply)?;
    let list = data.ok_or_else(|| reply.unexpected("at `data`: missing or null"))?;
    let mut numbers = meta.unwrap_or_default();
    numbers.last_page = numbers.last_page.or(last_page);
    if numbers.last_page.is_some() && numbers.current_page.is_none() {
        numbers.current_page = Some(asked.unwrap_or(1).into());
    }
    Ok((list, numbers))
}

pub(crate) fn openvpn_file(_: &GetOpenVpnConfig, reply: &Reply) -> Result<ConfigFile, Error> {
    file(reply, |text| text.lines().any(|line| line.trim_start().starts_with("remote ")))
}

pub(crate) fn wireguard_file(_: &GetWireGuardConfig, reply: &Reply) -> Result<ConfigFile, Error> {
    file(reply, |text| text.lines().any(|line| line.trim() == "[Interface]"))
}

pub(crate) fn vless_file(_: &GetVlessConfig, reply: &Reply) -> Result<ConfigFile, Error> {
    file(reply, |text| text.trim_start().starts_with("vless://"))
}

/// Decodes a configuration: an object with the text, in two versions of the API, or only the text. If the
/// body is not JSON, it must be the file itself, which `is_file` recognises, and not a web page.
fn file(reply: &Reply, is_file: fn(&str) -> bool) -> Result<ConfigFile, Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Data {
        File {
            #[serde(alias = "file_name")]
            name: Option<String>,
            #[serde(alias = "file_body")]
            content: Secret,
        },
        Text(Secret),
    }
    let bare = text_of(&reply.body).filter(|text| is_file(text));
    let envelope = match (open::<Data>(reply), bare) {
        (Err(_), Some(text))
            if reply.status.is_success() && !text.trim_start().starts_with('{') =>
        {
            return Ok(ConfigFile { name: None, content: Secret::from(text.into_owned()) });
        }
        (envelope, _) => envelope?,
    };
    match envelope.data {
        Some(Data::File { name, content }) => Ok(ConfigFile { name, content }),
        Some(Data::Text(content)) => Ok(ConfigFile { name: None, content }),
        None => Err(reply.unexpected("at `data`: missing or null")),
    }
}

/// Returns a file's text. OpenVPN accepts bytes that are not UTF-8 in comments; they become U+FFFD.
fn text_of(body: &[u8]) -> Option<Cow<'_, str>> {
    let text = String::from_utf8_lossy(body);
    let is_comment = |line: &str| line.trim_start().starts_with(['#', ';']);
    let is_whole = |line: &str| !line.contains(char::REPLACEMENT_CHARACTER);
    text.lines().all(|line| is_whole(line) || is_comment(line)).then_some(text)
}
