//! What a caller knows about an account, and AzireVPN's rules for changing it.

use std::net::Ipv4Addr;

use anyvpn_core::ErrorKind::{
    self, AlreadyExists, DeviceLimit, InvalidRequest, NotFound, QuotaReached, Refused,
};
use anyvpn_sandbox::azire::Quirks;

pub const DAY: i64 = 86_400;

#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    pub id: String,
    pub address: Ipv4Addr,
    pub keys: Vec<String>,
    pub ports: Vec<Port>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    pub number: u16,
    pub hidden: bool,
    pub ends: i64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Token {
    pub id: String,
    pub comment: Option<String>,
}

#[derive(Clone, Debug)]
pub struct Account {
    pub username: String,
    pub password: String,
    pub email: Option<String>,
    pub suspended: bool,
    pub tokens: Vec<Token>,
    pub devices: Vec<Device>,
    /// The day of the newest port, and the number of ports created on that day.
    pub opened: (i64, u32),
}

impl Account {
    pub fn expire(&mut self, now: i64) {
        for device in &mut self.devices {
            device.ports.retain(|port| now < port.ends);
        }
    }

    /// Returns the device at this position, or a device that does not exist.
    pub fn device(&self, place: usize) -> Option<usize> {
        let place = place % (self.devices.len() + 1);
        (place < self.devices.len()).then_some(place)
    }

    /// Returns the device and the position of a port, or a port that does not exist.
    pub fn port(&self, place: usize) -> Option<(usize, usize)> {
        let ports = |(at, device): (usize, &Device)| (0..device.ports.len()).map(move |p| (at, p));
        let all: Vec<_> = self.devices.iter().enumerate().flat_map(ports).collect();
        all.get(place % (all.len() + 1)).copied()
    }

    pub fn holder(&self, key: &str) -> Option<usize> {
        self.devices.iter().position(|device| device.keys.iter().any(|it| it == key))
    }

    pub fn add_device(&mut self, id: String, address: Ipv4Addr, key: String) {
        self.devices.push(Device { id, address, keys: vec![key], ports: Vec::new() });
    }

    pub fn refuses_device(&self, key: &str, quirks: &Quirks) -> Vec<ErrorKind> {
        let mut whys = Vec::new();
        if self.holder(key).is_some() {
            match quirks.duplicate_key {
                // The reply describes the device that has the key.
                200 if self.suspended => return vec![Refused],
                200 => return whys,
                409 => whys.push(AlreadyExists),
                _ => whys.push(InvalidRequest),
            }
        }
        if self.suspended {
            whys.push(Refused);
        }
        if self.devices.len() >= 10 {
            whys.extend([DeviceLimit, Refused]);
        }
        whys
    }

    pub fn refuses_key(&self, device: Option<usize>, key: &str, quirks: &Quirks) -> Vec<ErrorKind> {
        let Some(device) = device else { return vec![NotFound] };
        let mut whys = Vec::new();
        if self.holder(key).is_some() {
            whys.push(if quirks.duplicate_key == 409 { AlreadyExists } else { InvalidRequest });
        }
        if self.devices[device].keys.len() >= 3 && !quirks.fourth_key_drops_oldest {
            whys.push(InvalidRequest);
        }
        whys
    }

    pub fn add_key(&mut self, device: usize, key: String) {
        let keys = &mut self.devices[device].keys;
        if keys.len() == 3 {
            keys.remove(0);
        }
        keys.push(key);
    }

    pub fn refuses_port(&self, device: Option<usize>, now: i64, quirks: &Quirks) -> Vec<ErrorKind> {
        let mut whys = Vec::new();
        if self.suspended {
            whys.push(Refused);
        }
        let Some(device) = device else {
            whys.push(if quirks.unknown_device == 404 { NotFound } else { InvalidRequest });
            return whys;
        };
        if self.devices[device].ports.len() >= 5 {
            whys.push(Refused);
        }
        if self.opened.0 == now.div_euclid(DAY) && self.opened.1 >= quirks.daily_port_cap {
            whys.push(QuotaReached);
        }
        whys
    }

    pub fn open(&mut self, device: usize, port: Port, now: i64) {
        let today = now.div_euclid(DAY);
        let before = if self.opened.0 == today { self.opened.1 } else { 0 };
        self.opened = (today, before + 1);
        self.devices[device].ports.push(port);
    }
}
