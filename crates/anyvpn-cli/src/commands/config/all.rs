//! `anyvpn config get --all`: writes a file for every server.

use std::path::{Path, PathBuf};

use anyvpn::{ErrorKind, LeftOut, PrivateKey, Protocol, Server, ServerConfigs};
use anyvpn_http::create_private_folder;
use futures_util::TryStreamExt as _;
use serde::Serialize;

use super::content::Content;
use super::formats::Format;
use super::get::{Get, left, name_device, no_server, preferred_protocol, protocols};
use super::openvpn;
use super::options::{Targets, credentials_path};
use crate::commands::server::{Lack, tell_left_out};
use crate::context::Context;
use crate::failure::{Details, Failure};
use crate::file::OutputFile;
use crate::file_names::file_names;
use crate::progress::Progress;
use crate::text::{Column, ShownPath, plain, reason, table};

#[derive(Serialize)]
struct Answer<'a> {
    folder: ShownPath,
    configs: Vec<Row<'a>>,
    /// Servers for which there is no configuration.
    skipped: Vec<Skipped<'a>>,
    left_out: Lack<'a>,
}

#[derive(Serialize)]
struct Row<'a> {
    server: &'a str,
    name: &'a str,
    protocol: &'a Protocol,
    /// `None` if the file was not written.
    path: Option<ShownPath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credentials_path: Option<ShownPath>,
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    warnings: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Details<'a>>,
}

#[derive(Serialize)]
struct Skipped<'a> {
    server: &'a str,
    name: &'a str,
    protocols: &'a [Protocol],
    why: &'a str,
}

/// A file that was written.
#[derive(Default)]
struct Written {
    path: PathBuf,
    credentials: Option<PathBuf>,
    id: Option<String>,
    warnings: Vec<String>,
}

pub async fn run(context: &Context, configs: &dyn ServerConfigs, args: Get) -> Result<(), Failure> {
    let folder = args.output_dir.clone().unwrap_or_default();
    make_folder(&folder)?;
    let mut key = args.options.key()?;
    let own_key = key.is_some();
    if key.is_none() {
        // With a single key, all servers share one device. Accounts have a limit on devices.
        key = Some(PrivateKey::generate()?);
    }

    let (mut servers, mut skipped) = (Vec::new(), Vec::new());
    let mut all = configs.servers();
    while let Some(server) = all.try_next().await? {
        if !args.filter.fits(&server) {
            continue;
        }
        match (&args.protocol, preferred_protocol(&server)) {
            (Some(wanted), _) if !server.protocols.contains(wanted) => {}
            _ if server.host.is_none() => skipped.push((server, "offline".to_owned())),
            (Some(wanted), _) => servers.push((server, wanted.clone())),
            (None, Some(protocol)) => servers.push((server, protocol)),
            (None, None) => {
                let why = format!("supports only {}", protocols(&server));
                skipped.push((server, why));
            }
        }
    }
    let left_out = all.left_out().clone();
    drop(all);
    tell_left_out(context, &left_out);
    for (_, protocol) in &servers {
        args.options.check(protocol, &args.openvpn)?;
    }

    let format = args.options.wireguard.format();
    let files = file_names(&servers, format.extension);
    let progress = context.output.progress(servers.len());
    let mut outcomes: Vec<Result<Written, Failure>> = Vec::new();
    let mut work = Work { context, configs, args: &args, key, own_key };
    for ((server, protocol), file) in servers.iter().zip(files) {
        progress.begin(&server.name);
        let path = folder.join(file);
        let is_there = [path.clone(), credentials_path(&path)]
            .iter()
            .any(|path| path.symlink_metadata().is_ok());
        let targets = args.options.file(&path, protocol, &args.openvpn);
        let is_writable = is_there || targets.is_ok();
        let outcome = match targets {
            Ok(targets) => work.get(server, protocol, targets).await,
            Err(failure) => Err(failure),
        };
        report_done(&progress, server, &outcome);
        let is_first = !outcomes.iter().any(Result::is_ok);
        let is_end = match &outcome {
            Err(failure) => !is_writable || !is_there && concerns_all(failure, is_first),
            Ok(_) => false,
        };
        outcomes.push(outcome);
        if is_end {
            break;
        }
    }
    drop(progress);
    report(context, format, &folder, &servers, outcomes, &skipped, &left_out)
}

struct Work<'a> {
    context: &'a Context,
    configs: &'a dyn ServerConfigs,
    args: &'a Get,
    /// The key for all servers. `None` if the provider creates a key for each server.
    key: Option<PrivateKey>,
    own_key: bool,
}

impl Work<'_> {
    /// Gets one configuration and writes it.
    async fn get(
        &mut self,
        server: &Server,
        protocol: &Protocol,
        targets: Targets,
    ) -> Result<Written, Failure> {
        let Self { context, configs, args, own_key, .. } = *self;
        let Get { options, openvpn, .. } = args;
        let form = targets.form(options, openvpn)?;
        let request = |key| options.wireguard.request(&server.id, protocol.clone(), key);
        let obtained = match configs.obtain_config(&request(self.key.clone())).await {
            // The provider creates the keys itself. It refuses ours before it creates anything.
            Err(error) if !own_key && error.fields().contains_key("private_key") => {
                self.key = None;
                configs.obtain_config(&request(None)).await
            }
            obtained => obtained,
        };
        let obtained = obtained.map_err(no_server)?;
        let lost = |failure: Failure| left(failure, &obtained, own_key);
        let print = |line: &str| context.output.explain(&format!("{}: {line}", server.name));
        let content = Content::of(&obtained.config, form).map_err(lost)?;
        content.check(options.allow_directives, print).map_err(lost)?;
        let path = |file: &OutputFile| file.path().to_owned();
        let mut written = Written { id: obtained.id.clone(), ..Written::default() };
        if let Some((file, credentials)) = targets.credentials.zip(content.credentials) {
            written.credentials = Some(path(&file));
            file.write(&credentials).map_err(lost)?;
        }
        if let Some(file) = targets.file {
            written.path = path(&file);
            file.write(&content.text).map_err(lost)?;
        }
        written.warnings = content.warnings;
        written.warnings.extend(obtained.note.clone());
        written.warnings.iter().for_each(|line| {
            context.output.note(&format!("{}: {line}", server.name));
        });
        name_device(context, options, &obtained).await;
        Ok(written)
    }
}

/// Creates the folder, readable only by its owner, unless it exists.
fn make_folder(folder: &Path) -> Result<(), Failure> {
    create_private_folder(folder).map_err(|error| {
        let why = if folder.is_file() { "it is not a folder".to_owned() } else { reason(&error) };
        Failure::other(format!("cannot create the folder {}: {why}", folder.display()))
            .hint("choose another folder with --output-dir")
    })
}

/// Returns whether all other servers would fail in the same way. If the first server fails, this
/// includes problems with the options and with the form of the configurations.
fn concerns_all(failure: &Failure, is_first: bool) -> bool {
    match failure.library_kind() {
        None | Some(ErrorKind::InvalidRequest) => is_first,
        Some(kind) => matches!(
            kind,
            ErrorKind::Unauthorized
                | ErrorKind::Suspended
                | ErrorKind::NoService
                | ErrorKind::ServiceInactive
                | ErrorKind::ServiceExpired
                | ErrorKind::DeviceLimit
        ),
    }
}

fn report_done(progress: &Progress, server: &Server, outcome: &Result<Written, Failure>) {
    progress.done(&match outcome {
        Ok(Written { path, .. }) => format!("{}: {}", server.name, path.display()),
        Err(failure) => format!("{}: failed: {failure}", server.name),
    });
}

fn report(
    context: &Context,
    format: &Format,
    folder: &Path,
    servers: &[(Server, Protocol)],
    outcomes: Vec<Result<Written, Failure>>,
    skipped: &[(Server, String)],
    left_out: &LeftOut,
) -> Result<(), Failure> {
    let tried = servers.iter().zip(&outcomes);
    let answer = Answer {
        folder: folder.into(),
        configs: tried.map(|(server, outcome)| row(server, outcome)).collect(),
        skipped: skipped
            .iter()
            .map(|(server, why)| Skipped {
                server: &server.id,
                name: &server.name,
                protocols: &server.protocols,
                why,
            })
            .collect(),
        left_out: left_out.into(),
    };
    context.output.answer(&answer, || text(&answer, &outcomes))?;
    let first = servers
        .iter()
        .zip(&outcomes)
        .find_map(|((_, protocol), outcome)| Some((protocol, &outcome.as_ref().ok()?.path)));
    match first {
        Some((Protocol::OpenVpn, path)) => context.output.note(&openvpn::next(path)),
        Some((_, path)) => (format.next)(path).iter().for_each(|line| context.output.note(line)),
        None => {}
    }
    let failed = outcomes.iter().filter(|outcome| outcome.is_err()).count();
    let all = servers.len();
    let not_tried = all - outcomes.len();
    match outcomes.into_iter().find_map(Result::err) {
        None => Ok(()),
        Some(first) if not_tried > 0 => {
            Err(first.within(format!("{failed} of {all} servers failed, {not_tried} not tried")))
        }
        Some(first) => Err(first.within(format!("{failed} of {all} servers failed, first"))),
    }
}

fn row<'a>(
    (server, protocol): &'a (Server, Protocol),
    outcome: &'a Result<Written, Failure>,
) -> Row<'a> {
    let written = outcome.as_ref().ok();
    Row {
        server: &server.id,
        name: &server.name,
        protocol,
        path: written.map(|written| (&written.path).into()),
        credentials_path: written.and_then(|written| written.credentials.as_ref()).map(Into::into),
        id: written.and_then(|written| written.id.as_deref()),
        warnings: written.map_or(&[][..], |written| &written.warnings),
        error: outcome.as_ref().err().map(Failure::details),
    }
}

fn text(answer: &Answer, outcomes: &[Result<Written, Failure>]) -> String {
    let written = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let plural = if written == 1 { "" } else { "s" };
    let head = plain(&format!("Wrote {written} configuration{plural} to {}", answer.folder));
    let missing =
        |server: &str, name: &str, why: String| vec![server.to_owned(), name.to_owned(), why];
    let skipped = answer
        .skipped
        .iter()
        .map(|skipped| missing(skipped.server, skipped.name, skipped.why.to_owned()));
    let failed = answer.configs.iter().zip(outcomes).filter_map(|(row, outcome)| {
        let failure = outcome.as_ref().err()?;
        Some(missing(row.server, row.name, failure.to_string()))
    });
    let rows: Vec<_> = skipped.chain(failed).collect();
    if rows.is_empty() {
        return head;
    }
    let columns = ["SERVER", "NAME", "NOT WRITTEN"].map(Column::Text);
    format!("{head}\n\n{}", table(&columns, rows))
}
