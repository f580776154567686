//! Where a reply has more than one form: the decoders that `openapi.yaml` names.

use anyvpn_core::Error;
pub(crate) use anyvpn_http::lenient::{date_option, text};
use anyvpn_http::{Dialect as _, Reply};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Dialect;

/// A list. How an empty one is answered is documented nowhere; a success that leaves it out is one.
pub(crate) fn list<O, T: DeserializeOwned>(_: &O, reply: &Reply) -> Result<Vec<T>, Error> {
    #[derive(Deserialize)]
    struct List<T> {
        response: Option<Vec<T>>,
    }
    let list: List<T> = Dialect::decode(reply)?;
    Ok(list.response.unwrap_or_default())
}
