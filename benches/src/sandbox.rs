//! The sandbox as a server.

use anyvpn_azire::Azire;
use anyvpn_azire::ops::CreatePortForward;
use anyvpn_sandbox::Sandbox;

use crate::Failure;
use crate::server::announce;

/// Serves the sandbox as everybody starts it, with an account whose device has a port. Prints its own
/// port, the account's token and the device's address.
pub async fn serve() -> Result<(), Failure> {
    let sandbox = Sandbox::start().await?;
    let account = sandbox.azire().add_account("david", "correct horse");
    let device = sandbox.azire().add_device("david").ok_or("no device")?;
    let azire = Azire::builder().base_url(sandbox.azire_url()).token(&*account.token).build()?;
    let create =
        CreatePortForward { internal_ipv4: device, expires_in: Some(365), hidden: Some(false) };
    azire.call(create).await?;
    drop(azire);
    announce(&format!("{} {} {device}", sandbox.address().port(), account.token))?;
    sandbox.wait().await;
    Ok(())
}
