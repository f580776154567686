//! Edits `config.toml` without losing the user's comments and layout.

use toml_edit::{Array, DocumentMut, Item, RawString, Table, TomlError, value};

use super::entry::{ProfileEntry, StoreKind};
use super::source::SecretSource;

/// The file's text, including comments and blank lines.
pub struct Draft(DocumentMut);

impl Draft {
    /// Parses the current text.
    pub fn parse(text: &str) -> Result<Self, TomlError> {
        text.parse().map(Self)
    }

    /// Returns the changed text.
    pub fn text(&self) -> String {
        self.0.to_string()
    }

    /// Adds a profile after the others.
    pub fn add(&mut self, entry: &ProfileEntry) {
        let mut table = Table::new();
        table.insert("provider", value(entry.provider.name));
        for setting in entry.provider.settings {
            if let Some(text) = entry.settings.text(setting.key) {
                table.insert(setting.key, value(text));
            }
        }
        for (setting, source) in &entry.sources {
            let name = setting.key;
            match source {
                SecretSource::File(path) => {
                    table.insert(&format!("{name}_file"), value(path.display().to_string()))
                }
                SecretSource::Command(words) => {
                    let words: Array = words.iter().collect();
                    table.insert(&format!("{name}_command"), value(words))
                }
            };
        }
        if entry.store == StoreKind::Keyring {
            table.insert("store", value("keyring"));
        }
        let root = self.0.as_table_mut();
        let is_first = root.is_empty();
        let profiles = root.entry("profiles").or_insert_with(|| {
            let mut profiles = Table::new();
            // Omit the line `[profiles]`.
            profiles.set_implicit(true);
            Item::Table(profiles)
        });
        // An inline table can only contain values.
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

    /// Removes a profile, and the `default` line if it names the profile. Comments that are separated from
    /// the profile by a blank line stay.
    pub fn remove(&mut self, name: &str) {
        let root = self.0.as_table_mut();
        let mut kept = String::new();
        if root.get("default").and_then(Item::as_str) == Some(name)
            && let Some((key, _)) = root.remove_entry("default")
        {
            kept = text_of(key.leaf_decor().prefix());
        }
        if let Some(profiles) = root.get_mut("profiles").and_then(Item::as_table_like_mut) {
            let names: Vec<String> = profiles.iter().map(|(name, _)| name.to_owned()).collect();
            let next = names.iter().skip_while(|other| *other != name).nth(1);
            let follower =
                if kept.is_empty() { next } else { names.iter().find(|other| *other != name) };
            let follower = follower.cloned();
            if let Some(Item::Table(removed)) = profiles.remove(name) {
                let before = text_of(removed.decor().prefix());
                kept.push_str(before.rfind("\n\n").map_or("", |end| &before[..=end]));
            }
            if let Some(Item::Table(next)) = follower.and_then(|name| profiles.get_mut(&name)) {
                let own = text_of(next.decor().prefix());
                next.decor_mut().set_prefix(format!("{kept}{own}"));
                return;
            }
        }
        if kept.contains('#') {
            let after = text_of(Some(self.0.trailing()));
            self.0.set_trailing(format!("{kept}{after}"));
        }
    }

    /// Makes a profile the default.
    pub fn set_default(&mut self, name: &str) {
        let root = self.0.as_table_mut();
        match root.get_mut("default").and_then(Item::as_value_mut) {
            Some(old) => {
                // Keep a comment at the end of the line.
                let decor = old.decor().clone();
                *old = name.into();
                *old.decor_mut() = decor;
            }
            None => {
                root.insert("default", value(name));
            }
        }
    }
}

/// Returns the blanks and comments around an item.
fn text_of(raw: Option<&RawString>) -> String {
    raw.and_then(RawString::as_str).unwrap_or_default().to_owned()
}
