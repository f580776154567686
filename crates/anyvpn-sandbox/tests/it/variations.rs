//! Variations: their names, and the choice that each one changes.

use std::collections::BTreeSet;

use anyvpn_sandbox::{Sandbox, StartError, Variation, azire, vpngn, vpnscript};

use crate::client::sandbox;

/// Returns the choices of all providers, for comparison.
fn choices(sandbox: &Sandbox) -> Vec<(&'static str, String)> {
    fn row(name: &'static str, quirks: impl std::fmt::Debug) -> (&'static str, String) {
        (name, format!("{quirks:?}"))
    }
    vec![
        row("azire", sandbox.azire().quirks()),
        row("natpmp", sandbox.natpmp().quirks()),
        row("pia", sandbox.pia().quirks()),
        row("vpngn", sandbox.vpngn().quirks()),
        row("vpnresellers", sandbox.vpnresellers().quirks()),
        row("vpnscript", sandbox.vpnscript().quirks()),
    ]
}

#[tokio::test]
async fn each_name_is_there_once_and_changes_one_provider() {
    let usual = choices(&sandbox(0).await);
    let mut names = BTreeSet::new();
    for Variation { name, what, .. } in Variation::all() {
        assert!(names.insert(name), "{name} is there twice");
        assert!(what.ends_with('.'), "{name}: {what}");
        let builder = Sandbox::builder().variation(name);
        let varied = choices(&builder.start().await.unwrap());
        let changed = varied.iter().zip(&usual).filter(|(varied, usual)| varied != usual);
        let changed: Vec<_> = changed.map(|((provider, _), _)| *provider).collect();
        assert_eq!(changed, [name.split('.').next().unwrap()], "{name}");
    }
}

#[tokio::test]
async fn an_unknown_name_is_refused_with_the_list() {
    let refused = Sandbox::builder().variation("azire.fast").start().await;
    let Err(error @ StartError::UnknownVariation(_)) = refused else { panic!("it started") };
    let text = error.to_string();
    assert!(text.contains("\"azire.fast\""), "{text}");
    assert!(Variation::all().all(|variation| text.contains(variation.name)), "{text}");
}

#[tokio::test]
async fn of_two_that_exclude_each_other_the_later_one_counts() {
    let names = ["azire.closed-port-is-404", "azire.created-is-201", "azire.closed-port-is-422"];
    let builder =
        names.into_iter().fold(Sandbox::builder(), |builder, name| builder.variation(name));
    let quirks = builder.start().await.unwrap().azire().quirks();
    assert_eq!((quirks.closed, quirks.created), (422, 201));
}

#[test]
fn seeds_draw_variations_and_seed_0_none() {
    assert_eq!(azire::Quirks::from_seed(0), azire::Quirks::default());
    assert_eq!(vpngn::Quirks::from_seed(0), vpngn::Quirks::default());
    assert_eq!(vpnscript::Quirks::from_seed(0), vpnscript::Quirks::default());
    assert!((1..500).any(|seed| azire::Quirks::from_seed(seed).closed == 422));
    assert!((1..500).any(|seed| vpngn::Quirks::from_seed(seed).code_field == "error"));
    assert!((1..500).any(|seed| vpnscript::Quirks::from_seed(seed).refused == 422));
}

#[test]
fn every_variation_names_its_source() {
    let table = include_str!("../../../../docs/decisions/sandbox.md");
    let all: BTreeSet<&str> = Variation::all().map(|variation| variation.name).collect();
    let provider = |name: &str| name.split_once('.').map(|(provider, _)| provider.to_owned());
    let providers: BTreeSet<String> = all.iter().filter_map(|name| provider(name)).collect();
    let named: BTreeSet<&str> = table
        .split('`')
        .filter(|text| !text.contains('(') && !text.ends_with(".rs"))
        .filter(|text| provider(text).is_some_and(|provider| providers.contains(&provider)))
        .collect();
    assert_eq!(named, all);
}
