//! Writes `docs/endpoints.md`.

use anyvpn_codegen::{Provider, Security};

/// One table a provider.
pub fn endpoints(providers: &[Provider]) -> String {
    let mut out = "# Endpoints\n\n\
        Every operation of every provider. Written by `cargo xtask codegen` from the OpenAPI \
        documents.\n\n\
        The operation is what `anyvpn call PROVIDER OPERATION` takes; the type is its struct in the \
        provider's crate. Replay says whether a call may be sent again: safe changes nothing, \
        idempotent done twice is as done once, once is never repeated after it may have arrived.\n"
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
        // A kind of security that the table does not know yet would show as nothing.
        other => format!("{other:?}"),
    }
}
