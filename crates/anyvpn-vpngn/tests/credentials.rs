//! Each operation with each credential: it is sent in the right place, or refused before sending.
//! Writes `docs/credentials-vpngn.md`.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod world;

use std::fmt::Write as _;
use std::sync::Arc;

use anyvpn_testkit::document;
use anyvpn_testkit::scripted::{Script, Step};
use anyvpn_vpngn::ops::{OPERATIONS, call_by_name};
use anyvpn_vpngn::{ErrorKind, Vpngn};
use http::Request;
use world::{Credential, World};

/// What the vendor's page says, read by a person, in the order of [`Credential::ALL`]: nothing,
/// password, short token, long token, secret key, whitelisted address.
///
/// - "Except AddClient, all requests must meet one of the following conditions: 3.1. Include the
///   end-user's password in the request 3.2. Pass an Authorization header carrying the Bearer
///   <Short-Token-Here> […] 3.3. Include your server-side secret key in the request […] 3.4. Send
///   the request from a white-listed IP address"
/// - AddClient: "rate-limited […] unless it is sent from a whitelisted IP address or together with
///   secret key"; its `password` is the one to set.
/// - TokenRefresh: "password […] long_token […] secret_key", "Unless […] from a white-listed IP
///   address".
/// - ResetPassword, ResetAliasPassword: "must be used from white-listed IP address", "Unless […]
///   secret_key".
/// - All others: "password […] short_token […] secret_key", "Unless […] from a white-listed IP
///   address".
const DOCUMENTED: [(&str, [bool; 6]); 14] = {
    const Y: bool = true;
    const N: bool = false;
    [
        ("add-client", [Y, N, N, N, Y, Y]),
        ("token-refresh", [N, Y, N, Y, Y, Y]),
        ("close-client", [N, Y, Y, N, Y, Y]),
        ("cancel-request", [N, Y, Y, N, Y, Y]),
        ("get-products", [N, Y, Y, N, Y, Y]),
        ("new-product", [N, Y, Y, N, Y, Y]),
        ("upgrade-product", [N, Y, Y, N, Y, Y]),
        ("set-password", [N, Y, Y, N, Y, Y]),
        ("reset-password", [N, N, N, N, Y, Y]),
        ("list-aliases", [N, Y, Y, N, Y, Y]),
        ("add-alias", [N, Y, Y, N, Y, Y]),
        ("del-alias", [N, Y, Y, N, Y, Y]),
        ("set-alias-password", [N, Y, Y, N, Y, Y]),
        ("reset-alias-password", [N, N, N, N, Y, Y]),
    ]
};

const HEAD: &str = "# Which credential VPNGN's operations accept

This page is for programmers who call VPNGN's API. It shows which credential each operation accepts. If you
use another one, anyvpn refuses the call before anything is sent. The API key goes with every call. A test
compares this table with the vendor's page and with what is sent. `cargo xtask docs` writes it.

| operation | none | password | short token | long token | secret key | whitelisted address |
|---|---|---|---|---|---|---|
";

#[tokio::test]
async fn each_operation_takes_what_the_page_says() {
    let world = World::new(0).await;
    let mut table = HEAD.to_owned();
    assert_eq!(OPERATIONS.len(), DOCUMENTED.len());
    for (entry, (name, documented)) in OPERATIONS.iter().zip(DOCUMENTED) {
        assert_eq!(entry.id.name(), name);
        _ = write!(table, "| {name} |");
        for (credential, accepted) in Credential::ALL.into_iter().zip(documented) {
            let what = format!("{name}, {credential:?}");
            let script = Script::new([Step::json(200, r#"{"status":"success"}"#)]);
            let vpngn = world.builder(credential).transport(Arc::new(script.clone()));
            let outcome = world.call_with(&vpngn.build().unwrap(), entry.id).await;
            match &script.sent()[..] {
                [] => {
                    let error = outcome.expect_err(&what);
                    let kind = match credential {
                        Credential::None => ErrorKind::Unauthorized,
                        _ => ErrorKind::InvalidRequest,
                    };
                    assert_eq!((error.kind(), error.status()), (kind, None), "{what}: {error}");
                    assert!(error.to_string().contains("nothing was sent"), "{what}: {error}");
                    assert!(!accepted, "{what}: the page has it, and it is refused");
                    table.push_str(" refused |");
                }
                [request] => {
                    assert!(outcome.is_ok(), "{what}: {outcome:?}");
                    assert!(accepted, "{what}: the page does not have it, and it is sent");
                    in_its_place(&world, credential, request);
                    table.push_str(" accepted |");
                }
                more => panic!("{what}: {} requests", more.len()),
            }
            assert_eq!(credential.accepted_by(entry.id), accepted, "{what}: the world is wrong");
        }
        table.push('\n');
    }
    document::check("../../docs/credentials-vpngn.md", None, &table);
}

/// The form contains the API key once. The credential is where the vendor's page puts it, and
/// nowhere else.
fn in_its_place(world: &World, credential: Credential, request: &Request<impl AsRef<[u8]>>) {
    let form: Vec<_> = url::form_urlencoded::parse(request.body().as_ref()).collect();
    let values = |name: &str| -> Vec<_> {
        form.iter().filter(|(key, _)| key == name).map(|(_, value)| &**value).collect()
    };
    let vpngn = world.sandbox.vpngn();
    assert_eq!(values("apikey"), [vpngn.api_key()]);
    let secret_key = Some(vpngn.secret_key()).filter(|_| credential == Credential::SecretKey);
    assert_eq!(values("secret_key"), Vec::from_iter(secret_key));
    // AddClient's `password` is the one to set.
    if credential == Credential::Password || !request.uri().path().ends_with("/AddClient") {
        let password = Some(world::PASSWORD).filter(|_| credential == Credential::Password);
        assert_eq!(values("password"), Vec::from_iter(password));
    }
    let bearer = match credential {
        Credential::ShortToken => Some(&world.account.short_token),
        Credential::LongToken => Some(&world.account.long_token),
        _ => None,
    };
    let headers = request.headers().get_all("authorization").iter();
    let headers: Vec<_> = headers.map(|it| (it.to_str().unwrap(), it.is_sensitive())).collect();
    let wanted: Vec<_> = bearer.map(|token| format!("Bearer {token}")).into_iter().collect();
    let wanted: Vec<_> = wanted.iter().map(|it| (it.as_str(), true)).collect();
    assert_eq!(headers, wanted);
    assert_eq!(request.uri().query(), None);
}

#[tokio::test]
async fn without_an_api_key_nothing_is_sent() {
    let script = Script::default();
    let world = World::new(0).await;
    let vpngn = Vpngn::brand("acme").unwrap().transport(Arc::new(script.clone())).build().unwrap();
    for entry in OPERATIONS {
        let (name, input) = (entry.id.name(), world.input(entry.id));
        let error = call_by_name(vpngn.client(), name, input, false).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
        assert!(error.to_string().contains("needs an API key"), "{error}");
    }
    assert_eq!(script.arrived(), 0);
}
