//! The message and exit code of each command when something fails.

mod common;

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;
use std::time::Duration;

use anyvpn_sandbox::{Fault, FaultRule};
use common::{LOGIN, PASSWORD, World, command, error, fails};

#[test]
fn each_class_of_failure_has_its_exit_code() {
    let world = World::with_device();
    let inject =
        |operation: &str, fault| world.sandbox.inject(FaultRule::once(operation, fault)).unwrap();

    let url = world.sandbox.azire_url();
    let unsigned = &mut command(&["--provider", "azire", "--url", &url, "account", "show"]);
    let text = fails(3, unsigned);
    assert!(text.contains("ANYVPN_AZIRE_TOKEN"), "{text}");
    assert_eq!(error(3, unsigned)["kind"], "unauthorized");

    let missing = world.error(4, &["config", "revoke", "nope"]);
    assert_eq!(missing["kind"], "not-found");
    assert_eq!(missing["provider"], "azire");
    assert_eq!(missing["operation"], "azire.delete-ip");
    assert_eq!(missing["status"], 404);
    assert!(world.fails(4, &["config", "get", "xx-xxx"]).contains("anyvpn server list"));
    let device = world.sandbox.azire().devices(LOGIN)[0].internal_ipv4.to_string();
    let delete = ["port", "delete", "1", "--internal-ipv4", &device];
    assert!(world.fails(4, &delete).contains("anyvpn port list"));

    let retry_after = Some(Duration::from_secs(3600));
    inject("azire.get-user", Fault::TooManyRequests { retry_after });
    let limited = world.error(6, &["account", "show"]);
    assert_eq!(limited["retry_after_seconds"], 3600);

    inject("azire.create-port-forward", Fault::Status(503));
    let create = ["port", "create", "--internal-ipv4", &device];
    let text = world.fails(7, &create);
    assert!(text.contains("may have been done"), "{text}");

    inject("azire.get-user", Fault::Html(200));
    assert_eq!(world.error(8, &["account", "show"])["kind"], "unexpected-reply");
    inject("azire.get-user", Fault::Wire("half-json"));
    world.fails(8, &["account", "show"]);

    inject("azire.create-port-forward", Fault::Wire("reset-after"));
    let text = world.fails(9, &create);
    assert!(text.contains("before you repeat it"), "{text}");
}

#[test]
fn a_rule_of_the_provider_is_code_five() {
    let world = World::new();
    let cap = world.sandbox.azire().daily_port_cap();
    for _ in 0..=cap / 5 {
        world.sandbox.azire().add_device(LOGIN).unwrap();
    }
    let devices = world.sandbox.azire().devices(LOGIN);
    let create = |number: u32| {
        let device = &devices[(number / 5) as usize];
        ["port", "create", "--internal-ipv4"]
            .map(str::to_owned)
            .into_iter()
            .chain([device.internal_ipv4.to_string()])
            .collect::<Vec<_>>()
    };
    for number in 0..cap {
        let arguments = create(number);
        world.ok(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let arguments = create(cap);
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    assert_eq!(world.error(5, &arguments)["kind"], "quota-reached");
}

#[test]
fn an_address_without_a_server_is_unreachable() {
    let world = World::new();
    let text = world.fails(7, &["--url", "http://127.0.0.1:1", "account", "show"]);
    assert!(text.contains("could not be reached"), "{text}");
}

#[test]
fn invalid_arguments_exit_with_2() {
    let world = World::new();
    for arguments in [
        &["accuont"][..],
        &["account", "shwo"],
        &["config", "get"],
        &["port", "check", "0"],
        &["port", "check", "65536"],
        &["port", "create", "--days", "0"],
        &["port", "list", "--internal-ipv4", "10.0.1"],
        &["--provider", "nobody", "account", "show"],
        &["--url", "http://vpn.example", "account", "show"],
        &["--url", "", "account", "show"],
        &["--url", "http://david:secret@127.0.0.1", "account", "show"],
        &["config", "get", "se-sto", "--force"],
        &["config", "get", "se-sto", "--dns", "1.1.1.1", "--no-dns"],
        &["config", "get", "se-sto", "--mtu", "10"],
        &["config", "revoke", ""],
        &["config", "revoke", ".."],
        &["call", "azire", "creat-user"],
        &["call", "azire", "create-user"],
        &["call", "azire", "get-user", "name=x"],
        &["call", "azire", "get-user", "x"],
        &["call", "azire", "check-port", "port=x"],
        &["call", "azire", "check-port", "port=0x10"],
        &["call", "azire", "check-port", "port=1", "port=2"],
        &["call", "azire", "check-port", "--input", "/no/such/file"],
        &["call", "azire", "update-password", "new_password=@/no/such/file"],
        &["call", "azire", "delete-token", "id="],
        &["sandbox", "--listen", "0.0.0.0:0"],
        &["account", "set-password", "--password-file", "/dev/null"],
    ] {
        world.fails(2, arguments);
        world.error(2, arguments);
    }
    assert!(world.sandbox.received().is_empty());
    let text = world.fails(2, &["call", "azire", "creat-user"]);
    assert!(text.contains("did you mean create-user?"), "{text}");
}

#[test]
fn a_provider_that_the_environment_does_not_know_is_refused() {
    let text = fails(2, command(&["account", "show"]).env("ANYVPN_PROVIDER", "x\x1b[2J"));
    assert!(text.contains("this build has azire"), "{text}");
    assert!(!text.contains('\x1b'));
}

#[cfg(unix)]
#[test]
fn an_address_that_cannot_be_read_is_not_the_vendors() {
    use std::os::unix::ffi::OsStrExt as _;
    let world = World::new();
    let url = std::ffi::OsStr::from_bytes(b"http://\xff");
    let mut show = world.command(&["account", "show"]);
    let text = fails(2, show.env("ANYVPN_AZIRE_URL", url));
    assert!(text.contains("ANYVPN_AZIRE_URL is not valid UTF-8"), "{text}");
}

#[test]
fn without_a_terminal_nothing_is_asked_and_nothing_is_done() {
    let world = World::new();
    let text = world.fails(2, &["account", "close"]);
    assert!(text.contains("--yes"), "{text}");
    for arguments in [
        &["account", "close", "--yes"][..],
        &["account", "set-password"],
        &["account", "create", "eva"],
    ] {
        let text = world.fails(2, arguments);
        assert!(text.contains("--password-file") && text.contains("ANYVPN_PASSWORD"), "{text}");
    }
    assert_eq!(world.sandbox.azire().accounts(), 1);
    assert_eq!(world.calls("azire.update-password"), 0);
}

#[test]
fn nothing_is_guessed_among_several_devices_or_none() {
    let world = World::new();
    let text = world.fails(4, &["port", "list"]);
    assert!(text.contains("anyvpn config get"), "{text}");
    world.sandbox.azire().add_device(LOGIN).unwrap();
    world.sandbox.azire().add_device(LOGIN).unwrap();
    let text = world.fails(2, &["port", "create"]);
    for device in world.sandbox.azire().devices(LOGIN) {
        assert!(text.contains(&device.internal_ipv4.to_string()), "{text}");
    }
    assert_eq!(world.calls("azire.create-port-forward"), 0);
}

#[test]
fn words_of_the_vendor_are_quoted() {
    let world = World::with_device();
    let text = world.fails(2, &["port", "list", "--internal-ipv4", "10.99.99.99"]);
    assert!(text.contains("AzireVPN says: \"The given data was invalid.\""), "{text}");
    assert!(text.contains("internal_ipv4: The selected internal ipv4 is invalid."), "{text}");
    let error = world.error(2, &["port", "list", "--internal-ipv4", "10.99.99.99"]);
    assert_eq!(error["message"], "The given data was invalid.");
    assert!(error["fields"]["internal_ipv4"].is_array());
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let world = World::with_device();
    let device = world.sandbox.azire().devices(LOGIN)[0].internal_ipv4.to_string();
    world.sandbox.vpnscript().add_servers(3000);
    world.sandbox.vpngn().add_customer("jo@mail.example", PASSWORD, Some(12));
    let folder = world.folder.path().to_str().unwrap();
    let pages = world.path("pages");
    for arguments in [
        &["server", "list"][..],
        &["server", "list", "--json"],
        &["server", "list", "--provider", "vpnscript"],
        &["account", "show"],
        &["config", "list"],
        &["port", "list"],
        &["port", "create", "--internal-ipv4", &device],
        &["customer", "find", "jo@mail.example"],
        &["profile", "list"],
        &["capabilities"],
        &["completions", "bash"],
        &["man"],
        &["man", "--output-dir", pages.to_str().unwrap()],
        &["--help"],
        &["--version"],
        &["config", "get", "--help"],
        &["call", "azire"],
        &["call", "azire", "get-user"],
        &["sandbox"],
        &["demo", "--output-dir", folder],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = world.command(arguments);
        command
            .env("HOME", folder)
            .env("ANYVPN_VPNSCRIPT_URL", world.sandbox.vpnscript_url())
            .env("ANYVPN_VPNSCRIPT_TOKEN", &world.vpnscript_token)
            .env("ANYVPN_VPNGN_URL", world.sandbox.vpngn_url())
            .env("ANYVPN_VPNGN_API_KEY", world.sandbox.vpngn().api_key())
            .env("ANYVPN_VPNGN_SECRET_KEY", world.sandbox.vpngn().secret_key());
        command.env(
            "ANYVPN_PROVIDER",
            match arguments[0] {
                "customer" => "vpngn",
                _ => "azire",
            },
        );
        let ran = command.stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(ran.status.code(), Some(0), "{arguments:?}");
        let stderr = String::from_utf8(ran.stderr).unwrap();
        assert!(!stderr.contains("error"), "{arguments:?}: {stderr}");
    }
    // If the reader takes only the first of thousands of lines, that line is printed.
    let mut list = world.vpnscript(&["server", "list"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(list.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with("SERVER"), "{first}");
    assert_eq!(list.wait().unwrap().code(), Some(0));
    // A closed stderr is not an error either.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ran = world.command(&["-vv", "config", "revoke", "nope"]).stderr(writer).output();
    assert_eq!(ran.unwrap().status.code(), Some(4));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_reported() {
    let world = World::new();
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let ran = world.command(&["server", "list"]).stdout(full).output().unwrap();
    assert_eq!(ran.status.code(), Some(1));
    assert!(String::from_utf8(ran.stderr).unwrap().contains("the disk is full"));
    // The error names what was created.
    let world = World::with_device();
    let device = world.sandbox.azire().devices(LOGIN)[0].internal_ipv4.to_string();
    for format in [&[][..], &["--json"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let create = [&["port", "create", "--hidden", "--internal-ipv4", &device], format].concat();
        let ran = world.command(&create).stdout(full).output().unwrap();
        assert_eq!(ran.status.code(), Some(1));
        let text = String::from_utf8(ran.stderr).unwrap();
        assert!(text.contains("is open now"), "{text}");
        assert!(text.contains("anyvpn port delete "), "{text}");
        assert_eq!(text.contains("\"kind\": \"port-forward\""), !format.is_empty(), "{text}");
    }
}
