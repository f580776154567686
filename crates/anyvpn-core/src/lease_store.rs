//! A store for forwards that the provider cannot list.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use crate::{Error, PortForward, Timestamp};

/// A change of the forwards that are stored for one place.
pub type LeaseChange<'a> = dyn FnMut(&mut Vec<PortForward>) + Send + 'a;

/// Stores the forwards of this machine at providers that cannot list them, so that another program, or
/// this one after a restart, finds them again.
///
/// A place names the provider and the gateway or account, such as `natpmp-10.2.0.1:5351`.
#[async_trait]
pub trait LeaseStore: Send + Sync + 'static {
    /// Changes the forwards that are stored for a place. No other program changes that place at the
    /// same time.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if the store cannot be read or written.
    async fn update(&self, place: &str, change: &mut LeaseChange<'_>) -> Result<(), Error>;

    /// Returns the forwards of a place that have not ended, oldest first. The others are removed.
    ///
    /// # Errors
    ///
    /// As [`Self::update`].
    async fn list(&self, place: &str, now: Timestamp) -> Result<Vec<PortForward>, Error> {
        let mut listed = Vec::new();
        let mut list = |stored: &mut Vec<PortForward>| {
            // A forward with a last end can be renewed until then, even after it expired.
            stored.retain(|it| it.ends_at.or(it.expires_at).is_none_or(|end| end > now));
            listed.clone_from(stored);
        };
        self.update(place, &mut list).await?;
        Ok(listed)
    }

    /// Stores a forward, which replaces the one with the number `old` and the one with its own number.
    ///
    /// # Errors
    ///
    /// As [`Self::update`].
    async fn put(&self, place: &str, old: Option<u16>, new: &PortForward) -> Result<(), Error> {
        let mut put = |stored: &mut Vec<PortForward>| {
            stored.retain(|it| it.port != new.port && Some(it.port) != old);
            stored.push(new.clone());
        };
        self.update(place, &mut put).await
    }

    /// Removes the forward with this number.
    ///
    /// # Errors
    ///
    /// As [`Self::update`].
    async fn remove(&self, place: &str, port: u16) -> Result<(), Error> {
        self.update(place, &mut |stored| stored.retain(|it| it.port != port)).await
    }
}

/// Stores forwards in memory, until it is dropped.
#[derive(Debug, Default)]
pub struct MemoryLeaseStore(Mutex<BTreeMap<String, Vec<PortForward>>>);

#[async_trait]
impl LeaseStore for MemoryLeaseStore {
    async fn update(&self, place: &str, change: &mut LeaseChange<'_>) -> Result<(), Error> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(places.entry(place.to_owned()).or_default());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    /// Returns the result of a future that never waits.
    fn now<T>(future: impl Future<Output = T>) -> T {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => value,
            Poll::Pending => panic!("it waits"),
        }
    }

    fn forward(port: u16, expires_at: Option<i64>, ends_at: Option<i64>) -> PortForward {
        let time = |seconds| Timestamp::from_second(seconds).unwrap();
        let mut forward = PortForward::new(port);
        (forward.expires_at, forward.ends_at) = (expires_at.map(time), ends_at.map(time));
        forward
    }

    #[test]
    fn each_address_has_its_own_forwards_until_they_expire() {
        let store = MemoryLeaseStore::default();
        let put = |place, old, new| now(store.put(place, old, &new)).unwrap();
        put("a", None, forward(1, Some(60), None));
        put("a", None, forward(2, Some(60), Some(100)));
        put("a", None, forward(3, None, None));
        put("b", None, forward(4, Some(60), None));
        let listed = |place, seconds| {
            let time = Timestamp::from_second(seconds).unwrap();
            let listed = now(store.list(place, time)).unwrap();
            listed.iter().map(|forward| forward.port).collect::<Vec<_>>()
        };
        assert_eq!(listed("a", 59), [1, 2, 3]);
        // The forward is renewed with another number, and with the same one.
        put("a", Some(1), forward(5, Some(120), None));
        put("a", Some(2), forward(2, Some(120), Some(100)));
        assert_eq!(listed("a", 60), [3, 5, 2]);
        assert_eq!(listed("a", 100), [3, 5]);
        now(store.remove("a", 3)).unwrap();
        assert_eq!((listed("a", 60), listed("b", 0), listed("c", 0)), (vec![5], vec![4], vec![]));
    }
}
