//! Tokens that `anyvpn login` made: one file an address, for their owner alone.

use std::fs::{self, DirBuilder};
use std::path::{Path, PathBuf};

use anyvpn::{Error, Profile, ProviderName, Secret, azire};
use anyvpn_http::{FileStore, StoreLock, TokenStore};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::context::path_variable;
use crate::failure::Failure;
use crate::text::reason;

/// File systems take names of 255 bytes.
const LONGEST_NAME: usize = 200;

/// A token, and what is known of it.
#[derive(Clone, Serialize, Deserialize)]
pub struct Kept {
    /// Where it is good. It is sent nowhere else, whatever the file's name.
    url: String,
    /// Who signed in.
    pub username: String,
    /// The provider's id of it, where there is one.
    pub id: Option<String>,
    pub token: Secret,
}

/// The place of the token for one address.
pub struct Place {
    url: String,
    path: PathBuf,
    store: FileStore,
}

impl Place {
    /// The place for a profile's address. `None` where the provider has no tokens that are kept, the
    /// address is none, or this person has no home.
    ///
    /// Each named profile has a place of its own: two may be two accounts at one address.
    pub fn of(profile: &Profile, name: Option<&str>) -> Option<Self> {
        let (provider, url) = match profile {
            Profile::Azire { url, .. } => {
                (ProviderName::Azire, url.as_deref().unwrap_or(azire::BASE_URL))
            }
            Profile::VpnScript { url, .. } => (ProviderName::VpnScript, &**url),
            _ => return None,
        };
        let url = Url::parse(url.trim()).ok()?;
        let path = folder()?.join(file_name(provider, &url, name)?);
        let url = url.as_str().trim_end_matches('/').to_owned();
        Some(Self { url, store: FileStore::new(&path), path })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The token that is kept; `None` when none is.
    pub async fn load(&self) -> Result<Option<Kept>, Failure> {
        let kept: Option<Kept> = self.store.load().await.map_err(unusable)?;
        match kept {
            Some(kept) if kept.url != self.url => {
                let path = self.path.display();
                Err(Failure::other(format!("{path} has the token of another address"))
                    .hint("remove that file, and sign in again"))
            }
            kept => Ok(kept),
        }
    }

    /// Waits for the right to replace the token, and finds out whether it could be written at all.
    pub async fn lock(&self) -> Result<StoreLock, Failure> {
        self.make_folder().map_err(|error| {
            let path = self.path.display();
            Failure::other(format!("{path} cannot be written: {}", reason(&error)))
                .hint("set XDG_STATE_HOME to a folder that you may write to")
        })?;
        TokenStore::<Kept>::lock(&self.store).await.map_err(unusable)
    }

    pub async fn save(
        &self,
        username: String,
        id: Option<String>,
        token: Secret,
    ) -> Result<(), Failure> {
        let kept = Kept { url: self.url.clone(), username, id, token };
        self.store.save(Some(&kept)).await.map_err(unusable)
    }

    pub async fn forget(&self) -> Result<(), Failure> {
        TokenStore::<Kept>::save(&self.store, None).await.map_err(unusable)
    }

    /// Makes the folder, or takes away what others may do in one that is there.
    fn make_folder(&self) -> std::io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            if folder.metadata()?.permissions().mode() & 0o077 != 0 {
                fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
            }
        }
        Ok(())
    }
}

/// The providers that a token is kept for, outside of profiles.
pub fn providers() -> Vec<ProviderName> {
    let files = folder().and_then(|folder| fs::read_dir(folder).ok());
    let names: Vec<String> = files
        .into_iter()
        .flatten()
        .filter_map(|file| file.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".json") && !name.contains('@'))
        .collect();
    let is_kept = |provider: &&ProviderName| {
        let prefix = format!("{provider}-");
        names.iter().any(|name| name.starts_with(&prefix))
    };
    ProviderName::ALL.iter().filter(is_kept).copied().collect()
}

/// `anyvpn/tokens` in the place for what programs remember.
fn folder() -> Option<PathBuf> {
    let state = path_variable("XDG_STATE_HOME")
        .or_else(|| path_variable("HOME").map(|home| home.join(".local/state")));
    state.map(|state| state.join("anyvpn/tokens"))
}

/// Provider, host and path, in letters that every file system takes, and the profile.
fn file_name(provider: ProviderName, url: &Url, profile: Option<&str>) -> Option<String> {
    let place = format!(
        "{}{}{}",
        url.host_str()?,
        url.port().map(|port| format!(":{port}")).unwrap_or_default(),
        url.path().trim_end_matches('/')
    );
    let mut name = format!("{provider}-");
    for c in place.chars().take(LONGEST_NAME) {
        match c {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '.' | '-' => name.push(c),
            _ => name.push('_'),
        }
    }
    if let Some(profile) = profile {
        name.push('@');
        name.push_str(profile);
    }
    name.push_str(".json");
    Some(name)
}

fn unusable(error: Error) -> Failure {
    Failure::other(error.detail().unwrap_or("the token's file cannot be used").to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_is_made_of_the_address_and_leads_nowhere_else() {
        let name = |url: &str| file_name(ProviderName::VpnScript, &Url::parse(url).unwrap(), None);
        for (url, expected) in [
            ("https://vpn.example.com/", "vpnscript-vpn.example.com.json"),
            (
                "https://vpn.example.com:8443/my/panel/",
                "vpnscript-vpn.example.com_8443_my_panel.json",
            ),
            ("http://[::1]:80/%2e%2e/%2e%2e/x", "vpnscript-___1__x.json"),
            ("https://h/%2F..%2Fx", "vpnscript-h__2F.._2Fx.json"),
        ] {
            assert_eq!(name(url).as_deref(), Some(expected), "{url}");
        }
        assert!(name(&format!("https://h/{}", "x".repeat(4000))).unwrap().len() < 255);
        assert_eq!(name("data:x"), None);
        let url = Url::parse("https://h/a@b").unwrap();
        let named = file_name(ProviderName::Azire, &url, Some("home"));
        assert_eq!(named.as_deref(), Some("azire-h_a_b@home.json"));
    }
}
