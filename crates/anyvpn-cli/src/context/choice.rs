//! The choice of a provider that neither the arguments nor a profile name.

use anyvpn::ProviderInfo;

use super::prefix;
use crate::failure::Failure;

/// Chooses the provider whose variables are set, or else the one of the default profile, the one for
/// which a token is stored, or the only one in the registry.
pub(super) fn choose(
    known: &[&'static ProviderInfo],
    set: &[String],
    default: Option<&'static ProviderInfo>,
    kept: impl FnOnce() -> Vec<&'static ProviderInfo>,
) -> Result<&'static ProviderInfo, Failure> {
    let is_set = |info: &&&'static ProviderInfo| {
        let prefix = prefix(info);
        set.iter().any(|variable| variable.starts_with(&prefix))
    };
    let mut candidates: Vec<&ProviderInfo> = known.iter().filter(is_set).copied().collect();
    if let (Some(default), [] | [_, _, ..]) = (default, &candidates[..]) {
        return Ok(default);
    }
    if candidates.is_empty() {
        candidates = kept();
    }
    match (&candidates[..], known) {
        ([info], _) | ([], [info]) => Ok(*info),
        (several, _) => {
            let failure = Failure::usage("no provider is chosen");
            Err(match several {
                [] => failure.hint(format!(
                    "add a profile: anyvpn profile add NAME; or use --provider with one of {}",
                    names(known)
                )),
                several => failure.hint(format!("use --provider with one of {}", names(several))),
            })
        }
    }
}

pub(super) fn names(providers: &[&'static ProviderInfo]) -> String {
    let names: Vec<_> = providers.iter().map(|info| info.name).collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use anyvpn::Registry;

    use super::*;

    #[test]
    fn variables_then_the_default_profile_then_a_stored_token_choose_the_provider() {
        let registry = Registry::builtin();
        let [azire, vpnscript] = ["azire", "vpnscript"].map(|name| registry.info(name).unwrap());
        let strings = |set: &[&str]| set.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let chosen =
            |known: &[&'static ProviderInfo], set: &[&str], kept: &[&'static ProviderInfo]| {
                choose(known, &strings(set), None, || kept.to_vec()).ok().map(|info| info.name)
            };
        assert_eq!(chosen(&[azire], &[], &[]), Some("azire"));
        let all = [azire, vpnscript];
        assert_eq!(chosen(&all, &["ANYVPN_PASSWORD"], &[]), None);
        assert_eq!(chosen(&[], &["ANYVPN_AZIRE_TOKEN"], &[]), None);
        assert_eq!(chosen(&all, &["ANYVPN_AZIRE_TOKEN", "HOME"], &[vpnscript]), Some("azire"));
        assert_eq!(chosen(&all, &["ANYVPN_AZIRE_URL", "ANYVPN_VPNSCRIPT_URL"], &[azire]), None);
        assert_eq!(chosen(&all, &["HOME"], &[vpnscript]), Some("vpnscript"));
        assert_eq!(chosen(&all, &["HOME"], &all), None);
        let with_default = |set: &[&str]| {
            let chosen = choose(&all, &strings(set), Some(vpnscript), || vec![azire]);
            chosen.ok().map(|info| info.name)
        };
        assert_eq!(with_default(&["HOME"]), Some("vpnscript"));
        assert_eq!(with_default(&["ANYVPN_AZIRE_URL"]), Some("azire"));
        assert_eq!(with_default(&["ANYVPN_AZIRE_URL", "ANYVPN_VPNSCRIPT_URL"]), Some("vpnscript"));
    }
}
