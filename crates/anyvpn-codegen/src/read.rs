//! Creates the model of a provider from its document. Reading continues after a mistake, so that all
//! mistakes are reported at once.

mod schema;

use super::document::{self, Constant, Document, Schema};
use super::finding::Findings;
use super::model::{
    Body, Codec, Field, Newtype, OpenEnum, Operation, Place, Provider, Security, Struct,
};
use super::text::{camel_case, field_name, kebab_case};

impl Provider {
    /// Reads the document of the provider `name`. If the findings contain an error, the result is
    /// incomplete.
    pub(crate) fn from_document(name: &str, document: &Document, findings: &mut Findings) -> Self {
        let mut reader = Reader {
            document,
            findings,
            reached: Vec::new(),
            newtypes: Vec::new(),
            hand_written: Vec::new(),
            enums: Vec::new(),
            structs: Vec::new(),
        };
        let mut operations: Vec<Operation> = Vec::new();
        for operation in &document.operations {
            let read = reader.operation(operation);
            if !read.id.is_empty() && operations.iter().any(|other| other.id == read.id) {
                let problem = format!("two operations are named `{}`; rename one", read.id);
                reader.findings.error(&operation.place, problem);
            }
            operations.push(read);
        }
        for (operation, from) in operations.iter().zip(&document.operations) {
            if reader.reached.contains(&operation.name) {
                let problem =
                    format!("a type is also named `{}`; rename one of them", operation.name);
                reader.findings.error(&from.place, problem);
            }
        }
        Self {
            name: name.to_owned(),
            title: document.title.clone(),
            operations,
            newtypes: reader.newtypes,
            hand_written: reader.hand_written,
            enums: reader.enums,
        }
    }
}

/// The place of named schemas.
const COMPONENTS: &str = "#/components/schemas/";

/// A document, and its types that have been needed so far.
struct Reader<'a, 'f> {
    document: &'a Document,
    findings: &'f mut Findings,
    reached: Vec<String>,
    newtypes: Vec<Newtype>,
    hand_written: Vec<(String, String)>,
    enums: Vec<OpenEnum>,
    structs: Vec<Struct>,
}

impl<'a> Reader<'a, '_> {
    fn operation(&mut self, from: &document::Operation) -> Operation {
        let at = &from.place;
        self.one_of(at, "method", &from.method, &["get", "post", "put", "delete"]);
        let id = from.operation_id.as_deref().map(kebab_case);
        let id = self.required(at, &id, "operationId", "name the operation");
        let name = camel_case(&id);
        let replay = self.required(
            at,
            &from.replay,
            "x-replay",
            "say whether the operation may be sent again",
        );
        if !replay.is_empty() {
            self.one_of(at, "x-replay", &replay, &["Safe", "Idempotent", "Once"]);
        }
        let mut fields = self.parameters(&name, from);
        let (mut constant, mut body) = (None, None);
        if let Some(from) = &from.request_body
            && let Some((kind, schema)) = self.body(from)
        {
            body = Some(kind);
            constant = self.body_fields(&name, kind, schema, &mut fields);
        }
        self.check_names(at, &fields);
        let output = match &from.output {
            Some(schema) => self.kind(schema, &format!("{name}Output")),
            None => "()".to_owned(),
        };
        let fallback = format!("Calls `{} {}`.", from.method.to_ascii_uppercase(), from.path);
        let summary = from.summary.as_ref().or(from.description.as_ref());
        let description = from.description.clone().filter(|_| from.summary.is_some());
        Operation {
            summary: self.doc(
                at,
                summary,
                "summary",
                "say in one sentence what the operation does",
                fallback,
            ),
            description,
            source: self.doc(
                at,
                from.source.as_ref(),
                "x-source",
                "name the vendor's page and heading",
                String::new(),
            ),
            replay,
            method: from.method.clone(),
            path: from.path.clone(),
            security: self.security(from, &fields),
            server: from.server.clone(),
            fields,
            body,
            constant,
            output,
            decoder: from.decoder.clone(),
            types: std::mem::take(&mut self.structs),
            id,
            name,
        }
    }

    /// Returns the fields of a body, and its constant property.
    fn body_fields(
        &mut self,
        operation: &str,
        body: Body,
        schema: &Schema,
        fields: &mut Vec<Field>,
    ) -> Option<(String, String)> {
        let mut constant = None;
        for (name, property) in &schema.properties {
            if self.is_attached(property) {
                continue;
            }
            let Some(value) = property.constant.as_ref().filter(|_| !property.flag) else {
                let field = self.property(operation, schema, name, property, Place::Body);
                if body == Body::Form {
                    self.check_text(&property.place, &field);
                }
                fields.push(field);
                continue;
            };
            if constant.is_some() || body == Body::Form {
                let problem =
                    "a constant property is not supported here; there can be one, and only in JSON";
                self.findings.error(&property.place, problem);
            }
            constant = Some((name.clone(), literal(value)));
        }
        self.all_required_exist(schema);
        constant
    }

    fn security(&mut self, from: &document::Operation, fields: &[Field]) -> Security {
        let at = &from.place;
        let Some(requirements) = &from.security else {
            let problem = "no security; write `security: []` if it takes no credential";
            self.findings.error(at, problem);
            return Security::None;
        };
        let mut schemes = Vec::new();
        for requirement in requirements {
            match requirement.as_slice() {
                [] => {}
                [scheme] => schemes.push(scheme.clone()),
                _ => {
                    let problem = "security: two schemes are required together, which is not \
                                   supported; require only one";
                    self.findings.error(at, problem);
                }
            }
        }
        for scheme in &schemes {
            if !self.document.security_schemes.contains(scheme) {
                let problem =
                    format!("security: no scheme `{scheme}`; add it to components.securitySchemes");
                self.findings.error(at, problem);
            }
        }
        let anonymous = requirements.iter().any(Vec::is_empty);
        let Some(name) = &from.anonymous_with else {
            return match (schemes.is_empty(), anonymous) {
                (true, _) => Security::None,
                (false, true) => Security::Optional(schemes),
                (false, false) => Security::Required(schemes),
            };
        };
        if !fields.iter().any(|field| field.name == *name && field.optional) {
            let problem = format!(
                "x-anonymous-with: no optional field `{name}`; name one of the operation's optional fields"
            );
            self.findings.error(at, problem);
        }
        if !anonymous {
            self.findings.error(at, "x-anonymous-with: security has no `{}`; add it");
        }
        Security::RequiredWithout(schemes, name.clone())
    }

    fn parameters(&mut self, operation: &str, from: &document::Operation) -> Vec<Field> {
        let mut fields = Vec::new();
        for parameter in &from.parameters {
            let (name, at) = (&parameter.name, &parameter.place);
            let place = match parameter.location.as_str() {
                "path" => {
                    if !parameter.required {
                        self.findings
                            .error(at, "the parameter is in the path; write `required: true`");
                    }
                    if !from.path.contains(&format!("{{{name}}}")) {
                        let problem = format!("the path has no placeholder `{{{name}}}`; add it");
                        self.findings.error(at, problem);
                    }
                    Place::Path
                }
                "query" => Place::Query,
                other => {
                    let problem = format!("unknown `in: {other}`; use path or query");
                    self.findings.error(at, problem);
                    continue;
                }
            };
            let field = Field {
                name: field_name(parameter.schema.name.as_deref().unwrap_or(name)),
                wire: name.clone(),
                doc: self.field_doc(at, name, parameter.description.as_ref()),
                kind: self.kind(&parameter.schema, &format!("{operation}{}", camel_case(name))),
                optional: !parameter.required,
                required: parameter.required,
                place,
                codec: if parameter.schema.flag { Codec::Flag } else { Codec::Plain },
            };
            self.check_text(at, &field);
            let is_meant = place == Place::Query && parameter.schema.secret_in_query;
            if field.kind == "Secret" && !is_meant {
                let problem = "servers log secrets in the address; omit it here and let the dialect \
                           attach it with the credential, or write `x-secret-in-query: true` if \
                           the vendor accepts it only in the query";
                self.findings.error(at, problem);
            }
            fields.push(field);
        }
        let places = from.path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
        for place in places {
            if !fields.iter().any(|field| field.wire == place && field.place == Place::Path) {
                let problem = format!("no parameter for `{{{place}}}` in the path; add one");
                self.findings.error(&from.place, problem);
            }
        }
        fields
    }

    /// Returns the encoding of a body, and its schema.
    fn body<'s>(&mut self, body: &'s document::RequestBody) -> Option<(Body, &'s Schema)>
    where
        'a: 's,
    {
        let [(kind, schema)] = body.content.as_slice() else {
            self.findings
                .error(&body.place, "the body must have exactly one media type; choose one");
            return None;
        };
        let body = match kind.as_str() {
            "application/json" => Body::Json,
            "application/x-www-form-urlencoded" => Body::Form,
            other => {
                let problem = format!("unknown media type {other}; use JSON or a form");
                self.findings.error(&body.place, problem);
                return None;
            }
        };
        // The schema's properties become the operation's fields, so it needs no type.
        let document = self.document;
        let component = schema.reference.as_deref().and_then(|it| it.strip_prefix(COMPONENTS));
        Some((body, component.and_then(|name| document.schema(name)).unwrap_or(schema)))
    }

    /// Reports booleans, lists and objects outside JSON, because each provider writes them differently.
    fn check_text(&mut self, place: &str, field: &Field) {
        if field.kind == "bool" && field.codec != Codec::Flag {
            let problem = "a boolean has no standard form outside JSON; write `type: integer` and \
                           `x-flag: true`";
            self.findings.error(place, problem);
        }
        let is_struct = self.structs.iter().any(|it| it.name == field.kind);
        if is_struct || field.kind.starts_with("Vec<") {
            let problem = "a list or an object has no standard form outside JSON; write `type: \
                           string` and say how it is spelled";
            self.findings.error(place, problem);
        }
    }

    fn check_names(&mut self, place: &str, fields: &[Field]) {
        for (index, field) in fields.iter().enumerate() {
            if fields[..index].iter().any(|other| other.name == field.name) {
                let problem =
                    format!("two fields are named `{}` in Rust; give one an x-name", field.name);
                self.findings.error(place, problem);
            }
        }
    }

    fn required(&mut self, at: &str, value: &Option<String>, key: &str, advice: &str) -> String {
        let text = value.as_deref().map_or("", str::trim);
        if text.is_empty() {
            self.findings.error(at, format!("no {key}; {advice}"));
        }
        text.to_owned()
    }

    /// Returns a text for people, or its replacement if it is missing.
    fn doc(
        &mut self,
        at: &str,
        value: Option<&String>,
        key: &str,
        advice: &str,
        fallback: String,
    ) -> String {
        match value.map(|text| text.trim()) {
            None | Some("") => {
                self.findings.warn(at, format!("no {key}; {advice}"));
                fallback
            }
            Some(text) => text.to_owned(),
        }
    }

    fn field_doc(&mut self, at: &str, name: &str, value: Option<&String>) -> String {
        let fallback = format!("`{name}`, which the document does not describe.");
        self.doc(at, value, "description", "say what this is", fallback)
    }

    fn one_of(&mut self, at: &str, key: &str, value: &str, known: &[&str]) {
        if !known.contains(&value) {
            let problem = format!("unknown {key} `{value}`; use one of {}", known.join(", "));
            self.findings.error(at, problem);
        }
    }
}

/// Returns a constant as a Rust expression.
fn literal(value: &Constant) -> String {
    match value {
        Constant::Bool(value) => value.to_string(),
        Constant::Integer(value) => value.to_string(),
        Constant::Text(value) => format!("{value:?}"),
    }
}
