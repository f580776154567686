//! Mistakes in the command line.

use crate::environment::Who;
use crate::{Mistake, mistake};

pub const ALL: &[Mistake] = &[
    mistake("typo-command", 2, "A command is misspelled.", "anyvpn acount show"),
    mistake("typo-subcommand", 2, "A subcommand is misspelled.", "anyvpn config gte se-sto"),
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
    mistake("unknown-shell", 2, "The shell is not supported.", "anyvpn completions tcsh"),
    mistake("missing-argument", 2, "The server is left out.", "anyvpn config get"),
    mistake("missing-value", 2, "An option has no value.", "anyvpn config get se-sto --output"),
    mistake("further-argument", 2, "There is an extra argument.", "anyvpn account show david"),
    mistake("missing-field", 2, "A field is left out.", "anyvpn call azire check-port"),
    mistake("field-without-key", 2, "A field has no name.", "anyvpn call azire check-port 443"),
    mistake(
        "field-twice",
        2,
        "A field is given twice.",
        "anyvpn call azire check-port port=443 port=444",
    ),
    mistake(
        "secret-in-arguments",
        2,
        "A password is given as an argument, which other users can read.",
        "anyvpn call azire create-token --reveal username=david password=hunter2",
    ),
    mistake(
        "password-option",
        2,
        "A password is given as an option.",
        "anyvpn login --password hunter2",
    ),
    mistake("port-out-of-range", 2, "The port number is too large.", "anyvpn port check 70000"),
    mistake("port-zero", 2, "The port number is 0.", "anyvpn port check 0"),
    mistake("port-by-name", 2, "The port is given by name.", "anyvpn port check https"),
    mistake(
        "call-port-out-of-range",
        2,
        "The port number is too large.",
        "anyvpn call azire check-port port=70000",
    ),
    mistake("no-days", 2, "The lifetime of a port is 0.", "anyvpn port create --days 0"),
    mistake(
        "dns-by-name",
        2,
        "A resolver is given by name instead of its address.",
        "anyvpn config get se-sto --dns one.one.one.one",
    ),
    mistake(
        "empty-id",
        2,
        "The id is empty, because a variable is not set.",
        "anyvpn config revoke \"$ID\"",
    ),
    mistake(
        "id-that-is-a-path",
        2,
        "The id would change the path of the request.",
        "anyvpn config revoke ..",
    ),
    mistake(
        "empty-server",
        2,
        "The server is empty, because a variable is not set.",
        "anyvpn config get \"$SERVER\" --output x.conf",
    ),
    mistake(
        "http-address",
        2,
        "The address would send the token unencrypted.",
        "anyvpn --url http://vpn.example.com account show",
    ),
    mistake(
        "address-without-scheme",
        2,
        "The address does not start with https://.",
        "anyvpn --url vpn.example.com account show",
    ),
    mistake(
        "address-with-port-only",
        2,
        "The address has a port but does not start with https://.",
        "anyvpn --url vpn.example.com:443 account show",
    ),
    mistake(
        "address-with-password",
        2,
        "The address contains a password.",
        "anyvpn --url https://david:hunter2@vpn.example.com account show",
    ),
    mistake(
        "address-with-query",
        2,
        "The address contains a query.",
        "anyvpn --url 'https://vpn.example.com/?token=hunter2' account show",
    ),
    mistake(
        "empty-address",
        2,
        "The address is empty, because a variable is not set.",
        "anyvpn --url \"$URL\" account show",
    ),
    mistake(
        "variable-with-http",
        2,
        "The variable contains an address with plain http.",
        "ANYVPN_AZIRE_URL=http://vpn.example.com anyvpn account show",
    ),
    mistake(
        "variable-without-utf8",
        2,
        "The variable is not valid UTF-8.",
        r"ANYVPN_AZIRE_URL=$(printf 'https://\377') anyvpn account show",
    ),
    mistake(
        "variable-with-unknown-provider",
        2,
        "The variable names an unknown provider.",
        "ANYVPN_PROVIDER=azrie anyvpn account show",
    ),
    mistake(
        "brand-with-dot",
        2,
        "The brand is a host name.",
        "anyvpn --brand acme.example customer find jo@mail.example",
    )
    .by(Who::Nobody),
    mistake(
        "brand-with-slash",
        2,
        "The brand is a path.",
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
        "The address is given twice.",
        "anyvpn --brand acme --url https://vpn.example.com customer list",
    ),
    mistake("no-provider", 2, "No provider is chosen.", "anyvpn account show").by(Who::Nobody),
    mistake("no-provider-for-servers", 2, "There is no profile yet.", "anyvpn server list")
        .by(Who::Nobody),
    mistake(
        "no-address",
        2,
        "The provider has a different address for each reseller.",
        "anyvpn --provider vpngn customer find jo@mail.example",
    )
    .by(Who::Nobody),
    mistake(
        "no-installation",
        2,
        "The provider has a different address for each installation.",
        "anyvpn --provider vpnscript account show",
    )
    .by(Who::Nobody),
    mistake("typo-profile", 4, "A profile is misspelled.", "anyvpn --profile hoem account show")
        .by(Who::Nobody)
        .when(|environment| environment.config(HOME)),
    mistake("no-profile", 4, "There is no profile yet.", "anyvpn --profile home account show")
        .by(Who::Nobody),
    mistake(
        "profile-there-already",
        2,
        "A profile with that name already exists.",
        "anyvpn profile add home --provider azire",
    )
    .by(Who::Nobody)
    .when(|environment| environment.config(HOME)),
    mistake(
        "profile-with-blank",
        2,
        "The profile's name has invalid characters.",
        "anyvpn profile add 'My VPN'",
    )
    .by(Who::Nobody),
    mistake(
        "profile-of-another-provider",
        2,
        "One variable names a provider, and another names a profile for a different provider.",
        "ANYVPN_PROVIDER=vpngn ANYVPN_PROFILE=home anyvpn account show",
    )
    .by(Who::Nobody)
    .when(|environment| environment.config(HOME)),
    mistake(
        "profile-and-provider",
        2,
        "Options name a profile and a different provider.",
        "anyvpn --profile home --provider vpnscript account show",
    )
    .by(Who::Nobody)
    .when(|environment| environment.config(HOME)),
    mistake(
        "qr-picture",
        2,
        "The image format is not supported.",
        "anyvpn config get se-sto --qr-file se-sto.jpg",
    ),
    mistake(
        "force-nothing",
        2,
        "There is no file to overwrite.",
        "anyvpn config get se-sto --force",
    ),
    mistake(
        "filter-without-all",
        2,
        "A filter for many servers is combined with one server.",
        "anyvpn config get se-sto --country se",
    ),
    mistake("no-customer", 2, "No customer is given.", "anyvpn account show").by(Who::Vpngn),
    mistake(
        "customer-elsewhere",
        2,
        "The provider has only the account of the token.",
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
        "The plan does not exist.",
        "anyvpn customer change-plan jo@mail.example 3",
    )
    .by(Who::Vpngn),
    mistake(
        "openvpn-at-wireguard",
        2,
        "The server does not support the protocol.",
        "anyvpn config get 2 --protocol openvpn --output nl.ovpn",
    )
    .by(Who::VpnScript),
    mistake(
        "sandbox-for-all",
        2,
        "Other machines could connect to the sandbox.",
        "anyvpn sandbox --listen 0.0.0.0:8642",
    )
    .by(Who::Nobody),
];

/// Creates the user's only profile.
const HOME: &str = "default = \"home\"\n\n[profiles.home]\nprovider = \"azire\"\n";
