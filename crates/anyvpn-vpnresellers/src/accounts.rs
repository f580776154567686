//! The reseller's own account.

use anyvpn_core::{Account, Accounts, Error, Status};
use async_trait::async_trait;

use crate::VpnResellers;
use crate::ops::GetProfile;

#[async_trait]
impl Accounts for VpnResellers {
    /// The prepaid balance is all that the API tells of the reseller. A token that works is an account
    /// that can be used, whatever the balance is.
    async fn account(&self) -> Result<Account, Error> {
        let profile = self.call(GetProfile {}).await?;
        let mut account = Account::new(None, Status::Active);
        account.balance = Some(profile.balance);
        Ok(account)
    }
}
