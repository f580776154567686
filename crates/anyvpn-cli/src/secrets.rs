//! Reads secrets from files, stdin, the environment or the terminal. Secrets are never arguments, because
//! every user of the machine can read those.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use anyvpn::{Secret, Setting};
use anyvpn_http::not_for_header;
use clap::Args;
use inquire::validator::Validation;
use inquire::{Confirm, InquireError, Select, Text};
use zeroize::Zeroizing;

use crate::environment::variable;
use crate::failure::Failure;
use crate::file::{check_private, stdin};
use crate::hidden;
use crate::output::{is_closed, only_copy};
use crate::text::{capitalized, plain, reason};

/// The size limit of a file with a secret, in bytes.
const LONGEST: usize = 1 << 16;
/// The size limit of an operation's input, in bytes.
const LONGEST_INPUT: usize = 1 << 20;

/// The source of a password.
#[derive(Args)]
pub struct PasswordSource {
    /// Read the password from FILE (- for stdin) [default: ANYVPN_PASSWORD, or ask for it]
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

impl PasswordSource {
    /// Reads an existing password.
    pub fn present(&self, question: &str) -> Result<Secret, Failure> {
        self.password(|| hidden::ask(question))
    }

    /// Reads an existing password that may be omitted.
    pub fn if_any(&self, question: &str) -> Result<Option<Secret>, Failure> {
        let is_given = self.password_file.is_some() || variable("ANYVPN_PASSWORD").is_some();
        match (is_given, is_interactive()) {
            (true, _) => self.present(question).map(Some),
            (false, true) => Ok(Some(hidden::ask(question)?).filter(|secret| !secret.is_empty())),
            (false, false) => Ok(None),
        }
    }

    /// Reads a new password. On a terminal, it asks twice.
    pub fn new_one(&self, question: &str) -> Result<Secret, Failure> {
        self.password(|| {
            let first = hidden::ask(question)?;
            if first.expose() != hidden::ask("Repeat the password:")?.expose() {
                return Err(Failure::usage("the passwords do not match; nothing was changed"));
            }
            Ok(first)
        })
    }

    fn password(&self, ask: impl FnOnce() -> Result<Secret, Failure>) -> Result<Secret, Failure> {
        let password = if let Some(file) = &self.password_file {
            read(file)?
        } else if let Some(password) = variable("ANYVPN_PASSWORD") {
            Secret::from(password)
        } else if is_interactive() {
            ask()?
        } else {
            return Err(Failure::usage("cannot ask for the password without a terminal")
                .hint("use --password-file FILE (- for stdin), or set ANYVPN_PASSWORD"));
        };
        if password.is_empty() {
            return Err(Failure::usage("the password is empty")
                .hint("use --password-file FILE (- for stdin), or set ANYVPN_PASSWORD"));
        }
        Ok(password)
    }
}

/// The source of a new password.
#[derive(Args)]
pub struct NewPassword {
    #[command(flatten)]
    source: PasswordSource,
    /// Generate a strong password and print it
    #[arg(long, conflicts_with = "password_file")]
    generate_password: bool,
}

/// A new password.
pub struct Chosen {
    pub password: Secret,
    /// Whether it was generated, so that the user does not know it yet.
    pub generated: bool,
}

impl Chosen {
    /// Returns the password if the answer must contain it.
    pub fn to_show(&self) -> Option<Secret> {
        self.generated.then(|| self.password.clone())
    }

    /// Prints the answer. If that fails and a generated password is lost, the failure says what was
    /// `done` and what to do `next`.
    pub fn print_with(
        &self,
        print: impl FnOnce() -> Result<(), Failure>,
        done: &str,
        next: impl Into<String>,
    ) -> Result<(), Failure> {
        if !self.generated {
            return print();
        }
        only_copy(print, |failure| failure.leaving(done, next))
    }
}

impl NewPassword {
    /// Generates or reads the password.
    pub fn choose(&self, question: &str) -> Result<Chosen, Failure> {
        let password = match self.generate_password {
            true if is_closed() => {
                return Err(Failure::other("cannot show the new password: stdout is closed")
                    .hint("open stdout, or use --password-file; nothing was changed"));
            }
            true => generate()?,
            false => self.source.new_one(question)?,
        };
        Ok(Chosen { password, generated: self.generate_password })
    }
}

/// The characters of generated passwords, without those that are easily confused.
const LETTERS: [&[u8]; 4] =
    [b"abcdefghijkmnpqrstuvwxyz", b"ABCDEFGHJKLMNPQRSTUVWXYZ", b"23456789", b"-+=_.!"];
const GENERATED: usize = 20;

/// Generates a password of 20 random characters, with at least one of each kind.
fn generate() -> Result<Secret, Failure> {
    let all = LETTERS.concat();
    loop {
        let mut bytes = Zeroizing::new([0_u8; 8 * GENERATED]);
        getrandom::fill(&mut *bytes).map_err(|error| {
            Failure::other(format!("the system's random number generator failed: {error}"))
                .hint("choose a password yourself, with --password-file FILE")
        })?;
        // Skip the highest byte values, so that every character is equally likely.
        let even = u8::MAX - u8::MAX % all.len() as u8;
        let letters = bytes.iter().filter(|byte| **byte < even);
        let letters = letters.map(|byte| all[usize::from(*byte) % all.len()]).take(GENERATED);
        let letters: Zeroizing<Vec<u8>> = Zeroizing::new(letters.collect());
        let has_kind = |kind: &&[u8]| letters.iter().any(|letter| kind.contains(letter));
        if letters.len() == GENERATED && LETTERS.iter().all(has_kind) {
            return Ok(Secret::from(String::from_utf8_lossy(&letters).into_owned()));
        }
    }
}

/// Asks for a user name. Without a terminal, the failure suggests the option `flag`.
pub fn ask(question: &str, flag: &str) -> Result<String, Failure> {
    match ask_or_nothing("the user name", question, flag)? {
        Some(name) => Ok(name),
        None => Err(Failure::usage("the user name is empty")),
    }
}

/// Asks for a text. `None` if the user leaves it empty. Without a terminal, the failure suggests the
/// option `flag`.
pub fn ask_or_nothing(what: &str, question: &str, flag: &str) -> Result<Option<String>, Failure> {
    if !is_interactive() {
        let why = format!("cannot ask for {what} without a terminal");
        return Err(Failure::usage(why).hint(format!("use {flag}")));
    }
    let answer = Text::new(question).prompt().map_err(unanswered)?;
    Ok(Some(answer.trim().to_owned()).filter(|answer| !answer.is_empty()))
}

/// Asks the user to choose, and returns the index of the choice.
pub fn choose(question: &str, choices: Vec<&str>) -> Result<usize, Failure> {
    Select::new(question, choices).raw_prompt().map(|choice| choice.index).map_err(unanswered)
}

/// Asks for an optional setting, and asks again if the answer is invalid. `None` if the user omits it.
pub fn ask_setting(setting: &'static Setting) -> Result<Option<String>, Failure> {
    let title = capitalized(setting.title);
    if !setting.one_of.is_empty() {
        let is_default = |value: &str| setting.default == Some(value);
        let shown = |value: &&str| match is_default(value) {
            true => format!("{value} (default)"),
            false => (*value).to_owned(),
        };
        let mut choices: Vec<_> = setting.one_of.iter().map(shown).collect();
        choices.extend(setting.default.is_none().then(|| "omit this setting".to_owned()));
        let question = format!("{title}:");
        let select = Select::new(&question, choices).with_help_message(setting.doc);
        let chosen = select.raw_prompt().map_err(unanswered)?.index;
        let value = setting.one_of.get(chosen).filter(|value| !is_default(value));
        return Ok(value.map(|value| (*value).to_owned()));
    }
    let question = match setting.default {
        Some(default) => format!("{title} (leave empty for {default}):"),
        None => format!("{title} (leave empty to omit it):"),
    };
    let check = |answer: &str| {
        let checked = if answer.is_empty() { Ok(()) } else { setting.validate(answer) };
        Ok(checked.map_or_else(|why| Validation::Invalid(why.into()), |()| Validation::Valid))
    };
    let text = Text::new(&question).with_help_message(setting.doc).with_validator(check);
    Ok(Some(text.prompt().map_err(unanswered)?).filter(|answer| !answer.is_empty()))
}

/// Reads a secret from a private file, or from stdin if the path is `-`. A final line break is removed.
pub fn read(file: &Path) -> Result<Secret, Failure> {
    check_private(file)?;
    // A user may type the secret instead of a file name, so we do not repeat a name without a folder.
    let is_bare = file.file_name() == Some(file.as_os_str());
    if is_bare && file != Path::new("-") && !file.exists() {
        let why = "the file with the secret does not exist (name not shown: it may be a secret)";
        return Err(Failure::usage(why).hint("give the name of an existing file, or - for stdin"));
    }
    let secret = read_open(file)?;
    // Some editors put a byte order mark at the start of a file. No password starts with it.
    if secret.expose().starts_with('\u{feff}') {
        let why = format!("{} starts with a byte order mark", file.display());
        return Err(Failure::usage(why).hint("save the file as UTF-8 without a byte order mark"));
    }
    Ok(secret)
}

/// Fails if a token or key cannot be sent in a header. The failure does not quote the secret.
pub fn check_sendable(
    secret: &Secret,
    what: &str,
    failure: fn(String) -> Failure,
) -> Result<(), Failure> {
    match not_for_header(secret.expose()) {
        Some(why) => Err(failure(format!("{what} is invalid: {why}"))
            .hint("it must contain only the secret, in visible ASCII characters")),
        None => Ok(()),
    }
}

/// Reads a text that need not be secret, like [`read`] but without its checks.
pub fn read_open(file: &Path) -> Result<Secret, Failure> {
    let text = text(file, LONGEST)?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Secret::from(text.strip_suffix('\r').unwrap_or(text)))
}

/// Reads an operation's input from a file, or from stdin if the path is `-`.
pub fn read_input(file: &Path) -> Result<Zeroizing<String>, Failure> {
    text(file, LONGEST_INPUT)
}

/// Reads the first line of a source without its line break.
pub fn first_line(source: &mut impl Read) -> io::Result<Secret> {
    let mut bytes = Zeroizing::new(vec![0; LONGEST]);
    let mut length = 0;
    let end = loop {
        match source.read(&mut bytes[length..]) {
            Ok(0) if length == LONGEST => return Err(io::ErrorKind::FileTooLarge.into()),
            Ok(0) => break length,
            Ok(more) => {
                let new = &bytes[length..length + more];
                if let Some(place) = new.iter().position(|byte| *byte == b'\n') {
                    break length + place;
                }
                length += more;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    };
    let line = str::from_utf8(&bytes[..end]).map_err(|_| io::ErrorKind::InvalidData)?;
    Ok(Secret::from(line.trim_end_matches('\r')))
}

fn text(file: &Path, longest: usize) -> Result<Zeroizing<String>, Failure> {
    let is_stdin = file == Path::new("-");
    let name = if is_stdin { "stdin".to_owned() } else { file.display().to_string() };
    let failed = |why: &str| {
        Failure::usage(format!("cannot read {name}: {why}"))
            .hint("give the name of a file that you can read, or - for stdin")
    };
    let source = if is_stdin { stdin() } else { File::open(file) };
    let bytes = source.and_then(|source| take(source, longest));
    let mut bytes = bytes.map_err(|error| failed(&reason(&error)))?;
    if bytes.len() > longest {
        return Err(failed(&format!("it is larger than {} KiB", longest >> 10)));
    }
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err(failed("it is not UTF-8 text"))
        }
    }
}

/// Reads up to `longest` bytes, and one more if the source is longer.
fn take(source: impl Read, longest: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    // Allocate the whole buffer at once: growing it would leave copies that are not wiped.
    let mut bytes = Zeroizing::new(Vec::with_capacity(longest + 1));
    source.take(longest as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Asks for confirmation, which defaults to no. Without a terminal, the failure suggests `flag`.
pub fn confirm(question: &str, flag: &str) -> Result<(), Failure> {
    if !is_interactive() {
        return Err(Failure::usage("cannot ask for confirmation without a terminal")
            .hint(format!("to confirm, add {flag}; nothing was changed")));
    }
    let answer = Confirm::new(&plain(question)).with_default(false).prompt();
    if answer.map_err(unanswered)? {
        Ok(())
    } else {
        Err(Failure::other("not confirmed; nothing was changed"))
    }
}

/// Whether questions can be asked.
pub fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn unanswered(error: InquireError) -> Failure {
    match error {
        InquireError::OperationCanceled | InquireError::OperationInterrupted => {
            Failure::other("cancelled; nothing was changed")
        }
        _ => Failure::other("cannot read from the terminal; nothing was changed"),
    }
}
