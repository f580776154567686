//! One harmless call that tells whether a profile's answers are good.

use anyvpn::vpngn::ops::GetProducts;
use anyvpn::{AnyClient, Error, ErrorKind, Profile};
use serde_json::json;

/// Nobody's address: `.invalid` never exists.
const NOBODY: &str = "nobody@anyvpn.invalid";

/// Makes the call, and says which; `None` when nothing can be called without signing in.
pub async fn check(profile: &Profile) -> Result<Option<&'static str>, Error> {
    match profile {
        Profile::Azire { token: None, .. } => {
            AnyClient::open(profile)?.call("list-locations", json!({}), false).await?;
            Ok(Some("list-locations"))
        }
        Profile::Vpngn { access: Some(_), .. } => {
            let nobody = GetProducts { email: NOBODY.to_owned() };
            match anyvpn::open_vpngn(profile)?.call(nobody).await {
                // Whoever may ask is told that there is nobody.
                Err(e) if e.kind() == ErrorKind::NotFound => Ok(Some("get-products")),
                // There is no proof yet, or none that can read.
                Err(e) if e.fields().contains_key("credential") => Ok(None),
                other => other.map(|_| Some("get-products")),
            }
        }
        Profile::Azire { .. } | Profile::VpnScript { token: Some(_), .. } => {
            let provider = anyvpn::open(profile)?;
            match provider.accounts() {
                Some(accounts) => accounts.account().await.map(|_| Some("account show")),
                None => Ok(None),
            }
        }
        _ => Ok(None),
    }
}
