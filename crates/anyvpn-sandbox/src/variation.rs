//! Variations: the ways in which a sandbox can differ from seed 0, each with a name.

use crate::random::Random;

/// One way in which a provider's answers can differ from those of seed 0.
///
/// Seeds other than 0 draw from these. [`SandboxBuilder::variation`] switches one on by its name.
///
/// [`SandboxBuilder::variation`]: crate::SandboxBuilder::variation
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Variation {
    /// Such as `azire.created-ip-is-bare`.
    pub name: &'static str,
    /// What is different, in one sentence.
    pub what: &'static str,
}

/// A variation in its provider's table, where `Q` is what the provider's state goes by.
pub(crate) struct Row<Q: 'static> {
    /// The field that it sets. Variations of one field exclude each other and stand together.
    pub(crate) choice: &'static str,
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) apply: fn(&mut Q),
}

pub(crate) const fn row<Q>(
    choice: &'static str,
    name: &'static str,
    what: &'static str,
    apply: fn(&mut Q),
) -> Row<Q> {
    Row { choice, name, what, apply }
}

impl<Q> Row<Q> {
    pub(crate) fn variation(&self) -> Variation {
        Variation { name: self.name, what: self.what }
    }
}

/// What follows from the seed: nothing from seed 0, and from any other at most one variation a
/// choice.
pub(crate) fn draw<Q: Default>(rows: &'static [Row<Q>], seed: u64) -> Q {
    let mut quirks = Q::default();
    let mut random = Random::new(seed, 1);
    for choice in rows.chunk_by(|one, next| one.choice == next.choice) {
        let drawn = random.below(choice.len() as u32 + 1) as usize;
        if seed != 0 && drawn < choice.len() {
            (choice[drawn].apply)(&mut quirks);
        }
    }
    quirks
}

/// The same, with those of the named variations that are in the table, in the order given.
pub(crate) fn choose<Q>(rows: &'static [Row<Q>], mut quirks: Q, names: &[String]) -> Q {
    for name in names {
        if let Some(row) = rows.iter().find(|row| row.name == name) {
            (row.apply)(&mut quirks);
        }
    }
    quirks
}
