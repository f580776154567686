//! The server of all measurements: answers at once, with replies made before, and lists made on the way.

use std::convert::Infallible;
use std::io::{self, Read as _, Write as _};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

mod lists;

const LIST: &str = r#"{"status":"success","data":{"internal_ipv4":"10.0.16.181","internal_ipv6":"2a0e:1c80:1337:1:10:0:16:181","ports":[{"port":58216,"hidden":false,"expires_at":1687434503}]}}"#;
const CREATED: &str = r#"{"status":"success","data":{"internal_ipv4":"10.0.16.181","internal_ipv6":"2a0e:1c80:1337:1:10:0:16:181","port":58216,"hidden":false,"expires_at":1687434503}}"#;
const PRODUCTS: &str = r#"{"status":"success","result":"success","response":[{"product_id":"12345","product_type":"1 Month","product_status":"Active","username":"openvpn_user","password":"openvpn_pass","nextduedate":"2024-02-27"}]}"#;

/// Prints its port, and serves until its input ends.
///
/// With a delay, each reply comes so late that the client always waits for it. Without one, it
/// depends on the machine's load whether it does, and so would the client's instructions.
pub async fn serve(delay: Duration) -> io::Result<()> {
    let listener = TcpListener::bind(("localhost", 0)).await?;
    announce(&listener.local_addr()?.port().to_string())?;
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service_fn(move |it| answer(it, delay)));
        tokio::spawn(connection);
    }
}

type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Prints the line that the one who started this server waits for, and ends the process with that one.
pub fn announce(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")?;
    std::thread::spawn(|| {
        // The connection is closed once reading returns nothing.
        let _ = io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    Ok(())
}

async fn answer(request: Request<Incoming>, delay: Duration) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    let _ = body.collect().await;
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    if let Some(servers) = lists::answer(&head.uri) {
        let mut response = Response::new(StreamBody::new(servers).boxed_unsync());
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(header::CONTENT_TYPE, json);
        return Ok(response);
    }
    let reply = match (head.method, head.uri.path()) {
        (Method::GET, "/v3/portforwardings") => LIST,
        (Method::POST, "/v3/portforwardings") => CREATED,
        (Method::POST, "/api/amapi/GetProducts") => PRODUCTS,
        _ => "",
    };
    let mut response =
        Response::new(Full::new(Bytes::from_static(reply.as_bytes())).boxed_unsync());
    if reply.is_empty() {
        *response.status_mut() = http::StatusCode::NOT_FOUND;
    }
    // Eight headers with the date and the length, as such services typically send.
    for (name, value) in [
        (header::SERVER, "nginx"),
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-cache, private"),
        (header::VARY, "Accept-Encoding"),
        (header::HeaderName::from_static("x-ratelimit-limit"), "60"),
        (header::HeaderName::from_static("x-ratelimit-remaining"), "59"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}
