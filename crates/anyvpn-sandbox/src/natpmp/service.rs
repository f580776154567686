//! The gateway's interface for the server and for tests.

use std::net::{IpAddr, SocketAddrV4};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::quirks::{Quirks, VARIATIONS};
use super::state::{State, TCP, operation};
use crate::Sandbox;
use crate::data_plane::Network;
use crate::provider::{self, Action, Answer, Call, Login, Route, Settings, Shared, fields};
use crate::reply::Reply;
use crate::variation::Row;

/// A mapping of the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mapping {
    /// Whether the mapping is for TCP; otherwise it is for UDP.
    pub is_tcp: bool,
    /// The client's port.
    pub internal_port: u16,
    /// The number on the gateway.
    pub external_port: u16,
    /// When the mapping ends.
    pub expires_at: Timestamp,
}

/// A handle to a sandbox's gateway.
#[derive(Clone)]
pub struct Service {
    state: Shared<State>,
}

impl Sandbox {
    /// Returns the UDP address on which the gateway listens, such as `127.0.0.1:5351`. Its port number
    /// is that of [`Sandbox::address`] if that is free.
    #[must_use]
    pub fn natpmp_gateway(&self) -> String {
        self.provider_url("natpmp")
    }

    /// Returns a handle to the imitated gateway.
    #[must_use]
    pub fn natpmp(&self) -> &Service {
        self.service()
    }
}

impl From<Shared<State>> for Service {
    fn from(state: Shared<State>) -> Service {
        Service { state }
    }
}

impl Service {
    /// Returns the current mappings, oldest first.
    #[must_use]
    pub fn mappings(&self) -> Vec<Mapping> {
        let state = self.state.lock();
        let mapping = |it: &super::state::Mapping| Mapping {
            is_tcp: it.protocol == TCP,
            internal_port: it.internal,
            external_port: it.external,
            expires_at: it.ends_at,
        };
        state.mappings.iter().map(mapping).collect()
    }

    /// Restarts the gateway: it loses its mappings, and its epoch restarts at 0.
    pub fn restart(&self) {
        self.state.lock().restart();
    }

    /// Removes all mappings without a restart, so that the next renewals get other ports.
    pub fn forget(&self) {
        self.state.lock().mappings.clear();
    }

    /// Sets whether clients choose their internal port and may suggest an external one, as in RFC 6886;
    /// internal port 0 is then refused. Otherwise the gateway chooses one number for both sides, as
    /// Proton's do.
    pub fn set_plain(&self, plain: bool) {
        self.state.lock().is_plain = plain;
    }

    /// Sets whether TCP and UDP may have different numbers.
    pub fn separate_protocols(&self, separate: bool) {
        self.state.lock().separates_protocols = separate;
    }

    /// Sets whether the gateway answers like one that supports only PCP.
    pub fn speak_pcp(&self, only_pcp: bool) {
        self.state.lock().speaks_pcp = only_pcp;
    }

    /// Sets the longest lifetime that is granted, in whole seconds. Default: 60 s.
    pub fn set_longest_lifetime(&self, longest: Duration) {
        self.state.lock().longest = u32::try_from(longest.as_secs()).unwrap_or(u32::MAX);
    }

    /// Returns the choices of this sandbox.
    #[must_use]
    pub fn quirks(&self) -> Quirks {
        self.state.lock().quirks.clone()
    }
}

impl provider::State for State {
    type Work = ();
    type Quirks = Quirks;
    type Service = Service;

    const NAME: &'static str = "natpmp";
    const ROUTES: &'static [Route<()>] = &[];
    const DATAGRAMS: &'static [&'static str] =
        &["natpmp.get-address", "natpmp.map-udp-port", "natpmp.map-tcp-port"];
    const VARIATIONS: &'static [Row<Quirks>] = VARIATIONS;
    const ACTIONS: &'static [Action<State>] = &[
        Action { name: "restart", act: restart },
        Action { name: "forget", act: forget },
        Action { name: "set-plain", act: set_plain },
        Action { name: "separate-protocols", act: separate_protocols },
        Action { name: "speak-pcp", act: speak_pcp },
        Action { name: "set-longest-lifetime", act: set_longest_lifetime },
    ];

    const DEMO: &'static str = include_str!("demo.txt");

    fn new(settings: &Settings, quirks: Quirks) -> State {
        State::new(quirks, settings.seed, &settings.clock)
    }

    fn add_login(_service: &Service, _name: &str, _password: &str) -> Login {
        Login { username: String::new(), credentials: Vec::new() }
    }

    fn settle(&mut self) {
        self.expire();
    }

    fn answer(&mut self, (): (), _call: &Call) -> Result<Answer, Reply> {
        Err(provider::State::refusal(self, 404, "Not Found"))
    }

    fn datagram_operation(bytes: &[u8]) -> Option<&'static str> {
        operation(bytes)
    }

    fn datagram(&mut self, bytes: &[u8], peer: IpAddr, refusal: Option<u16>) -> Option<Vec<u8>> {
        self.reply(bytes, peer, refusal)
    }

    fn network(&self, network: &mut Network) {
        for mapping in &self.mappings {
            // A client on the loopback interface did not connect through a tunnel.
            if let IpAddr::V4(client) = mapping.client
                && !client.is_loopback()
            {
                let to = SocketAddrV4::new(client, mapping.internal);
                network.forward(mapping.protocol == TCP, mapping.external, to);
            }
        }
    }

    fn refusal(&self, status: u16, message: &str) -> Reply {
        Reply::json(status, &json!({ "error": message }))
    }
}

fn restart(state: &mut State, input: &Value) -> Result<Value, String> {
    let [] = fields(input, [])?;
    state.restart();
    Ok(Value::Null)
}

fn forget(state: &mut State, input: &Value) -> Result<Value, String> {
    let [] = fields(input, [])?;
    state.mappings.clear();
    Ok(Value::Null)
}

fn set_plain(state: &mut State, input: &Value) -> Result<Value, String> {
    let [plain] = fields(input, ["plain"])?;
    state.is_plain = switch(plain, "plain")?;
    Ok(Value::Null)
}

fn separate_protocols(state: &mut State, input: &Value) -> Result<Value, String> {
    let [separate] = fields(input, ["separate"])?;
    state.separates_protocols = switch(separate, "separate")?;
    Ok(Value::Null)
}

fn speak_pcp(state: &mut State, input: &Value) -> Result<Value, String> {
    let [only_pcp] = fields(input, ["only_pcp"])?;
    state.speaks_pcp = switch(only_pcp, "only_pcp")?;
    Ok(Value::Null)
}

fn set_longest_lifetime(state: &mut State, input: &Value) -> Result<Value, String> {
    let [seconds] = fields(input, ["seconds"])?;
    let seconds = seconds.as_u64().and_then(|seconds| u32::try_from(seconds).ok());
    state.longest = seconds.ok_or("\"seconds\" is missing, or not a valid number of seconds")?;
    Ok(Value::Null)
}

fn switch(field: &Value, name: &str) -> Result<bool, String> {
    field.as_bool().ok_or_else(|| format!("{name:?} is missing, or is not true or false"))
}
