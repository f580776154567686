//! The supported part of OpenAPI 3.0 and 3.1, as structures.
//!
//! Keys that are only for validators and people are ignored; any other key is reported.

use super::finding::Findings;
use super::node::{Fields, Node, Part};

/// A whole document.
pub struct Document {
    pub title: String,
    /// The operations, by path and method.
    pub operations: Vec<Operation>,
    pub security_schemes: Vec<String>,
    pub schemas: Vec<(String, Schema)>,
}

/// A method of a path.
pub struct Operation {
    pub place: String,
    pub path: String,
    pub method: String,
    pub operation_id: Option<String>,
    pub summary: Option<String>,
    pub description: Option<String>,
    pub source: Option<String>,
    pub replay: Option<String>,
    pub output: Option<Schema>,
    pub decoder: Option<String>,
    pub anonymous_with: Option<String>,
    /// The `x-server` of the first of the operation's `servers`, or of the path's.
    pub server: Option<String>,
    /// The alternative requirements. All schemes of one requirement are needed together.
    pub security: Option<Vec<Vec<String>>>,
    pub parameters: Vec<Parameter>,
    pub request_body: Option<RequestBody>,
}

pub struct Parameter {
    pub place: String,
    pub name: String,
    pub location: String,
    pub required: bool,
    pub description: Option<String>,
    pub schema: Schema,
}

pub struct RequestBody {
    pub place: String,
    /// The schemas, by media type.
    pub content: Vec<(String, Schema)>,
}

#[derive(Default)]
pub struct Schema {
    pub place: String,
    pub reference: Option<String>,
    pub description: Option<String>,
    /// The values of `type`, with `null` if the schema is `nullable`.
    pub types: Vec<String>,
    pub format: Option<String>,
    pub constant: Option<Constant>,
    /// The values of `enum`, if all are strings.
    pub words_allowed: Vec<String>,
    pub properties: Vec<(String, Schema)>,
    pub required: Vec<String>,
    pub items: Option<Box<Schema>>,
    pub one_of: Vec<Schema>,
    pub any_of: Vec<Schema>,
    pub all_of: Vec<Schema>,
    pub decoder: Option<String>,
    pub name: Option<String>,
    pub lenient: bool,
    pub flag: bool,
    pub attached: bool,
    pub secret_in_query: bool,
    pub newtype: bool,
    pub hand_written: bool,
    /// The words of `x-open-enum`, each with its meaning.
    pub words: Vec<(String, String)>,
}

/// A constant value.
pub enum Constant {
    Bool(bool),
    Integer(i64),
    Text(String),
}

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

const FOR_PEOPLE: &[&str] =
    &["tags", "externalDocs", "deprecated", "responses", "callbacks", "x-internal"];

/// The keywords of a schema that the generator ignores.
const FOR_VALIDATORS: &[&str] = &[
    "title",
    "example",
    "examples",
    "default",
    "deprecated",
    "readOnly",
    "writeOnly",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "additionalProperties",
    "externalDocs",
    "$comment",
];

impl Document {
    pub fn read(root: &Node, findings: &mut Findings) -> Self {
        let mut top = Fields::of(&Part { node: root, place: "#".to_owned() }, findings);
        let title = match top.part("info") {
            Some(info) => {
                let mut info = Fields::of(&info, top.findings());
                let title = info.text("title");
                info.finish(&[
                    "version",
                    "description",
                    "summary",
                    "termsOfService",
                    "contact",
                    "license",
                ]);
                title
            }
            None => None,
        };
        if title.is_none() {
            top.findings().error("#/info", "no title; add the provider's name as it is displayed");
        }
        let security = security(&mut top, "security");
        let components = top.part("components");
        let paths = top.entries("paths");
        top.finish(&["openapi", "servers", "tags", "externalDocs", "jsonSchemaDialect"]);

        let (mut security_schemes, mut schemas) = (Vec::new(), Vec::new());
        if let Some(components) = components {
            let mut components = Fields::of(&components, findings);
            let schemes = components.entries("securitySchemes").into_iter();
            let own = components.entries("x-securitySchemes");
            security_schemes = schemes.chain(own).map(|(name, _)| name).collect();
            schemas = components.schemas("schemas");
            components.finish(&[
                "responses",
                "parameters",
                "requestBodies",
                "headers",
                "examples",
                "links",
                "callbacks",
                "pathItems",
            ]);
        }
        let mut operations = Vec::new();
        for (path, item) in paths {
            let mut fields = Fields::of(&item, findings);
            let shared = fields.list("parameters");
            let server = server(&mut fields);
            METHODS.iter().for_each(|method| _ = fields.part(method));
            fields.finish(&["summary", "description"]);
            for (method, part) in item.entries() {
                if METHODS.contains(&method.as_str()) {
                    let mut operation =
                        Operation::read(root, &path, &method, &part, &shared, findings);
                    operation.security = operation.security.or_else(|| security.clone());
                    operation.server = operation.server.or_else(|| server.clone());
                    operations.push(operation);
                }
            }
        }
        Self { title: title.unwrap_or_default(), operations, security_schemes, schemas }
    }

    /// Returns the component with this name.
    pub fn schema(&self, name: &str) -> Option<&Schema> {
        self.schemas.iter().find_map(|(other, schema)| (other == name).then_some(schema))
    }
}

impl Operation {
    fn read(
        root: &Node,
        path: &str,
        method: &str,
        part: &Part<'_>,
        shared: &[Part<'_>],
        findings: &mut Findings,
    ) -> Self {
        let mut fields = Fields::of(part, findings);
        let parameters: Vec<_> = shared.iter().cloned().chain(fields.list("parameters")).collect();
        let parameters = parameters.into_iter().filter_map(|part| {
            let part = part.resolve(root, fields.findings())?;
            Some(Parameter::read(&part, fields.findings()))
        });
        let parameters = parameters.collect();
        let body = fields.part("requestBody").and_then(|part| {
            let part = part.resolve(root, fields.findings())?;
            Some(RequestBody::read(&part, fields.findings()))
        });
        let operation = Self {
            place: part.place.clone(),
            path: path.to_owned(),
            method: method.to_owned(),
            operation_id: fields.text("operationId"),
            summary: fields.text("summary"),
            description: fields.text("description"),
            source: fields.text("x-source"),
            replay: fields.text("x-replay"),
            output: fields.schema("x-output"),
            decoder: fields.text("x-decoder"),
            anonymous_with: fields.text("x-anonymous-with"),
            server: server(&mut fields),
            security: security(&mut fields, "x-security")
                .into_iter()
                .chain(security(&mut fields, "security"))
                .next(),
            parameters,
            request_body: body,
        };
        fields.finish(FOR_PEOPLE);
        operation
    }
}

/// Returns the names of the schemes of each requirement.
fn security(fields: &mut Fields<'_, '_>, key: &'static str) -> Option<Vec<Vec<String>>> {
    fields.part(key)?;
    let requirements = fields.list(key);
    let names = |part: Part<'_>| part.entries().into_iter().map(|(name, _)| name).collect();
    Some(requirements.into_iter().map(names).collect())
}

/// Returns the name of the first server.
fn server(fields: &mut Fields<'_, '_>) -> Option<String> {
    let first = fields.list("servers").into_iter().next()?;
    Fields::of(&first, fields.findings()).text("x-server")
}

impl Parameter {
    fn read(part: &Part<'_>, findings: &mut Findings) -> Self {
        let mut fields = Fields::of(part, findings);
        let parameter = Self {
            place: part.place.clone(),
            name: fields.text("name").unwrap_or_default(),
            location: fields.text("in").unwrap_or_default(),
            required: fields.flag("required"),
            description: fields.text("description"),
            schema: fields.schema("schema").unwrap_or_default(),
        };
        fields.finish(&["example", "examples", "deprecated", "style", "explode"]);
        parameter
    }
}

impl RequestBody {
    fn read(part: &Part<'_>, findings: &mut Findings) -> Self {
        let mut fields = Fields::of(part, findings);
        let mut content = Vec::new();
        for (kind, part) in fields.entries("content") {
            let mut media = Fields::of(&part, fields.findings());
            content.push((kind, media.schema("schema").unwrap_or_default()));
            media.finish(&["example", "examples", "encoding"]);
        }
        fields.finish(&["required", "description"]);
        Self { place: part.place.clone(), content }
    }
}

impl Schema {
    fn read(part: &Part<'_>, findings: &mut Findings) -> Self {
        // `true` accepts any value, like `{}`.
        if let Node::Bool(true) = part.node {
            return Self { place: part.place.clone(), ..Self::default() };
        }
        let mut fields = Fields::of(part, findings);
        let mut types = fields.words("type");
        if fields.flag("nullable") {
            types.push("null".to_owned());
        }
        let allowed = fields.list("enum");
        let words = allowed.iter().map(|part| match part.node {
            Node::Text(word) => Some(word.clone()),
            _ => None,
        });
        let schema = Self {
            place: part.place.clone(),
            reference: fields.text("$ref"),
            description: fields.text("description"),
            types,
            format: fields.text("format"),
            constant: fields.part("const").and_then(|part| match part.node {
                Node::Bool(value) => Some(Constant::Bool(*value)),
                Node::Integer(value) => Some(Constant::Integer(*value)),
                Node::Text(text) => Some(Constant::Text(text.clone())),
                _ => None,
            }),
            words_allowed: words.collect::<Option<_>>().unwrap_or_default(),
            properties: fields.schemas("properties"),
            required: fields.words("required"),
            items: fields.schema("items").map(Box::new),
            one_of: fields.alternatives("oneOf"),
            any_of: fields.alternatives("anyOf"),
            all_of: fields.alternatives("allOf"),
            decoder: fields.text("x-decoder"),
            name: fields.text("x-name"),
            lenient: fields.flag("x-lenient"),
            flag: fields.flag("x-flag"),
            attached: fields.flag("x-attached"),
            secret_in_query: fields.flag("x-secret-in-query"),
            newtype: fields.flag("x-newtype"),
            hand_written: fields.flag("x-hand-written"),
            words: fields
                .entries("x-open-enum")
                .into_iter()
                .map(|(word, part)| (word, part.node.scalar().unwrap_or_default()))
                .collect(),
        };
        fields.finish(FOR_VALIDATORS);
        schema
    }
}

impl Fields<'_, '_> {
    fn schema(&mut self, key: &'static str) -> Option<Schema> {
        self.part(key).map(|part| Schema::read(&part, self.findings()))
    }

    fn schemas(&mut self, key: &'static str) -> Vec<(String, Schema)> {
        let parts = self.entries(key);
        parts.into_iter().map(|(name, part)| (name, Schema::read(&part, self.findings()))).collect()
    }

    fn alternatives(&mut self, key: &'static str) -> Vec<Schema> {
        let parts = self.list(key);
        parts.iter().map(|part| Schema::read(part, self.findings())).collect()
    }
}
