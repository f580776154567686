//! The content of a configuration, in the form in which it is written.

use anyvpn::{Config, Directive, OpenVpnProfile, Protocol, REDACTED, Secret, WireGuardConfig};

use super::formats::Format;
use crate::failure::Failure;

/// The form in which a configuration is written.
#[derive(Clone, Copy)]
pub struct Form<'a> {
    pub format: &'static Format,
    pub credentials: CredentialsPlace<'a>,
    /// Whether lines that OpenVPN 2.6 refuses are commented out.
    pub compat: bool,
}

/// The place for the user name and password of an OpenVPN profile.
#[derive(Clone, Copy)]
pub enum CredentialsPlace<'a> {
    /// They stay in the profile, which not every program accepts.
    Inline {
        is_chosen: bool,
    },
    /// A file of this name, beside the profile.
    File(&'a str),
    Nowhere,
}

const INLINE: &str = "this profile contains the user name and password, which OpenVPN before 2.6 and NetworkManager do not \
                      accept; --output FILE writes them to a separate file";

/// The content of a configuration.
pub struct Content {
    pub protocol: Protocol,
    pub text: Secret,
    /// The content of the credentials' file.
    pub credentials: Option<Secret>,
    /// Reasons why the VPN program may refuse the configuration, one a line.
    pub warnings: Vec<String>,
    pub redacted: String,
    /// The lines that may do more than describe a tunnel.
    directives: Vec<Directive>,
}

impl Content {
    pub fn of(config: &Config, form: Form) -> Result<Self, Failure> {
        match config {
            Config::WireGuard(config) => Self::of_wireguard(config, form.format),
            Config::OpenVpn(profile) => Self::of_openvpn(profile.clone(), form),
            _ => Err(Failure::other(
                "this version of anyvpn cannot write this kind of configuration",
            )),
        }
    }

    fn of_wireguard(config: &WireGuardConfig, format: &Format) -> Result<Self, Failure> {
        let directives = if format.is_whole { config.directives() } else { Vec::new() };
        Ok(Self {
            protocol: Protocol::WireGuard,
            text: (format.write)(config)?,
            credentials: None,
            warnings: Vec::new(),
            redacted: if format.is_whole { config.redacted() } else { REDACTED.to_owned() },
            directives,
        })
    }

    fn of_openvpn(mut profile: OpenVpnProfile, form: Form) -> Result<Self, Failure> {
        let refused = profile.refused_lines();
        let end = if form.compat { "; the line is commented out" } else { "" };
        let mut warnings: Vec<_> =
            refused.iter().map(|line| format!("{}{end}", shown(line))).collect();
        match form.compat {
            true => profile = profile.comment_out_refused()?,
            false if warnings.is_empty() => {}
            false => warnings.push(
                "OpenVPN 2.6 refuses the profile because of this; --compat comments such lines out"
                    .to_owned(),
            ),
        }
        let directives = profile.directives();
        let (profile, credentials) = match form.credentials {
            CredentialsPlace::Inline { is_chosen } => {
                if !is_chosen && profile.clone().without_auth_user_pass(None)?.1.is_some() {
                    warnings.push(INLINE.to_owned());
                }
                (profile, None)
            }
            CredentialsPlace::File(name) => profile.without_auth_user_pass(Some(name))?,
            CredentialsPlace::Nowhere => (profile.without_auth_user_pass(None)?.0, None),
        };
        Ok(Self {
            protocol: Protocol::OpenVpn,
            text: profile.to_secret(),
            credentials,
            warnings,
            redacted: profile.redacted(),
            directives,
        })
    }

    /// Fails if a line may do more than describe a tunnel, unless `allowed` is set. Passes each such line
    /// to `print`.
    pub fn check(&self, allowed: bool, print: impl Fn(&str)) -> Result<(), Failure> {
        if self.directives.is_empty() || allowed {
            return Ok(());
        }
        let lines: Vec<String> = self.directives.iter().map(shown).collect();
        lines.iter().for_each(|line| print(line));
        let count = match lines.len() {
            1 => "1 line of the configuration may do".to_owned(),
            several => format!("{several} lines of the configuration may do"),
        };
        let what = format!("{count} more than describe a tunnel; nothing was written");
        Err(Failure::other(what)
            .detail(lines.join("; "))
            .hint("if you trust the provider with this machine, add --allow-directives"))
    }
}

fn shown(directive: &Directive) -> String {
    let Directive { line, name, value, why } = directive;
    format!("line {line} {why}: {name} {value}").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::super::formats::USUAL;
    use super::*;

    const KEY: &str = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=";

    fn form(compat: bool) -> Form<'static> {
        Form { format: USUAL, credentials: CredentialsPlace::Inline { is_chosen: true }, compat }
    }

    #[test]
    fn unknown_directives_are_refused_and_named_unless_allowed() {
        let profile = "client\nremote a\nsetenv opt new-thing x\nshow-pkcs11-ids /tmp/x.so\n";
        let wireguard = format!("[Interface]\nPrivateKey = {KEY}\nNewThing = x\nPostUp = y\n");
        for config in [
            Config::OpenVpn(OpenVpnProfile::parse(profile).unwrap()),
            Config::WireGuard(WireGuardConfig::parse(&wireguard).unwrap()),
        ] {
            let content = Content::of(&config, form(false)).unwrap();
            let told = RefCell::new(Vec::new());
            let failure = content.check(false, |line| told.borrow_mut().push(line.to_owned()));
            let lines = failure.unwrap_err().lines().join("\n");
            assert!(lines.contains("--allow-directives"), "{lines}");
            let told = told.into_inner();
            assert_eq!(told.len(), 2, "{told:?}");
            assert!(told[0].starts_with("line 3 is not ") && told[0].ends_with(" x"), "{told:?}");
            content.check(true, |line| panic!("{line}")).unwrap();
        }
    }

    #[test]
    fn directives_that_are_commented_out_need_no_permission() {
        let profile = OpenVpnProfile::parse("client\nservice stop\n").unwrap();
        let config = Config::OpenVpn(profile);
        let content = Content::of(&config, form(true)).unwrap();
        content.check(false, |line| panic!("{line}")).unwrap();
        let why = "has a directive that only OpenVPN for Windows accepts";
        let warning = format!("line 2 {why}: service stop; the line is commented out");
        assert_eq!(content.warnings, [warning]);
        let content = Content::of(&config, form(false)).unwrap();
        assert_eq!(content.warnings.len(), 2);
        assert!(content.check(false, |_| {}).is_err());
    }
}
