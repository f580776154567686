//! The file of profiles as it is to be: changed without losing what the person wrote.

use toml_edit::{Array, DocumentMut, Item, RawString, Table, TomlError, value};

use super::entry::{ProfileEntry, Store};
use super::source::SecretSource;

/// The file's text, with every blank and comment.
pub struct Draft(DocumentMut);

impl Draft {
    /// The text as it is.
    pub fn parse(text: &str) -> Result<Self, TomlError> {
        text.parse().map(Self)
    }

    /// The text as it is to be.
    pub fn text(&self) -> String {
        self.0.to_string()
    }

    /// Adds a profile behind the others.
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
        if entry.store == Store::Keyring {
            table.insert("store", value("keyring"));
        }
        let root = self.0.as_table_mut();
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
        let root = self.0.as_table_mut();
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
            let after = text_of(Some(self.0.trailing()));
            self.0.set_trailing(format!("{kept}{after}"));
        }
    }

    /// Makes a profile the one that is used where none is named.
    pub fn set_default(&mut self, name: &str) {
        let root = self.0.as_table_mut();
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
}

/// The blanks and comments around something.
fn text_of(raw: Option<&RawString>) -> String {
    raw.and_then(RawString::as_str).unwrap_or_default().to_owned()
}
