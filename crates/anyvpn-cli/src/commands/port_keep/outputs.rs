//! The places where a keeper publishes its state.

use std::future::Future;
use std::sync::Arc;

use anyvpn::{Clock as _, ProviderInfo};
use anyvpn_http::{SystemClock, create_private_folder};
use anyvpn_keeper::Snapshot;
use anyvpn_keeper::publish::{
    Access, ControlApi, Line, PublishedFile, Publisher, PublishingObserver, StatusLock,
};

use super::Keep;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Output, line_of_json};
use crate::secrets::{read, read_open};
use crate::text::reason;

/// Opens the files, the API and the lines of stdout. The returned future serves the API.
pub async fn open(
    context: &Context,
    info: &'static ProviderInfo,
    args: &Keep,
) -> Result<(PublishingObserver, Option<impl Future<Output = ()> + Send + 'static>), Failure> {
    let publisher = Publisher::new(files(context, info, args)?, Snapshot::new(SystemClock.now()));
    let latest = publisher.subscribe();
    let api = match args.api {
        Some(_) => Some(api(context, args).await?.serve(latest)),
        None => None,
    };
    let output = context.output;
    let observer =
        PublishingObserver::new(publisher, Arc::new(SystemClock), move |line| print(output, line));
    Ok((observer, api))
}

/// Locks the status, so that `anyvpn port status` knows that the keeper is running. A failure does not end
/// the keeper.
pub async fn lock_status(
    context: &Context,
    info: &'static ProviderInfo,
    args: &Keep,
) -> Option<StatusLock> {
    let path = args.status_json(context, info)?;
    match StatusLock::take(&path).await {
        Ok(lock) => Some(lock),
        Err(error) => {
            let why = reason(&error);
            context.output.explain(&format!(
                "warning: cannot lock {}: {why}; `port status` cannot say whether the keeper is running",
                path.display()
            ));
            None
        }
    }
}

fn files(
    context: &Context,
    info: &'static ProviderInfo,
    args: &Keep,
) -> Result<Vec<PublishedFile>, Failure> {
    let mut files = Vec::new();
    let numbers = [
        args.status_file.clone().map(PublishedFile::status),
        args.public_ip_file.clone().map(PublishedFile::public_ip),
    ];
    for file in numbers.into_iter().flatten() {
        files.push(if args.in_place { file.in_place() } else { file });
    }
    if let Some(path) = args.status_json(context, info) {
        if let Some(folder) = path.parent() {
            // If this fails, writing the file reports it.
            let _ = create_private_folder(folder);
        }
        files.push(PublishedFile::status_json(path));
    }
    if let Some(path) = args.metrics_file.clone() {
        let file = PublishedFile::textfile(path);
        files.push(file.map_err(|error| Failure::usage(error.to_string()))?);
    }
    Ok(files)
}

async fn api(context: &Context, args: &Keep) -> Result<ControlApi, Failure> {
    let address = args.api.unwrap_or_else(|| ([127, 0, 0, 1], 0).into());
    let access = match (&args.api_key_file, &args.api_roles) {
        (Some(file), _) => Access::key(read(file)?),
        (None, Some(file)) => Access::from_toml(&read_open(file)?),
        (None, None) if address.ip().is_loopback() => Ok(Access::open()),
        (None, None) => {
            return Err(Failure::usage(format!("other machines could read the API at {address}"))
                .hint("listen on 127.0.0.1, or set --api-key-file or --api-roles"));
        }
    };
    let access = access.map_err(|error| Failure::usage(format!("the API's access: {error}")))?;
    let failed = |error: std::io::Error| {
        Failure::other(format!("cannot listen on {address}: {}", reason(&error)))
            .hint("choose another address or port with --api")
    };
    let api = ControlApi::bind(address, access).await.map_err(failed)?;
    if let Ok(address) = api.address() {
        context.output.note(&format!("The API listens at http://{address}."));
    }
    Ok(api)
}

/// Prints a line. A closed pipe does not end the keeper.
fn print(output: Output, line: Line<'_>) {
    match line {
        Line::Event(event) if output.json => {
            if let Ok(text) = line_of_json(event) {
                let _ = output.lines(&text);
            }
        }
        Line::Event(event) if !output.quiet => drop(output.lines(&event.to_string())),
        Line::Warning(text) => output.explain(&format!("warning: {text}")),
        _ => {}
    }
}
