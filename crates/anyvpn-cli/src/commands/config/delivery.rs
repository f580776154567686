//! Writes a configuration to files or stdout, and says what to do with it.

use anyvpn::{Leftover, LeftoverKind, Protocol, REDACTED, Secret, ServerConfig};
use serde::Serialize;

use super::content::Content;
use super::openvpn;
use super::options::{Options, Picture, Targets};
use crate::advice::undo;
use crate::context::Context;
use crate::failure::Failure;
use crate::file::OutputFile;
use crate::output::{Output, only_copy};
use crate::qr::Qr;
use crate::text::{ShownPath, height, plain, width};

#[derive(Serialize)]
struct Obtained<'a> {
    id: Option<&'a str>,
    protocol: &'a Protocol,
    server: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<ShownPath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials_path: Option<ShownPath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    qr_path: Option<ShownPath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<&'a str>,
    /// Reasons why the VPN program may refuse the configuration.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    /// Only for a rotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    old_key_valid: Option<bool>,
}

impl<'a> Obtained<'a> {
    fn new(id: Option<&'a str>, protocol: &'a Protocol, server: &'a str) -> Self {
        Self {
            id,
            protocol,
            server,
            path: None,
            credentials_path: None,
            qr_path: None,
            config: None,
            warnings: Vec::new(),
            old_key_valid: None,
        }
    }
}

pub struct Delivery<'a> {
    pub server: &'a str,
    pub obtained: &'a ServerConfig,
    pub old_key_valid: Option<bool>,
}

impl Delivery<'_> {
    /// Writes the configuration and prints what to do with it. `lost` adds to a failure what exists at the
    /// provider although its key is lost.
    pub fn deliver(
        self,
        context: &Context,
        options: &Options,
        targets: Targets,
        content: Content,
        lost: impl Fn(Failure) -> Failure,
    ) -> Result<(), Failure> {
        let output = context.output;
        // Draw the QR code first, because it can fail without writing anything.
        let (qr, picture) = pictures(&content.text, &targets, output).map_err(&lost)?;

        let path = |file: &OutputFile| ShownPath::from(file.path());
        let mut answer = Obtained::new(self.obtained.id.as_deref(), &content.protocol, self.server);
        answer.old_key_valid = self.old_key_valid;
        if let Some((file, credentials)) = targets.credentials.zip(content.credentials) {
            answer.credentials_path = Some(path(&file));
            file.write(&credentials).map_err(&lost)?;
        }
        let mut next = Vec::new();
        if let Some(file) = targets.file {
            answer.path = Some(path(&file));
            next = match content.protocol {
                Protocol::OpenVpn => vec![openvpn::next(file.path())],
                _ => (options.wireguard.format().next)(file.path()),
            };
            file.write(&content.text).map_err(&lost)?;
        }
        if let Some(((file, _), picture)) = targets.picture.zip(picture) {
            answer.qr_path = Some(path(&file));
            next.push(format!("{SCAN} {}", path(&file)));
            file.write_bytes(&picture).map_err(&lost)?;
        }
        let is_written = answer.path.is_some() || answer.qr_path.is_some();
        answer.warnings = content.warnings;
        answer.warnings.extend(self.obtained.note.clone());
        answer.warnings.iter().for_each(|line| output.note(line));
        if let Some(qr) = qr {
            only_copy(|| output.secret(&qr), lost)?;
            // stdout gets only the QR code.
            output.note(&paths(&answer));
            next.push(format!("{SCAN} the code above."));
            next.extend(too_tall(&qr));
        } else if is_written {
            output.answer(&answer, || paths(&answer))?;
        } else if output.json {
            let shown = if options.reveal { content.text.expose() } else { &content.redacted };
            answer.config = Some(shown);
            only_copy(|| output.document(&answer), lost)?;
        } else {
            only_copy(|| output.secret(&content.text), lost)?;
        }
        next.iter().for_each(|line| output.note(line));
        Ok(())
    }
}

const SCAN: &str = "Next: in the WireGuard app, choose \"Scan from QR code\", and scan";

/// A configuration that anyvpn could not read, as the provider sent it.
pub struct Unread<'a> {
    pub server: &'a str,
    pub id: &'a str,
    pub protocol: &'a Protocol,
    pub text: &'a Secret,
}

impl Unread<'_> {
    /// Writes the text without checking it.
    pub fn deliver(
        self,
        context: &Context,
        options: &Options,
        targets: Targets,
    ) -> Result<(), Failure> {
        let Self { server, id, protocol, text } = self;
        let (output, lost) = (context.output, |failure: Failure| made(failure, id));
        let mut answer = Obtained::new(Some(id), protocol, server);
        match targets.file {
            Some(file) => {
                answer.path = Some(file.path().into());
                file.write(text).map_err(lost)?;
                output.answer(&answer, || paths(&answer))?;
            }
            None if output.json => {
                let shown = if options.reveal { text.expose() } else { REDACTED };
                answer.config = Some(shown);
                only_copy(|| output.document(&answer), lost)?;
            }
            None => only_copy(|| output.secret(text), lost)?,
        }
        output.note("anyvpn cannot read this configuration, so it was not checked.");
        Ok(())
    }
}

/// Adds to a failure that the provider has created a configuration, which is lost here.
pub fn made(failure: Failure, id: &str) -> Failure {
    let what = format!("configuration {id} exists at the provider");
    failure.leaving(&what, format!("remove it: {}", revoke(id))).with_leftover(configuration(id))
}

/// Names a configuration at the provider as a leftover.
pub fn configuration(id: &str) -> Leftover {
    Leftover::new(LeftoverKind::Configuration, id)
}

/// Returns the command that removes a configuration.
pub fn revoke(id: &str) -> String {
    undo(&configuration(id))
}

/// Draws the QR code for the terminal and for the picture, if they are wanted.
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

/// Returns a note if the QR code has more lines than the terminal.
fn too_tall(code: &Secret) -> Option<String> {
    let (lines, height) = (code.expose().lines().count(), height()?);
    (lines > usize::from(height)).then(|| {
        format!(
            "The QR code needs {lines} lines, but this terminal has {height}. Enlarge the window or reduce \
             the font size. Next time, you can write a picture with --qr-file FILE.png."
        )
    })
}

/// Lists the files that were written, one a line, with the id.
fn paths(answer: &Obtained) -> String {
    let files = [&answer.path, &answer.credentials_path, &answer.qr_path].into_iter().flatten();
    let id = answer.id.map(|id| format!("id {id}"));
    let lines = files.map(|path| match &id {
        Some(id) => plain(&format!("{path}, {id}")),
        None => plain(&path.to_string()),
    });
    let lines: Vec<_> = lines.collect();
    // With a QR code on the terminal there may be no file.
    if lines.is_empty() { plain(&id.unwrap_or_default()) } else { lines.join("\n") }
}
