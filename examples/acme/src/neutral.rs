//! The neutral traits.

use anyvpn_core::{
    Account, Accounts, Config, ConfigRequest, Endpoint, Error, ErrorKind, ObtainedConfig, Protocol,
    Server, ServerConfig, ServerConfigs, Servers, Status,
};
use anyvpn_http::Operation as _;
use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};

use crate::Acme;
use crate::ops::{self, GetAccount, ListDevices, ListServers, RegisterDevice, RemoveDevice};

/// The port that Acme's servers listen on.
const PORT: u16 = 51820;

#[async_trait]
impl Accounts for Acme {
    async fn account(&self) -> Result<Account, Error> {
        let acme = self.client().call(GetAccount {}).await?;
        let status = if acme.active { Status::Active } else { Status::Inactive };
        let mut account = Account::new(acme.login, status);
        account.expires_at = acme.paid_until;
        Ok(account)
    }
}

#[async_trait]
impl ServerConfigs for Acme {
    fn servers(&self) -> Servers<'_> {
        let list = self.client().call(ListServers {}).into_stream();
        let list = list.map_ok(|list| stream::iter(list).map(|found| Ok(server(found).into())));
        Servers::new(list.try_flatten())
    }

    async fn obtain_config(&self, request: &ConfigRequest) -> Result<ServerConfig, Error> {
        if request.protocol != Protocol::WireGuard {
            return Err(Error::invalid("protocol", "Acme speaks WireGuard only"));
        }
        // What can fail without leaving a device behind comes first.
        let options = request.wireguard.checked()?;
        let servers = self.client().call(ListServers {}).await?;
        let server = servers.into_iter().find(|it| it.id == request.server).ok_or_else(|| {
            Error::new(ErrorKind::NotFound)
                .with_operation(ListServers::ID)
                .with_detail(format!("there is no server {:?}", request.server))
        })?;
        let key = request.wireguard.key()?;
        let register = RegisterDevice { public_key: key.public_key() };
        let device = self.client().call(register).await?;
        let endpoint = Endpoint { host: server.ip.into(), port: PORT };
        let config = options.config(key, &[device.ip], &[], server.public_key, endpoint);
        Ok(ServerConfig::new(Some(device.id), Config::WireGuard(config)))
    }

    async fn list_configs(&self) -> Result<Vec<ObtainedConfig>, Error> {
        let devices = self.client().call(ListDevices {}).await?;
        let configs = devices.into_iter().map(|device| {
            let mut config = ObtainedConfig::new(device.id, Protocol::WireGuard, Status::Active);
            config.addresses = vec![device.ip];
            config.public_keys = vec![device.public_key];
            config
        });
        Ok(configs.collect())
    }

    async fn revoke_config(&self, id: &str) -> Result<(), Error> {
        self.client().call(RemoveDevice { id: id.to_owned() }).await
    }
}

fn server(acme: ops::Server) -> Server {
    let mut server = Server::new(acme.id, &acme.city);
    server.city = Some(acme.city);
    server.host = Some(acme.ip.to_string());
    server.protocols = vec![Protocol::WireGuard];
    server
}
