//! The environment between a client and the sandbox while a case runs.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyvpn_http::transport::Setup;
use anyvpn_testkit::time::VirtualTime;
use rustls::ServerConfig;
use tokio::net::TcpSocket;
use tokio::runtime::Handle;

use crate::faults::{
    Address, Authority, BlackHole, Certificate, ConnectionFault, FaultProxy, Kind, Lookup, NAME,
    Name, StubResolver, Tls, lead_through,
};

/// The real time that a connection may take. Nothing in the lab delays a connection without a fault.
const CONNECT: Duration = Duration::from_secs(10);

/// The time limit for a fault that never ends.
const CONNECT_IN_VAIN: Duration = Duration::from_millis(500);

/// Dead addresses on this machine; the good address is the sandbox's own.
const REFUSING: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const SWALLOWING: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 3));

/// The lab's certificates, created once.
pub(super) struct Certificates {
    authority: Authority,
    made: Vec<(Certificate, Arc<ServerConfig>)>,
}

impl Certificates {
    pub(super) fn new() -> Self {
        let authority = Authority::new();
        let make = |certificate: &Certificate| (*certificate, authority.server(*certificate));
        let made = Certificate::ALL.iter().map(make).collect();
        Self { authority, made }
    }

    fn of(&self, certificate: Certificate) -> Arc<ServerConfig> {
        let found = self.made.iter().find(|(made, _)| *made == certificate);
        Arc::clone(&found.expect("there is one for each kind").1)
    }
}

/// The environment of a running case.
pub(super) struct Environment {
    /// The URL to call, without a path.
    pub(super) url: String,
    pub(super) proxy: Option<FaultProxy>,
    /// Whether the proxy receives TLS, so that requests to it cannot be counted.
    https: bool,
    mend: Vec<Box<dyn FnOnce() + Send>>,
    /// Kept open so that nothing else can use the port.
    _holes: Vec<BlackHole>,
}

impl Environment {
    /// Sets up the environment of a case in front of the sandbox at `server`.
    pub(super) async fn set(
        kind: Option<&Kind>,
        certificates: &Certificates,
        server: SocketAddr,
        time: &VirtualTime,
    ) -> io::Result<(Self, Setup)> {
        let tls = certificates.authority.client();
        let mut setup = Setup { connect: CONNECT, tls, names: None, proxy: None };
        let url = format!("http://{server}");
        let mut environment =
            Self { url, proxy: None, https: false, mend: Vec::new(), _holes: Vec::new() };
        match kind {
            None => {}
            Some(Kind::Refused) => {
                // The port is reserved, but nothing listens on it until the fault ends.
                let socket = TcpSocket::new_v4()?;
                socket.bind((server.ip(), 0).into())?;
                environment.url = format!("http://{}", socket.local_addr()?);
                let here = Handle::current();
                environment.mend.push(Box::new(move || {
                    let _here = here.enter();
                    if let Ok(listener) = socket.listen(16) {
                        lead_through(listener, server);
                    }
                }));
            }
            Some(Kind::BlackHole) => {
                setup.connect = CONNECT_IN_VAIN;
                let hole = BlackHole::at((server.ip(), 0).into()).await?;
                environment.url = format!("http://{}", hole.address()?);
                let here = Handle::current();
                environment.mend.push(Box::new(move || {
                    let _here = here.enter();
                    hole.mend(server);
                }));
            }
            Some(Kind::Name(name)) => {
                let good = certificates.of(Certificate::Good);
                environment.name(name, good, server, time, &mut setup).await?;
            }
            Some(Kind::ConnectionFault(fault)) if fault.is_in_handshake() => {
                if *fault == ConnectionFault::SilenceInHandshake {
                    setup.connect = CONNECT_IN_VAIN;
                }
                let good = certificates.of(Certificate::Good);
                environment
                    .secure(*fault, Tls { broken: None, good }, server, time, &mut setup)
                    .await?;
            }
            Some(Kind::Tls(certificate, fault)) => {
                let broken = Some(certificates.of(*certificate));
                let good = certificates.of(Certificate::Good);
                environment.secure(*fault, Tls { broken, good }, server, time, &mut setup).await?;
            }
            Some(Kind::ConnectionFault(fault)) => {
                let proxy = FaultProxy::start(server, *fault, None, time.clone()).await?;
                environment.url = format!("http://{}", proxy.address);
                environment.mend.push(Box::new(proxy.mend()));
                environment.proxy = Some(proxy);
            }
        }
        Ok((environment, setup))
    }

    /// Uses https, because plain http is only allowed to localhost, and its names are not looked up.
    async fn name(
        &mut self,
        name: &Name,
        certificate: Arc<ServerConfig>,
        server: SocketAddr,
        time: &VirtualTime,
        setup: &mut Setup,
    ) -> io::Result<()> {
        let tls = Tls { broken: Some(Arc::clone(&certificate)), good: certificate };
        let proxy =
            FaultProxy::start(server, ConnectionFault::Through, Some(tls), time.clone()).await?;
        let port = proxy.address.port();
        let broken = match name {
            Name::Fails(lookup) => {
                if matches!(lookup, Lookup::Silence) {
                    setup.connect = CONNECT_IN_VAIN;
                }
                lookup.clone()
            }
            Name::Leads(addresses) => {
                if addresses.contains(&Address::BlackHole) {
                    setup.connect = CONNECT_IN_VAIN;
                    let hole = SocketAddr::new(SWALLOWING, port);
                    self._holes.push(BlackHole::at(hole).await?);
                }
                let address = |address: &Address| match address {
                    Address::Good => server.ip(),
                    Address::Refused => REFUSING,
                    Address::BlackHole => SWALLOWING,
                    Address::Six => Ipv6Addr::LOCALHOST.into(),
                };
                Lookup::Found(addresses.iter().map(address).collect())
            }
        };
        let resolver = StubResolver::new(broken, Lookup::Found(vec![server.ip()]));
        let mended = resolver.clone();
        self.mend.push(Box::new(move || mended.mend()));
        self.url = format!("https://{NAME}:{port}");
        self.https = true;
        self.proxy = Some(proxy);
        setup.names = Some(Arc::new(resolver));
        Ok(())
    }

    async fn secure(
        &mut self,
        fault: ConnectionFault,
        tls: Tls,
        server: SocketAddr,
        time: &VirtualTime,
        setup: &mut Setup,
    ) -> io::Result<()> {
        let proxy = FaultProxy::start(server, fault, Some(tls), time.clone()).await?;
        let here = Lookup::Found(vec![proxy.address.ip()]);
        setup.names = Some(Arc::new(StubResolver::new(here.clone(), here)));
        self.url = format!("https://{NAME}:{}", proxy.address.port());
        self.mend.push(Box::new(proxy.mend()));
        self.https = true;
        self.proxy = Some(proxy);
        Ok(())
    }

    /// Returns the step that mends every fault.
    pub(super) fn mend(&mut self) -> Box<dyn FnOnce() + Send> {
        let steps = std::mem::take(&mut self.mend);
        Box::new(move || steps.into_iter().for_each(|step| step()))
    }

    /// Returns the number of requests that reached the proxy but not the sandbox.
    pub(super) fn lost(&self) -> usize {
        match &self.proxy {
            Some(proxy) if !self.https => proxy.lost(),
            _ => 0,
        }
    }
}
