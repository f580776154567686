//! What was typed wrongly.

use crate::stage::Who;
use crate::{Mistake, mistake};

pub const ALL: &[Mistake] = &[
    mistake("typo-command", 2, "A command is misspelled.", "anyvpn acount show"),
    mistake(
        "typo-subcommand",
        2,
        "A command below a command is misspelled.",
        "anyvpn config gte se-sto",
    ),
    mistake(
        "typo-option",
        2,
        "An option is misspelled.",
        "anyvpn config get se-sto --ouput se-sto.conf",
    ),
    mistake("typo-operation", 2, "An operation is misspelled.", "anyvpn call azire creat-user"),
    mistake("typo-field", 2, "A field is misspelled.", "anyvpn call azire check-port prot=443"),
    mistake(
        "typo-provider",
        2,
        "A provider is misspelled.",
        "anyvpn --provider azrie account show",
    ),
    mistake("typo-kind", 2, "A kind of error is misspelled.", "anyvpn explain unauthorised"),
    mistake("unknown-operation", 2, "There is no such operation.", "anyvpn call azire frobnicate"),
    mistake(
        "unknown-shell",
        2,
        "There are no completions for that shell.",
        "anyvpn completions tcsh",
    ),
    mistake("missing-argument", 2, "The server is left out.", "anyvpn config get"),
    mistake("missing-value", 2, "An option has no value.", "anyvpn config get se-sto --output"),
    mistake("further-argument", 2, "There is a word too many.", "anyvpn account show david"),
    mistake("missing-field", 2, "A field is left out.", "anyvpn call azire check-port"),
    mistake(
        "field-without-key",
        2,
        "A field's name is left out.",
        "anyvpn call azire check-port 443",
    ),
    mistake(
        "field-twice",
        2,
        "A field is there twice.",
        "anyvpn call azire check-port port=443 port=444",
    ),
    mistake(
        "secret-in-arguments",
        2,
        "A password is typed where every user of the machine can read it.",
        "anyvpn call azire create-token username=david password=hunter2",
    ),
    mistake(
        "password-option",
        2,
        "A password is typed as an option.",
        "anyvpn login --password hunter2",
    ),
    mistake("port-out-of-range", 2, "There is no port of that number.", "anyvpn port check 70000"),
    mistake("port-zero", 2, "Port 0 is none.", "anyvpn port check 0"),
    mistake("port-by-name", 2, "A port has a number, and no name.", "anyvpn port check https"),
    mistake(
        "call-port-out-of-range",
        2,
        "There is no port of that number.",
        "anyvpn call azire check-port port=70000",
    ),
    mistake("no-days", 2, "A port is to be open for no time.", "anyvpn port create --days 0"),
    mistake(
        "dns-by-name",
        2,
        "A resolver is named instead of its address.",
        "anyvpn config get se-sto --dns one.one.one.one",
    ),
    mistake(
        "empty-id",
        2,
        "The id is empty, as an unset variable is.",
        "anyvpn config revoke \"$ID\"",
    ),
    mistake(
        "id-that-is-a-path",
        2,
        "The id would lead to something else.",
        "anyvpn config revoke ..",
    ),
    mistake(
        "empty-server",
        2,
        "The server is empty, as an unset variable is.",
        "anyvpn config get \"$SERVER\" --output x.conf",
    ),
    mistake(
        "http-address",
        2,
        "The token would be shown to everyone on the way.",
        "anyvpn --url http://vpn.example.com account show",
    ),
    mistake(
        "address-without-scheme",
        2,
        "The address has no https:// before it.",
        "anyvpn --url vpn.example.com account show",
    ),
    mistake(
        "address-with-port-only",
        2,
        "The address has no https:// before it, and a port.",
        "anyvpn --url vpn.example.com:443 account show",
    ),
    mistake(
        "address-with-password",
        2,
        "The address holds a password.",
        "anyvpn --url https://david:hunter2@vpn.example.com account show",
    ),
    mistake(
        "address-with-query",
        2,
        "The address holds a query.",
        "anyvpn --url 'https://vpn.example.com/?token=hunter2' account show",
    ),
    mistake(
        "empty-address",
        2,
        "The address is empty, as an unset variable is.",
        "anyvpn --url \"$URL\" account show",
    ),
    mistake(
        "variable-with-http",
        2,
        "The variable has an address of plain http.",
        "ANYVPN_AZIRE_URL=http://vpn.example.com anyvpn account show",
    ),
    mistake(
        "variable-without-utf8",
        2,
        "The variable holds bytes that are no text.",
        r"ANYVPN_AZIRE_URL=$(printf 'https://\377') anyvpn account show",
    ),
    mistake(
        "variable-with-unknown-provider",
        2,
        "The variable names no provider.",
        "ANYVPN_PROVIDER=azrie anyvpn account show",
    ),
    mistake(
        "brand-with-dot",
        2,
        "A brand is no host's name.",
        "anyvpn --brand acme.example customer find jo@mail.example",
    )
    .by(Who::Nobody),
    mistake(
        "brand-with-slash",
        2,
        "A brand is no path.",
        "anyvpn --brand acme/x customer find jo@mail.example",
    )
    .by(Who::Nobody),
    mistake(
        "brand-elsewhere",
        2,
        "The provider has no brands.",
        "anyvpn --brand acme --provider azire account show",
    ),
    mistake(
        "brand-and-address",
        2,
        "The address is said twice.",
        "anyvpn --brand acme --url https://vpn.example.com customer list",
    ),
    mistake("no-provider", 2, "Nothing says which provider is meant.", "anyvpn account show")
        .by(Who::Nobody),
    mistake(
        "no-address",
        2,
        "The provider is at an address of each reseller's own.",
        "anyvpn --provider vpngn customer find jo@mail.example",
    )
    .by(Who::Nobody),
    mistake(
        "no-installation",
        2,
        "The provider is at an address of each installation's own.",
        "anyvpn --provider vpnscript account show",
    )
    .by(Who::Nobody),
    mistake("typo-profile", 4, "A profile is misspelled.", "anyvpn --profile hoem account show")
        .by(Who::Nobody)
        .when(|stage| stage.config(HOME)),
    mistake("no-profile", 4, "There is no profile yet.", "anyvpn --profile home account show")
        .by(Who::Nobody),
    mistake(
        "profile-there-already",
        2,
        "There is a profile of that name.",
        "anyvpn profile add home --provider azire",
    )
    .by(Who::Nobody)
    .when(|stage| stage.config(HOME)),
    mistake(
        "profile-with-blank",
        2,
        "A profile's name cannot have that.",
        "anyvpn profile add 'My VPN'",
    )
    .by(Who::Nobody),
    mistake(
        "profile-of-another-provider",
        2,
        "One variable names a provider, and another one a profile of another provider.",
        "ANYVPN_PROVIDER=vpngn ANYVPN_PROFILE=home anyvpn account show",
    )
    .by(Who::Nobody)
    .when(|stage| stage.config(HOME)),
    mistake(
        "profile-and-provider",
        2,
        "Options name a profile and another provider.",
        "anyvpn --profile home --provider vpnscript account show",
    )
    .by(Who::Nobody)
    .when(|stage| stage.config(HOME)),
    mistake(
        "qr-picture",
        2,
        "The picture's form is not known.",
        "anyvpn config get se-sto --qr-file se-sto.jpg",
    ),
    mistake("force-nothing", 2, "There is no file to replace.", "anyvpn config get se-sto --force"),
    mistake(
        "filter-without-all",
        2,
        "A filter chooses among many, and one is named.",
        "anyvpn config get se-sto --country se",
    ),
    mistake("no-customer", 2, "A reseller has many customers.", "anyvpn account show")
        .by(Who::Vpngn),
    mistake(
        "customer-elsewhere",
        2,
        "The provider has one account, the token's own.",
        "anyvpn --provider azire account show --customer jo@mail.example",
    ),
    mistake(
        "no-country",
        2,
        "The customer's country is left out.",
        "anyvpn customer create jo@mail.example --plan 12 --generate-password",
    )
    .by(Who::Vpngn),
    mistake(
        "no-such-plan",
        2,
        "There is no plan of three months.",
        "anyvpn customer change-plan jo@mail.example 3",
    )
    .by(Who::Vpngn),
    mistake(
        "openvpn-at-wireguard",
        2,
        "The server does not speak that.",
        "anyvpn config get 2 --protocol openvpn --output nl.ovpn",
    )
    .by(Who::VpnScript),
    mistake(
        "sandbox-for-all",
        2,
        "Other machines could reach the sandbox.",
        "anyvpn sandbox --listen 0.0.0.0:8642",
    )
    .by(Who::Nobody),
];

/// A person's only profile.
const HOME: &str = "default = \"home\"\n\n[profiles.home]\nprovider = \"azire\"\n";
