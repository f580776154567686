//! Lists of servers: anyvpn beside bare reqwest.

use std::io::Write as _;
use std::time::{Duration, Instant};

use anyvpn_core::ServerConfigs as _;
use anyvpn_vpnscript::ops::ListServers;
use anyvpn_vpnscript::{Error, VpnScript};
use futures_util::{Stream, TryStreamExt as _};
use serde::Deserialize;

use crate::client::bare;
use crate::{Failure, cpu_time, memory};

const TOKEN: &str = "7|f1x7ure70ken000000000000000000000000f1x7";

/// How long a caller waits for something else after each page.
const WAIT: Duration = Duration::from_millis(20);

/// After how many servers a caller waits that does not wait.
const NEVER: usize = usize::MAX;

/// The list as bare reqwest's user writes it down.
#[derive(Deserialize)]
struct List {
    data: Vec<Server>,
}

#[derive(Deserialize)]
struct Server {
    name: String,
    country: String,
    country_slug: String,
    country_iso_code: String,
    city: String,
    state: String,
    host: String,
    ipaddr: String,
    protocol: String,
}

impl Server {
    /// Its texts' lengths, so that no client gets away without reading them.
    fn length(&self) -> usize {
        let texts = [&self.name, &self.country, &self.country_slug, &self.country_iso_code];
        let more = [&self.city, &self.state, &self.host, &self.ipaddr, &self.protocol];
        texts.iter().chain(&more).map(|it| it.len()).sum()
    }
}

/// Reads a list of so many servers once, and prints what it took: CPU time and wall time in
/// nanoseconds, and the process's peak of memory above what it had before, in KiB. One server is read
/// before that, so that the connection is there.
pub async fn run(client: &str, port: &str, count: usize) -> Result<(), Failure> {
    let base = format!("http://localhost:{port}/{count}");
    let vpn = VpnScript::builder(&base).token(TOKEN).build()?;
    let reqwest = bare::client()?;
    match client {
        "reqwest" => _ = bare(&reqwest, &format!("{base}/api/servers?paginate=1&page=1")).await?,
        _ => _ = vpn.call(ListServers { paginate: Some(1), page: Some(1) }).await?,
    }
    let resident = memory("VmRSS:")?;
    let (cpu, wall) = (cpu_time()?, Instant::now());
    let came = match client.split_once('-').unwrap_or((client, "")) {
        ("reqwest", _) => bare(&reqwest, &format!("{base}/api/servers")).await?,
        (how, size) => {
            let size = size.parse()?;
            let (prefetch, wait) = match how {
                "pages" => (false, NEVER),
                "ahead" => (true, NEVER),
                "pages_waiting" => (false, size),
                "ahead_waiting" => (true, size),
                _ => return Err("there is no such client of lists".into()),
            };
            let vpn = vpn.with_page_size(u32::try_from(size)?).with_prefetch(prefetch);
            counted(vpn.servers(), wait).await?
        }
    };
    let (cpu, wall) = (cpu_time()? - cpu, wall.elapsed());
    if came != count {
        return Err(format!("{came} servers came, not {count}").into());
    }
    let peak = memory("VmHWM:")?.saturating_sub(resident);
    writeln!(std::io::stdout(), "{} {} {peak}", cpu.as_nanos(), wall.as_nanos())?;
    Ok(())
}

async fn bare(client: &reqwest::Client, url: &str) -> Result<usize, Failure> {
    let reply = client.get(url).bearer_auth(TOKEN).send().await?.error_for_status()?;
    let list: List = serde_json::from_slice(&reply.bytes().await?)?;
    Ok(list.data.iter().filter(|server| server.length() > 0).count())
}

/// Counts the items; each is dropped before the next one is taken. After every `wait` of them the caller
/// waits for something else, such as a disk.
async fn counted<T>(
    items: impl Stream<Item = Result<T, Error>>,
    wait: usize,
) -> Result<usize, Error> {
    items
        .try_fold(0, |count, item| async move {
            drop(std::hint::black_box(item));
            if (count + 1) % wait == 0 {
                tokio::time::sleep(WAIT).await;
            }
            Ok(count + 1)
        })
        .await
}
