//! Secrets come from a file, from stdin, from the environment or from the keyboard: never from the
//! arguments, which every user of the machine can read.

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

/// Far longer than any password or key.
const LONGEST: usize = 1 << 16;
/// Far longer than any input of an operation.
const LONGEST_INPUT: usize = 1 << 20;

/// Where the password comes from.
#[derive(Args)]
pub struct PasswordSource {
    /// Read the password from FILE, or from stdin when it is `-`; without this it is taken from
    /// ANYVPN_PASSWORD, or asked for on the terminal
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

impl PasswordSource {
    /// A password that exists.
    pub fn present(&self, question: &str) -> Result<Secret, Failure> {
        self.password(|| hidden::ask(question))
    }

    /// A password that exists, where there is one to be had: nothing typed is none.
    pub fn if_any(&self, question: &str) -> Result<Option<Secret>, Failure> {
        let is_given = self.password_file.is_some() || variable("ANYVPN_PASSWORD").is_some();
        match (is_given, is_interactive()) {
            (true, _) => self.present(question).map(Some),
            (false, true) => Ok(Some(hidden::ask(question)?).filter(|secret| !secret.is_empty())),
            (false, false) => Ok(None),
        }
    }

    /// A password that is made up now; on a terminal it is asked for twice.
    pub fn new_one(&self, question: &str) -> Result<Secret, Failure> {
        self.password(|| {
            let first = hidden::ask(question)?;
            if first.expose() != hidden::ask("Once more:")?.expose() {
                return Err(Failure::usage("the two differ; nothing was changed"));
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
            return Err(Failure::usage(
                "a password is needed, and there is no terminal to ask for it",
            )
            .hint("use --password-file FILE (- for stdin), or set ANYVPN_PASSWORD"));
        };
        if password.is_empty() {
            return Err(Failure::usage("the password is empty")
                .hint("say it with --password-file FILE (- for stdin), or ANYVPN_PASSWORD"));
        }
        Ok(password)
    }
}

/// Where a password comes from that is made up now.
#[derive(Args)]
pub struct NewPassword {
    #[command(flatten)]
    source: PasswordSource,
    /// Make a strong password up, and print it with the answer
    #[arg(long, conflicts_with = "password_file")]
    generate_password: bool,
}

/// A password that was made up.
pub struct Chosen {
    pub password: Secret,
    /// Whether nobody knows it yet.
    pub generated: bool,
}

impl Chosen {
    /// The password, when the answer must tell it.
    pub fn to_show(&self) -> Option<Secret> {
        self.generated.then(|| self.password.clone())
    }

    /// Prints the answer. Where a generated password is lost with it, the failure says what was `done`
    /// and what to do `next`.
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
    pub fn choose(&self, question: &str) -> Result<Chosen, Failure> {
        let password = match self.generate_password {
            true if is_closed() => {
                return Err(Failure::other("the new password would be made and never shown")
                    .hint("send stdout somewhere, or use --password-file; nothing was changed"));
            }
            true => generate()?,
            false => self.source.new_one(question)?,
        };
        Ok(Chosen { password, generated: self.generate_password })
    }
}

/// The letters of a password that is made up; without those that are easily mixed up.
const LETTERS: [&[u8]; 4] =
    [b"abcdefghijkmnpqrstuvwxyz", b"ABCDEFGHJKLMNPQRSTUVWXYZ", b"23456789", b"-+=_.!"];
const GENERATED: usize = 20;

/// A strong password: 20 random characters, some of each kind.
fn generate() -> Result<Secret, Failure> {
    let all = LETTERS.concat();
    loop {
        let mut bytes = Zeroizing::new([0_u8; 8 * GENERATED]);
        getrandom::fill(&mut *bytes).map_err(|error| {
            Failure::other(format!("this system gives no randomness: {error}"))
                .hint("give a password with --password-file FILE")
        })?;
        // Of the last bytes' values there are fewer.
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

/// Asks for a name; `flag` is what gives it in advance.
pub fn ask(question: &str, flag: &str) -> Result<String, Failure> {
    match ask_or_nothing("a user name", question, flag)? {
        Some(name) => Ok(name),
        None => Err(Failure::usage("the user name is empty")),
    }
}

/// Asks for what may be left empty.
pub fn ask_or_nothing(what: &str, question: &str, flag: &str) -> Result<Option<String>, Failure> {
    if !is_interactive() {
        let why = format!("{what} is needed, and there is no terminal to ask for it");
        return Err(Failure::usage(why).hint(format!("say it with {flag}")));
    }
    let answer = Text::new(question).prompt().map_err(unanswered)?;
    Ok(Some(answer.trim().to_owned()).filter(|answer| !answer.is_empty()))
}

/// Asks for one of several; its place among them.
pub fn choose(question: &str, choices: Vec<&str>) -> Result<usize, Failure> {
    Select::new(question, choices).raw_prompt().map(|it| it.index).map_err(unanswered)
}

/// Asks for a setting that may be omitted. An answer that its check refuses is asked for again.
pub fn ask_setting(setting: &'static Setting) -> Result<Option<String>, Failure> {
    let title = capitalized(setting.title);
    if !setting.one_of.is_empty() {
        let is_default = |value: &str| setting.default == Some(value);
        let shown = |value: &&str| match is_default(value) {
            true => format!("{value} (default)"),
            false => (*value).to_owned(),
        };
        let mut choices: Vec<_> = setting.one_of.iter().map(shown).collect();
        choices.extend(setting.default.is_none().then(|| "omit it".to_owned()));
        let question = format!("{title}:");
        let select = Select::new(&question, choices).with_help_message(setting.doc);
        let chosen = select.raw_prompt().map_err(unanswered)?.index;
        let value = setting.one_of.get(chosen).filter(|value| !is_default(value));
        return Ok(value.map(|value| (*value).to_owned()));
    }
    let question = match setting.default {
        Some(default) => format!("{title} (none for {default}):"),
        None => format!("{title} (none to omit it):"),
    };
    let check = |answer: &str| {
        let checked = if answer.is_empty() { Ok(()) } else { setting.validate(answer) };
        Ok(checked.map_or_else(|why| Validation::Invalid(why.into()), |()| Validation::Valid))
    };
    let text = Text::new(&question).with_help_message(setting.doc).with_validator(check);
    Ok(Some(text.prompt().map_err(unanswered)?).filter(|answer| !answer.is_empty()))
}

/// Reads a secret from a file that nobody else may read, or from stdin for `-`. The line end at its
/// end does not belong to it.
pub fn read(file: &Path) -> Result<Secret, Failure> {
    check_private(file)?;
    // Whoever types the secret instead of a file's name would find it repeated.
    let is_bare = file.file_name() == Some(file.as_os_str());
    if is_bare && file != Path::new("-") && !file.exists() {
        let why =
            "the file with the secret is not there (its name is not shown: it may be a secret)";
        return Err(Failure::usage(why).hint("name a file that is there, or - for stdin"));
    }
    let secret = read_open(file)?;
    // Some editors put it at the beginning of a file. No password begins with it.
    if secret.expose().starts_with('\u{feff}') {
        let why = format!("{} begins with a byte order mark", file.display());
        return Err(Failure::usage(why).hint("save the file as UTF-8 without one"));
    }
    Ok(secret)
}

/// Refuses a token or key that cannot be sent as it is, naming what is wrong with it and not the
/// secret itself.
pub fn check_sendable(
    secret: &Secret,
    what: &str,
    failure: fn(String) -> Failure,
) -> Result<(), Failure> {
    match not_for_header(secret.expose()) {
        Some(why) => Err(failure(format!("{what} cannot be sent: {why}"))
            .hint("write the secret alone there, in visible ASCII characters")),
        None => Ok(()),
    }
}

/// The same of a text that others may know.
pub fn read_open(file: &Path) -> Result<Secret, Failure> {
    let text = text(file, LONGEST)?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Secret::from(text.strip_suffix('\r').unwrap_or(text)))
}

/// Reads an operation's input, from stdin for `-`.
pub fn read_input(file: &Path) -> Result<Zeroizing<String>, Failure> {
    text(file, LONGEST_INPUT)
}

/// The first line of a secret's source.
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
        Failure::usage(format!("{name} cannot be read: {why}"))
            .hint("name a file that is there and that you may read, or - for stdin")
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
            Err(failed("it is no UTF-8 text"))
        }
    }
}

/// The source's bytes, and one more where it has more.
fn take(source: impl Read, longest: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    // It never grows: what it would leave behind then is not wiped.
    let mut bytes = Zeroizing::new(Vec::with_capacity(longest + 1));
    source.take(longest as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Asks a question whose answer is no unless it is yes; `flag` is what answers it in advance.
pub fn confirm(question: &str, flag: &str) -> Result<(), Failure> {
    if !is_interactive() {
        return Err(Failure::usage("this needs a yes, and there is no terminal to ask for it")
            .hint(format!("say it in advance with {flag}; nothing was changed")));
    }
    let answer = Confirm::new(&plain(question)).with_default(false).prompt();
    if answer.map_err(unanswered)? {
        Ok(())
    } else {
        Err(Failure::other("not confirmed; nothing was changed"))
    }
}

/// Whether there is somebody to ask.
pub fn is_interactive() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

fn unanswered(error: InquireError) -> Failure {
    match error {
        InquireError::OperationCanceled | InquireError::OperationInterrupted => {
            Failure::other("cancelled; nothing was changed")
        }
        _ => Failure::other("the terminal gave no answer; nothing was changed"),
    }
}
