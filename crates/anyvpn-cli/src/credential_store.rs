//! Stores secrets: tokens that `anyvpn login` creates, and secrets that the user typed for a profile.
//! Each address or profile has a file that only its owner can read, or an entry in the system's keyring.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyvpn::{
    Ability, CallObserver, Credential, Error, ProviderInfo, Registry, Secret, Settings, reveal,
};
use anyvpn_http::{
    Binding, BoundToken, FileStore, StoreLock, TokenStore, create_private_folder,
    open_private_file, remove_abandoned_files,
};
use serde::de::IgnoredAny;
use url::Url;

use crate::environment::state_folder;
use crate::failure::Failure;
use crate::file::draft;
use crate::keyring::Keyring;
use crate::profiles::{File, ProfileEntry, StoreKind};
use crate::provider_settings::addresses;
use crate::secrets::check_sendable;
use crate::text::reason;

/// The maximum length of the address in a file name. File systems allow 255 bytes, including prefix and
/// suffix.
const LONGEST_NAME: usize = 180;

/// The key of the token's id, which is stored beside the secrets.
const ID: &str = "id";

/// The ending of a file with secrets.
const SECRETS: &str = ".json";
/// The ending of a file that names the address and the user of an entry of the keyring, and has no secrets.
/// Listing the keyring itself could ask for its password, so unused entries are found by these files.
const INDEX: &str = ".keyring";

/// The stored credentials for an address.
#[derive(Clone, Default)]
pub struct StoredCredentials {
    /// The user who signed in. It is stored as the subject of the [`Binding`].
    pub username: Option<String>,
    /// The provider's id of the token, if it has one.
    pub id: Option<String>,
    /// The secrets, by the keys of their settings.
    pub secrets: Settings,
}

/// The stored form: the secrets by their keys, and the id.
type Serialized = BTreeMap<String, Secret>;

impl StoredCredentials {
    /// Creates them from the credential that signing in returned.
    pub fn obtained(username: Option<String>, credential: Credential) -> Self {
        Self { username, id: credential.id, secrets: credential.settings }
    }

    /// Returns the credential, for revoking it.
    pub fn credential(&self) -> Credential {
        let mut credential = Credential::new(self.secrets.clone());
        credential.id = self.id.clone();
        credential
    }

    fn serialized(&self) -> Serialized {
        let secret = |key: &str| Some((key.to_owned(), self.secrets.get(key)?.clone()));
        let id = self.id.clone().map(|id| (ID.to_owned(), Secret::from(id)));
        self.secrets.keys().filter_map(secret).chain(id).collect()
    }

    fn read(username: Option<String>, mut written: Serialized) -> Self {
        let id = written.remove(ID).map(|id| id.expose().to_owned());
        let mut secrets = Settings::new();
        for (key, secret) in written {
            secrets.set(key, secret);
        }
        Self { username, id, secrets }
    }
}

/// The store of the credentials for an address.
pub struct CredentialStore {
    pub provider: &'static ProviderInfo,
    url: String,
    path: PathBuf,
    file: FileStore,
    keyring: Option<Keyring>,
}

impl CredentialStore {
    /// Returns the store for a provider's address.
    ///
    /// `None` if the address is invalid or no home folder is known. Without a profile it is also `None` if
    /// the provider has no sign-in. Each profile has its own store, because two profiles can be two
    /// accounts at the same address.
    pub fn of(
        provider: &'static ProviderInfo,
        settings: &Settings,
        entry: Option<&ProfileEntry>,
    ) -> Option<Self> {
        if entry.is_none() && !provider.capabilities.can(Ability::SignIn) {
            return None;
        }
        let given =
            addresses(provider).find_map(|setting| Some((setting, settings.text(setting.key)?)));
        let (url, place) = match given {
            Some((setting, word)) if setting.key != "url" => {
                (format!("{} {word}", setting.key), word.to_owned())
            }
            Some((_, url)) => address(url)?,
            None => address(provider.setting("url")?.default?)?,
        };
        let name = file_name(provider, &place, entry.map(|entry| &*entry.name));
        let is_keyring = entry.is_some_and(|entry| entry.store == StoreKind::Keyring);
        let keyring = is_keyring.then(|| Keyring::new(&name));
        let path = folder()?.join(name + if is_keyring { INDEX } else { SECRETS });
        Some(Self { provider, url, file: FileStore::new(&path), path, keyring })
    }

    /// Returns the path of the file. `None` if the credentials are in the keyring.
    pub fn path(&self) -> Option<&Path> {
        self.keyring.is_none().then_some(&*self.path)
    }

    /// Whether credentials may be stored. The keyring is not read, because it could ask for a password.
    pub fn may_have(&self) -> bool {
        self.keyring.is_some() || self.path.exists()
    }

    /// Reads the credentials. `None` if none are stored.
    pub async fn load(&self) -> Result<Option<StoredCredentials>, Failure> {
        let kept: Option<BoundToken<Serialized>> = match &self.keyring {
            None => self.file.load().await.map_err(unusable)?,
            Some(keyring) => keyring.load()?.map(|text| of_text(&text)).transpose()?,
        };
        let Some(BoundToken { binding, token, .. }) = kept else { return Ok(None) };
        // The file's name is not enough: the address inside decides where the secrets may be sent.
        if self.binding(binding.subject.clone()) != binding {
            return Err(Failure::other(format!(
                "{} contains the token of another address",
                self.shown()
            ))
            .hint("delete it, and sign in again"));
        }
        let kept = StoredCredentials::read(binding.subject, token);
        for secret in kept.secrets.keys().filter_map(|key| kept.secrets.get(key)) {
            check_sendable(secret, &format!("the secret in {}", self.shown()), Failure::other)?;
        }
        Ok(Some(kept))
    }

    /// Waits for the lock, and checks that credentials can be stored.
    pub async fn lock(&self, observer: Arc<dyn CallObserver>) -> Result<LockedStore<'_>, Failure> {
        if let Some(keyring) = &self.keyring {
            keyring.load()?;
        }
        self.make_folder().map_err(|error| {
            let path = self.path.display();
            Failure::other(format!("cannot write {path}: {}", reason(&error)))
                .hint("set XDG_STATE_HOME to a folder that you can write to")
        })?;
        remove_leftovers();
        let file = self.file.clone().with_observer(observer).lock().await.map_err(unwritten)?;
        // Check that the disk has room before a token is created.
        draft(&self.path).map_err(|error| {
            let path = self.path.display();
            Failure::other(format!("cannot write {path}: {}", reason(&error)))
                .hint("free some disk space; the stored secrets are unchanged")
        })?;
        Ok(LockedStore { store: self, file })
    }

    fn binding(&self, username: Option<String>) -> Binding {
        Binding::new(self.provider.name, &self.url, username)
    }

    /// Returns the settings of the address to which the credentials belong.
    pub fn settings(&self) -> Settings {
        let mut settings = Settings::new();
        let word = self
            .url
            .split_once(' ')
            .and_then(|(key, word)| Some((self.provider.setting(key)?, word)));
        match (word, self.provider.setting("url")) {
            (Some((setting, word)), _) => settings.set(setting.key, word),
            (None, Some(setting)) => settings.set(setting.key, self.url.as_str()),
            (None, None) => {}
        }
        settings
    }

    /// Whether both stores are for the same address.
    pub fn is_at(&self, other: &Self) -> bool {
        (self.provider.name, &self.url) == (other.provider.name, &other.url)
    }

    /// Names the file or the keyring.
    pub fn shown(&self) -> String {
        match self.path() {
            Some(path) => path.display().to_string(),
            None => "the system's keyring".to_owned(),
        }
    }

    /// Creates the folder, or makes an existing one private.
    fn make_folder(&self) -> std::io::Result<()> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        create_private_folder(folder)?;
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

/// A locked store. Only the holder of the lock may change the credentials.
pub struct LockedStore<'a> {
    store: &'a CredentialStore,
    file: StoreLock<Serialized>,
}

impl LockedStore<'_> {
    /// Reads the credentials, as [`CredentialStore::load`] does.
    pub async fn load(&self) -> Result<Option<StoredCredentials>, Failure> {
        self.store.load().await
    }

    pub async fn save(&mut self, kept: &StoredCredentials) -> Result<(), Failure> {
        let binding = self.store.binding(kept.username.clone());
        let kept = BoundToken::new(binding, kept.serialized());
        let Some(keyring) = &self.store.keyring else {
            return self.file.save(Some(&kept)).await.map_err(unwritten);
        };
        let (text, _) = reveal(|| serde_json::to_string(&kept));
        let text = text.map_err(|_| Failure::other("cannot write the token as JSON"))?;
        // First, so that the entry can be found even if this process is killed next.
        let index = BoundToken::new(kept.binding, Serialized::new());
        self.file.save(Some(&index)).await.map_err(unwritten)?;
        keyring.save(&Secret::from(text))
    }

    /// Names the file or the keyring, as [`CredentialStore::shown`] does.
    pub fn shown(&self) -> String {
        self.store.shown()
    }

    pub async fn forget(&mut self) -> Result<(), Failure> {
        if let Some(keyring) = &self.store.keyring {
            keyring.forget()?;
        }
        self.file.save(None).await.map_err(unwritten)
    }
}

/// A file or an entry of the keyring with secrets that no profile uses. An interrupted command left it, or its profile was edited or
/// removed by hand.
pub struct Orphan {
    /// The profile to which the secrets belonged.
    pub profile: String,
    pub store: CredentialStore,
    /// The user who signed in. `None` for secrets that the user typed, and if the file cannot be read.
    pub username: Option<String>,
    is_readable: bool,
}

/// Lists the secrets that no profile uses, in files and in the keyring, sorted by the names of their profiles. Those that
/// cannot be read come last, so that an error about one does not hold the others back.
pub fn orphans(registry: &Registry, profiles: &File) -> Vec<Orphan> {
    let files = folder().and_then(|folder| fs::read_dir(folder).ok());
    let mut found = Vec::new();
    for file in files.into_iter().flatten().flatten() {
        let (path, name) = (file.path(), file.file_name());
        let Some(name) = name.to_str() else { continue };
        let (name, keyring) = match (name.strip_suffix(SECRETS), name.strip_suffix(INDEX)) {
            (Some(name), _) => (name, None),
            (None, Some(name)) => (name, Some(Keyring::new(name))),
            (None, None) => continue,
        };
        let Some((place, profile)) = name.split_once('@') else { continue };
        let own = profiles
            .get(profile)
            .and_then(|entry| CredentialStore::of(entry.provider, &entry.settings, Some(entry)));
        if own.is_some_and(|own| own.path == path) {
            continue;
        }
        let kept = open_private_file(&path)
            .ok()
            .and_then(|file| serde_json::from_reader::<_, BoundToken<IgnoredAny>>(file).ok());
        let is_readable = kept.is_some();
        // The name of an unreadable file still says whose it is.
        let (provider, url, username) = match kept {
            Some(BoundToken { binding, .. }) => {
                (registry.info(&binding.provider).ok(), binding.base_url, binding.subject)
            }
            None => (of_place(registry, place), String::new(), None),
        };
        let Some(provider) = provider else { continue };
        let file = FileStore::new(&path);
        let store = CredentialStore { provider, url, path, file, keyring };
        found.push(Orphan { profile: profile.to_owned(), store, username, is_readable });
    }
    found.sort_by(|one, other| {
        (!one.is_readable, &one.profile).cmp(&(!other.is_readable, &other.profile))
    });
    found
}

/// Removes what killed commands left in the folder of the credentials: unfinished files and locks.
pub fn remove_leftovers() {
    if let Some(folder) = folder() {
        remove_abandoned_files(&folder);
    }
}

/// Returns the provider whose name begins the name of a file, as [`file_name`] builds it.
fn of_place(registry: &Registry, place: &str) -> Option<&'static ProviderInfo> {
    registry
        .infos()
        .find(|info| place.strip_prefix(info.name).is_some_and(|address| address.starts_with('-')))
}

/// Lists the providers for which a token is stored without a profile.
pub fn providers(registry: &Registry) -> Vec<&'static ProviderInfo> {
    let files = folder().and_then(|folder| fs::read_dir(folder).ok());
    let names: Vec<String> = files
        .into_iter()
        .flatten()
        .filter_map(|file| file.ok()?.file_name().into_string().ok())
        .filter(|name| name.ends_with(".json") && !name.contains('@'))
        .collect();
    let is_kept = |provider: &&'static ProviderInfo| {
        let prefix = format!("{}-", provider.name);
        names.iter().any(|name| name.starts_with(&prefix))
    };
    registry.infos().filter(is_kept).collect()
}

/// Returns the folder of the credentials.
fn folder() -> Option<PathBuf> {
    state_folder().map(|state| state.join("tokens"))
}

/// Normalizes an address, and returns it with its host and path.
fn address(url: &str) -> Option<(String, String)> {
    let url = Url::parse(url.trim()).ok()?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let place = format!("{}{port}{}", url.host_str()?, url.path().trim_end_matches('/'));
    Some((url.as_str().trim_end_matches('/').to_owned(), place))
}

/// Builds a file name of provider, address and profile from characters that every file system allows.
fn file_name(provider: &ProviderInfo, place: &str, profile: Option<&str>) -> String {
    let mut name = format!("{}-", provider.name);
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
    name
}

fn of_text(text: &Secret) -> Result<BoundToken<Serialized>, Failure> {
    serde_json::from_str(text.expose()).map_err(|_| {
        Failure::other("the entry in the system's keyring was not written by anyvpn")
            .hint("remove the entry named anyvpn, and sign in again")
    })
}

fn unusable(error: Error) -> Failure {
    let detail = error.detail().unwrap_or("cannot use the token file");
    match detail.split_once("; ") {
        Some((what, next)) => Failure::other(what).hint(next),
        None => Failure::other(detail).hint("delete that file, and sign in again"),
    }
}

/// Returns the failure for a file that could not be replaced. Its content is unchanged.
fn unwritten(error: Error) -> Failure {
    let detail = error.detail().unwrap_or("cannot write the token file");
    let (what, next) = detail.split_once("; ").unwrap_or((
        detail,
        "free some disk space, or set XDG_STATE_HOME to a folder that you can write to",
    ));
    Failure::other(what).hint(format!("{next}; the stored secrets are unchanged"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_safe_and_contain_the_address() {
        let registry = Registry::builtin();
        let [azire, vpnscript] = ["azire", "vpnscript"].map(|name| registry.info(name).unwrap());
        let name = |url: &str| address(url).map(|(_, place)| file_name(vpnscript, &place, None));
        for (url, expected) in [
            ("https://vpn.example.com/", "vpnscript-vpn.example.com"),
            ("https://vpn.example.com:8443/my/panel/", "vpnscript-vpn.example.com_8443_my_panel"),
            ("http://[::1]:80/%2e%2e/%2e%2e/x", "vpnscript-___1__x"),
            ("https://h/%2F..%2Fx", "vpnscript-h__2F.._2Fx"),
        ] {
            assert_eq!(name(url).as_deref(), Some(expected), "{url}");
        }
        assert_eq!(name("data:x"), None);
        let named = file_name(azire, "h/a@b", Some("home"));
        assert_eq!(named, "azire-h_a_b@home");
        let (long, profile) = ("x".repeat(4000), "p".repeat(40));
        let longest = file_name(vpnscript, &long, Some(&profile));
        assert!(longest.len() + ".json.lock".len() <= 255);
    }
}
