//! Where a reply has more than one form: the decoders that `openapi.yaml` names.

use anyvpn_core::Error;
use anyvpn_http::Reply;
pub(crate) use anyvpn_http::lenient::{date_option, text};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::dialect::success;

/// A list. How an empty one is answered is documented nowhere; a success that leaves it out is one.
pub(crate) fn list<O, T: DeserializeOwned>(_: &O, reply: &Reply) -> Result<Vec<T>, Error> {
    match success(reply)?["response"].take() {
        Value::Null => Ok(Vec::new()),
        list => reply.json_part(list),
    }
}
