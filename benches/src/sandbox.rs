//! The sandbox as a server, what it is compared with, and a client that costs less than both.

use std::net::Ipv4Addr;

use anyvpn_azire::Azire;
use anyvpn_azire::ops::CreatePortForward;
use anyvpn_sandbox::Sandbox;
use axum::Router;
use axum::routing::get;
use futures_util::future::try_join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::server::announce;
use crate::{Failure, Plan, measure};

/// Serves the sandbox as everybody starts it, with an account whose device has a port. Prints its own
/// port, the account's token and the device's address.
pub async fn serve() -> Result<(), Failure> {
    let sandbox = Sandbox::start().await?;
    let account = sandbox.azire().add_account("david", "correct horse");
    let device = sandbox.azire().add_device("david").ok_or("no device")?;
    let azire = Azire::builder().base_url(sandbox.azire_url()).token(&*account.token).build()?;
    let create =
        CreatePortForward { internal_ipv4: device, expires_in: Some(365), hidden: Some(false) };
    azire.call(create).await?;
    drop(azire);
    announce(&format!("{} {} {device}", sandbox.address().port(), account.token))?;
    sandbox.wait().await;
    Ok(())
}

/// Serves axum's own first example.
pub async fn hello() -> Result<(), Failure> {
    let router = Router::new().route("/", get(async || "Hello, World!"));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    announce(&listener.local_addr()?.port().to_string())?;
    Ok(axum::serve(listener, router).await?)
}

/// Sends the same bytes again and again on each of so many connections, and reads no more of the
/// replies than it must.
pub async fn load(path: &str, token: &str, port: &str, plan: &Plan) -> Result<(), Failure> {
    let port: u16 = port.parse()?;
    let request = &format!(
        "GET {path} HTTP/1.1\r\nhost: localhost:{port}\r\nauthorization: Bearer {token}\r\n\
         accept: */*\r\n\r\n"
    );
    let connect = (0..plan.in_flight).map(|_| TcpStream::connect((Ipv4Addr::LOCALHOST, port)));
    let left = &std::cell::Cell::new(plan.calls);
    let connections = try_join_all(connect).await?.into_iter().map(|mut stream| async move {
        let mut buffer = [0; 4096];
        let mut good = 0;
        while let Some(rest) = left.get().checked_sub(1) {
            left.set(rest);
            good += exchange(&mut stream, request.as_bytes(), &mut buffer).await?;
        }
        Ok::<u64, Failure>(good)
    });
    let all = async { try_join_all(connections).await.map_or(0, |counts| counts.iter().sum()) };
    measure(all, plan.calls.into()).await
}

/// One when the reply was 200 with a body.
async fn exchange(
    stream: &mut TcpStream,
    request: &[u8],
    buffer: &mut [u8],
) -> Result<u64, Failure> {
    stream.write_all(request).await?;
    let mut length = 0;
    loop {
        let more = stream.read(&mut buffer[length..]).await?;
        if more == 0 {
            return Err("the reply is cut off or too long".into());
        }
        length += more;
        if let Some(body) = complete(&buffer[..length])? {
            return Ok((buffer.starts_with(b"HTTP/1.1 200 ") && body > 0).into());
        }
    }
}

/// The length of the body, when all of it has come.
fn complete(reply: &[u8]) -> Result<Option<usize>, Failure> {
    const NAME: &[u8] = b"\r\ncontent-length: ";
    let Some(head) = reply.windows(4).position(|it| it == b"\r\n\r\n") else {
        return Ok(None);
    };
    let name = reply[..head].windows(NAME.len()).position(|it| it.eq_ignore_ascii_case(NAME));
    let value = &reply[name.ok_or("no length")? + NAME.len()..head + 2];
    let digits = value.iter().take_while(|it| it.is_ascii_digit()).count();
    let body: usize = std::str::from_utf8(&value[..digits])?.parse()?;
    Ok((reply.len() >= head + 4 + body).then_some(body))
}
