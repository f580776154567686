//! Decoders for replies that have more than one form. `openapi.yaml` names them.

use anyvpn_core::{Error, Secret};
pub(crate) use anyvpn_http::lenient::{flag, integer, integer_option, time_option};
use anyvpn_http::{Dialect as _, LenientList, Reply};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Dialect;
use crate::dialect::{Flagged, open};
use crate::ops::{ApiToken, CreateToken, ListServers, Server, ServerPage};

/// Decodes a token, which is beside the flag instead of under `data`.
pub(crate) fn api_token(_: &CreateToken, reply: &Reply) -> Result<ApiToken, Error> {
    Dialect::decode::<Secret>(reply).map(|token| ApiToken { token })
}

/// Decodes a list, which has no flag. With `paginate`, the page's numbers are beside it, some as text.
pub(crate) fn server_page(_: &ListServers, reply: &Reply) -> Result<ServerPage, Error> {
    // Separating the elements first takes a third longer, so we do this only if the list needs it.
    page::<Vec<Server>>(reply).or_else(|_| page::<LenientList<Server>>(reply))
}

fn page<L: DeserializeOwned + Into<LenientList<Server>>>(
    reply: &Reply,
) -> Result<ServerPage, Error> {
    #[derive(Deserialize)]
    struct Page<L> {
        #[serde(default, deserialize_with = "anyvpn_http::lenient::flag_option")]
        success: Option<bool>,
        #[serde(default, deserialize_with = "anyvpn_http::lenient::flag_option")]
        status: Option<bool>,
        data: Option<L>,
        #[serde(default, deserialize_with = "integer_option")]
        current_page: Option<u64>,
        #[serde(default, deserialize_with = "integer_option")]
        last_page: Option<u64>,
        #[serde(default, deserialize_with = "integer_option")]
        per_page: Option<u64>,
        #[serde(default, deserialize_with = "integer_option")]
        total: Option<u64>,
    }

    impl<L> Flagged for Page<L> {
        fn flag(&self) -> Option<bool> {
            self.success.or(self.status).or(self.data.is_some().then_some(true))
        }
    }

    let Page { data, current_page, last_page, per_page, total, .. } = open::<Page<L>>(reply)?;
    let servers = data.ok_or_else(|| reply.unexpected("at `data`: missing or null"))?;
    Ok(ServerPage { servers: servers.into(), current_page, last_page, per_page, total })
}
