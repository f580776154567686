//! Makes the model of a provider from its document.

use super::Result;
use super::document::{self, Constant, Document, Schema};
use super::model::{
    Body, Codec, Field, Newtype, OpenEnum, Operation, Place, Provider, Security, Struct,
};
use super::text::camel_case;

impl Provider {
    /// Reads the document of provider `name` at `place`.
    pub fn read(name: &str, place: &str, yaml: &str) -> Result<Self> {
        let document: Document =
            serde_saphyr::from_str(yaml).map_err(|e| format!("{place}: {e}"))?;
        let mut reader = Reader::new(&document);
        let mut operations: Vec<Operation> = Vec::new();
        for (path, methods) in &document.paths.0 {
            for (method, operation) in &methods.0 {
                let id = operation.operation_id.clone().ok_or_else(|| {
                    format!("{place}: {method} {path}: no operationId; name the operation")
                })?;
                if operations.iter().any(|other| other.id == id) {
                    return Err(format!(
                        "{place}: {id}: two operations have this name; rename one"
                    ));
                }
                let read = reader.operation(id.clone(), method, path, operation);
                operations.push(read.map_err(|problem| format!("{place}: {id}: {problem}"))?);
            }
        }
        Ok(Self {
            name: name.to_owned(),
            title: document.info.title.clone(),
            operations,
            newtypes: reader.newtypes,
            hand_written: reader.hand_written,
            enums: reader.enums,
        })
    }
}

/// Where named schemas are.
const COMPONENTS: &str = "#/components/schemas/";

/// A document, and the types of it that have been needed so far.
struct Reader<'a> {
    document: &'a Document,
    reached: Vec<String>,
    newtypes: Vec<Newtype>,
    hand_written: Vec<(String, String)>,
    enums: Vec<OpenEnum>,
    structs: Vec<Struct>,
}

impl<'a> Reader<'a> {
    fn new(document: &'a Document) -> Self {
        Self {
            document,
            reached: Vec::new(),
            newtypes: Vec::new(),
            hand_written: Vec::new(),
            enums: Vec::new(),
            structs: Vec::new(),
        }
    }

    fn operation(
        &mut self,
        id: String,
        method: &str,
        path: &str,
        from: &document::Operation,
    ) -> Result<Operation> {
        one_of("method", method, &["get", "post", "put", "delete"])?;
        let replay = given(&from.replay, "x-replay", "say whether it may be sent again")?;
        one_of("x-replay", &replay, &["Safe", "Idempotent", "Once"])?;
        let mut fields = self.parameters(path, &from.parameters)?;
        let mut constant = None;
        let body = from.request_body.as_ref().map(body).transpose()?;
        if let Some((form, schema)) = body {
            for (name, property) in &schema.properties.0 {
                if self.is_attached(property) {
                    continue;
                }
                let Some(value) = property.constant.as_ref().filter(|_| !property.flag) else {
                    let field = self.property(schema, name, property, Place::Body)?;
                    if form == Body::Form {
                        check_boolean(&field).map_err(|e| format!("property `{name}`: {e}"))?;
                    }
                    fields.push(field);
                    continue;
                };
                if constant.is_some() || form == Body::Form {
                    return Err(format!(
                        "`{name}`: a constant property; only one is supported, and only in JSON"
                    ));
                }
                constant = Some((name.clone(), literal(value)));
            }
            all_required_exist(schema)?;
        }
        let output = match &from.output {
            Some(schema) => self.kind(schema).map_err(|e| format!("x-output: {e}"))?,
            None => "()".to_owned(),
        };
        Ok(Operation {
            name: camel_case(&id),
            id,
            summary: given(&from.summary, "summary", "say in one sentence what it does")?,
            description: from.description.clone(),
            source: given(&from.source, "x-source", "name the vendor's page and heading")?,
            replay,
            method: method.to_owned(),
            path: path.to_owned(),
            security: self.security(from, &fields)?,
            fields,
            body: body.map(|(body, _)| body),
            constant,
            output,
            decoder: from.decoder.clone(),
            types: std::mem::take(&mut self.structs),
        })
    }

    fn security(&self, from: &document::Operation, fields: &[Field]) -> Result<Security> {
        let Some(requirements) = &from.security else {
            return Err("no security; write `security: []` where it takes no credential".to_owned());
        };
        let mut schemes = Vec::new();
        for requirement in requirements {
            match requirement.0.as_slice() {
                [] => {}
                [(scheme, _)] => schemes.push(scheme.clone()),
                _ => return Err("two schemes at once; only one of several is supported".to_owned()),
            }
        }
        let known = &self.document.components.security_schemes;
        if let Some(unknown) = schemes.iter().find(|scheme| known.get(scheme).is_none()) {
            return Err(format!(
                "security: no scheme `{unknown}`; add it to components.securitySchemes"
            ));
        }
        let anonymous = requirements.iter().any(|requirement| requirement.0.is_empty());
        match &from.anonymous_with {
            _ if schemes.is_empty() => Ok(Security::None),
            None if anonymous => Ok(Security::Optional(schemes)),
            None => Ok(Security::Required(schemes)),
            Some(name) if !fields.iter().any(|f| f.name == *name && f.optional) => Err(format!(
                "x-anonymous-with: no optional field `{name}`; name one of the operation's"
            )),
            Some(_) if !anonymous => {
                Err("x-anonymous-with: security has no `{}`; add it".to_owned())
            }
            Some(name) => Ok(Security::RequiredWithout(schemes, name.clone())),
        }
    }

    fn parameters(&mut self, path: &str, from: &[document::Parameter]) -> Result<Vec<Field>> {
        let mut fields = Vec::new();
        for parameter in from {
            let name = &parameter.name;
            let at = |problem: String| format!("parameter `{name}`: {problem}");
            let place = match parameter.place.as_str() {
                "path" if !parameter.required => {
                    return Err(at("it is in the path; write `required: true`".to_owned()));
                }
                "path" if !path.contains(&format!("{{{name}}}")) => {
                    return Err(at(format!("the path has no place `{{{name}}}`; add it")));
                }
                "path" => Place::Path,
                "query" => Place::Query,
                other => return Err(at(format!("unknown `in: {other}`; use path or query"))),
            };
            let field = Field {
                name: name.clone(),
                wire: name.clone(),
                doc: given(&parameter.description, "description", "say what it is").map_err(at)?,
                kind: self.kind(&parameter.schema).map_err(at)?,
                optional: !parameter.required,
                place,
                codec: if parameter.schema.flag { Codec::Flag } else { Codec::Plain },
            };
            check_boolean(&field).map_err(at)?;
            fields.push(field);
        }
        let places = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
        for place in places {
            if !fields.iter().any(|f| f.name == place && f.place == Place::Path) {
                return Err(format!("no parameter for `{{{place}}}` of the path; add it"));
            }
        }
        Ok(fields)
    }

    fn property(
        &mut self,
        parent: &Schema,
        name: &str,
        property: &Schema,
        place: Place,
    ) -> Result<Field> {
        let at = |problem: String| format!("property `{name}`: {problem}");
        let nullable = property.types.words().iter().any(|word| word == "null");
        let required = parent.required.iter().any(|required| required == name);
        let form = match (&property.decoder, property.one_of.first()) {
            (Some(_), Some(first)) => first,
            _ => property,
        };
        let codec = match &property.decoder {
            Some(decoder) => Codec::Lenient(decoder.clone()),
            None if property.flag => Codec::Flag,
            None if form.format.as_deref() == Some("unix-time") => Codec::UnixTime,
            None => Codec::Plain,
        };
        if codec == Codec::Flag && (required || place != Place::Body) {
            let problem = "a flag is left out when it is false; make it an optional property of a \
                           body, or decode it with an x-decoder";
            return Err(at(problem.to_owned()));
        }
        Ok(Field {
            name: property.name.as_deref().unwrap_or(name).to_owned(),
            wire: name.to_owned(),
            doc: given(&property.description, "description", "say what it is").map_err(at)?,
            kind: self.kind(form).map_err(at)?,
            optional: nullable || !required,
            place,
            codec,
        })
    }

    /// Whether the dialect puts the property in: it says so, or the component that it refers to.
    fn is_attached(&self, property: &Schema) -> bool {
        let component = property
            .reference
            .as_deref()
            .and_then(|reference| reference.strip_prefix(COMPONENTS))
            .and_then(|name| self.document.components.schemas.get(name));
        property.attached || component.is_some_and(|component| component.attached)
    }

    /// The Rust type of a schema, without `Option`.
    fn kind(&mut self, schema: &Schema) -> Result<String> {
        if let Some(reference) = &schema.reference {
            let name = reference
                .strip_prefix(COMPONENTS)
                .ok_or_else(|| format!("`{reference}` is not below {COMPONENTS}"))?;
            self.reach(name)?;
            return Ok(name.to_owned());
        }
        let mut words = schema.types.words().iter().filter(|word| *word != "null");
        let word = match (words.next(), words.next()) {
            (Some(word), None) => word,
            // The decoder makes the first of the others.
            (Some(word), Some(_)) if schema.decoder.is_some() => word,
            _ => return Err("no single type; give one, or an x-decoder".to_owned()),
        };
        let kind = match (word.as_str(), schema.format.as_deref()) {
            ("integer", None) if schema.flag => "bool",
            ("string", None | Some("email")) => "String",
            ("string", Some("password")) => "Secret",
            ("string", Some("compact-string")) => "CompactString",
            ("string", Some("date")) => "Date",
            ("string", Some("date-time")) => "Timestamp",
            ("string", Some("ip")) => "IpAddr",
            ("string", Some("ipv4")) => "Ipv4Addr",
            ("string", Some("ipv6")) => "Ipv6Addr",
            ("string", Some("public-key")) => "PublicKey",
            ("integer", Some("unix-time")) => "Timestamp",
            ("integer", Some("uint8")) => "u8",
            ("integer", Some("uint16")) => "u16",
            ("integer", Some("uint32")) => "u32",
            ("integer", Some("uint64")) => "u64",
            ("integer", Some("int64")) => "i64",
            ("boolean", None) => "bool",
            ("array", None) => {
                let items = schema.items.as_ref().ok_or("no items; say what it holds")?;
                return Ok(format!("Vec<{}>", self.kind(items)?));
            }
            ("object", None) => {
                return Err("an object without a name; move it to components.schemas".to_owned());
            }
            (word, format) => {
                return Err(format!(
                    "unknown type {word}, format {}; use one of the codegen's, or teach it this one",
                    format.unwrap_or("none")
                ));
            }
        };
        Ok(kind.to_owned())
    }

    /// Makes a component a type, unless it is one already.
    fn reach(&mut self, name: &str) -> Result<()> {
        if self.reached.iter().any(|reached| reached == name) {
            return Ok(());
        }
        self.reached.push(name.to_owned());
        let at = |problem: String| format!("schema `{name}`: {problem}");
        let schemas = &self.document.components.schemas;
        let schema = schemas
            .get(name)
            .ok_or_else(|| at("there is none; add it to components.schemas".to_owned()))?;
        let doc = given(&schema.description, "description", "say what it is").map_err(at)?;
        let name = name.to_owned();
        if schema.hand_written {
            let checked = self.kind(schema).map_err(at)?;
            self.hand_written.push((name, checked));
        } else if schema.newtype {
            self.newtypes.push(Newtype { name, doc });
        } else if !schema.words.0.is_empty() {
            let words = schema.words.0.clone();
            self.enums.push(OpenEnum { name, doc, words });
        } else if schema.types.words() == ["object"] {
            all_required_exist(schema).map_err(at)?;
            let position = self.structs.len();
            let mut fields = Vec::new();
            for (property, of) in &schema.properties.0 {
                let field = self.property(schema, property, of, Place::Reply);
                fields.push(field.map_err(at)?);
            }
            self.structs.insert(position, Struct { name, doc, fields });
        } else {
            let problem = "neither object, x-newtype, x-open-enum nor x-hand-written; make it \
                           one of them";
            return Err(at(problem.to_owned()));
        }
        Ok(())
    }
}

/// How a body is written, and its schema.
fn body(body: &document::RequestBody) -> Result<(Body, &Schema)> {
    let [(kind, content)] = body.content.0.as_slice() else {
        return Err("the body has not one media type; choose one".to_owned());
    };
    let body = match kind.as_str() {
        "application/json" => Body::Json,
        "application/x-www-form-urlencoded" => Body::Form,
        other => return Err(format!("unknown media type {other}; teach codegen this one")),
    };
    Ok((body, &content.schema))
}

/// Text has no booleans: each provider spells true in its own way.
fn check_boolean(field: &Field) -> Result<()> {
    if field.kind == "bool" && field.codec != Codec::Flag {
        return Err("a boolean has no one spelling outside of JSON; write `type: integer` and \
                    `x-flag: true`"
            .to_owned());
    }
    Ok(())
}

fn all_required_exist(schema: &Schema) -> Result<()> {
    match schema.required.iter().find(|name| schema.properties.get(name).is_none()) {
        Some(name) => Err(format!("`required` names `{name}`, which is no property; correct it")),
        None => Ok(()),
    }
}

fn given(value: &Option<String>, key: &str, advice: &str) -> Result<String> {
    match value.as_deref().map(str::trim) {
        None | Some("") => Err(format!("no {key}; {advice}")),
        Some(text) => Ok(text.to_owned()),
    }
}

fn one_of(key: &str, value: &str, known: &[&str]) -> Result<()> {
    if known.contains(&value) {
        return Ok(());
    }
    Err(format!("unknown {key} `{value}`; use one of {}", known.join(", ")))
}

/// A constant as a Rust expression.
fn literal(value: &Constant) -> String {
    match value {
        Constant::Bool(value) => value.to_string(),
        Constant::Integer(value) => value.to_string(),
        Constant::Text(value) => format!("{value:?}"),
    }
}
