//! VPN Script's lists of servers, of any length: below `/COUNT`, made on the way.

use std::convert::Infallible;
use std::fmt::Write as _;

use bytes::Bytes;
use futures_util::{Stream, stream};
use http::Uri;
use hyper::body::Frame;

/// How much is sent at a time, in bytes.
const PIECE: usize = 32 << 10;

/// The reply to `/COUNT/api/servers`, whole or a page of it; `None` for anything else.
pub fn answer(
    uri: &Uri,
) -> Option<impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Send + use<>> {
    let count = uri.path().strip_prefix('/')?.strip_suffix("/api/servers")?;
    let count: u64 = count.parse().ok()?;
    let field = |name: &str| {
        let mut pairs =
            uri.query().unwrap_or_default().split('&').filter_map(|it| it.split_once('='));
        pairs.find(|(key, _)| *key == name)?.1.parse::<u64>().ok()
    };
    let (begin, end, servers) = match field("paginate") {
        None => ("{\"data\":[".to_owned(), "]}".to_owned(), 1..count + 1),
        Some(size) => {
            let (page, last) = (field("page").unwrap_or(1), count.div_ceil(size));
            let first = (page - 1) * size + 1;
            (
                format!("{{\"current_page\":{page},\"data\":["),
                format!("],\"last_page\":{last},\"per_page\":\"{size}\",\"total\":{count}}}"),
                first..(first + size).min(count + 1),
            )
        }
    };
    let text = (begin, servers, Some(end));
    Some(stream::unfold(text, |(mut text, mut servers, mut end)| async move {
        while text.len() < PIECE
            && let Some(id) = servers.next()
        {
            let comma = if text.ends_with('[') { "" } else { "," };
            server(&mut text, comma, id);
        }
        if servers.is_empty()
            && let Some(end) = end.take()
        {
            text.push_str(&end);
        }
        let piece = std::mem::replace(&mut text, String::with_capacity(PIECE + 512));
        (!piece.is_empty()).then(|| (Ok(Frame::data(piece.into())), (text, servers, end)))
    }))
}

/// The countries, as the vendor's sample writes them.
const PLACES: [(&str, &str, &str, &str); 5] = [
    ("Germany", "germany", "de", "Frankfurt"),
    ("Sweden", "sweden", "se", "Stockholm"),
    ("United States", "united-states", "us", "Los Angeles"),
    ("Netherlands", "netherlands", "nl", "Amsterdam"),
    ("Japan", "japan", "jp", "Tokyo"),
];

fn server(text: &mut String, comma: &str, id: u64) {
    let (country, slug, code, city) = PLACES[id as usize % PLACES.len()];
    let protocol = if id.is_multiple_of(2) { "wireguard" } else { "openvpn" };
    let address =
        [10, (id >> 16) as u8, (id >> 8) as u8, id as u8].map(|it| it.to_string()).join(".");
    _ = write!(
        text,
        "{comma}{{\"id\":{id},\"name\":\"{city} {id}\",\"country\":\"{country}\",\
         \"country_slug\":\"{slug}\",\"country_iso_code\":\"{code}\",\"city\":\"{city}\",\
         \"state\":\"\",\"host\":\"{code}-{id}.vpn.example.com\",\"ipaddr\":\"{address}\",\
         \"protocol\":\"{protocol}\",\"config_id\":null,\"wg_available_slots\":253,\
         \"wg_slots\":0}}"
    );
}
