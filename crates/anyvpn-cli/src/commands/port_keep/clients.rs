//! Torrent clients in the arguments, and the sources of their credentials.

use std::env;
use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use anyvpn::Secret;
use anyvpn_http::SystemClock;
use anyvpn_keeper::{CLIENT_KINDS, ClientKind, ClientSettings, TorrentClient, open_client};
use url::Url;

use super::Keep;
use crate::environment::variable;
use crate::failure::Failure;
use crate::hidden;
use crate::secrets::{is_interactive, read};

/// A torrent client: `KIND` or `KIND=ADDRESS`.
#[derive(Clone, Debug)]
pub struct Client {
    kind: &'static ClientKind,
    address: String,
    username: Option<String>,
}

impl Client {
    /// Parses the argument. A user name may be in the URL, but a password may not. This is
    /// not left to clap, because clap would show a refused value, and the password in it, in its error.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let (name, address) = text.split_once('=').unwrap_or((text, ""));
        let kind = CLIENT_KINDS.iter().find(|kind| kind.name == name).ok_or_else(|| {
            let names: Vec<_> = CLIENT_KINDS.iter().map(|kind| kind.name).collect();
            Failure::usage("--client names no torrent client that anyvpn knows")
                .hint(format!("use one of {}, and perhaps =ADDRESS", names.join(", ")))
        })?;
        let mut client = Self { kind, address: kind.default_address.to_owned(), username: None };
        if address.is_empty() {
            return Ok(client);
        }
        client.address = address.to_owned();
        let Ok(mut url) = Url::parse(address) else { return Ok(client) };
        if url.password().is_some() {
            return Err(Failure::usage("other users can see a password in the arguments")
                .hint(format!("set {} instead", variable_name(kind, "PASSWORD"))));
        }
        if !url.username().is_empty() {
            client.username = Some(url.username().to_owned());
            // This fails only for addresses that cannot have a user name.
            let _ = url.set_username("");
            client.address = url.as_str().trim_end_matches('/').to_owned();
        }
        Ok(client)
    }

    /// Opens the client, with credentials from the environment.
    pub fn open(&self, args: &Keep) -> Result<Arc<dyn TorrentClient>, Failure> {
        let mut settings = ClientSettings::new(&self.address);
        settings.username =
            self.username.clone().or_else(|| variable(&variable_name(self.kind, "USERNAME")));
        settings.password = self.secret("PASSWORD")?;
        settings.api_key = self.secret("API_KEY")?;
        settings.bind_interface = args.bind_clients;
        settings.same_network = !args.clients_elsewhere;
        if settings.username.is_some()
            && settings.password.is_none()
            && settings.api_key.is_none()
            && is_interactive()
        {
            settings.password = Some(hidden::ask(&format!("Password of {}:", self.kind.title))?);
        }
        Ok(open_client(self.kind.name, &settings, Arc::new(SystemClock))?)
    }

    /// Reads a secret from its variable, or from the file of a systemd credential.
    fn secret(&self, what: &str) -> Result<Option<Secret>, Failure> {
        let name = variable_name(self.kind, what);
        if let Some(secret) = variable(&name) {
            return Ok(Some(Secret::from(secret)));
        }
        let Some(folder) = env::var_os("CREDENTIALS_DIRECTORY") else { return Ok(None) };
        let what = what.to_lowercase().replace('_', "-");
        let file = Path::new(&folder).join(format!("{}-{what}", self.kind.name));
        match file.symlink_metadata() {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            // Anything else must not look as if no secret was given.
            _ => read(&file).map(Some),
        }
    }
}

fn variable_name(kind: &ClientKind, what: &str) -> String {
    format!("ANYVPN_{}_{what}", kind.name.to_uppercase())
}
