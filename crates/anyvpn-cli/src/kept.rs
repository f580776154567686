//! Secrets that this program keeps: tokens that `anyvpn login` made, and what a person typed for a
//! profile. For each address, or profile, one file for its owner alone, or one entry of the system's
//! keyring.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyvpn::{
    Ability, CallObserver, Credential, Error, ProviderInfo, Registry, Secret, Settings, reveal,
};
use anyvpn_http::{
    Binding, BoundToken, FileStore, StoreLock, TokenStore, create_private_folder, open_private_file,
};
use serde::de::IgnoredAny;
use url::Url;

use crate::environment::state_folder;
use crate::failure::Failure;
use crate::file::draft;
use crate::keyring::Keyring;
use crate::profiles::{File, ProfileEntry, Store};
use crate::provider_settings::addresses;
use crate::secrets::check_sendable;
use crate::text::reason;

/// File systems take names of 255 bytes, with what is put before and behind.
const LONGEST_NAME: usize = 180;

/// How the provider's id of a token is written beside the secrets.
const ID: &str = "id";

/// What is kept for one address, and what is known of it.
#[derive(Clone, Default)]
pub struct Kept {
    /// Who signed in. It is written as the subject of the [`Binding`].
    pub username: Option<String>,
    /// The provider's id of the token, where there is one.
    pub id: Option<String>,
    /// The secrets, by the keys of their settings.
    pub secrets: Settings,
}

/// The same as it is written: the secrets by their keys, and the id among them.
type Written = BTreeMap<String, Secret>;

impl Kept {
    /// What was made by signing in.
    pub fn made(username: Option<String>, credential: Credential) -> Self {
        Self { username, id: credential.id, secrets: credential.settings }
    }

    /// The credential that it was made of.
    pub fn credential(&self) -> Credential {
        let mut credential = Credential::new(self.secrets.clone());
        credential.id = self.id.clone();
        credential
    }

    fn written(&self) -> Written {
        let secret = |key: &str| Some((key.to_owned(), self.secrets.get(key)?.clone()));
        let id = self.id.clone().map(|id| (ID.to_owned(), Secret::from(id)));
        self.secrets.keys().filter_map(secret).chain(id).collect()
    }

    fn read(username: Option<String>, mut written: Written) -> Self {
        let id = written.remove(ID).map(|id| id.expose().to_owned());
        let mut secrets = Settings::new();
        for (key, secret) in written {
            secrets.set(key, secret);
        }
        Self { username, id, secrets }
    }
}

/// The place of what is kept for one address.
pub struct Place {
    pub provider: &'static ProviderInfo,
    url: String,
    path: PathBuf,
    file: FileStore,
    keyring: Option<Keyring>,
}

impl Place {
    /// The place for a provider's address. `None` where the address is none, this person has no
    /// home, or, where nobody can sign in, without a named profile.
    ///
    /// Each named profile has a place of its own: two may be two accounts at one address.
    pub fn of(
        provider: &'static ProviderInfo,
        settings: &Settings,
        entry: Option<&ProfileEntry>,
    ) -> Option<Self> {
        if entry.is_none() && !provider.capabilities.can(Ability::SignIn) {
            return None;
        }
        let given = addresses(provider).find_map(|it| Some((it, settings.text(it.key)?)));
        let (url, place) = match given {
            Some((setting, word)) if setting.key != "url" => {
                (format!("{} {word}", setting.key), word.to_owned())
            }
            Some((_, url)) => address(url)?,
            None => address(provider.setting("url")?.default?)?,
        };
        let name = file_name(provider, &place, entry.map(|entry| &*entry.name));
        let is_keyring = entry.is_some_and(|entry| entry.store == Store::Keyring);
        let keyring = is_keyring.then(|| Keyring::new(&name));
        let path = folder()?.join(name + ".json");
        Some(Self { provider, url, file: FileStore::new(&path), path, keyring })
    }

    /// The file that has it; `None` when the keyring does.
    pub fn path(&self) -> Option<&Path> {
        self.keyring.is_none().then_some(&*self.path)
    }

    /// Whether there may be something. The keyring is not asked: it could ask its owner.
    pub fn may_have(&self) -> bool {
        self.keyring.is_some() || self.path.exists()
    }

    /// What is kept; `None` when nothing is.
    pub async fn load(&self) -> Result<Option<Kept>, Failure> {
        let kept: Option<BoundToken<Written>> = match &self.keyring {
            None => self.file.load().await.map_err(unusable)?,
            Some(keyring) => keyring.load()?.map(|text| of_text(&text)).transpose()?,
        };
        let Some(BoundToken { binding, token, .. }) = kept else { return Ok(None) };
        // It is sent nowhere else, whatever the file's name.
        if self.binding(binding.subject.clone()) != binding {
            return Err(Failure::other(format!(
                "{} has the token of another address",
                self.shown()
            ))
            .hint("remove that, and sign in again"));
        }
        let kept = Kept::read(binding.subject, token);
        for secret in kept.secrets.keys().filter_map(|key| kept.secrets.get(key)) {
            check_sendable(secret, &format!("the secret in {}", self.shown()), Failure::other)?;
        }
        Ok(Some(kept))
    }

    /// Waits for the right to replace it, and finds out whether it could be kept at all.
    pub async fn lock(&self, observer: Arc<dyn CallObserver>) -> Result<LockedPlace<'_>, Failure> {
        if let Some(keyring) = &self.keyring {
            keyring.load()?;
        }
        self.make_folder().map_err(|error| {
            let path = self.path.display();
            Failure::other(format!("{path} cannot be written: {}", reason(&error)))
                .hint("set XDG_STATE_HOME to a folder that you may write to")
        })?;
        let file = self.file.clone().with_observer(observer).lock().await.map_err(unwritten)?;
        // Without room for it, no token is made.
        if self.keyring.is_none() {
            draft(&self.path).map_err(|error| {
                let path = self.path.display();
                Failure::other(format!("{path} cannot be written: {}", reason(&error)))
                    .hint("make room on the disk; what is kept there stays as it is")
            })?;
        }
        Ok(LockedPlace { place: self, file })
    }

    fn binding(&self, username: Option<String>) -> Binding {
        Binding::new(self.provider.name, &self.url, username)
    }

    /// The settings of the address that it is kept for.
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

    /// Whether both are of one address.
    pub fn is_at(&self, other: &Self) -> bool {
        (self.provider.name, &self.url) == (other.provider.name, &other.url)
    }

    /// Where it is, in words.
    pub fn shown(&self) -> String {
        match self.path() {
            Some(path) => path.display().to_string(),
            None => "the system's keyring".to_owned(),
        }
    }

    /// Makes the folder, or takes away what others may do in one that is there.
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

/// The place, as the only one that may replace what is kept there.
pub struct LockedPlace<'a> {
    place: &'a Place,
    file: StoreLock<Written>,
}

impl LockedPlace<'_> {
    /// As [`Place::load`].
    pub async fn load(&self) -> Result<Option<Kept>, Failure> {
        self.place.load().await
    }

    pub async fn save(&mut self, kept: &Kept) -> Result<(), Failure> {
        let binding = self.place.binding(kept.username.clone());
        let kept = BoundToken::new(binding, kept.written());
        let Some(keyring) = &self.place.keyring else {
            return self.file.save(Some(&kept)).await.map_err(unwritten);
        };
        let (text, _) = reveal(|| serde_json::to_string(&kept));
        let text = text.map_err(|_| Failure::other("the token cannot be written as JSON"))?;
        keyring.save(&Secret::from(text))
    }

    /// As [`Place::shown`].
    pub fn shown(&self) -> String {
        self.place.shown()
    }

    pub async fn forget(&mut self) -> Result<(), Failure> {
        match &self.place.keyring {
            Some(keyring) => keyring.forget(),
            None => self.file.save(None).await.map_err(unwritten),
        }
    }
}

/// A file with secrets that no profile uses: an interrupted command left it, or its profile was changed
/// or removed by hand.
pub struct Orphan {
    /// The profile that it was for.
    pub profile: String,
    pub place: Place,
    /// Who signed in; absent for secrets that were typed.
    pub username: Option<String>,
}

/// The files with secrets that no profile uses, by the profiles' names.
pub fn orphans(registry: &Registry, profiles: &File) -> Vec<Orphan> {
    let files = folder().and_then(|folder| fs::read_dir(folder).ok());
    let mut found = Vec::new();
    for file in files.into_iter().flatten().flatten() {
        let (path, name) = (file.path(), file.file_name());
        let name = name.to_str().and_then(|name| name.strip_suffix(".json")?.split_once('@'));
        let Some((_, profile)) = name else { continue };
        let own = profiles
            .get(profile)
            .and_then(|entry| Place::of(entry.provider, &entry.settings, Some(entry)));
        if own.is_some_and(|own| own.path() == Some(&*path)) {
            continue;
        }
        // What cannot be read is told of by the command that needs it.
        let Ok(file) = open_private_file(&path) else { continue };
        let kept: Result<BoundToken<IgnoredAny>, _> = serde_json::from_reader(file);
        let Ok(BoundToken { binding, .. }) = kept else { continue };
        let Ok(provider) = registry.info(&binding.provider) else { continue };
        let Binding { base_url: url, subject: username, .. } = binding;
        let file = FileStore::new(&path);
        let place = Place { provider, url, path, file, keyring: None };
        found.push(Orphan { profile: profile.to_owned(), place, username });
    }
    found.sort_by(|one, other| one.profile.cmp(&other.profile));
    found
}

/// The providers that a token is kept for, outside of profiles.
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

/// The folder of the tokens.
fn folder() -> Option<PathBuf> {
    state_folder().map(|state| state.join("tokens"))
}

/// An address without what does not count, and host and path of it.
fn address(url: &str) -> Option<(String, String)> {
    let url = Url::parse(url.trim()).ok()?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let place = format!("{}{port}{}", url.host_str()?, url.path().trim_end_matches('/'));
    Some((url.as_str().trim_end_matches('/').to_owned(), place))
}

/// Provider and place, in letters that every file system takes, and the profile.
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

fn of_text(text: &Secret) -> Result<BoundToken<Written>, Failure> {
    serde_json::from_str(text.expose()).map_err(|_| {
        Failure::other("what the system's keyring has is not what anyvpn wrote")
            .hint("remove its entry named anyvpn, and sign in again")
    })
}

fn unusable(error: Error) -> Failure {
    let detail = error.detail().unwrap_or("the token's file cannot be used");
    match detail.split_once("; ") {
        Some((what, next)) => Failure::other(what).hint(next),
        None => Failure::other(detail).hint("remove that file, and sign in again"),
    }
}

/// The failure for a file that could not be replaced. What it holds may be good.
fn unwritten(error: Error) -> Failure {
    let detail = error.detail().unwrap_or("the token's file cannot be written");
    let (what, next) = detail.split_once("; ").unwrap_or((
        detail,
        "make room on the disk, or set XDG_STATE_HOME to a folder that you may write to",
    ));
    Failure::other(what).hint(format!("{next}; what is kept there stays as it is"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_name_is_made_of_the_address_and_leads_nowhere_else() {
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
