//! `anyvpn capabilities`: what each provider supports.

use anyvpn::{Ability as Named, Capability, ProviderInfo};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::text::{Column, table};

#[derive(Serialize)]
struct Answer {
    providers: Vec<Abilities>,
}

#[derive(Serialize)]
struct Abilities {
    provider: &'static str,
    title: &'static str,
    capabilities: Vec<Ability>,
}

#[derive(Serialize)]
struct Ability {
    name: &'static str,
    /// `can` or `cannot`.
    answer: &'static str,
    why: Option<&'static str>,
    link: Option<&'static str>,
    /// A limit that users of this ability should know.
    note: Option<&'static str>,
}

pub fn run(context: &Context) -> Result<(), Failure> {
    let only = context.named_provider()?;
    let providers = context.registry.infos();
    let answer = Answer {
        providers: providers
            .filter(|info| only.is_none_or(|only| only.name == info.name))
            .map(|info| Abilities {
                provider: info.name,
                title: info.title,
                capabilities: info
                    .capabilities
                    .all()
                    .map(|(name, capability)| ability(info, name, capability))
                    .collect(),
            })
            .collect(),
    };
    context.output.answer(&answer, || text(&answer))
}

fn ability(info: &ProviderInfo, name: Named, capability: Capability) -> Ability {
    let (answer, why, link) = match capability {
        Capability::Cannot { why, link } => ("cannot", Some(why), Some(link)),
        _ => ("can", None, None),
    };
    Ability { name: name.name(), answer, why, link, note: info.capabilities.note(name) }
}

fn text(answer: &Answer) -> String {
    let mut rows = Vec::new();
    for provider in &answer.providers {
        for ability in &provider.capabilities {
            let reason = [ability.why, ability.link, ability.note].into_iter().flatten();
            rows.push(vec![
                provider.title.to_owned(),
                ability.name.to_owned(),
                if ability.answer == "can" { "yes" } else { "no" }.to_owned(),
                reason.collect::<Vec<_>>().join("\n"),
            ]);
        }
    }
    let columns = ["PROVIDER", "CAPABILITY", "CAN", "NOTES"].map(Column::Text);
    table(&columns, rows)
}
