//! The clients that are compared. Each makes the same three calls and reads the same values.

mod anyvpn;
#[cfg(feature = "peers")]
pub mod bare;
#[cfg(feature = "peers")]
pub mod wire;

use std::net::Ipv4Addr;
use std::str::FromStr;

use crate::{Failure, Plan};

/// As long as a real one.
pub const TOKEN: &str = "f1x7ure70ken00000000000000000000000000000000000000000000f1x7";
pub const API_KEY: &str = "f1x7ure-ap1-key-0000000000000000";
pub const SECRET_KEY: &str = "f1x7ure-secret-key-00000000000000";
pub const DEVICE: Ipv4Addr = Ipv4Addr::new(10, 0, 16, 181);
pub const EMAIL: &str = "email@example.com";

/// Which call is made.
#[derive(Clone, Copy)]
pub enum Shape {
    /// AzireVPN's list-port-forwards: a query and a bearer token.
    Get,
    /// AzireVPN's create-port-forward: a JSON body and a bearer token.
    Json,
    /// VPNGN's get-products: a form with two keys in it.
    Form,
}

impl FromStr for Shape {
    type Err = Failure;

    fn from_str(name: &str) -> Result<Self, Failure> {
        match name {
            "get" => Ok(Self::Get),
            "json" => Ok(Self::Json),
            "form" => Ok(Self::Form),
            _ => Err("the shapes are get, json and form".into()),
        }
    }
}

impl Shape {
    /// A number from the reply's value, so that no client gets away without reading it.
    pub fn answer(self) -> u64 {
        match self {
            Self::Get | Self::Json => 58216,
            Self::Form => "12345".len() as u64,
        }
    }
}

/// Measures one client.
pub async fn run(name: &str, shape: Shape, plan: &Plan) -> Result<(), Failure> {
    match name {
        "anyvpn" => anyvpn::run(shape, plan).await,
        #[cfg(feature = "peers")]
        "anyvpn-fmt" => {
            tracing_subscriber::fmt().with_ansi(false).with_writer(std::io::sink).init();
            anyvpn::run(shape, plan).await
        }
        #[cfg(feature = "peers")]
        "reqwest" => bare::reqwest(shape, plan).await,
        _ => Err("there is no such client in this build".into()),
    }
}
