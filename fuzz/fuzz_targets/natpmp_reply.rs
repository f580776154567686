//! Any bytes as a reply of NAT-PMP: what is read fits its bytes, and is taken for the answer to no request
//! that it does not name.
#![no_main]

use anyvpn_natpmp::wire::{MapProtocol, MapRequest, Reply, Request, ResultCode};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(reply) = Reply::parse(bytes) else { return };
    // What follows changes nothing.
    let longer = [bytes, &[0xFF; 24]].concat();
    assert!(Reply::parse(&longer).is_some());
    let code = u16::from_be_bytes([bytes[2], bytes[3]]);
    match reply {
        Reply::Address { epoch, address } => {
            assert_eq!(bytes[..4], [0, 128, 0, 0]);
            assert_eq!((epoch.to_be_bytes(), address.octets()), (part(bytes, 4), part(bytes, 8)));
            assert!(reply.answers(&Request::Address));
        }
        Reply::Map { epoch, protocol, internal_port, external_port, lifetime } => {
            assert_eq!(bytes[..4], [0, 128 + protocol as u8, 0, 0]);
            assert_eq!(
                (epoch.to_be_bytes(), lifetime.to_be_bytes()),
                (part(bytes, 4), part(bytes, 12))
            );
            let own = MapRequest { protocol, internal_port, external_port, lifetime };
            assert!(reply.answers(&Request::Map(own)) && !reply.answers(&Request::Address));
            let protocol = match protocol {
                MapProtocol::Udp => MapProtocol::Tcp,
                MapProtocol::Tcp => MapProtocol::Udp,
            };
            assert!(!reply.answers(&Request::Map(MapRequest { protocol, ..own })));
            // The request is read back from its bytes.
            let sent = Request::Map(own).encode();
            assert_eq!((sent.len(), sent[1] + 128), (12, bytes[1]));
            assert_eq!(part::<2>(&sent, 4), internal_port.to_be_bytes());
        }
        Reply::Refused { code: told, .. } => assert!(told == ResultCode(code) && code != 0),
        Reply::OtherVersion(version) => assert!(version == bytes[0] && version != 0),
    }
});

fn part<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    *bytes[at..].first_chunk().unwrap()
}
