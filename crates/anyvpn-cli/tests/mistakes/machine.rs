//! Problems on this machine: files, disks, programs, the terminal.

use crate::common::PASSWORD;
use crate::environment::{How, Who};
use crate::{Mistake, mistake};

pub const ALL: &[Mistake] = &[
    mistake(
        "file-there-already",
        2,
        "The file exists.",
        "anyvpn config get se-sto --output se-sto.conf",
    )
    .when(|environment| environment.file("se-sto.conf", "mine")),
    mistake(
        "file-in-no-folder",
        1,
        "The folder does not exist.",
        "anyvpn config get se-sto --output vpn/se-sto.conf",
    ),
    mistake(
        "folder-instead-of-file",
        2,
        "A folder is named instead of a file.",
        "anyvpn config get se-sto --output /home/jo",
    ),
    mistake(
        "device-instead-of-file",
        2,
        "A device is named instead of a file.",
        "anyvpn config get se-sto --output /dev/null",
    ),
    mistake(
        "folder-not-writable",
        1,
        "The folder belongs to another user.",
        "anyvpn config get se-sto --output vpn/se-sto.conf",
    )
    .how(How::ByModes)
    .when(|environment| {
        environment.file("vpn/other.conf", "");
        environment.mode("vpn", 0o500);
    }),
    mistake(
        "input-missing",
        2,
        "The file does not exist.",
        "anyvpn call azire create-user --input new.json",
    ),
    mistake(
        "input-is-folder",
        2,
        "A folder is named instead of a file.",
        "anyvpn call azire create-user --input /home/jo",
    ),
    mistake(
        "input-unreadable",
        2,
        "You may not read the file.",
        "anyvpn call azire create-user --input new.json",
    )
    .how(How::ByModes)
    .when(|environment| {
        environment.file("new.json", "{}");
        environment.mode("new.json", 0o000);
    }),
    mistake(
        "input-is-no-json",
        2,
        "The file is not JSON.",
        "anyvpn call azire create-user --input new.json",
    )
    .when(|environment| {
        environment.file("new.json", "{ 'username': 'eva', 'password': 'hunter2' }")
    }),
    mistake(
        "input-is-no-object",
        2,
        "The file is JSON, but not an object.",
        "anyvpn call azire create-user --input new.json",
    )
    .when(|environment| environment.file("new.json", "[\"eva\", \"hunter2\"]")),
    mistake(
        "input-of-other-type",
        2,
        "A field in the file has the wrong type.",
        "anyvpn call azire create-user --input new.json",
    )
    .when(|environment| environment.file("new.json", "{ \"username\": \"eva\", \"password\": 7 }")),
    mistake(
        "password-file-missing",
        2,
        "The password file does not exist.",
        "anyvpn login --username david --password-file pasword",
    ),
    mistake(
        "password-file-empty",
        2,
        "The password file is empty.",
        "anyvpn login --username david --password-file password",
    )
    .when(|environment| environment.file("password", "")),
    mistake(
        "key-file-is-no-key",
        2,
        "The file does not contain a private key.",
        "anyvpn config get se-sto --private-key-file key",
    )
    .when(|environment| environment.file("key", "canary\n")),
    mistake(
        "token-file-for-all",
        1,
        "Other users can read the profile's token.",
        "anyvpn account show",
    )
    .by(Who::Nobody)
    .when(|environment| {
        environment.config(&format!("{HOME}token_file = \"token\"\n"));
        environment.file(".config/anyvpn/token", "canary\n");
        environment.mode(".config/anyvpn/token", 0o644);
    }),
    mistake(
        "token-file-missing",
        1,
        "The profile's token file does not exist.",
        "anyvpn account show",
    )
    .by(Who::Nobody)
    .when(|environment| environment.config(&format!("{HOME}token_file = \"token\"\n"))),
    mistake(
        "kept-token-for-all",
        1,
        "Other users can read the stored token.",
        "anyvpn account show",
    )
    .by(Who::Nobody)
    .when(|environment| {
        environment.config(HOME);
        environment.file(
            &format!("{KEPT}_{}_azire@home.json", environment.port.get()),
            "{\"token\":\"canary\"}",
        );
        environment.mode(&format!("{KEPT}_{}_azire@home.json", environment.port.get()), 0o644);
    }),
    mistake(
        "kept-token-broken",
        1,
        "The file of the stored token is damaged.",
        "anyvpn account show",
    )
    .by(Who::Nobody)
    .when(|environment| {
        environment.config(HOME);
        environment.file(
            &format!("{KEPT}_{}_azire@home.json", environment.port.get()),
            "{\"token\":\"can",
        );
    }),
    mistake(
        "token-command-missing",
        1,
        "The profile's program is not installed.",
        "anyvpn account show",
    )
    .by(Who::Nobody)
    .when(|environment| {
        environment.config(&format!("{HOME}token_command = [\"no-such-vault\", \"show\"]\n"))
    }),
    mistake("token-command-fails", 1, "The profile's program fails.", "anyvpn account show")
        .by(Who::Nobody)
        .when(|environment| environment.config(&format!("{HOME}token_command = [\"false\"]\n"))),
    mistake(
        "token-command-prints-nothing",
        1,
        "The profile's program prints nothing.",
        "anyvpn account show",
    )
    .by(Who::Nobody)
    .when(|environment| environment.config(&format!("{HOME}token_command = [\"true\"]\n"))),
    mistake(
        "config-syntax",
        2,
        "A quotation mark is missing in config.toml.",
        "anyvpn account show",
    )
    .by(Who::Nobody)
    .when(|environment| environment.config("[profiles.home]\nprovider = \"azire\n")),
    mistake("config-typo", 2, "A key of config.toml is misspelled.", "anyvpn account show")
        .by(Who::Nobody)
        .when(|environment| environment.config(&format!("{HOME}tokn_file = \"token\"\n"))),
    mistake("config-unknown-key", 2, "A key of config.toml is unknown.", "anyvpn account show")
        .by(Who::Nobody)
        .when(|environment| environment.config(&format!("{HOME}colour = \"green\"\n"))),
    mistake("config-with-secret", 2, "config.toml contains a token.", "anyvpn account show")
        .by(Who::Nobody)
        .when(|environment| environment.config(&format!("{HOME}token = \"canary\"\n"))),
    mistake("config-unknown-provider", 2, "config.toml names no provider.", "anyvpn account show")
        .by(Who::Nobody)
        .when(|environment| environment.config("[profiles.home]\nprovider = \"azrie\"\n")),
    mistake("config-default-gone", 2, "The default profile does not exist.", "anyvpn account show")
        .by(Who::Nobody)
        .when(|environment| {
            environment.config("default = \"work\"\n[profiles.home]\nprovider = \"azire\"\n")
        }),
    mistake("config-for-all", 1, "Other users can change config.toml.", "anyvpn account show")
        .by(Who::Nobody)
        .when(|environment| {
            environment.config(HOME);
            environment.mode(".config/anyvpn/config.toml", 0o666);
        }),
    mistake("config-is-folder", 1, "config.toml is a folder.", "anyvpn profile list")
        .by(Who::Nobody)
        .when(|environment| environment.file(".config/anyvpn/config.toml/x", "")),
    mistake("config-is-no-text", 1, "config.toml is no text.", "anyvpn profile list")
        .by(Who::Nobody)
        .when(|environment| environment.file(".config/anyvpn/config.toml", [0xff, 0xfe])),
    mistake("no-home-for-profiles", 1, "There is no home folder.", "HOME= anyvpn profile list")
        .by(Who::Nobody),
    mistake(
        "no-home-for-token",
        1,
        "There is no home folder.",
        "HOME= anyvpn login --username david --password-file password",
    )
    .when(|environment| environment.file("password", PASSWORD)),
    mistake(
        "read-only-home",
        1,
        "The home folder is on a read-only disk.",
        "anyvpn login --username david --password-file password",
    )
    .how(How::Mounted(
        "mount -t tmpfs none /home/jo && echo x > password && mount -o remount,ro \
         /home/jo && cd /home/jo && ",
    ))
    .when(|environment| environment.file("password", PASSWORD)),
    mistake(
        "read-only-profiles",
        1,
        "The home folder is on a read-only disk.",
        "anyvpn profile add home --provider azire --no-check",
    )
    .how(How::Mounted("mount -t tmpfs -o ro none /home/jo && ")),
    mistake(
        "full-disk-for-answer",
        1,
        "The output goes to a full disk.",
        "anyvpn server list > /dev/full",
    ),
    mistake(
        "full-disk-for-file",
        1,
        "The file is on a full disk.",
        "anyvpn config get se-sto --output usb/se-sto.conf",
    )
    .how(How::Mounted(
        "mkdir usb && mount -t tmpfs -o size=4k none usb && head -c 4096 /dev/zero > \
         usb/full && ",
    )),
    mistake(
        "closed-pipe",
        0,
        "The reader of the output is gone, which is not an error.",
        "anyvpn server list",
    )
    .how(How::ClosedPipe),
    mistake(
        "no-terminal-for-yes",
        2,
        "There is no terminal to ask for confirmation.",
        "anyvpn account close",
    ),
    mistake(
        "no-terminal-for-password",
        2,
        "There is no terminal to ask for the password.",
        "anyvpn account set-password",
    ),
    mistake(
        "no-terminal-for-name",
        2,
        "There is no terminal to ask for the user name.",
        "anyvpn login",
    ),
    mistake(
        "no-terminal-for-provider",
        2,
        "There is no terminal to ask for the provider.",
        "anyvpn profile add home",
    )
    .by(Who::Nobody),
    mistake(
        "port-in-use",
        1,
        "Another program uses the port.",
        "anyvpn sandbox --listen 127.0.0.1:PORT",
    )
    .by(Who::Nobody),
    mistake(
        "demo-folder-missing",
        1,
        "The folder does not exist.",
        "anyvpn demo --output-dir demo",
    ),
    mistake("man-folder-is-file", 1, "The folder is a file.", "anyvpn man --output-dir man")
        .when(|environment| environment.file("man", "")),
];

/// Creates the user's only profile, at the sandbox.
const HOME: &str = "default = \"home\"\n\n[profiles.home]\nprovider = \"azire\"\nurl = \
         \"http://127.0.0.1:PORT/azire\"\n";

/// How the file of the stored token begins.
const KEPT: &str = ".local/state/anyvpn/tokens/azire-127.0.0.1";
