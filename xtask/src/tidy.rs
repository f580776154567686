//! `cargo xtask tidy`: checks the house rules that no compiler checks.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{documents, house, samples, workspace};

/// The longest source file, in lines.
const LONGEST: usize = 500;

/// Files that are longer, and why.
const LONGER: &[(&str, &str)] = &[
    ("crates/anyvpn-core/src/provider.rs", "the neutral traits and types are read as one text"),
    ("crates/anyvpn-core/tests/wireguard.rs", "a table of what wg and wg-quick accept and refuse"),
    ("crates/anyvpn-keeper/src/machine/provider_calls.rs", "one call at a time, chosen among all"),
    ("crates/anyvpn-keeper/tests/histories/world.rs", "the simulated world is one state"),
];

/// The endings of the names of fields that hold a secret.
const SECRET: &[&str] = &["token", "secret", "password", "private_key", "api_key", "secret_key"];

/// Types that show their value.
const BARE: &[&str] = &["String", "&str", "&'static str", "&'a str", "Vec<u8>", "Box<str>"];

/// The crates for tests, and the crates that may depend on each of them outside their own tests. This
/// keeps the sandbox out of the testkit, for authors of providers.
const FOR_TESTS: &[(&str, &[&str])] = &[
    ("anyvpn-lab", &[]),
    ("anyvpn-sandbox", &["anyvpn-cli", "anyvpn-lab"]),
    ("anyvpn-testkit", &["anyvpn-lab"]),
];

/// Checks every rule.
///
/// # Errors
///
/// Returns all breaches, one per line: file, line, what is wrong and what to do.
pub fn check(root: &Path) -> Result<(), String> {
    let mut breaches = Vec::new();
    let providers = workspace::providers(root)?;
    let providers: Vec<_> = providers.iter().map(|it| format!("anyvpn-{}", it.name)).collect();
    for (name, path) in files(root)? {
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("rs") => rust(&name, &text, &mut breaches),
            Some("toml") if name.ends_with("Cargo.toml") => {
                manifest(&name, &text, &providers, &mut breaches);
            }
            Some("md") => {
                links(&path, &name, &text, &mut breaches);
                samples::check(&name, &text, &mut breaches);
            }
            _ => {}
        }
    }
    packages(root, &mut breaches)?;
    documents::check(root, &mut breaches)?;
    if let Err(breach) = house::check(root) {
        breaches.push(breach);
    }
    if breaches.is_empty() { Ok(()) } else { Err(breaches.join("\n")) }
}

/// Returns all files that git would track, sorted by their paths below the root.
///
/// # Errors
///
/// If a folder cannot be read.
pub fn files(root: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let mut paths = Vec::new();
    walk(root, &mut paths).map_err(|e| format!("{}: {e}", root.display()))?;
    let name =
        |path: &Path| path.strip_prefix(root).unwrap_or(path).to_string_lossy().replace('\\', "/");
    let mut files: Vec<_> = paths.into_iter().map(|path| (name(&path), path)).collect();
    files.sort();
    Ok(files)
}

fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default();
        if name == "target" || name == ".git" {
            continue;
        }
        if path.is_dir() {
            walk(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn rust(name: &str, text: &str, breaches: &mut Vec<String>) {
    let lines = text.lines().count();
    let generated = name.ends_with("/ops.rs");
    let excused = LONGER.iter().any(|(file, _)| *file == name);
    if lines > LONGEST && !generated && !excused {
        breaches
            .push(format!("{name}: {lines} lines; split it, or give xtask/src/tidy.rs a reason"));
    }
    // The sandbox invents its secrets, and tests and measurements show theirs on purpose.
    let made_up = ["crates/anyvpn-sandbox/", "benches/"];
    if name.contains("/tests/") || made_up.iter().any(|folder| name.starts_with(folder)) {
        return;
    }
    for (number, line) in text.lines().enumerate() {
        if let Some(field) = bare_secret(line) {
            let number = number + 1;
            breaches.push(format!("{name}:{number}: `{field}` shows its value; make it a Secret"));
        }
    }
}

/// Returns the name of a field or parameter that holds a secret in a type that shows its value.
fn bare_secret(line: &str) -> Option<&str> {
    let line = line.trim().trim_end_matches(',');
    let (left, kind) = line.split_once(": ").filter(|_| !line.starts_with("//"))?;
    let field = left.rsplit(' ').next()?;
    let kind = kind.strip_prefix("Option<").map_or(kind, |it| it.trim_end_matches('>'));
    let identifier = field.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let secret = SECRET.iter().any(|end| field == *end || field.ends_with(&format!("_{end}")));
    (identifier && secret && BARE.contains(&kind)).then_some(field)
}

/// Checks that dependencies point down, that only anyvpn-http uses reqwest, and that each dependency
/// has a reason.
fn manifest(name: &str, text: &str, providers: &[String], breaches: &mut Vec<String>) {
    let mut section = "";
    let mut previous = "";
    for (number, line) in text.lines().enumerate() {
        let mut breach = |what: String| breaches.push(format!("{name}:{}: {what}", number + 1));
        if let Some(header) = line.strip_prefix('[') {
            section = header.trim_end_matches(']');
        }
        let dependency = line.split(['.', ' ', '=']).next().unwrap_or_default();
        let provider = |it: &str| providers.iter().any(|provider| provider == it);
        // Benchmarks also need the crates with which they compare.
        if section == "dependencies" && !name.starts_with("benches/") {
            let of = |it: &str| name == format!("crates/{it}/Cargo.toml");
            if dependency == "reqwest" && !of("anyvpn-http") {
                breach("only anyvpn-http knows reqwest".to_owned());
            }
            let for_tests = FOR_TESTS.iter().find(|(test, _)| *test == dependency);
            // Fuzz targets include the command's modules.
            if let Some((_, users)) = for_tests
                && !users.iter().any(|user| of(user))
                && !name.starts_with("fuzz/")
            {
                breach(format!("{dependency} is for tests"));
            }
            // Packages outside `crates`, such as fuzz targets, are for all providers at once.
            let facade = of("anyvpn") || of("anyvpn-cli") || !name.starts_with("crates/");
            if provider(dependency) && !facade {
                breach("no crate but the facade and the command imports a provider".to_owned());
            }
        }
        if section == "workspace.dependencies"
            && !name.starts_with("benches/")
            && line.contains('=')
            && !dependency.starts_with("anyvpn")
            && !previous.starts_with("# ")
        {
            breach(format!("{dependency} has no reason: give it a comment line"));
        }
        previous = line;
    }
}

/// Checks that links to files of the repository, and to headings in them, have targets.
fn links(path: &Path, name: &str, text: &str, breaches: &mut Vec<String>) {
    let folder = path.parent().unwrap_or(path);
    for (number, line) in text.lines().enumerate() {
        for link in line.split("](").skip(1) {
            let link = link.split([')', ' ']).next().unwrap_or_default();
            let (target, heading) = link.split_once('#').unwrap_or((link, ""));
            if link.contains("://") || link.starts_with('<') {
                continue;
            }
            let target = if target.is_empty() { path.to_owned() } else { folder.join(target) };
            let page =
                if target == path { Ok(text.to_owned()) } else { fs::read_to_string(&target) };
            let there = match page {
                Ok(page) => heading.is_empty() || headings(&page).any(|it| it == heading),
                Err(_) => heading.is_empty() && target.exists(),
            };
            if !there {
                breaches.push(format!("{name}:{}: nothing is at {link}", number + 1));
            } else if name.starts_with("docs/") && leaves(name, link) {
                let problem = "leads out of docs/, where the book has no page";
                breaches.push(format!("{name}:{}: {link} {problem}", number + 1));
            }
        }
    }
}

/// Returns whether a link of a page below docs/ leads out of that folder.
fn leaves(name: &str, link: &str) -> bool {
    let folders = name.matches('/').count() - 1;
    link.split('/').take_while(|part| *part == "..").count() > folders
}

/// Returns the headings of a page, as links name them.
fn headings(page: &str) -> impl Iterator<Item = String> {
    let mut code = false;
    let lines = page.lines().filter(move |line| {
        code ^= line.starts_with("```");
        !code && line.starts_with('#')
    });
    lines.map(|line| {
        let words = line.trim_start_matches('#').trim().to_lowercase();
        let kept = words.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}

/// The sentence that the README of each crate contains until its first release.
const UNPUBLISHED: &str = "The crate is not on crates.io yet.";

/// Checks that the folder of each published crate has the files that its package needs.
fn packages(root: &Path, breaches: &mut Vec<String>) -> Result<(), String> {
    for package in workspace::published(root)? {
        for file in ["LICENSE-MIT", "LICENSE-APACHE", "README.md"] {
            match fs::read_to_string(package.manifest_path.with_file_name(file)) {
                Ok(text) if file == "README.md" => first_page(&package.name, &text, breaches),
                Ok(_) => {}
                Err(_) => breaches.push(format!("crates/{}: {file} is missing", package.name)),
            }
        }
    }
    Ok(())
}

/// Checks that the README of a crate says how to get it.
fn first_page(package: &str, text: &str, breaches: &mut Vec<String>) {
    let copy = format!("--path COPY/crates/{package}`");
    let is_said = text.split_once(UNPUBLISHED).is_some_and(|(_, next)| next.contains(&copy));
    if !is_said {
        breaches.push(format!("crates/{package}/README.md: say {UNPUBLISHED:?}, and {copy}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_a_type_that_shows_it_is_found() {
        for line in [
            "    pub password: String,",
            "    token: Option<String>,",
            "    new_password: &str,",
            "    pub(crate) api_key: Vec<u8>,",
        ] {
            assert!(bare_secret(line).is_some(), "{line}");
        }
        for line in [
            "    pub password: Secret,",
            "    /// password: String,",
            "    tokens: usize,",
            "    let token: Secret = x;",
        ] {
            assert_eq!(bare_secret(line), None, "{line}");
        }
    }

    #[test]
    fn rules_of_manifests_and_links_are_kept() {
        let mut breaches = Vec::new();
        let text = "[dependencies]\nreqwest.workspace = true\nanyvpn-sandbox.workspace = true\n\
                    anyvpn-azire.workspace = true\n";
        let providers = ["anyvpn-azire".to_owned()];
        manifest("crates/anyvpn-core/Cargo.toml", text, &providers, &mut breaches);
        assert_eq!(breaches.len(), 3, "{breaches:?}");
        breaches.clear();
        let text = "[dependencies]\nanyvpn-sandbox.workspace = true\n";
        manifest("crates/anyvpn-lab/Cargo.toml", text, &providers, &mut breaches);
        assert_eq!(breaches.len(), 0, "{breaches:?}");
        manifest("crates/anyvpn-testkit/Cargo.toml", text, &providers, &mut breaches);
        assert_eq!(breaches.len(), 1, "{breaches:?}");
        breaches.clear();
        let text = "[workspace.dependencies]\nfoo = \"1\"\n";
        manifest("Cargo.toml", text, &providers, &mut breaches);
        assert_eq!(breaches.len(), 1, "{breaches:?}");
        breaches.clear();
        let text = "# One\n```sh\n# no heading\n```\n## `b`: two, 3\n[x](b.md) [y](https://z#y) \
                    [z](#one) [v](#no-heading)\n[w](a.md#b-two-3) [u](..#x)";
        links(Path::new("/nowhere/a.md"), "a.md", text, &mut breaches);
        assert_eq!(
            breaches,
            [
                "a.md:6: nothing is at b.md",
                "a.md:6: nothing is at #no-heading",
                "a.md:7: nothing is at ..#x"
            ]
        );
    }

    #[test]
    fn a_link_out_of_the_book_is_found() {
        assert!(leaves("docs/a.md", "../README.md"));
        assert!(leaves("docs/recipes/a.md", "../../README.md"));
        assert!(!leaves("docs/recipes/a.md", "../errors.md#x"));
    }

    #[test]
    fn a_first_page_without_the_way_to_get_the_crate_is_found() {
        let said = format!("{UNPUBLISHED} Until it is: `cargo add --path COPY/crates/anyvpn-pia`.");
        let mut breaches = Vec::new();
        first_page("anyvpn-pia", &said, &mut breaches);
        assert_eq!(breaches.len(), 0, "{breaches:?}");
        first_page("anyvpn-pia", "$ cargo add anyvpn-pia", &mut breaches);
        first_page("anyvpn-natpmp", &said, &mut breaches);
        assert_eq!(breaches.len(), 2, "{breaches:?}");
    }

    #[test]
    fn the_longest_file_is_bounded() {
        let mut breaches = Vec::new();
        rust("a.rs", &"\n".repeat(LONGEST + 1), &mut breaches);
        assert_eq!(breaches.len(), 1);
    }
}
