//! Hints for the library's errors: what to do next.

use std::time::Duration;

use anyvpn::{
    Ability, Advice, Error, ErrorKind, Leftover, LeftoverKind, ProviderInfo, Replay, Setting,
};

use crate::provider_settings::{addresses, option, secrets};
use crate::text::command_line;

/// The situation in which an error occurred. It decides which hint helps.
#[derive(Debug, Default)]
pub struct About {
    pub provider: Option<&'static ProviderInfo>,
    /// The provider's address, if the user gave one.
    pub address: Option<Address>,
    /// The environment variable that names a proxy, if the call goes through one.
    pub proxy: Option<&'static str>,
    /// How to sign in, if the profile or the environment decides that.
    pub sign_in: Option<String>,
    /// The command that shows what a call has changed.
    pub verify: String,
}

/// An address of a provider that the user gave, and that may be wrong.
#[derive(Debug)]
pub struct Address {
    pub shown: String,
    /// The option, variable or profile that it comes from, such as `--url`.
    pub from: String,
}

/// Returns a hint that says what to do next.
pub fn advice(error: &Error, about: &About) -> String {
    use ErrorKind as K;
    if !error.left_behind().is_empty() {
        let all: Vec<_> = error.left_behind().iter().map(undo).collect();
        return format!("use it or remove it: {}", all.join(", "));
    }
    if error.advice() == Advice::ReadBack {
        let verify = if about.verify.is_empty() { "list, show" } else { &about.verify };
        return format!("it may have been done; check before you repeat it: {verify}");
    }
    if let (K::RateLimited, Some(wait)) = (error.kind(), error.retry_after())
        && !wait.is_zero()
    {
        return format!("wait {}, then try again", words(wait));
    }
    // The address may be the cause too.
    let address = about.address.as_ref();
    let address =
        address.map(|Address { shown, from }| format!("the address: {shown} (from {from})"));
    let and_address =
        || address.as_ref().map(|address| format!(", and {address}")).unwrap_or_default();
    match error.kind() {
        _ if needs_sign_in(error, about.provider) => {
            // With a 403 the provider knows the account, so signing in again does not help.
            if error.status() == Some(403) {
                return NOT_ALLOWED.to_owned();
            }
            let own = about.sign_in.clone();
            return own.unwrap_or_else(|| sign_in(about.provider));
        }
        K::Unauthorized => "check the user name and the password",
        K::Suspended => "contact the provider's support",
        K::NoService => "buy a plan from the provider",
        K::ServiceInactive => {
            "check the provider's site for an unpaid bill or a pending activation"
        }
        K::ServiceExpired => "renew the plan at the provider",
        K::NotFound => "check the spelling; `list` and `show` tell you what exists",
        K::AlreadyExists => "use the existing one, or choose another name",
        K::InvalidRequest => match (&about.address, missing_setting(error, about.provider)) {
            (_, Some((info, setting))) => {
                return format!("give {}, or set {}", option(setting), setting.variable(info.name));
            }
            (Some(Address { from, .. }), None) if is_address(error, about.provider) => {
                return format!("correct {from}; nothing was sent");
            }
            _ => "correct the input and try again; nothing was changed",
        },
        K::CapacityReached => "choose another server, or try later: anyvpn server list --free",
        K::DeviceLimit => "remove a device: anyvpn config list, then anyvpn config revoke ID",
        K::QuotaReached => "wait until the provider resets the limit, usually the next day",
        K::InsufficientBalance => "add funds at the provider, then try again",
        K::Pending => "wait, then try again",
        K::RateLimited => "wait a minute, then try again; make fewer calls",
        K::Refused if error.status() == Some(403) => NOT_ALLOWED,
        K::Refused => "the provider gives no other reason; ask its support",
        K::Unavailable => "try again later, or check the provider's status page",
        K::Timeout => "check your network, then try again",
        K::Unreachable => {
            let proxy =
                about.proxy.map(|name| format!(", the proxy (from {name})")).unwrap_or_default();
            return format!("check this machine's network{proxy}{}", and_address());
        }
        K::UnexpectedReply => {
            let address = and_address();
            return format!("try again; check whether the network has a login page{address}");
        }
        _ => "run the command again with -v for details",
    }
    .to_owned()
}

/// Returns the command that removes or shows a leftover at the provider.
pub fn undo(leftover: &Leftover) -> String {
    let id = leftover.id();
    match leftover.kind {
        LeftoverKind::Device | LeftoverKind::Configuration => {
            command_line(&["config", "revoke"], &[id])
        }
        LeftoverKind::PortForward => command_line(&["port", "delete"], &[id]),
        LeftoverKind::Customer => command_line(&["customer", "find"], &[id]),
        LeftoverKind::Token => "the list of tokens on the provider's site".to_owned(),
        _ => format!("{leftover} on the provider's site"),
    }
}

/// The hint for a call that the provider does not allow to this account.
const NOT_ALLOWED: &str =
    "it may belong to another account, or your account is not active: anyvpn account show";

/// Returns a hint that says how to sign in to a provider.
pub fn sign_in(provider: Option<&'static ProviderInfo>) -> String {
    let Some(info) = provider else {
        return "anyvpn login, or set the provider's credentials in the environment".to_owned();
    };
    // Alternatives are joined by "or", and settings that are all needed by "and".
    let mut sets: Vec<(&'static Setting, String)> = Vec::new();
    for setting in secrets(info) {
        let variable = setting.variable(info.name);
        match sets.iter_mut().find(|(first, _)| first.is_alternative_to(setting)) {
            Some((_, variables)) => variables.push_str(&format!(" or {variable}")),
            None => sets.push((setting, variable)),
        }
    }
    let sets: Vec<_> = sets.into_iter().map(|(_, variables)| variables).collect();
    match info.capabilities.can(Ability::SignIn) {
        true => {
            let login = command_line(&["login", "--provider", info.name], &[]);
            format!("{login}, or set {}", sets.join(", and "))
        }
        false => format!("set {}", sets.join(", and ")),
    }
}

/// Whether signing in would help. It would not if the failed operation itself takes a password.
fn needs_sign_in(error: &Error, provider: Option<&'static ProviderInfo>) -> bool {
    let takes_password = || {
        let operation = provider.zip(error.operation());
        let operation = operation.and_then(|(info, id)| info.operation(id.name()));
        operation
            .is_some_and(|operation| operation.fields.iter().any(|field| field.name == "password"))
    };
    match error.kind() {
        ErrorKind::Unauthorized => !takes_password(),
        ErrorKind::InvalidRequest => error.fields().contains_key("credential"),
        _ => false,
    }
}

/// Whether the error is about the address itself.
fn is_address(error: &Error, provider: Option<&'static ProviderInfo>) -> bool {
    let mut addresses = provider.into_iter().flat_map(addresses);
    addresses.any(|setting| error.fields().contains_key(setting.key))
}

/// Returns the public setting whose absence caused the error, if it has one.
fn missing_setting(
    error: &Error,
    provider: Option<&'static ProviderInfo>,
) -> Option<(&'static ProviderInfo, &'static Setting)> {
    let info = provider.filter(|_| error.operation().is_none())?;
    let setting = error.fields().keys().find_map(|key| info.setting(key))?;
    let is_address = addresses(info).any(|address| address.key == setting.key);
    (!setting.secret && !is_address).then_some((info, setting))
}

/// Returns the call that shows what an operation has changed.
///
/// It reads the same path, or the nearest path above it. If there is none, the command lists the
/// provider's operations.
pub fn verify_call(info: &ProviderInfo, operation: &str) -> String {
    let call = |operation: Option<&str>| {
        let words: Vec<_> = ["call", info.name].into_iter().chain(operation).collect();
        command_line(&words, &[])
    };
    let Some(changes) = info.operation(operation) else { return call(None) };
    let mut path = changes.path;
    while let Some((above, _)) = path.rsplit_once('/') {
        let mut reads = info.operations.iter().filter(|read| read.replay == Replay::Safe);
        if let Some(read) = reads.find(|read| read.path == path) {
            return call(Some(read.id.name()));
        }
        path = above;
    }
    call(None)
}

/// Rounds a time up to whole seconds.
pub fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// Writes a time in words, rounded up.
fn words(wait: Duration) -> String {
    match seconds(wait) {
        seconds @ 0..=120 => format!("{seconds} s"),
        seconds @ 121..=7200 => format!("{} minutes", seconds.div_ceil(60)),
        seconds => format!("{} hours", seconds.div_ceil(3600)),
    }
}

#[cfg(test)]
mod tests {
    use anyvpn::OperationId;

    use super::*;

    #[test]
    fn every_kind_has_a_hint() {
        for kind in ErrorKind::ALL {
            let hint = advice(&Error::new(*kind), &About::default());
            assert!(!hint.contains("try again with -v"), "{kind:?}");
        }
    }

    #[test]
    fn hints_never_suggest_repeating_a_call_with_unknown_outcome() {
        let azire = anyvpn::Registry::builtin().info("azire").unwrap();
        for (name, verify) in [
            ("create-port-forward", "anyvpn call azire list-port-forwards"),
            ("create-ip", "anyvpn call azire list-ips"),
            ("update-email", "anyvpn call azire get-user"),
        ] {
            let error = Error::new(ErrorKind::Unavailable).with_read_back();
            let error = error.with_operation(OperationId::new("azire", name));
            let about = About { verify: verify_call(azire, name), ..About::default() };
            let hint = format!("it may have been done; check before you repeat it: {verify}");
            assert_eq!(advice(&error, &about), hint);
        }
    }

    #[test]
    fn the_hint_for_a_leftover_is_a_command_that_a_shell_can_run() {
        let hint = |kind, id: &str| {
            let error = Error::new(ErrorKind::UnexpectedReply);
            advice(&error.with_leftover(Leftover::new(kind, id)), &About::default())
        };
        for (kind, id, command) in [
            (LeftoverKind::Configuration, "7", "anyvpn config revoke 7"),
            (LeftoverKind::Device, "a; rm -r ~", "anyvpn config revoke 'a; rm -r ~'"),
            (LeftoverKind::Device, "it's", "anyvpn config revoke \"it's\""),
            (LeftoverKind::PortForward, "58216", "anyvpn port delete 58216"),
            (LeftoverKind::Customer, "jo@mail.example", "anyvpn customer find jo@mail.example"),
        ] {
            assert_eq!(hint(kind, id), format!("use it or remove it: {command}"));
        }
    }

    #[test]
    fn a_403_is_not_answered_with_a_hint_to_sign_in() {
        let hint = |name, status| {
            let error = Error::new(ErrorKind::Unauthorized).with_status(status);
            let error = error.with_operation(OperationId::new("azire", name));
            advice(
                &error,
                &About {
                    provider: anyvpn::Registry::builtin().info("azire").ok(),
                    ..About::default()
                },
            )
        };
        assert!(hint("get-user", 401).contains("anyvpn login"));
        assert!(hint("get-user", 403).contains("not active"));
        assert_eq!(hint("create-token", 403), "check the user name and the password");
    }

    #[test]
    fn waiting_times_are_rounded_up_to_whole_units() {
        let hint = |wait| {
            let error = Error::new(ErrorKind::RateLimited).with_retry_after(Some(wait));
            advice(&error, &About::default())
        };
        assert_eq!(hint(Duration::from_millis(1500)), "wait 2 s, then try again");
        assert_eq!(hint(Duration::from_secs(121)), "wait 3 minutes, then try again");
        assert_eq!(hint(Duration::from_secs(86_400)), "wait 24 hours, then try again");
        assert!(hint(Duration::ZERO).starts_with("wait a minute, then try again"));
    }
}
