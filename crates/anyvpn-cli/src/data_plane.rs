//! `anyvpn sandbox --data-plane`: the sandbox's network, and how to enter it.

use anyvpn_sandbox::SandboxBuilder;
use serde_json::Value;

use crate::failure::Failure;

/// How to use the network.
pub struct Description {
    /// For `--json`.
    pub document: Value,
    /// For people.
    pub text: String,
}

/// Creates the network for a sandbox. For an ordinary user, the process first restarts itself in a
/// user namespace.
#[cfg(target_os = "linux")]
pub fn add(builder: SandboxBuilder) -> Result<(SandboxBuilder, Description), Failure> {
    use anyvpn_sandbox::data_plane::Namespaces;
    use serde_json::json;

    if Namespaces::need_user_namespace() {
        match Namespaces::enter().map_err(not_started)? {}
    }
    let namespaces = Namespaces::start().map_err(not_started)?;
    let (client, internet) = (namespaces.client(), namespaces.internet());
    let public = namespaces.public_address();
    // Ordinary users lack the folder in which Debian has nft and sysctl, which wg-quick runs.
    let shell = "--wdns=\"$PWD\" \\\n    env PATH=\"$PATH:/usr/sbin\" \"$SHELL\"";
    let text = format!(
        "The data plane is up. Enter the client, where the tunnel comes up, with\n{} {shell}\n\
         and the internet, which reaches forwarded ports at {public}, with\n{} {shell}",
        client.join(" "),
        internet.join(" "),
    );
    let document = json!({ "public_address": public, "client": client, "internet": internet });
    Ok((builder.data_plane(namespaces), Description { document, text }))
}

#[cfg(not(target_os = "linux"))]
pub fn add(_builder: SandboxBuilder) -> Result<(SandboxBuilder, Description), Failure> {
    Err(Failure::unsupported("--data-plane needs Linux"))
}

#[cfg(target_os = "linux")]
fn not_started(error: anyvpn_sandbox::data_plane::DataPlaneError) -> Failure {
    use anyvpn_sandbox::data_plane::DataPlaneError;

    use crate::text::reason;

    let why = match &error {
        DataPlaneError::NoTun(source) | DataPlaneError::Io { source, .. } => {
            format!(": {}", reason(source))
        }
        _ => String::new(),
    };
    let failure = Failure::other(format!("{error}{why}"));
    match error {
        DataPlaneError::MissingPrograms { packages, .. } => {
            failure.hint(format!("on Debian, run: apt-get install {packages}"))
        }
        DataPlaneError::NoNamespaces(_) => failure.hint(
            "run it as root, or allow user namespaces: see the settings \
             kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns",
        ),
        DataPlaneError::NoTun(_) => failure
            .hint("as root, run: modprobe tun; other users need the right to read and write it"),
        _ => failure,
    }
}
