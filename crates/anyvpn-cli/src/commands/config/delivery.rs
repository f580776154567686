//! A configuration on its way to the person.

use anyvpn::{Config, Directive, Leftover, LeftoverKind, Protocol, REDACTED, Secret, ServerConfig};
use serde::Serialize;

use super::options::{Options, Picture, Targets};
use crate::advice::undo;
use crate::context::Context;
use crate::failure::Failure;
use crate::file::Pending;
use crate::output::Output;
use crate::qr::Qr;
use crate::text::{plain, width};

/// What a configuration holds.
pub struct Content {
    pub protocol: Protocol,
    pub text: Secret,
    redacted: String,
    /// The lines that are not known to only describe a tunnel.
    directives: Vec<Directive>,
}

impl Content {
    pub fn of(config: &Config) -> Result<Self, Failure> {
        match config {
            Config::WireGuard(it) => Ok(Self {
                protocol: Protocol::WireGuard,
                text: it.to_secret(),
                redacted: it.redacted(),
                directives: it.directives(),
            }),
            Config::OpenVpn(it) => Ok(Self {
                protocol: Protocol::OpenVpn,
                text: it.to_secret(),
                redacted: it.redacted(),
                directives: it.directives(),
            }),
            _ => Err(Failure::other("its form is not known")),
        }
    }

    /// Refuses a configuration with lines that are not known to only describe a tunnel, unless that
    /// was allowed. `tell` gets the lines, one by one.
    pub fn check(&self, allowed: bool, tell: impl Fn(&str)) -> Result<(), Failure> {
        if self.directives.is_empty() || allowed {
            return Ok(());
        }
        let lines: Vec<String> = self.directives.iter().map(shown).collect();
        for line in &lines {
            tell(line);
        }
        let count = match lines.len() {
            1 => "a line of the configuration does more than describe a tunnel, or may".to_owned(),
            several => {
                format!(
                    "{several} lines of the configuration do more than describe a tunnel, or may"
                )
            }
        };
        Err(Failure::other(format!("{count}; nothing was written"))
            .detail(lines.join("; "))
            .hint("if the provider may do that on this machine: --allow-directives"))
    }
}

fn shown(directive: &Directive) -> String {
    let Directive { line, name, value, why } = directive;
    format!("line {line} {why}: {name} {value}")
}

#[derive(Serialize)]
struct Obtained<'a> {
    id: Option<&'a str>,
    protocol: &'a Protocol,
    server: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    qr_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<&'a str>,
    /// Of a rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    old_key_valid: Option<bool>,
}

pub struct Delivery<'a> {
    pub server: &'a str,
    pub obtained: &'a ServerConfig,
    pub old_key_valid: Option<bool>,
}

impl Delivery<'_> {
    /// Brings the configuration where it belongs. `lost` adds to a failure what is left at the
    /// provider, whose key nobody has then: so a closed pipe is no quiet end here.
    pub fn deliver(
        self,
        context: &Context,
        options: &Options,
        targets: Targets,
        lost: impl Fn(Failure) -> Failure,
    ) -> Result<(), Failure> {
        let output = context.output;
        let content = Content::of(&self.obtained.config).map_err(&lost)?;
        content.check(options.allow_directives, |line| output.explain(line)).map_err(&lost)?;
        // What can fail without a file comes before the files.
        let (qr, picture) = pictures(&content.text, &targets, output).map_err(&lost)?;

        let path = |file: &Pending| file.path().display().to_string();
        let shown = if options.reveal { content.text.expose() } else { &content.redacted };
        let mut answer = Obtained {
            id: self.obtained.id.as_deref(),
            protocol: &content.protocol,
            server: self.server,
            path: targets.file.as_ref().map(path),
            qr_path: targets.picture.as_ref().map(|(file, _)| path(file)),
            config: None,
            old_key_valid: self.old_key_valid,
        };
        let Targets { file, picture: place, .. } = targets;
        let written = file.is_some() || place.is_some();
        if let Some(file) = file {
            file.write(&content.text).map_err(&lost)?;
        }
        if let (Some((file, _)), Some(picture)) = (place, picture) {
            file.write_bytes(&picture).map_err(&lost)?;
        }
        match qr {
            Some(qr) => {
                output.secret(&qr).map_err(&lost)?;
                // stdout has the code, and nothing but the code.
                output.note(&paths(&answer));
                Ok(())
            }
            None if written => output.answer(&answer, || paths(&answer)),
            None if output.json => {
                answer.config = Some(shown);
                output.document(&answer).map_err(lost)
            }
            None => output.secret(&content.text).map_err(lost),
        }
    }
}

/// A configuration that anyvpn could not read, as the provider sent it.
pub struct Unread<'a> {
    pub server: &'a str,
    pub id: &'a str,
    pub protocol: &'a Protocol,
    pub text: &'a Secret,
}

impl Unread<'_> {
    /// Brings the text where it belongs, unchecked.
    pub fn deliver(
        self,
        context: &Context,
        options: &Options,
        targets: Targets,
    ) -> Result<(), Failure> {
        let Self { server, id, protocol, text } = self;
        let (output, lost) = (context.output, |failure: Failure| made(failure, id));
        let mut answer = Obtained {
            id: Some(id),
            protocol,
            server,
            path: targets.file.as_ref().map(|file| file.path().display().to_string()),
            qr_path: None,
            config: None,
            old_key_valid: None,
        };
        match targets.file {
            Some(file) => {
                file.write(text).map_err(lost)?;
                output.answer(&answer, || paths(&answer))?;
            }
            None if output.json => {
                let shown = if options.reveal { text.expose() } else { REDACTED };
                answer.config = Some(shown);
                output.document(&answer).map_err(lost)?;
            }
            None => output.secret(text).map_err(lost)?,
        }
        output.note("anyvpn cannot read this configuration, so nothing in it was checked.");
        Ok(())
    }
}

/// Adds a configuration that was made and that nobody has.
pub fn made(failure: Failure, id: &str) -> Failure {
    let what = format!("the provider made {id} nevertheless");
    failure.leaving(&what, format!("remove it: {}", revoke(id))).with_leftover(configuration(id))
}

/// A configuration at the provider.
pub fn configuration(id: &str) -> Leftover {
    Leftover::new(LeftoverKind::Configuration, id)
}

/// The command that removes it.
pub fn revoke(id: &str) -> String {
    undo(&configuration(id))
}

/// The code for the terminal and the picture, as far as they are wanted.
fn pictures(
    text: &Secret,
    targets: &Targets,
    output: Output,
) -> Result<(Option<Secret>, Option<Vec<u8>>), Failure> {
    if !targets.qr && targets.picture.is_none() {
        return Ok((None, None));
    }
    let code = Qr::new(text)?;
    let drawn = targets.qr.then(|| code.text(width(), output.is_colored())).transpose()?;
    let picture = match &targets.picture {
        Some((_, Picture::Png)) => Some(code.png()?),
        Some((_, Picture::Svg)) => Some(code.svg()),
        None => None,
    };
    Ok((drawn, picture))
}

/// The files that were written, one a line, and the id.
fn paths(answer: &Obtained) -> String {
    let files = [&answer.path, &answer.qr_path].into_iter().flatten();
    let id = answer.id.map(|id| format!("id {id}"));
    let lines = files.map(|path| match &id {
        Some(id) => plain(&format!("{path}, {id}")),
        None => plain(path),
    });
    let lines: Vec<_> = lines.collect();
    // With a code on the terminal there may be no file.
    if lines.is_empty() { plain(&id.unwrap_or_default()) } else { lines.join("\n") }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use anyvpn::{OpenVpnProfile, WireGuardConfig};

    use super::*;

    const KEY: &str = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=";

    #[test]
    fn a_line_that_no_manual_has_is_refused_and_named_until_it_is_allowed() {
        let profile = "client\nremote a\nsetenv opt new-thing x\nshow-pkcs11-ids /tmp/x.so\n";
        let wireguard = format!("[Interface]\nPrivateKey = {KEY}\nNewThing = x\nPostUp = y\n");
        for config in [
            Config::OpenVpn(OpenVpnProfile::parse(profile).unwrap()),
            Config::WireGuard(WireGuardConfig::parse(&wireguard).unwrap()),
        ] {
            let content = Content::of(&config).unwrap();
            let told = RefCell::new(Vec::new());
            let failure = content.check(false, |line| told.borrow_mut().push(line.to_owned()));
            let lines = failure.unwrap_err().lines().join("\n");
            assert!(lines.contains("--allow-directives"), "{lines}");
            let told = told.into_inner();
            assert_eq!(told.len(), 2, "{told:?}");
            assert!(told[0].starts_with("line 3 is no ") && told[0].ends_with(" x"), "{told:?}");
            content.check(true, |line| panic!("{line}")).unwrap();
        }
    }
}
