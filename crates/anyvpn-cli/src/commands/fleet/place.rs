//! The database of the orders, and the key that encrypts their passwords.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyvpn::{Ability, Limits, Provider};
use anyvpn_fleet::{MemoryStore, PostgresStore, Sealer, SqliteStore, Store, StoreError};
use anyvpn_http::SystemClock;
use clap::Args;
use url::Url;

use crate::context::Context;
use crate::environment::{data_folder, variable};
use crate::failure::Failure;
use crate::file::OutputFile;
use crate::profiles::SecretSource;
use crate::text::{plain, reason};
use crate::work::lacks;

/// The variable that names the database.
const DATABASE: &str = "ANYVPN_FLEET_DATABASE";

#[derive(Args)]
pub struct Place {
    /// The database: sqlite:FILE or postgres://USER@HOST/NAME; by default fleet.db in the data folder
    /// [env: ANYVPN_FLEET_DATABASE]
    #[arg(long, value_name = "DATABASE")]
    database: Option<String>,
}

#[derive(Args)]
pub struct KeySource {
    /// FILE with the key that seals the passwords; by default fleet.key in the data folder
    #[arg(long, value_name = "FILE", conflicts_with = "key_command")]
    key_file: Option<PathBuf>,
    /// Run this program to get the key. Arguments are split at spaces; no shell is involved
    #[arg(long, value_name = "PROGRAM")]
    key_command: Option<String>,
}

impl Place {
    /// Opens the database. A missing database file is created.
    pub async fn open(&self) -> Result<Arc<dyn Store>, Failure> {
        match self.found()? {
            Found::Default(file) => {
                folder()?;
                open_file(&file).await
            }
            Found::File(file) => open_file(&file).await,
            Found::Postgres(name) => connect(&name).await,
        }
    }

    /// Opens the database to look at it. A missing file is not created, and counts as one without orders.
    pub async fn look(&self, context: &Context) -> Result<Arc<dyn Store>, Failure> {
        match self.found()? {
            Found::Default(file) | Found::File(file) if !file.exists() => {
                let file = plain(&file.display().to_string());
                context.output.note(&format!("There is no database yet: {file}"));
                Ok(Arc::new(MemoryStore::new(Arc::new(SystemClock))))
            }
            Found::Default(file) | Found::File(file) => open_file(&file).await,
            Found::Postgres(name) => connect(&name).await,
        }
    }

    fn found(&self) -> Result<Found, Failure> {
        let Some(name) = self.database.clone().or_else(|| variable(DATABASE)) else {
            return Ok(Found::Default(home()?.join("fleet.db")));
        };
        if let Some(file) = name.strip_prefix("sqlite:") {
            return Ok(Found::File(file.into()));
        }
        if !name.starts_with("postgres://") && !name.starts_with("postgresql://") {
            return Err(Failure::usage(format!("unknown database {name:?}"))
                .hint("use sqlite:FILE or postgres://USER@HOST/NAME"));
        }
        let has_password = Url::parse(&name).is_ok_and(|url| url.password().is_some());
        if self.database.is_some() && has_password {
            return Err(Failure::usage("a password in the arguments can be read by other users")
                .hint(format!(
                    "set PGPASSWORD, use ~/.pgpass, or set {DATABASE} instead of --database"
                )));
        }
        Ok(Found::Postgres(name))
    }
}

/// Where the database is.
enum Found {
    /// The file in the data folder.
    Default(PathBuf),
    File(PathBuf),
    Postgres(String),
}

async fn open_file(file: &Path) -> Result<Arc<dyn Store>, Failure> {
    // By default, SQLite creates a file in which every user could read the customers.
    let mut options = std::fs::OpenOptions::new();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map_err(|error| {
        Failure::other(format!("{} cannot be opened: {}", file.display(), reason(&error)))
            .hint("choose another file with --database sqlite:FILE")
    })?;
    Ok(Arc::new(SqliteStore::open(file).await.map_err(failed)?))
}

async fn connect(name: &str) -> Result<Arc<dyn Store>, Failure> {
    Ok(Arc::new(PostgresStore::connect(name).await.map_err(failed)?))
}

impl KeySource {
    /// Reads the key. With `create`, a missing key in the data folder is created.
    pub fn sealer(&self, context: &Context, create: bool) -> Result<Sealer, Failure> {
        let source = match (&self.key_file, &self.key_command) {
            (Some(file), _) => SecretSource::File(file.clone()),
            (None, Some(command)) => {
                SecretSource::Command(command.split(' ').map(str::to_owned).collect())
            }
            (None, None) => {
                let folder = if create { folder()? } else { home()? };
                let file = folder.join("fleet.key");
                if create && !file.exists() {
                    let key = Sealer::generate_key().map_err(|e| Failure::other(e.to_string()))?;
                    OutputFile::new(&file, false)?.write(&key)?;
                    context.output.note(&format!(
                        "The key that seals the passwords is in {}. Keep a copy of it: without it, \
                         nobody can open them.",
                        plain(&file.display().to_string())
                    ));
                }
                SecretSource::File(file)
            }
        };
        let key = source.read("key of the fleet")?;
        Sealer::new(&key).map_err(|error| Failure::other(error.to_string()))
    }
}

/// Returns the folder of the database and the key.
fn home() -> Result<PathBuf, Failure> {
    data_folder().ok_or_else(|| {
        Failure::usage("there is no home folder for the database")
            .hint("set HOME, or choose a file with --database sqlite:FILE")
    })
}

/// Returns the folder of the database and the key, and creates it if it is missing.
fn folder() -> Result<PathBuf, Failure> {
    let folder = home()?;
    anyvpn_http::create_private_folder(&folder).map_err(|error| {
        Failure::other(format!("{} cannot be made: {}", folder.display(), reason(&error)))
    })?;
    Ok(folder)
}

/// Returns the failure for an error of the database.
pub fn failed(error: StoreError) -> Failure {
    Failure::other(error.to_string()).hint("see that the database is there, and try again")
}

/// Opens the providers of these profiles. If no profile has the name, it can be the name of a provider.
pub async fn open_providers(
    context: &Context,
    profiles: BTreeSet<String>,
    call: Option<Duration>,
) -> Result<BTreeMap<String, Arc<dyn Provider>>, Failure> {
    let mut providers = BTreeMap::new();
    for profile in profiles {
        let context = context.for_profile(&profile)?;
        let info = context.provider()?;
        let limits = call.map(|call| {
            let usual = Limits::default();
            Limits { call: call.min(usual.call), attempt: call.min(usual.attempt), ..usual }
        });
        let provider = context.open_within(info, limits.unwrap_or_default()).await?;
        if provider.customers().is_none() {
            return Err(lacks(&context, info, Ability::Customers));
        }
        providers.insert(profile, provider);
    }
    Ok(providers)
}
