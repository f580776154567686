//! The text of an OpenVPN profile.

use super::servers::{Profile, Server};

/// Returns the document's sample, with the changes of the server's `Profile`.
pub(super) fn text(server: &Server, ca: &str) -> String {
    let Server { address, port, profile, .. } = server;
    // Directives that OpenVPN 2.6 refuses outside Windows, as in the sample.
    let (bare, without_certificate) = match profile {
        Profile::AsDocumented => ("block-outside-dns\n", "client-cert-not-required\n"),
        _ => ("", ""),
    };
    let hostile = match profile {
        Profile::Hostile => "script-security 2\nup /usr/bin/hostile\nplugin /usr/lib/hostile.so\n",
        _ => "",
    };
    format!(
        "client\ndev tun\nproto udp\nremote {address} {port}\nresolv-retry infinite\nnobind\n\
         persist-tun\nauth-user-pass\nreneg-sec 0\n{bare}cipher AES-128-GCM\n\
         tls-version-min 1.2\ntls-cipher TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256\n\
         mute-replay-warnings\nverb 0\n{without_certificate}\
         ignore-unknown-option block-outside-dns\n\
         setenv opt block-outside-dns # Prevent Windows 10 DNS leak\n{hostile}\
         <ca>\n{ca}\n</ca>\n"
    )
}
