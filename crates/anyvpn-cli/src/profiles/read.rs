//! Parses `config.toml`. Errors name the line.

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyvpn::{ProviderInfo, Registry, Setting, Settings};
use toml_edit::{Document, Item, Key, TableLike};

use super::entry::{ProfileEntry, StoreKind, name};
use super::source::SecretSource;
use crate::environment::path_variable;
use crate::failure::Failure;
use crate::provider_settings::{alternatives, secrets};
use crate::text::nearest;

/// The content of the file.
#[derive(Debug, Default)]
pub struct File {
    pub default: Option<String>,
    pub entries: Vec<ProfileEntry>,
}

impl File {
    /// Returns the profile of this name.
    pub fn get(&self, name: &str) -> Option<&ProfileEntry> {
        self.entries.iter().find(|entry| entry.name == name)
    }

    /// Reads the file's text.
    pub fn parse(registry: &Registry, path: &Path, text: &str) -> Result<Self, Failure> {
        Reader { registry, path, text }.file()
    }
}

struct Reader<'a> {
    registry: &'a Registry,
    path: &'a Path,
    text: &'a str,
}

impl Reader<'_> {
    fn file(&self) -> Result<File, Failure> {
        // The parser's full message quotes the line, which could contain a secret.
        let document = Document::parse(self.text).map_err(|error| {
            self.wrong(error.span(), error.message().lines().next().unwrap_or(""))
                .hint("correct that line")
        })?;
        let mut file = File::default();
        for (key, item) in self.pairs(document.as_table(), &["default", "profiles"])? {
            match (key.get(), item.as_table_like()) {
                ("default", _) => file.default = Some(self.text_of(key, item)?),
                (_, Some(profiles)) => {
                    for (key, item) in keys(profiles) {
                        file.entries.push(self.entry(key, item)?);
                    }
                }
                _ => return Err(self.wrong(key.span(), "profiles is not a table")),
            }
        }
        if let Some(default) = &file.default
            && file.get(default).is_none()
        {
            let span = document.as_table().key("default").and_then(Key::span);
            let names = file.entries.iter().map(|entry| &*entry.name);
            let wrong = self.wrong(span, &format!("there is no profile {default:?}"));
            return Err(match nearest(default, names) {
                Some(meant) => wrong.hint(format!("did you mean {meant}?")),
                None => wrong.hint("name an existing profile, or remove the line"),
            });
        }
        Ok(file)
    }

    fn entry(&self, key: &Key, item: &Item) -> Result<ProfileEntry, Failure> {
        let name = name(key.get()).map_err(|why| self.wrong(key.span(), &why))?;
        let Some(table) = item.as_table_like() else {
            return Err(self.wrong(key.span(), &format!("profile {name} is not a table")));
        };
        let Some((provider_key, provider)) = table.get_key_value("provider") else {
            let first = self.registry.infos().next().map_or("", |info| info.name);
            return Err(self
                .wrong(key.span(), &format!("profile {name} has no provider"))
                .hint(format!("add a line: provider = {first:?}")));
        };
        let provider = self.provider(provider_key, provider)?;
        let mut known = vec!["provider".to_owned(), "store".to_owned()];
        for setting in provider.settings {
            match setting.secret {
                true => {
                    known.extend(["file", "command"].map(|kind| format!("{}_{kind}", setting.key)))
                }
                false => known.push(setting.key.to_owned()),
            }
        }
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let (settings, sources, store) = (Settings::new(), Vec::new(), StoreKind::File);
        let mut entry = ProfileEntry { name, provider, settings, sources, store };
        for (item_key, item) in self.pairs(table, &known)? {
            let word = item_key.get();
            if word == "provider" {
                continue;
            } else if word == "store" {
                entry.store = self.store(item_key, item)?;
            } else if let Some(setting) = provider.setting(word) {
                let alternative = |other: &&str| {
                    provider.setting(other).is_some_and(|other| setting.is_alternative_to(other))
                };
                if entry.settings.keys().any(|other| alternative(&other)) {
                    let both = alternatives(provider, setting, |setting| setting.key.to_owned());
                    let both = both.replace(" or ", " and ");
                    let what = format!("profile {} has both {both}", entry.name);
                    return Err(self.wrong(key.span(), &what).hint("remove one of the lines"));
                }
                entry.settings.set(setting.key, self.text_of(item_key, item)?);
            } else {
                let source = self.source(item_key, item)?;
                let of_source = |setting: &&Setting| source.key(setting) == word;
                let Some(setting) = secrets(provider).find(of_source) else { continue };
                if entry.has(setting) {
                    let what = format!("{} has two sources", setting.key);
                    return Err(self.wrong(item_key.span(), &what).hint("remove one of the lines"));
                }
                entry.sources.push((setting, source));
            }
        }
        Ok(entry)
    }

    fn provider(&self, key: &Key, item: &Item) -> Result<&'static ProviderInfo, Failure> {
        let text = self.text_of(key, item)?;
        self.registry.info(&text).map_err(|_| {
            let names = || self.registry.infos().map(|info| info.name);
            let wrong = self.wrong(key.span(), &format!("unknown provider {text:?}"));
            wrong.hint(match nearest(&text, names()) {
                Some(meant) => format!("did you mean {meant}?"),
                None => format!("use one of {}", names().collect::<Vec<_>>().join(", ")),
            })
        })
    }

    fn store(&self, key: &Key, item: &Item) -> Result<StoreKind, Failure> {
        match &*self.text_of(key, item)? {
            "file" => Ok(StoreKind::File),
            "keyring" => Ok(StoreKind::Keyring),
            other => Err(self
                .wrong(key.span(), &format!("unknown store {other:?}"))
                .hint("use file or keyring")),
        }
    }

    fn source(&self, key: &Key, item: &Item) -> Result<SecretSource, Failure> {
        if key.get().ends_with("_file") {
            return Ok(SecretSource::File(self.expand(&self.text_of(key, item)?)?));
        }
        let words = item.as_array().map(|words| {
            words.iter().map(|word| word.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
        });
        match words.flatten() {
            Some(words) if words.first().is_some_and(|program| !program.is_empty()) => {
                Ok(SecretSource::Command(words))
            }
            _ => Err(self
                .wrong(key.span(), &format!("{} is not a list of strings", key.get()))
                .hint(format!("for example: {} = [\"pass\", \"show\", \"vpn\"]", key.get()))),
        }
    }

    /// Resolves a path relative to the home folder (`~/`) or to the file's folder.
    fn expand(&self, text: &str) -> Result<PathBuf, Failure> {
        match text.strip_prefix("~/") {
            Some(rest) => match path_variable("HOME") {
                Some(home) => Ok(home.join(rest)),
                None => Err(Failure::other(format!("cannot find {text}: HOME is not set"))
                    .hint("set HOME, or write the absolute path")),
            },
            None => Ok(self.path.parent().unwrap_or(Path::new("")).join(text)),
        }
    }

    fn text_of(&self, key: &Key, item: &Item) -> Result<String, Failure> {
        match item.as_str() {
            Some(text) if !text.trim().is_empty() => Ok(text.to_owned()),
            _ => Err(self.wrong(key.span(), &format!("{} is not a string, or empty", key.get()))),
        }
    }

    /// Returns the pairs of a table. Fails if a key is not among `known`.
    fn pairs<'t>(
        &self,
        table: &'t dyn TableLike,
        known: &[&str],
    ) -> Result<Vec<(&'t Key, &'t Item)>, Failure> {
        let pairs = keys(table);
        let Some((key, _)) = pairs.iter().find(|(key, _)| !known.contains(&key.get())) else {
            return Ok(pairs);
        };
        let wrong = self.wrong(key.span(), &format!("unknown key {:?}", key.get()));
        let mut secrets = self.registry.infos().flat_map(secrets);
        let is_secret = secrets.any(|setting| setting.key == key.get());
        Err(wrong.hint(if is_secret {
            let file = format!("{}_file", key.get());
            let key = if known.contains(&&*file) { key.get() } else { "token" };
            format!("do not write secrets in this file; use {key}_file or {key}_command instead")
        } else if let Some(meant) = nearest(key.get(), known.iter().copied()) {
            format!("did you mean {meant}?")
        } else {
            format!("the keys are {}", known.join(", "))
        }))
    }

    fn wrong(&self, span: Option<Range<usize>>, what: &str) -> Failure {
        let line = span.map(|span| {
            let before = self.text.get(..span.start).unwrap_or(self.text);
            format!(", line {}", before.matches('\n').count() + 1)
        });
        let path = self.path.display();
        Failure::usage(format!("{path}{}: {what}", line.unwrap_or_default()))
    }
}

fn keys(table: &dyn TableLike) -> Vec<(&Key, &Item)> {
    table.iter().filter_map(|(key, _)| table.get_key_value(key)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        let failure =
            File::parse(&Registry::builtin(), Path::new("/c/config.toml"), text).unwrap_err();
        failure.lines().join("\n")
    }

    fn sources(entry: &ProfileEntry) -> Vec<(&str, SecretSource)> {
        entry.sources.iter().map(|(setting, source)| (setting.key, source.clone())).collect()
    }

    #[test]
    fn profiles_and_their_sources_are_read() {
        let text = "default = \"shop\"\n[profiles.home]\nprovider = 'azire'\ntoken_file = 'azire'\n\
                    [profiles.shop]\nprovider = 'vpngn'\nbrand = 'acme'\n\
                    api_key_command = ['pass', 'show', 'a b']\nsecret_key_file = '/s'";
        let file = File::parse(&Registry::builtin(), Path::new("/c/config.toml"), text).unwrap();
        assert_eq!(file.default.as_deref(), Some("shop"));
        let home = file.get("home").unwrap();
        assert_eq!(sources(home), [("token", SecretSource::File("/c/azire".into()))]);
        let words = ["pass", "show", "a b"].map(str::to_owned).to_vec();
        let shop = file.get("shop").unwrap();
        assert_eq!(
            sources(shop),
            [
                ("api_key", SecretSource::Command(words)),
                ("secret_key", SecretSource::File("/s".into()))
            ]
        );
    }

    #[test]
    fn the_guides_example_is_read() {
        let guide = include_str!("../../../../docs/command.md");
        let example =
            guide.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        // HOME may not be set in a test.
        let example = example.replace("~/", "/home/jo/");
        let file =
            File::parse(&Registry::builtin(), Path::new("/c/config.toml"), &example).unwrap();
        assert_eq!(file.entries.len(), 3);
        assert_eq!(file.get("shop").unwrap().sources.len(), 2);
    }

    #[test]
    fn errors_name_the_line_and_suggest_a_correction() {
        let begin = "[profiles.home]\nprovider = \"azire\"\n";
        for (text, line, said) in [
            (format!("{begin}tokenfile = 'x'"), 3, "did you mean token_file?"),
            (format!("{begin}uri = 'x'"), 3, "did you mean url?"),
            (format!("{begin}brand = 'x'"), 3, "the keys are provider, store, url, token_file"),
            (format!("{begin}token = 'canary'"), 3, "token_file or token_command"),
            (format!("{begin}token_command = 'pass show canary'"), 3, "[\"pass\","),
            (format!("{begin}token_command = []"), 3, "not a list of strings"),
            (format!("{begin}token_file = 'x'\ntoken_command = ['x']"), 4, "has two sources"),
            (format!("{begin}url = 5"), 3, "url is not a string"),
            (format!("{begin}store = 'keyrin'"), 3, "use file or keyring"),
            (format!("{begin}canary = "), 3, "error: /c/config.toml"),
            ("profile.x.provider = 'azire'".to_owned(), 1, "did you mean profiles?"),
            ("\n[profiles.'../x']\nprovider = 'azire'".to_owned(), 2, "lowercase letters"),
            ("[profiles.x]\nprovider = 'azir'".to_owned(), 2, "did you mean azire?"),
            ("[profiles.x]".to_owned(), 1, "has no provider"),
            (format!("default = 'hom'\n{begin}"), 1, "did you mean home?"),
            ("profiles = 5".to_owned(), 1, "not a table"),
            (
                "[profiles.x]\nprovider = 'vpngn'\nurl = 'a'\nbrand = 'b'".to_owned(),
                1,
                "both url and brand",
            ),
        ] {
            let told = wrong(&text);
            assert!(told.contains(&format!("/c/config.toml, line {line}: ")), "{text}: {told}");
            assert!(told.contains(said), "{text}: {told}");
            assert!(!told.contains("show canary") && !told.contains("'canary"), "{told}");
        }
    }
}
