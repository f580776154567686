//! Values at the bounds of a schema.

use serde_json::{Map, Value, json};

/// A value that differs from the normal one in one place.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    pub(super) value: Value,
    /// The place of the difference; empty for the normal value.
    pub(super) place: String,
    /// For a difference in an element of a list, the value with an empty list.
    pub(super) without: Option<Value>,
}

impl Sample {
    fn new(value: impl Into<Value>) -> Self {
        Self { value: value.into(), place: String::new(), without: None }
    }

    /// Puts the value at a place of a larger one.
    fn within(self, place: &str, whole: impl Fn(Value) -> Value) -> Self {
        let without = self.without.map(&whole);
        Self { value: whole(self.value), place: format!("/{place}{}", self.place), without }
    }
}

/// Texts of each format: the extremes, and the forms that its standard allows.
const FORMATS: &[(&str, &[&str])] = &[
    ("date", &["0001-01-01", "2024-02-29", "9999-12-31"]),
    (
        "date-time",
        &[
            "0001-01-01T00:00:00Z",
            "2016-12-31T23:59:60Z",
            "2021-12-21t20:16:32z",
            "2021-12-21T20:16:32.123456789+05:30",
            "9999-12-30T22:00:00.999999Z",
        ],
    ),
    ("ip", &["0.0.0.0", "255.255.255.255", "::", "::ffff:192.0.2.1"]),
    ("ipv4", &["0.0.0.0", "255.255.255.255"]),
    ("ipv6", &["::", "::ffff:192.0.2.1", "FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF"]),
    (
        "public-key",
        &[
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "//////////////////////////////////////////8=",
        ],
    ),
];

/// The shortest and the longest texts of each pattern in the documents.
const PATTERNS: &[(&str, &[&str])] = &[
    (
        "^([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=)?$",
        &[
            "",
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            "//////////////////////////////////////////8=",
        ],
    ),
    (
        "^([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])$",
        &["1", "65535"],
    ),
    (
        "^(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])(\\.(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])){3}/32$",
        &["0.0.0.0/32", "255.255.255.255/32"],
    ),
    ("^[0-9]{1,19}$", &["0", "0000000000000000000", "9999999999999999999"]),
    ("^-?[0-9]{1,18}$", &["0", "-0", "-999999999999999999", "999999999999999999"]),
];

/// The least and the greatest integer of each format.
const WIDTHS: &[(&str, i128, i128)] = &[
    ("uint8", 0, u8::MAX as i128),
    ("uint16", 0, u16::MAX as i128),
    ("uint32", 0, u32::MAX as i128),
    ("uint64", 0, u64::MAX as i128),
    ("int64", i64::MIN as i128, i64::MAX as i128),
];

/// The schemas of a document.
pub(super) struct Schemas<'a>(&'a Value);

impl<'a> Schemas<'a> {
    pub(super) fn new(document: &'a Value) -> Self {
        Self(document)
    }

    /// Returns the schema of an operation's reply with this status, without the refusals that have a
    /// status of success; `None` if the reply has no JSON.
    pub(super) fn reply(&self, operation: &str, status: u16) -> Option<Value> {
        let responses = &self.operation(operation)["responses"];
        let keys = [status.to_string(), format!("{}XX", status / 100)];
        let response = self.resolve(keys.iter().find_map(|key| responses.get(key))?);
        let content = response.get("content").or_else(|| response.get("x-optional-content"))?;
        let mut schema = self.resolve(content.get("application/json")?.get("schema")?).clone();
        for choice in ["anyOf", "oneOf"] {
            if let Some(branches) = schema.get_mut(choice).and_then(Value::as_array_mut) {
                branches.retain(|branch| branch["$ref"] != "#/components/schemas/Error");
            }
        }
        Some(schema)
    }

    /// Returns whether an operation's list leaves out the elements that it cannot read.
    pub(super) fn is_lenient(&self, operation: &str) -> bool {
        self.has_lenient_list(&self.operation(operation)["x-output"])
    }

    fn has_lenient_list(&self, schema: &Value) -> bool {
        let schema = self.resolve(schema);
        schema["x-lenient"] == true
            || entries(&schema["properties"]).any(|(_, part)| self.has_lenient_list(part))
    }

    fn operation(&self, name: &str) -> &Value {
        let mut operations = entries(&self.0["paths"]).flat_map(|(_, item)| entries(item));
        let found = operations.find(|(_, operation)| operation["operationId"] == name);
        found.unwrap_or_else(|| panic!("the document has no {name}")).1
    }

    fn resolve<'b>(&'b self, part: &'b Value) -> &'b Value {
        let place = part["$ref"].as_str().and_then(|place| place.strip_prefix('#'));
        place.map_or(part, |place| self.0.pointer(place).expect("references lead somewhere"))
    }

    /// Returns the normal value, which is `base` if there is one, and then a value for each bound.
    pub(super) fn samples(&self, schema: &Value, base: Option<&Value>) -> Vec<Sample> {
        let schema = self.resolve(schema);
        let mut samples: Vec<_> = base.into_iter().cloned().map(Sample::new).collect();
        if let Some(value) = schema.get("const") {
            samples.push(Sample::new(value.clone()));
            return samples;
        }
        if let Some(values) = schema["enum"].as_array() {
            samples.extend(values.iter().cloned().map(Sample::new));
            return samples;
        }
        for branch in ["oneOf", "anyOf"].into_iter().flat_map(|it| elements(&schema[it])) {
            samples.extend(self.samples(branch, base));
        }
        if let Some(parts) = schema["allOf"].as_array() {
            samples.extend(self.samples(&self.merged(parts), base));
        }
        let types = match &schema["type"] {
            Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
            kind => Vec::from_iter(kind.as_str()),
        };
        for kind in types {
            match kind {
                "object" => samples.extend(self.objects(schema, base)),
                "array" => samples.extend(self.arrays(schema, base)),
                "string" => samples.extend(texts(schema).into_iter().map(Sample::new)),
                "integer" => samples.extend(integers(schema)),
                "number" => samples.extend([json!(0), json!(-1.5), json!(1e300)].map(Sample::new)),
                "boolean" => samples.extend([true, false].map(Sample::new)),
                _ => samples.push(Sample::new(Value::Null)),
            }
        }
        if samples.is_empty() {
            samples.push(Sample::new(json!({})));
        }
        samples
    }

    /// Returns the properties of several objects as one.
    fn merged(&self, parts: &[Value]) -> Value {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for part in parts.iter().map(|part| self.resolve(part)) {
            properties.extend(entries(&part["properties"]).map(|(k, v)| (k.clone(), v.clone())));
            required.extend(elements(&part["required"]).cloned());
        }
        json!({ "type": "object", "properties": properties, "required": required })
    }

    fn objects(&self, schema: &Value, base: Option<&Value>) -> Vec<Sample> {
        let required = |name: &str| elements(&schema["required"]).any(|it| it == name);
        let base = base.and_then(Value::as_object).filter(|base| {
            elements(&schema["required"]).filter_map(Value::as_str).all(|it| base.contains_key(it))
        });
        let normal = |(name, part)| {
            let value = self.samples(part, None).swap_remove(0).value;
            (String::clone(name), value)
        };
        let base =
            base.cloned().unwrap_or_else(|| entries(&schema["properties"]).map(normal).collect());
        let with = |name: &str, value: Value| {
            let mut whole = base.clone();
            whole.insert(name.to_owned(), value);
            Value::from(whole)
        };
        let mut samples = vec![Sample::new(base.clone())];
        let mut least = base.clone();
        least.retain(|name, _| required(name));
        samples.push(Sample::new(least).within("only what is required", |whole| whole));
        for (name, part) in entries(&schema["properties"]) {
            if !required(name) {
                let mut whole = base.clone();
                whole.remove(name);
                samples.push(Sample::new(whole).within(name, |whole| whole));
            }
            for sample in self.samples(part, base.get(name)) {
                samples.push(sample.within(name, |value| with(name, value)));
            }
        }
        samples.push(Sample::new(with("unknown_property", json!([{}, null]))));
        samples
    }

    fn arrays(&self, schema: &Value, base: Option<&Value>) -> Vec<Sample> {
        let first = base.and_then(|base| elements(base).next());
        let empty = json!([]);
        let mut samples = Vec::new();
        if schema["minItems"].as_u64().unwrap_or(0) == 0 {
            samples.push(Sample::new(empty.clone()));
        }
        if schema["maxItems"] != 0 {
            samples.extend(self.samples(&schema["items"], first).into_iter().map(|sample| {
                let sample = Sample { without: None, ..sample }.within("0", |value| json!([value]));
                Sample { without: Some(empty.clone()), ..sample }
            }));
        }
        samples
    }
}

fn texts(schema: &Value) -> Vec<&'static str> {
    let known = |table: &[(&str, &'static [&'static str])], key: &str| {
        let found = table.iter().find(|(name, _)| schema[key] == *name);
        found.map(|(_, texts)| texts.to_vec())
    };
    if let Some(texts) = known(FORMATS, "format") {
        return texts;
    }
    if !schema["pattern"].is_null() {
        let texts = known(PATTERNS, "pattern");
        return texts.unwrap_or_else(|| {
            panic!("{}: name its shortest and longest texts in samples.rs", schema["pattern"])
        });
    }
    match schema["minLength"].as_u64() {
        None | Some(0) => vec!["", "0", "\0 \"\u{e9}\u{10ffff}\\"],
        Some(1) => vec!["0", "\u{10ffff}"],
        Some(_) => panic!("a minLength over 1: make a text of that length"),
    }
}

fn integers(schema: &Value) -> Vec<Sample> {
    let width = WIDTHS.iter().find(|(name, ..)| schema["format"] == *name);
    let (_, least, greatest) = *width.unwrap_or(&("", i64::MIN.into(), u64::MAX.into()));
    let bound = |key: &str| schema[key].as_i64().map(i128::from);
    let least = bound("minimum").unwrap_or(least);
    let greatest = bound("maximum").unwrap_or(greatest);
    let number = |value: i128| match i64::try_from(value) {
        Ok(value) => json!(value),
        Err(_) => json!(u64::try_from(value).expect("no integer is greater")),
    };
    [least, greatest].map(|bound| Sample::new(number(bound))).into()
}

/// Returns the properties of an object; none for anything else.
fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

/// Returns the elements of an array; none for anything else.
fn elements(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
