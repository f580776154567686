//! Checks every fixture: the exact request, and the exact value or error that its reply produces.

mod world;

use anyvpn_lab::harness::check_fixtures;
use world::harness::Harness;

#[tokio::test]
async fn every_fixture_holds() {
    println!("{:?}", check_fixtures::<Harness>().await);
}
