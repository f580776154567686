//! Name lookup with faults.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyvpn_http::transport::Names;
use futures_core::future::BoxFuture;

/// The result of a name lookup.
#[derive(Clone, Debug)]
pub(crate) enum Lookup {
    /// These addresses.
    Found(Vec<IpAddr>),
    /// The name does not exist.
    Unknown,
    /// The lookup is never answered.
    Silence,
}

/// A resolver with one result for all names until it is mended, and another result afterwards.
#[derive(Clone)]
pub(crate) struct StubResolver {
    broken: Lookup,
    good: Lookup,
    mended: Arc<AtomicBool>,
}

impl StubResolver {
    pub(crate) fn new(broken: Lookup, good: Lookup) -> Self {
        Self { broken, good, mended: Arc::default() }
    }

    pub(crate) fn mend(&self) {
        self.mended.store(true, Ordering::SeqCst);
    }
}

impl Names for StubResolver {
    fn addresses(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let mended = self.mended.load(Ordering::SeqCst);
        let lookup = if mended { self.good.clone() } else { self.broken.clone() };
        let name = name.to_owned();
        Box::pin(async move {
            match lookup {
                Lookup::Found(addresses) => Ok(addresses),
                Lookup::Unknown => {
                    Err(io::Error::new(io::ErrorKind::NotFound, format!("no address for {name}")))
                }
                Lookup::Silence => std::future::pending().await,
            }
        })
    }
}
