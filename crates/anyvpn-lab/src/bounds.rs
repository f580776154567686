//! Replies with the smallest, largest and absent values that a provider's document allows. The decoder must
//! accept every reply that fits the document. Where it is stricter, the document must say so, for clients
//! generated from it.

use std::sync::Arc;

use anyvpn_core::{Error, OperationId};
use anyvpn_http::transport::{Reqwest, Transport};
use anyvpn_testkit::scripted::{Script, Step};
use anyvpn_testkit::time::VirtualTime;
use serde_json::Value;

use crate::InstrumentedTransport;
use crate::harness::{ClientSettings, ProviderHarness, document, timed_sandbox};

mod samples;

use samples::{Sample, Schemas};

/// Gives every operation replies at the bounds of its schemas, and asserts that it accepts them. Each reply
/// is the sandbox's with one change.
///
/// `echoes` are the properties that must repeat the request, which no schema can say: operation and place.
///
/// # Panics
///
/// With every reply that fits the document and is refused, or if there was no reply.
pub async fn check_bounds<H: ProviderHarness>(echoes: &[(&str, &str)]) {
    let document = document::<H>();
    let yaml: Value = serde_saphyr::from_str(H::OPENAPI).expect("the document was read before");
    let schemas = Schemas::new(&yaml);
    let (mut replies, mut refused) = (0, Vec::new());
    for operation in H::OPERATIONS.iter().map(|entry| entry.id) {
        let name = operation.name();
        let (status, body) = normal::<H>(operation).await;
        let Some(schema) = schemas.reply(name, status) else { continue };
        let world = H::world(timed_sandbox().0).await;
        let call = async |body: &Value| {
            let step = Step::json(status, &body.to_string());
            call::<H>(&world, operation, Arc::new(Script::new([step]))).await
        };
        let base = serde_json::from_slice(&body).ok();
        for Sample { value, place, without } in schemas.samples(&schema, base.as_ref()) {
            let text = value.to_string();
            let fits = document.validate_reply(name, status, text.as_bytes()).is_ok();
            let is_echo = echoes.contains(&(name, place.as_str()));
            if !fits || is_echo {
                continue;
            }
            replies += 1;
            match call(&value).await {
                Err(error) => refused.push(format!("{name}, at `{place}`: {error}")),
                // Lists leave out an element that they cannot read.
                Ok(outcome) => {
                    if let Some(without) = without.filter(|_| schemas.is_lenient(name))
                        && call(&without).await.is_ok_and(|empty| empty == outcome)
                    {
                        refused.push(format!("{name}, at `{place}`: left out: {value}"));
                    }
                }
            }
        }
    }
    assert!(
        refused.is_empty(),
        "{} of {replies} replies fit the document of {}, but are refused:\n{}",
        refused.len(),
        H::TITLE,
        refused.join("\n")
    );
    assert_ne!(replies, 0);
}

/// Returns the sandbox's reply to an operation.
async fn normal<H: ProviderHarness>(operation: OperationId) -> (u16, Vec<u8>) {
    let (builder, _) = timed_sandbox();
    let world = H::world(builder).await;
    let transport = Reqwest::loopback().expect("the transport can be created");
    let transport = InstrumentedTransport::new(Arc::new(transport));
    let outcome = call::<H>(&world, operation, Arc::new(transport.clone())).await;
    let seen = transport.take();
    let [exchange] = &seen[..] else { panic!("{operation}: {outcome:?}") };
    (exchange.status, exchange.body())
}

async fn call<H: ProviderHarness>(
    world: &H::World,
    operation: OperationId,
    transport: Arc<dyn Transport>,
) -> Result<Value, Error> {
    let time = VirtualTime::default();
    let transport = InstrumentedTransport::new(transport).with_time(time.clone());
    let address = format!("http://{}", H::sandbox(world).address());
    let settings = ClientSettings::new(&address, H::NAME, 0, &transport, &time);
    H::call(world, &settings, operation, &mut String::new()).await
}
