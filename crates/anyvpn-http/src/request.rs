//! What is to be sent, before a credential and a base URL are known.

use std::fmt::Display;

use anyvpn_core::{Error, Secret, reveal};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

/// All but the characters that RFC 3986 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A request without a host: method, path, query, headers and body.
///
/// ```
/// use anyvpn_http::Request;
///
/// let request = Request::get("/v3/ips/{id}").path("id", "a b")?.query("page", 2);
/// assert_eq!(request.target(), "/v3/ips/a%20b?page=2");
/// assert!(Request::get("/v3/ips/{id}").path("id", "..").is_err());
/// # Ok::<(), anyvpn_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Request {
    method: Method,
    path: String,
    query: String,
    headers: HeaderMap,
    body: Bytes,
    secrets: Vec<Secret>,
}

impl Request {
    /// A request of any method; `path` may hold places such as `{id}` for [`Request::path`].
    #[must_use]
    pub fn new(method: Method, path: &str) -> Self {
        let mut headers = HeaderMap::with_capacity(4);
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        Self {
            method,
            path: path.to_owned(),
            query: String::new(),
            headers,
            body: Bytes::new(),
            secrets: Vec::new(),
        }
    }

    /// A GET request.
    #[must_use]
    pub fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    /// A POST request.
    #[must_use]
    pub fn post(path: &str) -> Self {
        Self::new(Method::POST, path)
    }

    /// A PUT request.
    #[must_use]
    pub fn put(path: &str) -> Self {
        Self::new(Method::PUT, path)
    }

    /// A DELETE request.
    #[must_use]
    pub fn delete(path: &str) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// Fills the place `{name}` of the path with one percent-encoded segment.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` when the value is empty, `.` or `..`: it would name another resource.
    pub fn path(mut self, name: &str, value: impl Display) -> Result<Self, Error> {
        let value = value.to_string();
        if matches!(value.as_str(), "" | "." | "..") {
            return Err(Error::invalid(name, format!("must not be {value:?}")));
        }
        let segment = utf8_percent_encode(&value, RESERVED).to_string();
        self.path = self.path.replace(&format!("{{{name}}}"), &segment);
        Ok(self)
    }

    /// Adds a pair to the query.
    #[must_use]
    pub fn query(mut self, name: &str, value: impl Display) -> Self {
        if !self.query.is_empty() {
            self.query.push('&');
        }
        self.query.extend(utf8_percent_encode(name, RESERVED));
        self.query.push('=');
        self.query.extend(utf8_percent_encode(&value.to_string(), RESERVED));
        self
    }

    /// Adds a pair to the query where there is a value.
    #[must_use]
    pub fn query_opt(self, name: &str, value: Option<impl Display>) -> Self {
        match value {
            Some(value) => self.query(name, value),
            None => self,
        }
    }

    /// Sends `body` as JSON; its secrets are written as their text.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` when the value has no JSON form.
    pub fn json(mut self, body: &impl Serialize) -> Result<Self, Error> {
        let (json, secrets) = reveal(|| serde_json::to_vec(body));
        let json = json.map_err(|e| Error::invalid("body", e.to_string()))?;
        self.secrets.extend(secrets);
        self.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        self.body = json.into();
        Ok(self)
    }

    /// Sends `body` as JSON with one further, constant property at its end.
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
        /// The body's properties, then the constant one.
        #[derive(Serialize)]
        struct With<'a, B, V> {
            #[serde(flatten)]
            body: &'a B,
            #[serde(flatten)]
            constant: std::collections::BTreeMap<&'static str, V>,
        }
        self.json(&With { body, constant: [(name, value)].into() })
    }

    /// Sends `body` as a form; its secrets are written as their text, and absent fields are left out.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` when the value has no such form, as nested ones have not.
    #[cfg(feature = "form")]
    pub fn form(mut self, body: &impl Serialize) -> Result<Self, Error> {
        let (form, secrets) = reveal(|| serde_urlencoded::to_string(body));
        let form = form.map_err(|e| Error::invalid("body", e.to_string()))?;
        self.secrets.extend(secrets);
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        self.headers.insert(header::CONTENT_TYPE, form_type);
        self.body = form.into();
        Ok(self)
    }

    /// Adds a field to the form, such as a credential.
    #[cfg(feature = "form")]
    pub fn form_secret(&mut self, name: &str, value: &Secret) {
        let mut form = String::from_utf8_lossy(&self.body).into_owned();
        if !form.is_empty() {
            form.push('&');
        }
        form.extend(utf8_percent_encode(name, RESERVED));
        form.push('=');
        form.extend(utf8_percent_encode(value.expose(), RESERVED));
        self.secrets.push(value.clone());
        self.body = form.into();
    }

    /// Adds `Authorization: Bearer …`, marked sensitive so that nothing logs it.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` when the token has characters that a header cannot carry.
    pub fn bearer(&mut self, token: &Secret) -> Result<(), Error> {
        let mut value = HeaderValue::try_from(format!("Bearer {}", token.expose()))
            .map_err(|_| Error::invalid("token", "has characters that a header cannot carry"))?;
        value.set_sensitive(true);
        self.headers.insert(header::AUTHORIZATION, value);
        self.secrets.push(token.clone());
        Ok(())
    }

    /// Sets a header.
    pub fn header(&mut self, name: HeaderName, value: HeaderValue) {
        self.headers.insert(name, value);
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path with its query, as it follows the base URL.
    #[must_use]
    pub fn target(&self) -> String {
        match self.query.as_str() {
            "" => self.path.clone(),
            query => format!("{}?{query}", self.path),
        }
    }

    /// The headers; `Host` and `Content-Length` are the transport's.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body; empty where there is none. It may hold secrets.
    #[must_use]
    pub fn body(&self) -> &Bytes {
        &self.body
    }

    /// The secrets that the request carries, so that an error can be cleaned of them.
    #[must_use]
    pub fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// The request as the transport takes it, below `base`.
    pub(crate) fn to_http(&self, base: &str) -> Result<http::Request<Bytes>, String> {
        let mut request = http::Request::new(self.body.clone());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = format!("{base}{}", self.target())
            .parse()
            .map_err(|e: http::uri::InvalidUri| e.to_string())?;
        *request.headers_mut() = self.headers.clone();
        if self.body.is_empty() && (self.method == Method::POST || self.method == Method::PUT) {
            // Asked for by RFC 9110, section 8.6; some gateways refuse a POST without it.
            request.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        Ok(request)
    }
}
