//! Secrets come from a file, from stdin, from the environment or from the keyboard: never from the
//! arguments, which every user of the machine can read.

use std::fs::File;
use std::io::{self, BufRead as _, IsTerminal as _, Read};
use std::path::{Path, PathBuf};

use anyvpn::Secret;
use anyvpn::vpngn::StrongPassword;
use clap::Args;
use inquire::{Confirm, InquireError, Password, PasswordDisplayMode, Select, Text};

use crate::context::variable;
use crate::failure::Failure;
use crate::text::reason;

/// Far longer than any password, key or input.
const LONGEST: usize = 1 << 20;

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
        self.password(Password::new(question).without_confirmation())
    }

    /// A password that is made up now; on a terminal it is asked for twice.
    pub fn new_one(&self, question: &str) -> Result<Secret, Failure> {
        self.password(
            Password::new(question)
                .with_custom_confirmation_message("Once more:")
                .with_custom_confirmation_error_message("The two differ."),
        )
    }

    fn password(&self, prompt: Password) -> Result<Secret, Failure> {
        let password = if let Some(file) = &self.password_file {
            read(file)?
        } else if let Some(password) = variable("ANYVPN_PASSWORD") {
            Secret::from(password)
        } else if is_interactive() {
            let prompt = prompt.with_display_mode(PasswordDisplayMode::Hidden);
            Secret::from(prompt.prompt().map_err(unanswered)?)
        } else {
            return Err(Failure::usage(
                "a password is needed, and there is no terminal to ask for it",
            )
            .hint("use --password-file FILE (- for stdin), or set ANYVPN_PASSWORD"));
        };
        if password.is_empty() {
            return Err(Failure::usage("the password is empty"));
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
}

impl NewPassword {
    pub fn choose(&self, question: &str) -> Result<Chosen, Failure> {
        let password = match self.generate_password {
            true => StrongPassword::generate()?.secret().clone(),
            false => self.source.new_one(question)?,
        };
        Ok(Chosen { password, generated: self.generate_password })
    }

    /// A password when the arguments give one; nothing is asked for.
    pub fn choose_if_given(&self) -> Result<Option<Chosen>, Failure> {
        let given = self.generate_password || self.source.password_file.is_some();
        given.then(|| self.choose("")).transpose()
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

/// Reads a secret from a file, or from stdin for `-`. The line end at its end does not belong to it.
pub fn read(file: &Path) -> Result<Secret, Failure> {
    let text = read_text(file)?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Secret::from(text.strip_suffix('\r').unwrap_or(text)))
}

/// The first line of a secret's source.
pub fn first_line(source: impl Read) -> io::Result<Secret> {
    let mut line = String::new();
    io::BufReader::new(source).read_line(&mut line)?;
    Ok(Secret::from(line.trim_end_matches(['\r', '\n'])))
}

/// Reads a file whole, or stdin for `-`.
pub fn read_text(file: &Path) -> Result<String, Failure> {
    let stdin = file == Path::new("-");
    let name = if stdin { "stdin".to_owned() } else { file.display().to_string() };
    let failed = |why: &str| Failure::usage(format!("{name} cannot be read: {why}"));
    let source: Box<dyn Read> = if stdin {
        Box::new(io::stdin())
    } else {
        Box::new(File::open(file).map_err(|error| failed(&reason(&error)))?)
    };
    let mut text = String::new();
    source
        .take(LONGEST as u64 + 1)
        .read_to_string(&mut text)
        .map_err(|error| failed(&reason(&error)))?;
    if text.len() > LONGEST {
        return Err(failed("it is larger than 1 MiB"));
    }
    Ok(text)
}

/// Asks a question whose answer is no unless it is yes; `flag` is what answers it in advance.
pub fn confirm(question: &str, flag: &str) -> Result<(), Failure> {
    if !is_interactive() {
        return Err(Failure::usage("this needs a yes, and there is no terminal to ask for it")
            .hint(format!("say it in advance with {flag}; nothing was changed")));
    }
    let answer = Confirm::new(question).with_default(false).prompt();
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
