//! `anyvpn capabilities`

use anyvpn::{Capability, ProviderName};
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
    /// `can`, `cannot` or `not-yet`.
    answer: &'static str,
    why: Option<&'static str>,
    link: Option<&'static str>,
}

pub fn run(context: &Context) -> Result<(), Failure> {
    let only = context.named_provider()?;
    let providers = ProviderName::ALL.iter();
    let answer = Answer {
        providers: providers
            .filter(|name| only.is_none_or(|only| only == **name))
            .map(|name| Abilities {
                provider: name.as_str(),
                title: name.title(),
                capabilities: name.capabilities().all().into_iter().map(ability).collect(),
            })
            .collect(),
    };
    context.output.answer(&answer, || text(&answer))
}

fn ability((name, capability): (&'static str, Capability)) -> Ability {
    let (answer, why, link) = match capability {
        Capability::Can => ("can", None, None),
        Capability::Cannot { why, link } => ("cannot", Some(why), Some(link)),
        Capability::NotYet => ("not-yet", None, None),
    };
    Ability { name, answer, why, link }
}

fn text(answer: &Answer) -> String {
    let mut rows = Vec::new();
    for provider in &answer.providers {
        for ability in &provider.capabilities {
            let reason = [ability.why, ability.link].into_iter().flatten();
            rows.push(vec![
                provider.title.to_owned(),
                ability.name.to_owned(),
                match ability.answer {
                    "can" => "yes",
                    "cannot" => "no",
                    _ => "not yet",
                }
                .to_owned(),
                reason.collect::<Vec<_>>().join("\n"),
            ]);
        }
    }
    let columns = ["PROVIDER", "CAPABILITY", "CAN", "WHY NOT"].map(Column::Text);
    table(&columns, rows)
}
