//! Stores this machine's port forwards for providers that cannot list them, one file for each address.

use std::path::PathBuf;
use std::sync::Arc;

use anyvpn::{CallObserver, Error, ErrorKind, LeaseChange, LeaseStore, PortForward};
use anyvpn_http::{Binding, BoundToken, FileStore, StoreLock, TokenStore, create_private_folder};
use async_trait::async_trait;

use crate::environment::state_folder;
use crate::text::reason;

/// A store of forwards in private files. They are private because a forward's ticket is a secret.
pub struct FileLeaseStore {
    folder: PathBuf,
    observer: Arc<dyn CallObserver>,
}

impl FileLeaseStore {
    /// Returns the user's store. `None` if no home folder is known.
    pub fn find(observer: Arc<dyn CallObserver>) -> Option<Self> {
        Some(Self { folder: state_folder()?.join("leases"), observer })
    }
}

#[async_trait]
impl LeaseStore for FileLeaseStore {
    async fn update(&self, place: &str, change: &mut LeaseChange<'_>) -> Result<(), Error> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-.".contains(c);
        let name: String = place.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
        let path = self.folder.join(format!("{name}.json"));
        create_private_folder(&self.folder).map_err(|error| {
            let detail = format!("cannot write {}: {}", path.display(), reason(&error));
            Error::new(ErrorKind::InvalidRequest).with_detail(detail)
        })?;
        let file = FileStore::new(&path)
            .with_observer(Arc::clone(&self.observer))
            .with_unreadable("this version of anyvpn did not write it; delete it");
        let mut locked: StoreLock<Vec<PortForward>> = file.lock().await?;
        let stored = locked.load().await?.map(|stored| stored.token).unwrap_or_default();
        let mut changed = stored.clone();
        change(&mut changed);
        if changed == stored {
            return Ok(());
        }
        let (provider, _) = place.split_once('-').unwrap_or((place, ""));
        let binding = Binding::new(provider, place, None);
        locked.save(Some(&BoundToken::new(binding, changed))).await
    }
}
