//! Runs every operation over real HTTP against the sandbox, with each of its variations.

mod world;

use anyvpn_azire::ops::ListLocations;
use anyvpn_azire::{Azire, CAPABILITIES};
use anyvpn_core::{
    Ability, ConfigRequest, ErrorKind, NewPortForward, PortForwards, PortProtocols, Provider,
    ServerConfigs,
};
use anyvpn_lab::bounds::check_bounds;
use anyvpn_lab::harness::{check_operations, check_replies};
use anyvpn_sandbox::azire::Quirks;
use world::World;
use world::harness::Harness;

#[test]
fn the_sandbox_serves_exactly_the_clients_operations() {
    check_operations::<Harness>(25);
}

#[tokio::test]
async fn every_operation_works_and_its_reply_is_as_documented() {
    check_replies::<Harness>(8).await;
}

#[tokio::test]
async fn every_reply_that_fits_the_document_is_accepted() {
    check_bounds::<Harness>(&[("check-port", "/data/port"), ("check-port-by-post", "/data/port")])
        .await;
}

#[tokio::test]
async fn capabilities_are_what_the_accessors_give() {
    let azire = Azire::builder().build().unwrap();
    assert_eq!(azire.info().capabilities, &CAPABILITIES);
    assert!(azire.accounts().is_some() && CAPABILITIES.can(Ability::Accounts));
    assert!(!CAPABILITIES.can(Ability::OpenVpn));
}

/// A request that AzireVPN can never grant is refused before anything is sent.
#[tokio::test]
async fn a_port_that_cannot_be_asked_for_is_refused_before_sending() {
    let world = World::new(0).await;
    let before = world.sandbox.received().len();
    type Spoil = fn(&mut NewPortForward);
    let spoils: [(&str, Spoil); 4] = [
        ("device", |new| new.device = None),
        ("wished_port", |new| new.wished_port = Some(40_001)),
        ("local_port", |new| new.local_port = Some(8080)),
        ("protocols", |new| new.protocols = PortProtocols::Tcp),
    ];
    for (field, spoil) in spoils {
        let mut new = NewPortForward::to(world.device.ipv4_address);
        spoil(&mut new);
        let error = world.azire.create_port_forward(new).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidRequest);
        assert!(error.fields().contains_key(field), "{field}: {error}");
    }
    assert_eq!(world.sandbox.received().len(), before);
}

/// The API does not document how it refuses an eleventh device. An expired account is refused too.
#[tokio::test]
async fn an_eleventh_device_is_a_device_limit_for_any_status() {
    for status in [422, 403] {
        let seed = (0..).find(|seed| Quirks::from_seed(*seed).too_many == status).unwrap();
        let world = World::new(seed).await;
        let location = world.azire.call(ListLocations {}).await.unwrap()[0].name.clone();
        let request = ConfigRequest::wireguard(location);
        let obtain = async || world.azire.obtain_config(&request).await.map(drop).unwrap_err();
        while world.sandbox.azire().devices(world::USERNAME).len() < 10 {
            world.sandbox.azire().add_device(world::USERNAME).unwrap();
        }
        let error = obtain().await;
        assert_eq!((error.kind(), error.status()), (ErrorKind::DeviceLimit, Some(status)));
        // The owner of an expired account has no reason to remove a device.
        world.sandbox.azire().suspend(world::USERNAME, true);
        let error = obtain().await;
        assert_eq!((error.kind(), error.status()), (ErrorKind::Refused, Some(403)));
        world.sandbox.azire().suspend(world::USERNAME, false);
        let first = world.sandbox.azire().devices(world::USERNAME).remove(0);
        world.azire.revoke_config(&first.id).await.unwrap();
        world.azire.obtain_config(&request).await.unwrap();
    }
}

#[tokio::test]
async fn a_one_time_password_has_its_address() {
    use anyvpn_azire::OtpRedirect;
    use anyvpn_azire::ops::CreateOtp;
    let world = World::new(0).await;
    let otp = world.azire.call(CreateOtp {}).await.unwrap();
    let token = otp.otp.expose();
    for (redirect, word) in [
        (OtpRedirect::Order, "order"),
        (OtpRedirect::WireGuard, "wireguard"),
        (OtpRedirect::Settings, "settings"),
    ] {
        let url = format!("https://manager.azirevpn.com/auth/otp?token={token}&redirect={word}");
        assert_eq!(otp.url(redirect).expose(), url);
    }
}
