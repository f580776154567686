//! Decoders for replies that have more than one form. `openapi.yaml` names them.

use anyvpn_core::Error;
pub(crate) use anyvpn_http::lenient::{date_option, text};
use anyvpn_http::{Dialect as _, Reply};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Dialect;

/// Decodes a list. The form of an empty one is not documented, so a success without a list counts as empty.
pub(crate) fn list<O, T: DeserializeOwned>(_: &O, reply: &Reply) -> Result<Vec<T>, Error> {
    #[derive(Deserialize)]
    struct List<T> {
        response: Option<Vec<T>>,
    }
    let list: List<T> = Dialect::decode(reply)?;
    Ok(list.response.unwrap_or_default())
}
