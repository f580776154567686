//! Every operation with every fault: how often it arrives, what the caller gets, and that no secret
//! comes out. Writes `docs/replay-vpngn.md`.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use anyvpn_http::Limits;
use anyvpn_sandbox::vpngn::Account;
use anyvpn_testkit::canary::Canary;
use anyvpn_testkit::{document, faults};
use anyvpn_vpngn::ops::{OPERATIONS, SetPassword, call_by_name};
use anyvpn_vpngn::{Access, ErrorKind, Proof, Vpngn};
use tokio::net::TcpSocket;
use world::{Credential, EMAIL, NEW_PASSWORD, PASSWORD, World};

/// The table for a caller who has these credentials, of which each operation takes the first that it
/// accepts.
async fn table(canary: &Canary, marked: &Account, own: &[Credential]) -> String {
    faults::table("VPNGN", OPERATIONS, canary, async |trial| {
        let world = World::new(0).await;
        assert!(world.account.long_token == marked.long_token, "a token is not marked");
        let mut own_accepted = own.iter().filter(|it| it.accepted_by(trial.operation));
        let credential = *own_accepted.next().unwrap();
        world.sandbox.vpngn().whitelist(own.contains(&Credential::Whitelisted));
        let limits = Limits { attempt: trial.attempt, ..Limits::default() };
        let vpngn = world.builder(credential).limits(limits).build().unwrap();
        trial.begin(&world.sandbox);
        let outcome = world.call_with(&vpngn, trial.operation).await;
        canary.hears(format!("{vpngn:?} {:?} {:?}", world.access(credential), world.tokens()));
        (world.sandbox, outcome)
    })
    .await
}

#[tokio::test]
async fn every_operation_with_every_fault() {
    let canary = Canary::of_the_log();
    canary.mark(PASSWORD);
    canary.mark(NEW_PASSWORD);
    // Every world of this seed has these.
    let World { sandbox, account } = World::new(0).await;
    for secret in [sandbox.vpngn().api_key(), sandbox.vpngn().secret_key()] {
        canary.mark(secret);
    }
    canary.mark(&*account.short_token);
    canary.mark(&*account.long_token);
    let by_server = table(&canary, &account, &[Credential::SecretKey]).await;
    document::check("../../docs/replay-vpngn.md", None, &by_server);
    // A whitelisted caller is told passwords and tokens.
    let tokens = [Credential::ShortToken, Credential::LongToken, Credential::Whitelisted];
    let password = [Credential::Password, Credential::None, Credential::SecretKey];
    for own in [tokens, password] {
        let others = table(&canary, &account, &own).await;
        assert_eq!(others, by_server, "{own:?}: the credential makes a difference");
    }

    let new_password = || NEW_PASSWORD.to_owned().try_into().unwrap();
    let create = world::newcomer("new@example.com");
    let set = SetPassword { email: EMAIL.to_owned(), setpassword: new_password() };
    canary.hears(format!("{create:?} {set:?} {}", serde_json::to_string(&create).unwrap()));
    for weak in ["canaryweakpassword", "C4nary-wk"] {
        canary.mark(weak);
        let error = anyvpn_vpngn::StrongPassword::try_from(weak.to_owned()).unwrap_err();
        canary.hears(format!("{error} {error:?}"));
    }
    let heard = canary.heard();
    assert!(heard.contains("vpngn.add-client"), "the log was not heard");
    // The tokens that replies brought, which no test knows, begin like this.
    let token = |it: &str| it.bytes().take_while(u8::is_ascii_hexdigit).count() >= 20;
    assert!(!heard.split("0x").skip(1).any(token), "a token came up");
    canary.assert_silent();
}

#[tokio::test]
async fn no_server_is_an_error_that_says_so() {
    let world = World::new(0).await;
    // Held and not listened on, so that no other test's server comes there.
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}", socket.local_addr().unwrap());
    let builder = world::quick(Vpngn::builder(url));
    let vpngn = builder.credential(Access::new("a", Proof::Whitelisted)).build().unwrap();
    for entry in OPERATIONS {
        let (name, input) = (entry.id.name(), world.input(entry.id));
        let error = call_by_name(vpngn.client(), name, input, false).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable, "{error}");
        assert_eq!(error.operation(), Some(entry.id));
    }
}
