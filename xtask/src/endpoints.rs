//! Writes `docs/endpoints.md`.

use anyvpn_codegen::{Provider, Security};

/// Writes the page, with a table for each provider.
pub fn endpoints(providers: &[Provider]) -> String {
    let mut out = "# Endpoints\n\n\
        This page is for users of `anyvpn call` and for programmers who use a provider's crate. It \
        lists every operation of every provider, with its replay class and the credential that it \
        needs.\n\n\
        The operation is the argument of `anyvpn call PROVIDER OPERATION`, and the type is its struct \
        in the provider's crate. Replay says whether a call may be sent again. A safe call changes \
        nothing. An idempotent call has the same effect if it is sent again. A once call is never \
        sent again once it may have arrived. `cargo xtask codegen` writes this page from the OpenAPI \
        documents.\n"
        .to_owned();
    for provider in providers {
        out += &format!(
            "\n## {}\n\n\
             | Operation | Type | Request | Replay | Credential | What it does | Source |\n\
             |---|---|---|---|---|---|---|\n",
            provider.title
        );
        for operation in &provider.operations {
            let cells = [
                format!("`{}`", operation.id),
                format!("`{}`", operation.name),
                format!("`{} {}`", operation.method.to_ascii_uppercase(), operation.path),
                operation.replay.to_ascii_lowercase(),
                credential(&operation.security),
                operation.summary.clone(),
                operation.source.clone(),
            ];
            let cells = cells.map(|cell| cell.replace('|', "\\|"));
            out += &format!("| {} |\n", cells.join(" | "));
        }
    }
    out
}

fn credential(security: &Security) -> String {
    match security {
        Security::None => "none".to_owned(),
        Security::Required(schemes) => schemes.join(" or "),
        Security::Optional(schemes) => format!("{} or none", schemes.join(" or ")),
        Security::RequiredWithout(schemes, field) => {
            format!("{}; none with `{field}`", schemes.join(" or "))
        }
        // A new kind of security is shown in its Rust form instead of being omitted.
        other => format!("{other:?}"),
    }
}
