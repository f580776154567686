//! The reseller's own account.

use anyvpn_core::{Account, Accounts, Error, Status};
use async_trait::async_trait;

use crate::VpnResellers;
use crate::ops::GetProfile;

#[async_trait]
impl Accounts for VpnResellers {
    /// The API returns only the prepaid balance of the reseller. If the token works, the account is active,
    /// regardless of the balance.
    async fn account(&self) -> Result<Account, Error> {
        let profile = self.call(GetProfile {}).await?;
        let mut account = Account::new(None, Status::Active);
        account.balance = Some(profile.balance);
        Ok(account)
    }
}
