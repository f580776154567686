//! Lists the ports of a device with anyvpn-azire.

use std::io::Write as _;

use anyvpn_azire::Azire;
use anyvpn_azire::ops::ListPortForwards;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let base = std::env::args().nth(1).ok_or("give the base URL")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let list = runtime.block_on(async {
        let azire = Azire::builder().base_url(base).token("token").build()?;
        azire.call(ListPortForwards { internal_ipv4: [10, 0, 16, 181].into() }).await
    })?;
    for it in list.ports {
        writeln!(std::io::stdout(), "{}", it.port)?;
    }
    Ok(())
}
