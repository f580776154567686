//! The schemas for the output of `--json`, from the guide.
#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::BTreeMap;
use std::fs;

use jsonschema::{Registry, Validator};
use serde_json::Value;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/schema/v1");

/// Returns all schemas by their file names.
pub struct Schemas(BTreeMap<String, (Value, Validator)>);

impl Schemas {
    pub fn load() -> Self {
        let mut documents = BTreeMap::new();
        for file in fs::read_dir(FOLDER).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let document: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            let id = format!("anyvpn:/schema/v1/{name}.json");
            assert_eq!(document["$id"], id, "{}", path.display());
            documents.insert(name, document);
        }
        let mut registry = Registry::new();
        for document in documents.values() {
            registry = registry.add(document["$id"].as_str().unwrap(), document.clone()).unwrap();
        }
        let registry = registry.prepare().unwrap();
        let compiled = documents.into_iter().map(|(name, document)| {
            let options = jsonschema::draft202012::options().with_registry(&registry);
            let validator = options.should_validate_formats(true).build(&document);
            let validator = validator.unwrap_or_else(|error| panic!("{name}: {error}"));
            (name, (document, validator))
        });
        Self(compiled.collect())
    }

    /// The names and the documents.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, (document, _))| (name.as_str(), document))
    }

    /// Fails if the answer does not match its schema.
    pub fn check(&self, name: &str, answer: &Value) {
        let wrong = self.errors(name, answer);
        assert!(wrong.is_empty(), "{name}: {}\n{answer:#}", wrong.join("\n"));
    }

    /// Lists where the answer does not match its schema.
    pub fn errors(&self, name: &str, answer: &Value) -> Vec<String> {
        let (_, validator) = self.0.get(name).unwrap_or_else(|| panic!("no schema {name}"));
        let errors = validator.iter_errors(answer);
        errors.map(|e| format!("at `{}`: {e}", e.instance_path())).collect()
    }
}
