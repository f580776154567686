//! What a caller can do, and what it concludes from the result.

use anyvpn_azire::ops::{
    CreateIp, DeleteEmail, HidePortForward, IpId, PutIpKey, UpdateEmail, UpdateUsername,
};
use anyvpn_azire::{ErrorKind, Secret};
use anyvpn_core::{
    Accounts, ChangePassword, Config, ConfigRequest, ListPortForwards, NewPortForward, PortForward,
    PortForwards, ServerConfigs,
};
use anyvpn_lab::machines::Machine;
use anyvpn_lab::network::Mishap;
use proptest::prelude::*;

use crate::account::{DAY, Device, Port, Token};
use crate::{HOUR, NAMES, PASSWORDS, World, key, sign_in};

/// Positions count the existing items. The position after the last one names an item that does not
/// exist.
#[derive(Clone, Debug)]
pub enum Step {
    Obtain {
        key: u8,
    },
    /// Obtaining a configuration with a new key is abandoned after this many answers.
    Abandon {
        answers: usize,
    },
    Register {
        key: u8,
    },
    AddKey {
        device: usize,
        key: u8,
    },
    Rotate {
        device: usize,
        key: u8,
    },
    Revoke {
        device: usize,
    },
    Open {
        device: usize,
        days: Option<u8>,
        hidden: bool,
    },
    Hide {
        port: usize,
    },
    Close {
        port: usize,
    },
    SetPassword {
        to: usize,
    },
    SetEmail {
        to: u8,
    },
    DeleteEmail,
    Rename {
        to: usize,
    },
    CreateToken {
        comment: u8,
        with_password: bool,
    },
    Comment {
        token: usize,
        comment: u8,
    },
    DeleteToken {
        token: usize,
    },
    DeleteAllTokens,
    CreateAccount {
        name: usize,
    },
    CloseAccount {
        name: usize,
        right: bool,
    },
    Suspend(bool),
    Wait {
        hours: u32,
    },
}

pub fn steps() -> impl Strategy<Value = Step> {
    let place = 0_usize..12;
    let key = 0_u8..16;
    let name = 0..NAMES.len();
    prop_oneof![
        4 => key.clone().prop_map(|key| Step::Obtain { key }),
        2 => (0_usize..6).prop_map(|answers| Step::Abandon { answers }),
        4 => key.clone().prop_map(|key| Step::Register { key }),
        3 => (place.clone(), key.clone()).prop_map(|(device, key)| Step::AddKey { device, key }),
        3 => (place.clone(), key).prop_map(|(device, key)| Step::Rotate { device, key }),
        2 => place.clone().prop_map(|device| Step::Revoke { device }),
        8 => (place.clone(), prop::option::of(1_u8..40), any::<bool>())
            .prop_map(|(device, days, hidden)| Step::Open { device, days, hidden }),
        2 => place.clone().prop_map(|port| Step::Hide { port }),
        3 => place.clone().prop_map(|port| Step::Close { port }),
        1 => (0..PASSWORDS.len()).prop_map(|to| Step::SetPassword { to }),
        1 => (0_u8..3).prop_map(|to| Step::SetEmail { to }),
        1 => Just(Step::DeleteEmail),
        1 => name.clone().prop_map(|to| Step::Rename { to }),
        2 => (any::<u8>(), any::<bool>()).prop_map(|(comment, with_password)| {
            Step::CreateToken { comment, with_password }
        }),
        1 => (place.clone(), any::<u8>())
            .prop_map(|(token, comment)| Step::Comment { token, comment }),
        1 => place.prop_map(|token| Step::DeleteToken { token }),
        1 => Just(Step::DeleteAllTokens),
        2 => name.clone().prop_map(|name| Step::CreateAccount { name }),
        1 => (name, any::<bool>()).prop_map(|(name, right)| Step::CloseAccount { name, right }),
        1 => any::<bool>().prop_map(Step::Suspend),
        3 => (1_u32..200).prop_map(|hours| Step::Wait { hours }),
    ]
}

impl World {
    pub async fn take(&mut self, step: Step, mishaps: &[Mishap]) {
        match step {
            Step::Obtain { key } => self.obtain(key, mishaps).await,
            Step::Abandon { answers } => self.abandon(answers, mishaps).await,
            Step::Register { key } => self.register(key, mishaps).await,
            Step::AddKey { device, key } => self.add_key(device, key, mishaps).await,
            Step::Rotate { device, key } => self.rotate(device, key, mishaps).await,
            Step::Revoke { device } => self.revoke(device, mishaps).await,
            Step::Open { device, days, hidden } => self.open(device, days, hidden, mishaps).await,
            Step::Hide { port } => self.hide(port, mishaps).await,
            Step::Close { port } => self.close_port(port, mishaps).await,
            Step::SetPassword { to } => self.set_password(PASSWORDS[to], mishaps).await,
            Step::SetEmail { to } => {
                self.set_email(Some(format!("{to}@example.com")), mishaps).await
            }
            Step::DeleteEmail => self.set_email(None, mishaps).await,
            Step::Rename { to } => self.rename(NAMES[to], mishaps).await,
            Step::CreateToken { comment, with_password } => {
                self.create_token(comment, with_password, mishaps).await
            }
            Step::Comment { token, comment } => self.comment(token, comment, mishaps).await,
            Step::DeleteToken { token } => self.delete_token(token, mishaps).await,
            Step::DeleteAllTokens => self.delete_all_tokens(mishaps).await,
            Step::CreateAccount { name } => self.create_account(NAMES[name], mishaps).await,
            Step::CloseAccount { name, right } => {
                self.close_account(NAMES[name], right, mishaps).await
            }
            Step::Suspend(suspended) => {
                self.sandbox.azire().suspend(&self.account.username, suspended);
                self.account.suspended = suspended;
            }
            Step::Wait { hours } => self.sandbox.clock().advance(HOUR * hours),
        }
    }

    async fn obtain(&mut self, number: u8, mishaps: &[Mishap]) {
        let (mut request, key) = (ConfigRequest::wireguard("se-sto"), key(number));
        request.server = self.location().await;
        self.network.meet(mishaps.to_vec());
        request.wireguard.private_key = Some(key.clone());
        let public = key.public_key().to_string();
        let known = self.account.holder(&public);
        let refusals = match known {
            Some(_) => Vec::new(),
            None => self.account.refuses_device(&public, &self.quirks),
        };
        let outcome = self.azire.obtain_config(&request).await.map(|obtained| {
            let Config::WireGuard(config) = obtained.config else { panic!("another protocol") };
            assert_eq!(config.private_key().public_key(), key.public_key());
            let std::net::IpAddr::V4(address) = config.addresses()[0].addr() else { panic!() };
            (obtained.id.unwrap(), address)
        });
        let back = async || self.read_device(&public).await.map(|it| (it.id, it.address));
        let Some((id, address)) = self.conclude(mishaps, &refusals, outcome, back).await else {
            return;
        };
        match known {
            Some(device) => assert_eq!(self.account.devices[device].id, id),
            None => {
                let maker = self.ledger.maker(&id);
                assert_eq!(maker, Some(Machine::First), "{id} is the other machine's");
                self.account.add_device(id, address, public);
            }
        }
    }

    /// Any location.
    pub async fn location(&self) -> String {
        use futures_util::TryStreamExt;
        self.network.calm();
        let mut servers = self.azire.servers();
        servers.try_next().await.unwrap().unwrap().id
    }

    async fn register(&mut self, number: u8, mishaps: &[Mishap]) {
        let public = key(number).public_key().to_string();
        let refusals = self.account.refuses_device(&public, &self.quirks);
        let outcome = self.azire.call(CreateIp { key: public.clone() }).await;
        let outcome = outcome.map(|ip| (ip.id.to_string(), ip.ipv4_address));
        let known = self.account.holder(&public).is_some();
        let back = async || {
            let found = self.read_device(&public).await.filter(|_| !known);
            found.map(|it| (it.id, it.address))
        };
        if let Some((id, address)) = self.conclude(mishaps, &refusals, outcome, back).await {
            match self.account.holder(&public) {
                Some(device) => assert_eq!(self.account.devices[device].id, id),
                None => self.account.add_device(id, address, public),
            }
        }
    }

    async fn add_key(&mut self, device: usize, number: u8, mishaps: &[Mishap]) {
        let (device, public) = (self.account.device(device), key(number).public_key().to_string());
        let refusals = self.account.refuses_key(device, &public, &self.quirks);
        let operation = PutIpKey { id: self.ip(device), key: public.clone() };
        let outcome = self.azire.call(operation).await.map(drop);
        let known = self.account.holder(&public).is_some();
        let back = async || self.read_device(&public).await.filter(|_| !known).map(drop);
        if self.conclude(mishaps, &refusals, outcome, back).await.is_some() {
            self.account.add_key(device.unwrap(), public);
        }
    }

    fn ip(&self, device: Option<usize>) -> IpId {
        device.map_or("nobody", |device| &self.account.devices[device].id).into()
    }

    async fn rotate(&mut self, device: usize, number: u8, mishaps: &[Mishap]) {
        let (device, key) = (self.account.device(device), key(number));
        let public = key.public_key().to_string();
        let mut request = ConfigRequest::wireguard(self.location().await);
        self.network.meet(mishaps.to_vec());
        request.wireguard.private_key = Some(key);
        let full = device.is_some_and(|it| self.account.devices[it].keys.len() >= 3);
        let own = device.is_some() && self.account.holder(&public) == device;
        let refusals = match device {
            None => vec![ErrorKind::NotFound],
            Some(_) if own => vec![ErrorKind::InvalidRequest],
            Some(_) if full => self.account.refuses_device(&public, &self.quirks),
            Some(_) => self.account.refuses_key(device, &public, &self.quirks),
        };
        let id = self.ip(device);
        let outcome = self.azire.rotate_config(id.as_str(), &request).await;
        let removed = outcome.as_ref().is_ok_and(|rotated| !rotated.old_key_valid);
        let known = self.account.holder(&public).is_some();
        let back = async || self.read_device(&public).await.filter(|_| !known).map(drop);
        let done = self.conclude(mishaps, &refusals, outcome.map(drop), back).await;
        let (Some(()), Some(device)) = (done, device) else { return };
        if !full {
            return self.account.add_key(device, public);
        }
        if !known {
            let Device { id, address, .. } = self.read_device(&public).await.unwrap();
            self.account.add_device(id, address, public);
        }
        // If the old key was not removed, or its removal was not confirmed, reading shows the result.
        let old = self.account.devices[device].keys[0].clone();
        assert!(!removed || self.read_device(&old).await.is_none());
        if self.read_device(&old).await.is_none() {
            self.account.devices.remove(device);
        }
    }

    async fn revoke(&mut self, device: usize, mishaps: &[Mishap]) {
        let device = self.account.device(device);
        let refusals = if device.is_some() { vec![] } else { vec![ErrorKind::NotFound] };
        let id = self.ip(device);
        let outcome = ServerConfigs::revoke_config(&self.azire, id.as_str()).await;
        let back = async || {
            let there = ServerConfigs::list_configs(&self.azire).await.unwrap();
            (device.is_some() && there.iter().all(|it| it.id != id.as_str())).then_some(())
        };
        if self.conclude(mishaps, &refusals, outcome, back).await.is_some() {
            self.account.devices.remove(device.unwrap());
        }
    }

    async fn open(&mut self, device: usize, days: Option<u8>, hidden: bool, mishaps: &[Mishap]) {
        let (device, now) = (self.account.device(device), self.now());
        let refusals = self.account.refuses_port(device, now, &self.quirks);
        let address = device.map_or([10, 0, 0, 1].into(), |it| self.account.devices[it].address);
        let mut new = NewPortForward::to(address);
        new.lifetime = days.map(|days| 24 * HOUR * u32::from(days));
        new.hidden = hidden;
        let ends = now + DAY * i64::from(days.unwrap_or(30));
        let outcome = PortForwards::create_port_forward(&self.azire, new).await.map(|port| {
            assert_eq!((port.device, port.hidden), (Some(address), hidden));
            assert_eq!(port.expires_at.unwrap().as_second(), ends);
            port.port
        });
        let back = async || {
            let ports = match hidden {
                false => {
                    let listed = ListPortForwards::list_port_forwards(&self.azire, Some(address))
                        .await
                        .unwrap_or_default();
                    listed.iter().map(|it| it.port).collect()
                }
                // A hidden forward is not in any list, so only the sandbox knows it.
                true => self.hidden_ports(address),
            };
            let known = |number: &u16| {
                let devices = &self.account.devices;
                devices.iter().flat_map(|it| &it.ports).any(|port| port.number == *number)
            };
            let new: Vec<u16> = ports.into_iter().filter(|number| !known(number)).collect();
            assert!(new.len() <= 1, "it was opened twice: {new:?}");
            new.first().copied()
        };
        if let Some(number) = self.conclude(mishaps, &refusals, outcome, back).await {
            self.account.open(device.unwrap(), Port { number, hidden, ends }, now);
        }
    }

    fn hidden_ports(&self, device: std::net::Ipv4Addr) -> Vec<u16> {
        let ports = self.sandbox.azire().ports(&self.account.username).into_iter();
        ports.filter(|it| it.hidden && it.internal_ipv4 == device).map(|it| it.port).collect()
    }

    /// Returns the address and number of a port that may not exist.
    fn target(&self, port: Option<(usize, usize)>) -> (std::net::Ipv4Addr, u16) {
        match (port, self.account.devices.first()) {
            (Some((device, port)), _) => {
                let device = &self.account.devices[device];
                (device.address, device.ports[port].number)
            }
            (None, Some(device)) => (device.address, 7),
            (None, None) => ([10, 0, 0, 1].into(), 7),
        }
    }

    fn refuses_target(&self, port: Option<(usize, usize)>) -> Vec<ErrorKind> {
        match port {
            Some(_) => Vec::new(),
            None if self.account.devices.is_empty() => {
                self.account.refuses_port(None, 0, &self.quirks)
            }
            None => vec![ErrorKind::NotFound],
        }
    }

    async fn hide(&mut self, port: usize, mishaps: &[Mishap]) {
        let port = self.account.port(port);
        let (refusals, (address, number)) = (self.refuses_target(port), self.target(port));
        let hide = HidePortForward { internal_ipv4: address, port: number };
        let outcome = self.azire.call(hide).await.map(|hidden| {
            assert!(hidden.hidden && hidden.port == number && hidden.internal_ipv4 == address);
        });
        // Forwards that are not listed are hidden.
        let back = async || {
            let listed = ListPortForwards::list_port_forwards(&self.azire, Some(address))
                .await
                .unwrap_or_default();
            (port.is_some() && listed.iter().all(|it| it.port != number)).then_some(())
        };
        if self.conclude(mishaps, &refusals, outcome, back).await.is_some() {
            let (device, port) = port.unwrap();
            self.account.devices[device].ports[port].hidden = true;
        }
    }

    async fn close_port(&mut self, port: usize, mishaps: &[Mishap]) {
        let port = self.account.port(port);
        let (refusals, (address, number)) = (self.refuses_target(port), self.target(port));
        let mut forward = PortForward::new(number);
        forward.device = Some(address);
        let outcome = self.azire.delete_port_forward(&forward).await;
        let back = async || {
            let all = self.sandbox.azire().ports(&self.account.username);
            (port.is_some() && all.iter().all(|it| it.port != number)).then_some(())
        };
        if self.conclude(mishaps, &refusals, outcome, back).await.is_some() {
            let (device, port) = port.unwrap();
            self.account.devices[device].ports.remove(port);
        }
    }

    async fn set_password(&mut self, to: &str, mishaps: &[Mishap]) {
        let outcome = self.azire.change_password(Secret::from(to)).await;
        let (name, mut signed_in) = (self.account.username.clone(), None);
        let back = async || {
            let token = self.anonymous().call(sign_in(&name, to)).await.ok()?;
            signed_in = Some(Token { id: token.id.to_string(), comment: None });
            Some(())
        };
        if self.conclude(mishaps, &[], outcome, back).await.is_some() {
            self.account.password = to.to_owned();
        }
        self.account.tokens.extend(signed_in);
    }

    async fn set_email(&mut self, to: Option<String>, mishaps: &[Mishap]) {
        let outcome = match to.clone() {
            Some(email) => self.azire.call(UpdateEmail { email }).await,
            None => self.azire.call(DeleteEmail {}).await,
        };
        let back = async || {
            let seen = self.azire.account().await.unwrap().email;
            (seen == to).then_some(())
        };
        if self.conclude(mishaps, &[], outcome.map(drop), back).await.is_some() {
            self.account.email = to;
        }
    }

    async fn rename(&mut self, to: &'static str, mishaps: &[Mishap]) {
        let taken = self.others.iter().any(|(name, _)| *name == to);
        let refusals = if taken { vec![ErrorKind::InvalidRequest] } else { Vec::new() };
        let outcome = self.azire.call(UpdateUsername { new_username: to.to_owned() }).await;
        let back = async || {
            let seen = self.azire.account().await.unwrap().login.unwrap();
            (seen == to).then_some(())
        };
        if self.conclude(mishaps, &refusals, outcome.map(drop), back).await.is_some() {
            self.account.username = to.to_owned();
        }
    }
}
