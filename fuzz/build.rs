//! The command's modules, for the targets that read what it reads: they are private, so that they are
//! compiled anew, each where its `crate::` paths lead.

use std::path::Path;
use std::{env, fs};

fn main() {
    let folder =
        Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap()).join("../crates/anyvpn-cli/src");
    let root = folder.join("lib.rs");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut modules = String::new();
    for line in fs::read_to_string(root).unwrap().lines() {
        if line.starts_with("#[cfg(") {
            modules.push_str(line);
        }
        let Some(name) = line.strip_prefix("mod ").and_then(|it| it.strip_suffix(';')) else {
            continue;
        };
        let files = [format!("{name}.rs"), format!("{name}/mod.rs")];
        let file = files.iter().map(|it| folder.join(it)).find(|it| it.exists()).unwrap();
        modules.push_str(&format!("#[path = {:?}]\nmod {name};\n", file.canonicalize().unwrap()));
    }
    let out = Path::new(&env::var("OUT_DIR").unwrap()).join("command.rs");
    fs::write(out, modules).unwrap();
}
