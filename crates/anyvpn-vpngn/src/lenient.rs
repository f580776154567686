//! Where a reply has more than one form: the decoders that `openapi.yaml` names.

pub(crate) use anyvpn_http::lenient::{date_option, text};
