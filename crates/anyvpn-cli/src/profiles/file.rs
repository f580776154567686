//! The file of profiles: where it is, how it is read, and how it is changed.

use std::fs::{self, DirBuilder};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyvpn::Secret;
use anyvpn_http::lock_file;
use toml_edit::{Array, DocumentMut, Item, RawString, Table, value};

use super::{Entry, File, Source, Store};
use crate::context::path_variable;
use crate::failure::Failure;
use crate::file::{Pending, chmod};
use crate::text::reason;

/// Far longer than anybody writes.
const LONGEST: u64 = 1 << 20;

/// The file, which need not be there yet.
pub struct ConfigFile {
    path: PathBuf,
}

/// The right to change the file.
pub struct Turn<'a> {
    file: &'a ConfigFile,
    document: DocumentMut,
    _lock: fs::File,
}

impl ConfigFile {
    /// The file in this person's place for settings; `None` when there is no such place.
    pub fn find() -> Option<Self> {
        let place = path_variable("XDG_CONFIG_HOME")
            .or_else(|| path_variable("HOME").map(|home| home.join(".config")))?;
        Some(Self { path: place.join("anyvpn/config.toml") })
    }

    /// The same, where it is needed.
    pub fn needed() -> Result<Self, Failure> {
        Self::find().ok_or_else(|| {
            Failure::other("there is no place for profiles: no home folder is known")
                .hint("set HOME or XDG_CONFIG_HOME to a folder, as a whole path")
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says; nothing when it is not there.
    pub fn read(&self) -> Result<File, Failure> {
        File::parse(&self.path, &self.text()?)
    }

    fn text(&self) -> Result<String, Failure> {
        let shown = self.path.display();
        let failed = |why: &str| {
            Failure::other(format!("{shown} cannot be used: {why}"))
                .hint("correct it, or move it away")
        };
        let found = match self.path.metadata() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(String::new()),
            found => found.map_err(|error| failed(&reason(&error)))?,
        };
        if !found.is_file() {
            return Err(failed("it is no plain file"));
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            // It names programs to run.
            if found.permissions().mode() & 0o022 != 0 {
                return Err(failed("others may write it").hint(chmod(&self.path)));
            }
        }
        let mut text = String::new();
        fs::File::open(&self.path)
            .and_then(|file| file.take(LONGEST + 1).read_to_string(&mut text))
            .map_err(|error| failed(&reason(&error)))?;
        if text.len() as u64 > LONGEST {
            return Err(failed("it is larger than 1 MiB"));
        }
        Ok(text)
    }

    /// Waits for the right to change the file, and gives what it says then.
    pub async fn turn(&self) -> Result<(Turn<'_>, File), Failure> {
        let failed = |error: std::io::Error| {
            Failure::other(format!("{} cannot be written: {}", self.path.display(), reason(&error)))
                .hint("set XDG_CONFIG_HOME to a folder that you may write to")
        };
        let mut builder = DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(self.path.parent().unwrap_or(Path::new("."))).map_err(failed)?;
        let lock = lock_file(&self.path.with_extension("toml.lock")).await.map_err(failed)?;
        let text = self.text()?;
        let file = File::parse(&self.path, &text)?;
        let document = text
            .parse::<DocumentMut>()
            .map_err(|_| Failure::usage(format!("{} cannot be changed", self.path.display())))?;
        Ok((Turn { file: self, document, _lock: lock }, file))
    }
}

impl Turn<'_> {
    /// Adds a profile behind the others.
    pub fn add(&mut self, entry: &Entry) {
        let mut table = Table::new();
        table.insert("provider", value(entry.provider.as_str()));
        for (key, text) in [("url", &entry.url), ("brand", &entry.brand)] {
            if let Some(text) = text {
                table.insert(key, value(text));
            }
        }
        for (credential, source) in &entry.sources {
            let name = credential.name();
            match source {
                Source::File(path) => {
                    table.insert(&format!("{name}_file"), value(path.display().to_string()))
                }
                Source::Command(words) => {
                    let words: Array = words.iter().collect();
                    table.insert(&format!("{name}_command"), value(words))
                }
            };
        }
        if entry.store == Store::Keyring {
            table.insert("store", value("keyring"));
        }
        let root = self.document.as_table_mut();
        let is_first = root.is_empty();
        let profiles = root.entry("profiles").or_insert_with(|| {
            let mut profiles = Table::new();
            // No line of its own.
            profiles.set_implicit(true);
            Item::Table(profiles)
        });
        // Between braces there is room for a value only.
        let item = match profiles.is_inline_table() {
            true => Item::Value(table.into_inline_table().into()),
            false => {
                table.decor_mut().set_prefix(if is_first { "" } else { "\n" });
                Item::Table(table)
            }
        };
        if let Some(profiles) = profiles.as_table_like_mut() {
            profiles.insert(&entry.name, item);
        }
    }

    /// Removes a profile, and its being the default. Comments that stand apart from them stay.
    pub fn remove(&mut self, name: &str) {
        let root = self.document.as_table_mut();
        let mut kept = String::new();
        if root.get("default").and_then(Item::as_str) == Some(name)
            && let Some((key, _)) = root.remove_entry("default")
        {
            kept = text_of(key.leaf_decor().prefix());
        }
        if let Some(profiles) = root.get_mut("profiles").and_then(Item::as_table_like_mut) {
            let names: Vec<String> = profiles.iter().map(|(name, _)| name.to_owned()).collect();
            let next = names.iter().skip_while(|it| *it != name).nth(1);
            let follower = if kept.is_empty() { next } else { names.iter().find(|it| *it != name) };
            let follower = follower.cloned();
            if let Some(Item::Table(removed)) = profiles.remove(name) {
                let before = text_of(removed.decor().prefix());
                kept.push_str(before.rfind("\n\n").map_or("", |end| &before[..=end]));
            }
            if let Some(Item::Table(next)) = follower.and_then(|it| profiles.get_mut(&it)) {
                let own = text_of(next.decor().prefix());
                next.decor_mut().set_prefix(format!("{kept}{own}"));
                return;
            }
        }
        if kept.contains('#') {
            let after = text_of(Some(self.document.trailing()));
            self.document.set_trailing(format!("{kept}{after}"));
        }
    }

    /// Makes a profile the one that is used where none is named.
    pub fn set_default(&mut self, name: &str) {
        let root = self.document.as_table_mut();
        match root.get_mut("default").and_then(Item::as_value_mut) {
            Some(old) => {
                // With the comment behind it.
                let decor = old.decor().clone();
                *old = name.into();
                *old.decor_mut() = decor;
            }
            None => {
                root.insert("default", value(name));
            }
        }
    }

    /// Writes the file, whole or not at all.
    pub fn write(self) -> Result<(), Failure> {
        // Whoever keeps it elsewhere, by a link, wants the link to stay.
        let target = self.file.path.canonicalize().unwrap_or_else(|_| self.file.path.clone());
        Pending::new(&target, true)?.write(&Secret::from(self.document.to_string()))
    }
}

/// The blanks and comments around something.
fn text_of(raw: Option<&RawString>) -> String {
    raw.and_then(RawString::as_str).unwrap_or_default().to_owned()
}
