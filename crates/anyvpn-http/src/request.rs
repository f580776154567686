//! Requests, before the credential and the base URL are added.

use std::borrow::Cow;
use std::fmt::{self, Display, Write as _};

use anyvpn_core::{Error, Secret, reveal};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use serde::Serialize;

use crate::base_url::BaseUrl;
use crate::credentials::check_for_header;

/// All characters except those that RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A request to a provider, without its host: method, path, query, headers and body.
///
/// ```
/// use anyvpn_http::Request;
///
/// let request = Request::get("/v3/ips/{id}").path("id", "a b")?.query("page", 2);
/// assert_eq!(request.target(), "/v3/ips/a%20b?page=2");
/// assert!(Request::get("/v3/ips/{id}").path("id", "..").is_err());
/// # Ok::<(), anyvpn_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Request {
    method: Method,
    target: Cow<'static, str>,
    headers: HeaderMap,
    body: Vec<u8>,
    /// The secrets in the body's fields and, if they are kept, in the credential.
    secrets: Vec<Secret>,
    /// Whether the credential's secrets are kept too.
    keeps: bool,
}

static JSON: HeaderValue = HeaderValue::from_static("application/json");
#[cfg(feature = "form")]
static FORM: HeaderValue = HeaderValue::from_static("application/x-www-form-urlencoded");

/// The space reserved for a value in a path or a query. Most need no more.
const ROOM: usize = 40;

/// The space reserved for the fields of a form. Most need no more.
#[cfg(feature = "form")]
const ROOM_IN_FORM: usize = 256;

/// Returns the parts of a text, percent-encoded.
fn encode(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, RESERVED)
}

/// A writer that percent-encodes.
struct Encoder<'a>(&'a mut String);

/// A writer that percent-encodes one segment of a path and refuses characters that could split it.
/// Some servers and proxies decode a segment before they split the path, and some do so twice.
struct SegmentEncoder<'a>(&'a mut String);

impl fmt::Write for SegmentEncoder<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let divides = |c: char| matches!(c, '/' | '\\' | '%') || c.is_control();
        if text.contains(divides) {
            return Err(fmt::Error);
        }
        self.0.extend(encode(text));
        Ok(())
    }
}

impl fmt::Write for Encoder<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.extend(encode(text));
        Ok(())
    }
}

/// Shows no values: a query, a header or a body may hold a secret.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .field("path", &self.path_without_query())
            .finish_non_exhaustive()
    }
}

impl Request {
    /// Creates a request; `path` can have placeholders such as `{id}`, filled by [`Request::path`].
    #[must_use]
    pub fn new(method: Method, path: impl Into<Cow<'static, str>>) -> Self {
        let mut headers = HeaderMap::with_capacity(4);
        headers.insert(header::ACCEPT, JSON.clone());
        Self {
            method,
            target: path.into(),
            headers,
            body: Vec::new(),
            secrets: Vec::new(),
            keeps: false,
        }
    }

    /// Creates a GET request.
    #[must_use]
    pub fn get(path: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Method::GET, path)
    }

    /// Creates a POST request.
    #[must_use]
    pub fn post(path: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Method::POST, path)
    }

    /// Creates a PUT request.
    #[must_use]
    pub fn put(path: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Method::PUT, path)
    }

    /// Creates a DELETE request.
    #[must_use]
    pub fn delete(path: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// Replaces the placeholder `{name}` of the path by one percent-encoded segment.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if the value could name another resource, because it is empty, `.` or `..`, or
    /// has a `/`, a `\`, a `%` or a control character; and if the path has no such placeholder.
    pub fn path(mut self, name: &str, value: impl Display) -> Result<Self, Error> {
        let place = |at: &usize| {
            let rest = &self.target[at + 1..];
            rest.strip_prefix(name).is_some_and(|rest| rest.starts_with('}'))
        };
        let Some(start) = self.target.match_indices('{').map(|(at, _)| at).find(place) else {
            return Err(Error::invalid(name, "has no place in the path"));
        };
        let mut target = String::with_capacity(self.target.len() + ROOM);
        target.push_str(&self.target[..start]);
        if write!(SegmentEncoder(&mut target), "{value}").is_err() {
            let why = "must not have a slash, a backslash, a percent sign or a control character";
            return Err(Error::invalid(name, why));
        }
        if matches!(&target[start..], "" | "." | "..") {
            return Err(Error::invalid(name, format!("must not be {:?}", &target[start..])));
        }
        target.push_str(&self.target[start + name.len() + 2..]);
        self.target = target.into();
        Ok(self)
    }

    /// Adds a parameter to the query.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        self.push_query(name, value);
        self
    }

    fn push_query(&mut self, name: &str, value: impl Display) {
        if let Cow::Borrowed(path) = self.target {
            let mut target = String::with_capacity(path.len() + ROOM);
            target.push_str(path);
            self.target = target.into();
        }
        let target = self.target.to_mut();
        target.push(if target.contains('?') { '&' } else { '?' });
        // Writing to a string cannot fail.
        let _ = Encoder(target).write_str(name);
        target.push('=');
        let _ = write!(Encoder(target), "{value}");
    }

    /// Adds a secret to the query, for vendors that accept it nowhere else. Others can read it in the
    /// logs of the vendor's servers.
    #[must_use]
    pub fn query_secret(mut self, name: &str, value: &Secret) -> Self {
        self.push_query(name, value.expose());
        self.secrets.push(value.clone());
        self
    }

    /// Adds a credential to the query, for vendors that accept it nowhere else.
    pub fn attach_query(&mut self, name: &str, value: &Secret) {
        self.push_query(name, value.expose());
        self.keep(value);
    }

    /// Adds a parameter to the query if there is a value.
    #[must_use]
    pub fn query_opt(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Sets the body to `body` as JSON, with its secrets in clear text.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if the value cannot be JSON.
    pub fn json(mut self, body: &impl Serialize) -> Result<Self, Error> {
        let (json, secrets) = reveal(|| serde_json::to_vec(body));
        let json = json.map_err(|e| Error::invalid("body", e.to_string()))?;
        self.secrets.extend(secrets);
        self.headers.insert(header::CONTENT_TYPE, JSON.clone());
        self.body = json;
        Ok(self)
    }

    /// Sets the body to `body` as JSON, with one constant property added at the end.
    ///
    /// # Errors
    ///
    /// As [`Request::json`].
    pub fn json_with(
        self,
        body: &impl Serialize,
        name: &'static str,
        value: impl Serialize,
    ) -> Result<Self, Error> {
        /// The body's properties, followed by the constant one.
        #[derive(Serialize)]
        struct With<'a, B, V> {
            #[serde(flatten)]
            body: &'a B,
            #[serde(flatten)]
            constant: std::collections::BTreeMap<&'static str, V>,
        }
        self.json(&With { body, constant: [(name, value)].into() })
    }

    /// Sets the body to `body` as a form, with its secrets in clear text and without absent fields.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if the value cannot be a form, for example because it is nested.
    #[cfg(feature = "form")]
    pub fn form(mut self, body: &impl Serialize) -> Result<Self, Error> {
        let mut form = url::form_urlencoded::Serializer::new(String::with_capacity(ROOM_IN_FORM));
        let (done, secrets) =
            reveal(|| body.serialize(serde_urlencoded::Serializer::new(&mut form)).map(|_| ()));
        done.map_err(|e| Error::invalid("body", e.to_string()))?;
        let form = form.finish();
        self.secrets.extend(secrets);
        self.headers.insert(header::CONTENT_TYPE, FORM.clone());
        self.body = form.into_bytes();
        Ok(self)
    }

    /// Adds a field to the form, such as a credential.
    #[cfg(feature = "form")]
    pub fn form_secret(&mut self, name: &str, value: &Secret) {
        if !self.body.is_empty() {
            self.body.push(b'&');
        }
        encode(name).for_each(|part| self.body.extend_from_slice(part.as_bytes()));
        self.body.push(b'=');
        encode(value.expose()).for_each(|part| self.body.extend_from_slice(part.as_bytes()));
        self.keep(value);
    }

    /// Sets `Authorization: Bearer …`, marked as sensitive so that it is not logged.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if the token has characters other than visible ASCII.
    pub fn bearer(&mut self, token: &Secret) -> Result<(), Error> {
        self.authorization("Bearer", token)
    }

    /// Adds `Authorization` with another scheme, as [`Request::bearer`] does.
    ///
    /// # Errors
    ///
    /// As [`Request::bearer`].
    pub fn authorization(&mut self, scheme: &str, token: &Secret) -> Result<(), Error> {
        check_for_header(token)?;
        let mut value = HeaderValue::try_from([scheme, " ", token.expose()].concat())
            .map_err(|_| Error::invalid("token", "has characters that a header cannot carry"))?;
        value.set_sensitive(true);
        self.headers.insert(header::AUTHORIZATION, value);
        self.keep(token);
        Ok(())
    }

    /// Sets a header.
    pub fn header(&mut self, name: HeaderName, value: HeaderValue) {
        self.headers.insert(name, value);
    }

    /// Returns the method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Returns the path and query, as they follow the base URL.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Returns the path without the query, which may hold a secret.
    pub(crate) fn path_without_query(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// Returns the headers. The transport adds `Host` and `Content-Length`.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// Returns the body; empty if there is none. It may hold secrets.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Keeps copies of the secrets that are attached from now on, for [`Request::into_secrets`]. Only an
    /// error needs them.
    pub(crate) fn keep_secrets(&mut self) {
        self.keeps = true;
    }

    fn keep(&mut self, secret: &Secret) {
        if self.keeps {
            self.secrets.push(secret.clone());
        }
    }

    /// Returns the secrets that the request carries, so that they can be removed from an error.
    pub(crate) fn into_secrets(self) -> Vec<Secret> {
        self.secrets
    }

    /// Returns the request to `base` as a request of the crate `http`.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` if the path is not valid in a URL.
    pub fn into_http(self, base: &BaseUrl) -> Result<http::Request<Bytes>, Error> {
        let uri = base.uri(&self.target)?;
        let (method, headers, body) = self.into_parts();
        let mut request = http::Request::new(body);
        *request.method_mut() = method;
        *request.uri_mut() = uri;
        *request.headers_mut() = headers;
        Ok(request)
    }

    /// Returns the request without its URL.
    pub(crate) fn into_parts(mut self) -> (Method, HeaderMap, Bytes) {
        if self.body.is_empty() && (self.method == Method::POST || self.method == Method::PUT) {
            // RFC 9110, section 8.6, recommends this header, and some gateways refuse a POST without
            // it.
            self.headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        (self.method, self.headers, self.body.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_of_a_request_contains_no_values() {
        let mut request = Request::post("/otp").query("token", "hunter2").json(&"hunter3").unwrap();
        request.bearer(&Secret::from("hunter4")).unwrap();
        assert_eq!(request.method(), Method::POST);
        assert_eq!(request.headers()[header::AUTHORIZATION], "Bearer hunter4");
        let shown = format!("{request:?}");
        assert_eq!(shown, r#"Request { method: POST, path: "/otp", .. }"#);
    }

    #[test]
    fn a_path_has_a_place_for_each_value() {
        let path = |name: &str, value: &str| Request::get("/a/{id}/{key}").path(name, value);
        assert_eq!(path("key", "ü ").unwrap().target(), "/a/{id}/%C3%BC%20");
        for (name, value) in [("id", ""), ("id", "."), ("key", ".."), ("ke", "1"), ("a", "1")] {
            assert!(path(name, value).is_err(), "{name}={value}");
        }
        for value in ["../users/me", "..%2fusers%2Fme", "%2e%2e", "a\\b", "a\nb", "a\u{85}", "\0"] {
            let error = path("id", value).unwrap_err();
            assert!(error.fields().contains_key("id"), "{value:?}: {error}");
        }
        let both = path("id", "{key}").unwrap().path("key", 2).unwrap();
        assert_eq!(both.query("x", "{").query("y", 1).target(), "/a/%7Bkey%7D/2?x=%7B&y=1");
    }

    #[test]
    fn a_bearer_is_visible_ascii() {
        let mut request = Request::get("/");
        for token in ["", "\u{feff}t0ken", "t0 ken", "t0ken\n", "t0ken\u{a0}", "tökén"] {
            let error = request.bearer(&Secret::from(token)).unwrap_err();
            assert!(error.fields().contains_key("token"), "{token:?}: {error}");
            assert!(!error.to_string().contains("t0"), "{error}");
        }
        assert!(!request.headers().contains_key(header::AUTHORIZATION));
    }

    #[cfg(feature = "form")]
    #[test]
    fn the_credential_is_attached_where_it_is_requested() {
        let mut request = Request::post("/x").form(&[("email", "a@b")]).unwrap();
        let attach = |request: &mut Request| {
            request.form_secret("key", &Secret::from("a+b &=ü"));
            request.form_secret("secret", &Secret::from("c"));
            request.bearer(&Secret::from("~u")).unwrap();
        };
        attach(&mut request);
        let body = "email=a%40b&key=a%2Bb%20%26%3D%C3%BC&secret=c";
        assert_eq!(request.body(), body.as_bytes());
        assert!(request.secrets.is_empty());
        request.keep_secrets();
        attach(&mut request);
        let secrets = request.into_secrets();
        let secrets: Vec<_> = secrets.iter().map(Secret::expose).collect();
        assert_eq!(secrets, ["a+b &=ü", "c", "~u"]);
    }
}
