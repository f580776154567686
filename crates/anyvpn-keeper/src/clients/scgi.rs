//! XML-RPC over SCGI, as in rTorrent: a netstring of headers, then the call; the reply is as in CGI.

use std::sync::Arc;

use anyvpn_core::{Clock, Error, escape_invisible};
use roxmltree::{Document, Node, ParsingOptions};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::in_time;
use crate::ClientError;

/// The maximum size of a reply: an answer for each of 10,000 torrents.
const LARGEST: u64 = 1 << 20;
/// The maximum number of elements and texts in a reply.
const MOST_NODES: u32 = 200_000;

/// A parameter of a call.
#[derive(Clone, Debug)]
pub(super) enum Param {
    Text(String),
    Int(i64),
}

impl From<&str> for Param {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<u16> for Param {
    fn from(number: u16) -> Self {
        Self::Int(number.into())
    }
}

/// The outcome of a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The text of the value; empty for a list.
    Value(String),
    /// rTorrent refused the call, with this code and text.
    Fault(i64, String),
}

/// The address on which rTorrent listens.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Address {
    /// `HOST:PORT`
    Tcp(String),
    /// The path of a socket.
    #[cfg(unix)]
    Unix(std::path::PathBuf),
}

/// rTorrent's SCGI socket.
pub(super) struct ScgiSocket {
    address: Address,
    clock: Arc<dyn Clock>,
}

impl ScgiSocket {
    /// Prepares calls to a socket, given as a path or as `HOST:PORT` with an address of this machine.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` for anything else: anybody who can reach the socket can run programs, so it
    /// must not be on a network.
    pub fn new(address: &str, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        #[cfg(unix)]
        if address.starts_with('/') {
            return Ok(Self { address: Address::Unix(address.into()), clock });
        }
        let wrong = || {
            let why = "must be the path of rTorrent's socket, or HOST:PORT of this machine, such as \
                       127.0.0.1:5000";
            Error::invalid("address", why)
        };
        let host = address.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok());
        let (host, _) = host.ok_or_else(wrong)?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let is_here = bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        if !is_here && host != "localhost" {
            return Err(wrong());
        }
        Ok(Self { address: Address::Tcp(address.replace("localhost", "127.0.0.1")), clock })
    }

    /// Calls a method.
    ///
    /// # Errors
    ///
    /// `Unreachable` if there is no complete reply, `Unexpected` if it makes no sense.
    pub async fn call(&self, method: &str, params: &[Param]) -> Result<Outcome, ClientError> {
        let request = request(method, params);
        let exchange = async {
            match &self.address {
                Address::Tcp(address) => {
                    exchange(tokio::net::TcpStream::connect(address).await?, &request).await
                }
                #[cfg(unix)]
                Address::Unix(path) => {
                    exchange(tokio::net::UnixStream::connect(path).await?, &request).await
                }
            }
        };
        let reply = in_time(&*self.clock, exchange).await?;
        let reply = reply.map_err(|error| ClientError::Unreachable(error.to_string()))?;
        if reply.len() as u64 > LARGEST {
            let why = format!("{method}: a reply of more than {LARGEST} bytes");
            return Err(ClientError::Unexpected(why));
        }
        parse(&reply).map_err(|why| ClientError::Unexpected(format!("{method}: {why}")))
    }
}

async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    request: &[u8],
) -> std::io::Result<Vec<u8>> {
    stream.write_all(request).await?;
    let mut reply = Vec::new();
    // One byte more, to notice a reply that is too long.
    stream.take(LARGEST + 1).read_to_end(&mut reply).await?;
    Ok(reply)
}

fn request(method: &str, params: &[Param]) -> Vec<u8> {
    let params: String = params
        .iter()
        .map(|param| match param {
            Param::Text(text) => {
                format!("<param><value><string>{}</string></value></param>", escaped(text))
            }
            Param::Int(number) => format!("<param><value><i8>{number}</i8></value></param>"),
        })
        .collect();
    let call = format!(
        "<?xml version=\"1.0\"?><methodCall><methodName>{method}</methodName><params>{params}</params>\
         </methodCall>"
    );
    let headers = format!("CONTENT_LENGTH\0{}\0SCGI\01\0", call.len());
    format!("{}:{headers},{call}", headers.len()).into_bytes()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Parses a reply, or returns what is wrong with it.
fn parse(reply: &[u8]) -> Result<Outcome, String> {
    let text = String::from_utf8_lossy(reply);
    let (_, body) = text.split_once("\r\n\r\n").ok_or("the reply has no headers")?;
    let options = ParsingOptions { nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let xml = Document::parse_with_options(body.trim_start(), options)
        .map_err(|error| format!("the reply is not XML: {error}"))?;
    let find = |name: &str| xml.descendants().find(|node| node.has_tag_name(name));
    if find("methodResponse").is_none() {
        return Err("the reply is not XML-RPC".to_owned());
    }
    if let Some(fault) = find("fault") {
        let code = member(&fault, "faultCode").and_then(|code| code.trim().parse().ok());
        let why = member(&fault, "faultString").unwrap_or_default();
        let why: String = why.chars().take(120).collect();
        return Ok(Outcome::Fault(code.unwrap_or_default(), escape_invisible(&why)));
    }
    let value = find("value").ok_or("the reply has no value")?;
    Ok(Outcome::Value(value_text(&value)))
}

/// Returns the text of a value, with or without an element for its type.
fn value_text(value: &Node<'_, '_>) -> String {
    let typed = value.first_element_child();
    typed.as_ref().unwrap_or(value).text().unwrap_or_default().to_owned()
}

fn member(fault: &Node<'_, '_>, name: &str) -> Option<String> {
    let named = |node: &Node<'_, '_>| node.has_tag_name("name") && node.text() == Some(name);
    let member = fault.descendants().find(named)?.parent()?;
    let value = member.children().find(|node| node.has_tag_name("value"))?;
    Some(value_text(&value))
}

#[cfg(test)]
mod tests {
    use anyvpn_core::{SplitMix64, SystemClock};

    use super::*;

    fn reply(body: &str) -> Vec<u8> {
        format!("Status: 200 OK\r\nContent-Type: text/xml\r\n\r\n{body}").into_bytes()
    }

    #[test]
    fn a_call_is_a_netstring_and_xml() {
        let call = request("network.port_range.set", &["".into(), "1&2".into(), 5_u16.into()]);
        let text = String::from_utf8(call).unwrap();
        let (head, body) = text.split_once(',').unwrap();
        assert_eq!(head, format!("26:CONTENT_LENGTH\0{}\0SCGI\01\0", body.len()));
        assert!(body.contains("<string>1&amp;2</string>") && body.contains("<i8>5</i8>"), "{body}");
    }

    #[test]
    fn values_and_faults_are_read() {
        let value = |inner: &str| {
            let body = format!(
                "<?xml version=\"1.0\"?>\r\n<methodResponse>\r\n<params>\r\n<param><value>{inner}</value>\
                 </param>\r\n</params>\r\n</methodResponse>"
            );
            parse(&reply(&body)).unwrap()
        };
        assert_eq!(value("<i8>50123</i8>"), Outcome::Value("50123".to_owned()));
        assert_eq!(value("<string>0.9.8</string>"), Outcome::Value("0.9.8".to_owned()));
        assert_eq!(value("bare"), Outcome::Value("bare".to_owned()));
        assert_eq!(value("<array><data/></array>"), Outcome::Value(String::new()));
        let fault = "<methodResponse><fault><value><struct><member><name>faultCode</name><value><i4>-506</i4>\
                     </value></member><member><name>faultString</name><value><string>Method 'x' not defined\
                     </string></value></member></struct></value></fault></methodResponse>";
        let told = Outcome::Fault(-506, "Method 'x' not defined".to_owned());
        assert_eq!(parse(&reply(fault)), Ok(told));
    }

    #[test]
    fn a_socket_on_a_network_is_refused() {
        let open = |address: &str| ScgiSocket::new(address, Arc::new(SystemClock)).is_ok();
        for address in
            ["/run/rtorrent/rpc.socket", "127.0.0.1:5000", "[::1]:5000", "localhost:5000"]
        {
            assert!(open(address), "{address}");
        }
        for address in
            ["192.168.1.5:5000", "nas:5000", "0.0.0.0:5000", "rpc.socket", "127.0.0.1", ""]
        {
            assert!(!open(address), "{address}");
        }
    }

    #[test]
    fn hostile_replies_are_errors_and_no_panics() {
        let nested = format!("{}{}", "<value>".repeat(100_000), "</value>".repeat(100_000));
        assert!(parse(&reply(&nested)).is_err());
        let bomb = "<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;\">]><methodResponse>&b;\
                    </methodResponse>";
        assert!(parse(&reply(bomb)).is_err());
        for text in ["", "\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n<html/>", "x\r\n\r\n<methodResponse/>"]
        {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
        let good = reply(
            "<methodResponse><params><param><value><i8>1</i8></value></param></params>\
                          </methodResponse>",
        );
        let mut random = SplitMix64::new(19);
        for _ in 0..20_000 {
            let mut bytes = good.clone();
            for _ in 0..=random.next_u64() % 4 {
                let at = (random.next_u64() % bytes.len() as u64) as usize;
                bytes[at] = random.next_u64() as u8;
            }
            bytes.truncate((random.next_u64() % (bytes.len() as u64 + 1)) as usize);
            let _ = parse(&bytes);
        }
    }
}
