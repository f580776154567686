//! Dropping a future at any point never creates anything twice.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::sync::Arc;

use anyvpn_azire::Azire;
use anyvpn_azire::ops::{CreateIp, ListLocations};
use anyvpn_core::{
    ConfigRequest, ListPortForwards, NewPortForward, PortForwards, PrivateKey, ServerConfigs,
};
use anyvpn_http::Operation as _;
use anyvpn_http::transport::Reqwest;
use anyvpn_lab::dropping::{Halting, at_every_poll, poll_at_most};
use world::{USERNAME, World, quick};

/// Returns a client that halts at every step of a call.
fn halting(world: &World) -> (Azire, Arc<Halting<Reqwest>>) {
    let transport = Arc::new(Halting::new(Reqwest::loopback().unwrap()));
    let builder = quick(Azire::builder().base_url(world.sandbox.azire_url()));
    let builder = builder.token(world.token.as_str()).transport(transport.clone());
    (builder.build().unwrap(), transport)
}

/// The request for a location's configuration, without a key.
async fn wanted(azire: &Azire) -> ConfigRequest {
    let location = azire.call(ListLocations {}).await.unwrap()[0].name.clone();
    ConfigRequest::wireguard(location)
}

/// Waits for background work to finish. The work holds a client while it runs.
async fn quiet(transport: &Arc<Halting<Reqwest>>) {
    while Arc::strong_count(transport) > 1 {
        tokio::task::yield_now().await;
    }
    transport.settled().await;
}

/// A caller that gives up with its own key and then retries has one device.
#[tokio::test]
async fn a_key_registers_one_device_wherever_obtaining_is_dropped() {
    let mut registered = 0;
    let polls = at_every_poll(async |polls| {
        let world = World::new(0).await;
        let (azire, transport) = halting(&world);
        let mut request = wanted(&azire).await;
        request.wireguard.private_key = Some(PrivateKey::generate().unwrap());
        let obtained = poll_at_most(polls, azire.obtain_config(&request)).await;
        transport.settled().await;
        registered += world.sandbox.azire().devices(USERNAME).len() - 1;
        azire.obtain_config(&request).await.unwrap();
        let devices = world.sandbox.azire().devices(USERNAME).len();
        assert_eq!(devices, 2, "after {polls} polls");
        obtained.is_some()
    })
    .await;
    assert!((2..polls).contains(&registered), "{registered} of {polls}");
}

/// A caller that gives up without a key of its own cannot use the device.
#[tokio::test]
async fn dropping_the_future_at_any_point_leaves_no_device_without_a_known_key() {
    let mut registered = 0;
    let polls = at_every_poll(async |polls| {
        let world = World::new(0).await;
        let (azire, transport) = halting(&world);
        let request = wanted(&azire).await;
        let obtained = poll_at_most(polls, azire.obtain_config(&request)).await;
        drop(azire);
        quiet(&transport).await;
        registered += usize::from(world.arrived(CreateIp::ID) > 0);
        let devices = world.sandbox.azire().devices(USERNAME).len();
        assert_eq!(devices, 1 + usize::from(obtained.is_some()), "after {polls} polls");
        obtained.is_some()
    })
    .await;
    assert!((2..polls).contains(&registered), "{registered} of {polls}");
}

/// A device is replaced in two steps. If the caller gives up in the first, nothing changes. If it
/// gives up in the second, the old device, the new one or both exist.
#[tokio::test]
async fn a_rotation_that_is_dropped_while_it_registers_changes_nothing() {
    let mut undone = 0;
    let polls = at_every_poll(async |polls| {
        let world = World::new(0).await;
        let id = world.device.id.as_str();
        let (azire, transport) = halting(&world);
        let request = wanted(&azire).await;
        for _ in 0..2 {
            azire.rotate_config(id, &request).await.unwrap();
        }
        let rotated = poll_at_most(polls, azire.rotate_config(id, &request)).await;
        drop(azire);
        quiet(&transport).await;
        let left = world.sandbox.azire().devices(USERNAME);
        assert!(!left.is_empty(), "after {polls} polls");
        let old_alone = left.len() == 1 && left[0].id == id;
        undone += usize::from(old_alone && world.arrived(CreateIp::ID) > 0);
        rotated.is_some()
    })
    .await;
    assert!((2..polls).contains(&undone), "{undone} of {polls}");
}

/// A caller that gives up opening a port lists the ports, as after a lost reply.
#[tokio::test]
async fn a_dropped_port_is_open_or_not_and_listed_if_it_is() {
    let mut opened = 0;
    let polls = at_every_poll(async |polls| {
        let world = World::new(0).await;
        let (azire, transport) = halting(&world);
        let device = world.device.ipv4_address;
        let created = PortForwards::create_port_forward(&azire, NewPortForward::to(device));
        let created = poll_at_most(polls, created).await;
        transport.settled().await;
        let listed =
            ListPortForwards::list_port_forwards(&azire, Some(device)).await.unwrap().len();
        assert_eq!(listed, world.sandbox.azire().ports(USERNAME).len());
        assert!((1..=2).contains(&listed), "after {polls} polls");
        opened += listed - 1;
        created.is_some()
    })
    .await;
    assert!((2..polls).contains(&opened), "{opened} of {polls}");
}
