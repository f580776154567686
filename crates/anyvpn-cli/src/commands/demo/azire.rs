//! The tour of AzireVPN: from the first look to the closed account, by way of all its operations.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use anyvpn::azire::Azire;
use anyvpn::azire::ops::{
    CheckPort, CheckPortByPost, CreateIp, CreateOtp, CreatePortForward, CreateToken, CreateUser,
    Currency, DeleteAllTokens, DeleteEmail, DeleteIp, DeletePortForward, DeleteToken, DeleteUser,
    GetIp, GetUser, HidePortForward, Ip, ListIps, ListLocations, ListPortForwards, ListTokens,
    PortCheck, PutIpKey, UpdateEmail, UpdatePassword, UpdateToken, UpdateUsername, User,
};
use anyvpn::{Config, ConfigRequest, PrivateKey, Secret, ServerConfigs as _};
use tokio::net::TcpSocket;

use super::tour::{Tour, unexpected};
use crate::failure::Failure;
use crate::file::Pending;
use crate::text::reason;

const NAME: &str = "newcomer";
const NEW_NAME: &str = "old-hand";
const DEVICE_NAME: &str = "laptop";

pub(super) const FILES: &[&str] = &["azire-demo.conf"];

pub(super) async fn tour(tour: &mut Tour<'_>) -> Result<(), Failure> {
    let file = tour.pending(FILES[0])?;
    let visitor = Azire::builder().base_url(tour.sandbox.azire_url()).build()?;
    let azire = join(tour, &visitor).await?;
    tokens(tour, &azire).await?;
    let device = device(tour, &azire, file).await?;
    ports(tour, &azire, device.ipv4_address).await?;
    change(tour, &azire).await?;
    leave(tour, &visitor, &azire, device).await
}

/// A password of the demo's account, which exists as long as the demo.
fn sign_in(username: &str, password: Secret) -> CreateToken {
    CreateToken {
        username: Some(username.to_owned()),
        password: Some(password),
        device_name: Some(DEVICE_NAME.to_owned()),
        comment: None,
    }
}

fn first_password() -> Secret {
    Secret::from("correct horse battery staple")
}

fn second_password() -> Secret {
    Secret::from("staple battery horse correct")
}

/// From a look at the locations to being signed in.
async fn join(tour: &mut Tour<'_>, visitor: &Azire) -> Result<Azire, Failure> {
    tour.step(
        "list-locations",
        "Look at the locations, without an account",
        visitor.call(ListLocations {}),
        |all| format!("{} of them", all.len()),
    )
    .await?;
    let new = CreateUser {
        username: NAME.to_owned(),
        password: first_password(),
        email: Some("newcomer@mail.example".to_owned()),
        currency: Some(Currency::Sek),
        affiliate_code: None,
        referral_code: None,
    };
    tour.step("create-user", "Create the account", visitor.call(new), |user| {
        let not = if user.is_active { "" } else { "not " };
        format!("{}, {not}active yet", user.username)
    })
    .await?;
    let sandbox = tour.sandbox;
    tour.aside(
        "Follow the link in the mail",
        async {
            let verified = sandbox.azire().verify_email(NAME);
            verified.then_some(()).ok_or_else(|| Failure::from(unexpected("there is no mail")))
        },
        |()| "the sandbox does it".to_owned(),
    )
    .await?;
    let token = tour
        .step("create-token", "Sign in", visitor.call(sign_in(NAME, first_password())), |token| {
            format!("token {}, which never expires", token.id)
        })
        .await?;
    let azire = visitor.with_token(token.key);
    tour.step("get-user", "Read the account", azire.call(GetUser {}), |user| {
        format!("{}, active until {}", user.username, user.expires_at)
    })
    .await?;
    Ok(azire)
}

/// A second token comes, is seen, and goes.
async fn tokens(tour: &mut Tour<'_>, azire: &Azire) -> Result<(), Failure> {
    let second = CreateToken {
        username: None,
        password: None,
        device_name: Some("phone".to_owned()),
        comment: None,
    };
    let second = tour
        .step("create-token", "Make a token for the phone", azire.call(second), |token| {
            format!("token {}", token.id)
        })
        .await?;
    let comment = UpdateToken {
        id: second.id.clone(),
        device_name: None,
        comment: Some("lent to a friend".to_owned()),
    };
    tour.step("update-token", "Write a note on it", azire.call(comment), |token| {
        token.comment.clone().unwrap_or_default()
    })
    .await?;
    tour.step("list-tokens", "List the tokens", azire.call(ListTokens {}), |all| {
        let names = all.iter().filter_map(|token| token.device_name.as_deref());
        names.collect::<Vec<_>>().join(", ")
    })
    .await?;
    tour.step(
        "delete-token",
        "Delete that one token",
        azire.call(DeleteToken { id: second.id }),
        |()| "gone".to_owned(),
    )
    .await
}

/// A device with two keys, and a WireGuard file for it.
async fn device(tour: &mut Tour<'_>, azire: &Azire, file: Pending) -> Result<Ip, Failure> {
    let key = PrivateKey::generate()?;
    let register = CreateIp { key: key.public_key().to_string() };
    let device = tour
        .step("create-ip", "Register a device with a key made here", azire.call(register), |ip| {
            ip.ipv4_address.to_string()
        })
        .await?;
    tour.step("list-ips", "List the devices", azire.call(ListIps {}), |all| {
        format!("{} device", all.len())
    })
    .await?;
    let further =
        PutIpKey { id: device.id.clone(), key: PrivateKey::generate()?.public_key().to_string() };
    tour.step("put-ip-key", "Give it a second key", azire.call(further), |keys| {
        format!("{} keys, the first one still works", keys.len())
    })
    .await?;
    let read = GetIp { id: device.id.clone() };
    tour.step("get-ip", "Read the device", azire.call(read), |ip| {
        let name = ip.device_name.as_deref().unwrap_or("no name");
        format!("{}, {} keys", name, ip.keys.len())
    })
    .await?;

    let mut request = ConfigRequest::wireguard("se-sto");
    request.wireguard.private_key = Some(key);
    let path = file.path().display().to_string();
    let write = async {
        // The device has the key, so no further one is made.
        let Config::WireGuard(config) = azire.obtain_config(&request).await?.config else {
            return Err(unexpected("it is not for WireGuard").into());
        };
        file.write(&config.to_secret())
    };
    tour.aside("Write a WireGuard file for Stockholm", write, |()| path.clone()).await?;
    tour.wrote(path);
    Ok(device)
}

/// A port comes, is tried, hidden, and goes.
async fn ports(tour: &mut Tour<'_>, azire: &Azire, internal_ipv4: Ipv4Addr) -> Result<(), Failure> {
    let (port, socket) = open_port(tour, azire, internal_ipv4).await?;
    let list = || azire.call(ListPortForwards { internal_ipv4 });
    tour.step("list-port-forwards", "List the ports", list(), |all| {
        let ports = all.ports.iter().map(|open| open.port.to_string());
        ports.collect::<Vec<_>>().join(", ")
    })
    .await?;
    let words = |check: &PortCheck| if check.open { "open" } else { "closed" }.to_owned();
    let check = tour
        .step(
            "check-port-by-post",
            "Check it when no program listens, by POST",
            azire.call(CheckPortByPost { port }),
            words,
        )
        .await?;
    if check.open {
        return Err(unexpected("the port is not closed").into());
    }
    let listener = socket.listen(1).map_err(|error| deaf(port, &error))?;
    let check = tour
        .step(
            "check-port",
            "Check it while a program listens",
            azire.call(CheckPort { port }),
            words,
        )
        .await?;
    drop(listener);
    if !check.open {
        return Err(unexpected("the port is not open").into());
    }
    let hide = HidePortForward { internal_ipv4, port };
    tour.step("hide-port-forward", "Hide it", azire.call(hide), |port| {
        format!("{} stays open until {}", port.port, port.expires_at)
    })
    .await?;
    tour.step("list-port-forwards", "List the ports again", list(), |all| {
        format!("{} listed", all.ports.len())
    })
    .await?;
    let delete = DeletePortForward { internal_ipv4, port };
    tour.step("delete-port-forward", "Close it", azire.call(delete), |()| "closed".to_owned()).await
}

/// Opens a port, and takes its number on this machine, as the tunnel's other end would: nothing
/// listens there yet, and no other program can. A number that another program uses goes back.
async fn open_port(
    tour: &mut Tour<'_>,
    azire: &Azire,
    internal_ipv4: Ipv4Addr,
) -> Result<(u16, TcpSocket), Failure> {
    // Demos of the same seed at the same time get the same numbers.
    let mut attempts = 16;
    loop {
        let create = CreatePortForward { internal_ipv4, expires_in: Some(7), hidden: None };
        let opened = tour
            .step("create-port-forward", "Open a port for 7 days", azire.call(create), |port| {
                format!("{} until {}", port.port, port.expires_at)
            })
            .await?;
        let here = SocketAddr::from((tour.sandbox.address().ip(), opened.port));
        attempts -= 1;
        match take(here) {
            Ok(socket) => return Ok((opened.port, socket)),
            Err(_) if attempts > 0 => {
                let delete = DeletePortForward { internal_ipv4, port: opened.port };
                tour.step(
                    "delete-port-forward",
                    "Close it: another program here uses that number",
                    azire.call(delete),
                    |()| "closed".to_owned(),
                )
                .await?;
            }
            Err(error) => return Err(deaf(opened.port, &error)),
        }
    }
}

fn take(here: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if here.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.bind(here)?;
    Ok(socket)
}

fn deaf(port: u16, error: &io::Error) -> Failure {
    Failure::other(format!("port {port} cannot be listened on: {}", reason(error)))
}

/// Everything about the account changes.
async fn change(tour: &mut Tour<'_>, azire: &Azire) -> Result<(), Failure> {
    tour.step(
        "create-otp",
        "Make a one-time password for the website",
        azire.call(CreateOtp {}),
        |otp| format!("until {}", otp.expires_at),
    )
    .await?;
    let email = UpdateEmail { email: "new@mail.example".to_owned() };
    tour.step("update-email", "Change the email address", azire.call(email), email_of).await?;
    tour.step("delete-email", "Remove the email address", azire.call(DeleteEmail {}), email_of)
        .await?;
    let password = UpdatePassword { new_password: second_password() };
    tour.step("update-password", "Change the password", azire.call(password), |_| {
        "changed".to_owned()
    })
    .await?;
    let name = UpdateUsername { new_username: NEW_NAME.to_owned() };
    tour.step("update-username", "Change the user name", azire.call(name), |user| {
        user.username.clone()
    })
    .await?;
    Ok(())
}

fn email_of(user: &User) -> String {
    user.email.clone().unwrap_or_else(|| "none".to_owned())
}

/// The device goes, all tokens go, and at last the account.
async fn leave(
    tour: &mut Tour<'_>,
    visitor: &Azire,
    azire: &Azire,
    device: Ip,
) -> Result<(), Failure> {
    tour.step("delete-ip", "Remove the device", azire.call(DeleteIp { id: device.id }), |()| {
        "removed".to_owned()
    })
    .await?;
    tour.step("delete-all-tokens", "Sign out everywhere", azire.call(DeleteAllTokens {}), |()| {
        "all tokens are gone".to_owned()
    })
    .await?;
    let token = tour
        .step(
            "create-token",
            "Sign in with the new name and password",
            visitor.call(sign_in(NEW_NAME, second_password())),
            |token| format!("token {}", token.id),
        )
        .await?;
    let close = DeleteUser { password: second_password() };
    let sandbox = tour.sandbox;
    tour.step("delete-user", "Close the account", visitor.with_token(token.key).call(close), |()| {
        format!("{} accounts are left", sandbox.azire().accounts())
    })
    .await
}
