//! `cargo xtask openapi`: tries the providers' OpenAPI documents with the tools of other languages. The
//! programs in `xtask/openapi` try the generated clients on the sandbox.

mod sandbox;
mod tools;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use self::sandbox::Sandbox;
use self::tools::{Tools, finish};
use crate::{cargo, workspace};

/// The minimum number of operations that a client must perform.
const OPERATIONS: usize = 5;
/// The sandbox's seeds, and schemathesis's own.
const SEEDS: [&str; 4] = ["0", "1", "2", "3"];
/// The operations that end the account or the tokens in use, and are therefore tried last.
const ENDINGS: [&str; 4] = ["delete-user", "delete-all-tokens", "close-client", "expire-token"];

/// A provider's document.
struct Document {
    provider: String,
    file: PathBuf,
}

/// What a tool did with a document, or why it failed.
type Outcome = Result<String, String>;
/// One tool, tried on one document.
type Try = fn(&Tools, &Document) -> Outcome;

/// The tools, those of Python first.
const PYTHON: [(&str, Try); 3] = [
    ("openapi-spec-validator", validate),
    ("openapi-python-client", python_client),
    ("schemathesis", schemathesis),
];
const NODE: [(&str, Try); 1] = [("openapi-typescript", typescript_client)];

/// Tries every tool on every document, and prints each outcome.
///
/// # Errors
///
/// If a tool fails or, with `no_skip`, if one cannot be tried.
pub fn run(root: &Path, no_skip: bool) -> Result<(), String> {
    let mut documents = Vec::new();
    for provider in workspace::with_document(root)?.into_iter().filter(|it| it.is_published) {
        let file = root.join(&provider.folder).join("openapi.yaml");
        let file = file.canonicalize().map_err(|e| format!("{}: {e}", file.display()))?;
        documents.push(Document { provider: provider.name, file });
    }
    cargo::run(&["build", "--quiet", "--package", "anyvpn-cli"], &[])?;
    let tools = Tools::new(root)?;
    let (mut failed, mut skipped) = (0, 0);
    let mut group = |missing: Option<String>, group: &[(&str, Try)]| {
        for (tool, attempt) in group {
            for document in &documents {
                let outcome = match &missing {
                    Some(why) => Err(("skipped", why.clone())),
                    None => attempt(&tools, document).map_err(|why| ("failed", why)),
                };
                let (word, told) = outcome.map_or_else(|why| why, |tried| ("passed", tried));
                failed += usize::from(word == "failed");
                skipped += usize::from(word == "skipped");
                println!("{word:8} {tool:24}{:13}{told}", document.provider);
            }
        }
    };
    group(tools.python()?, &PYTHON);
    group(tools.node()?, &NODE);
    verdict(failed, skipped, no_skip)
}

/// Returns whether the whole run passed.
fn verdict(failed: usize, skipped: usize, no_skip: bool) -> Result<(), String> {
    match (failed, skipped) {
        (0, 0) => Ok(()),
        (0, _) if !no_skip => Ok(()),
        _ => Err(format!("openapi: {failed} failed, {skipped} skipped")),
    }
}

fn validate(tools: &Tools, document: &Document) -> Outcome {
    finish(tools.python_tool("openapi-spec-validator").arg(&document.file))?;
    Ok("tried: the document is OpenAPI 3.1".to_owned())
}

/// Generates a client, checks its types, and makes calls with it.
fn python_client(tools: &Tools, document: &Document) -> Outcome {
    let package = format!("{}_client", document.provider);
    let folder = tools.folder("generated-python")?;
    // A warning means that the client lacks something.
    let generated = finish(
        tools
            .python_tool("openapi-python-client")
            .args(["generate", "--meta", "none", "--overwrite", "--fail-on-warning"])
            .args(["--output-path", &package, "--path"])
            .arg(&document.file)
            .current_dir(&folder),
    )?;
    if generated.to_lowercase().contains("warning") {
        return Err(generated);
    }
    let program = tools.program(&format!("{}.py", document.provider))?;
    let mypy = || {
        let mut mypy = tools.python_tool("mypy");
        mypy.current_dir(&folder).arg("--config-file").arg(tools.programs.join("mypy.ini"));
        mypy
    };
    finish(mypy().arg(&package))?;
    finish(mypy().args(["--strict", "--follow-imports", "silent"]).arg(&program))?;
    let mut python = tools.python_tool("python");
    python.arg(&program).current_dir(&folder).env("PYTHONPATH", &folder);
    Ok(format!("tried: mypy, and {}", calls(&mut python)?))
}

/// Generates the types of a client, checks a program against them, and makes calls with it.
fn typescript_client(tools: &Tools, document: &Document) -> Outcome {
    let folder = tools.folder("generated-typescript")?;
    let name = &document.provider;
    let types = format!("{name}-api.ts");
    finish(
        tools
            .node_tool("openapi-typescript")
            .arg(&document.file)
            .args(["--output", &types])
            .current_dir(&folder),
    )?;
    let program = format!("{name}.ts");
    let from = tools.program(&program)?;
    fs::copy(&from, folder.join(&program)).map_err(|e| format!("{}: {e}", from.display()))?;
    finish(
        tools
            .node_tool("tsc")
            .args(["--strict", "--noUncheckedIndexedAccess", "--skipLibCheck"])
            .args(["--target", "es2022", "--module", "nodenext", "--types", "node"])
            .args(["--outDir", "out", &program])
            .current_dir(&folder),
    )?;
    let mut node = Command::new("node");
    node.arg(folder.join("out").join(format!("{name}.js")));
    Ok(format!("tried: tsc, and {}", calls(&mut node)?))
}

/// Runs a program that calls a new sandbox, and returns a summary of what arrived.
fn calls(program: &mut Command) -> Outcome {
    let sandbox = Sandbox::start(SEEDS[0])?;
    finish(program.envs(sandbox.environment()))?;
    let (operations, refusals) = sandbox.received()?;
    if operations < OPERATIONS || refusals == 0 {
        return Err(format!(
            "only {operations} operations and {refusals} refusals: try {OPERATIONS}, and one refusal"
        ));
    }
    Ok(format!("{operations} operations on the sandbox, {refusals} calls of them refused"))
}

/// Lets schemathesis search for replies that do not match the document.
fn schemathesis(tools: &Tools, document: &Document) -> Outcome {
    let text = fs::read_to_string(&document.file)
        .map_err(|e| format!("{}: {e}", document.file.display()))?;
    let there = |id: &&&str| text.contains(&format!("operationId: {id}\n"));
    let endings: Vec<&str> = ENDINGS.iter().filter(there).copied().collect();
    let mut rounds = vec![("--exclude-operation-id", endings.as_slice())];
    if !endings.is_empty() {
        rounds.push(("--include-operation-id", endings.as_slice()));
    }
    let config = schemathesis_config(tools, &document.provider)?;
    let mut cases = 0;
    for seed in SEEDS {
        let sandbox = Sandbox::start(seed)?;
        let name = document.provider.to_uppercase();
        let url = sandbox.variable(&format!("ANYVPN_{name}_URL"))?;
        for (option, operations) in &rounds {
            let mut command = tools.python_tool("schemathesis");
            command
                .arg("--config-file")
                .arg(&config)
                .arg("run")
                .arg(&document.file)
                .args(["--url", url, "--header", "Accept: application/json", "--seed", seed])
                .args(["--max-examples", "20", "--warnings", "off"])
                .args(operations.iter().flat_map(|operation| [option, operation]))
                .current_dir(tools.folder("schemathesis")?)
                .envs(sandbox.environment())
                .env("SCHEMATHESIS_HOOKS", tools.programs.join("hooks.py"));
            // Other kinds of credentials are in the provider's own file.
            if let Ok(token) = sandbox.variable(&format!("ANYVPN_{name}_TOKEN"))
                && text.contains("scheme: bearer\n")
            {
                command.args(["--header", &format!("Authorization: Bearer {token}")]);
            }
            let told = finish(&mut command).map_err(|e| format!("seed {seed}: {e}"))?;
            cases += generated(&told).ok_or_else(|| format!("seed {seed}: no cases:\n{told}"))?;
        }
    }
    Ok(format!("tried: {cases} calls, with seeds 0 to 3"))
}

/// Writes the settings for all documents, followed by those for the provider's document, if there are
/// any.
fn schemathesis_config(tools: &Tools, provider: &str) -> Result<PathBuf, String> {
    let read =
        |file: PathBuf| fs::read_to_string(&file).map_err(|e| format!("{}: {e}", file.display()));
    let mut text = read(tools.programs.join("schemathesis.toml"))?;
    let own = tools.programs.join(format!("{provider}.toml"));
    if own.is_file() {
        text += &read(own)?;
    }
    let config = tools.folder("schemathesis")?.join(format!("{provider}.toml"));
    fs::write(&config, text).map_err(|e| format!("{}: {e}", config.display()))?;
    Ok(config)
}

/// Returns the number of calls that schemathesis reports.
fn generated(told: &str) -> Option<usize> {
    let (before, _) = told.split_once(" generated, ")?;
    before.rsplit([' ', '\n']).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_calls_is_read() {
        assert_eq!(generated("Test cases:\n  846 generated, 846 passed"), Some(846));
        assert_eq!(generated("Test cases:\n  none"), None);
    }

    #[test]
    fn a_skipped_tool_fails_the_run_only_with_no_skip() {
        assert!(verdict(0, 0, true).is_ok() && verdict(0, 5, false).is_ok());
        assert!(verdict(0, 5, true).is_err() && verdict(1, 0, false).is_err());
    }

    #[test]
    fn each_document_has_its_programs() {
        let root = cargo::root();
        for provider in workspace::with_document(root).unwrap() {
            for kind in ["py", "ts"].iter().filter(|_| provider.is_published) {
                let program = root.join("xtask/openapi").join(format!("{}.{kind}", provider.name));
                assert!(program.is_file(), "{} is missing", program.display());
            }
        }
    }
}
