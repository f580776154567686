//! What goes over the wire, as somebody writes it who reads the providers' pages.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::{API_KEY, DEVICE, EMAIL, SECRET_KEY};

/// AzireVPN's reply.
#[derive(Deserialize)]
#[allow(dead_code, reason = "a caller reads some of what it has decoded")]
pub struct Envelope<T> {
    pub status: String,
    pub data: T,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "a caller reads some of what it has decoded")]
pub struct PortForwards {
    pub internal_ipv4: Ipv4Addr,
    pub internal_ipv6: Option<Ipv6Addr>,
    pub ports: Vec<OpenPort>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "a caller reads some of what it has decoded")]
pub struct OpenPort {
    pub port: u16,
    pub hidden: bool,
    pub expires_at: i64,
}

#[derive(Serialize)]
pub struct Create {
    pub internal_ipv4: Ipv4Addr,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<bool>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "a caller reads some of what it has decoded")]
pub struct PortForward {
    pub internal_ipv4: Ipv4Addr,
    pub internal_ipv6: Option<Ipv6Addr>,
    pub port: u16,
    pub hidden: bool,
    pub expires_at: i64,
}

#[derive(Serialize)]
pub struct GetProducts<'a> {
    pub email: &'a str,
    pub apikey: &'a str,
    pub secret_key: &'a str,
}

/// VPNGN's reply.
#[derive(Deserialize)]
#[allow(dead_code, reason = "a caller reads some of what it has decoded")]
pub struct Products {
    pub status: String,
    pub response: Vec<Product>,
}

#[derive(Deserialize)]
#[allow(dead_code, reason = "a caller reads some of what it has decoded")]
pub struct Product {
    pub product_id: String,
    pub product_type: String,
    pub product_status: String,
    pub username: Option<String>,
    pub password: Option<String>,
    pub nextduedate: Option<String>,
}

pub const CREATE: Create =
    Create { internal_ipv4: DEVICE, expires_in: Some(7), hidden: Some(false) };

pub const GET_PRODUCTS: GetProducts<'_> =
    GetProducts { email: EMAIL, apikey: API_KEY, secret_key: SECRET_KEY };

impl Envelope<PortForwards> {
    pub fn answer(&self) -> u64 {
        self.data.ports.iter().map(|it| u64::from(it.port)).sum()
    }
}

impl Envelope<PortForward> {
    pub fn answer(&self) -> u64 {
        u64::from(self.data.port)
    }
}

impl Products {
    pub fn answer(&self) -> u64 {
        self.response.iter().map(|it| it.product_id.len() as u64).sum()
    }
}
