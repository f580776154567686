//! The clients that are compared. Each makes the same three calls and reads the same values.

mod anyvpn;
#[cfg(feature = "peers")]
pub mod bare;
#[cfg(feature = "peers")]
mod generated;
#[cfg(feature = "peers")]
mod openapi;
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
        "anyvpn-info" => {
            tracing::subscriber::set_global_default(Reader)?;
            anyvpn::run(shape, plan).await
        }
        #[cfg(feature = "peers")]
        "anyvpn-fmt" => {
            tracing_subscriber::fmt().with_ansi(false).with_writer(std::io::sink).init();
            anyvpn::run(shape, plan).await
        }
        #[cfg(feature = "peers")]
        "hyper" => bare::hyper(shape, plan).await,
        #[cfg(feature = "peers")]
        "reqwest" => bare::reqwest(shape, plan).await,
        #[cfg(feature = "peers")]
        "progenitor" => generated::run(shape, plan).await,
        #[cfg(feature = "peers")]
        "openapi-generator" => openapi::run(shape, plan).await,
        _ => Err("there is no such client in this build".into()),
    }
}

/// A subscriber that reads all there is at INFO and makes nothing of it: what is left is the cost of
/// telling it.
#[cfg(feature = "peers")]
struct Reader;

#[cfg(feature = "peers")]
mod reader {
    use std::fmt::Debug;

    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Level, Metadata, Subscriber};

    impl Visit for super::Reader {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            std::hint::black_box((field, value));
        }
    }

    impl Subscriber for super::Reader {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            *metadata.level() <= Level::INFO
        }

        fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
            Some(tracing::level_filters::LevelFilter::INFO)
        }

        fn new_span(&self, attributes: &Attributes<'_>) -> Id {
            attributes.record(&mut Self);
            Id::from_u64(1)
        }

        fn record(&self, _: &Id, values: &Record<'_>) {
            values.record(&mut Self);
        }

        fn record_follows_from(&self, _: &Id, _: &Id) {}

        fn event(&self, event: &Event<'_>) {
            event.record(&mut Self);
        }

        fn enter(&self, _: &Id) {}

        fn exit(&self, _: &Id) {}
    }
}
