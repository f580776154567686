//! Variations: the named ways in which a sandbox can differ from seed 0.

use crate::random::Random;

/// A way in which a provider's replies can differ from those of seed 0.
///
/// Seeds other than 0 select some of these. [`SandboxBuilder::variation`] switches one on by its name.
///
/// [`SandboxBuilder::variation`]: crate::SandboxBuilder::variation
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Variation {
    /// The name, such as `azire.created-ip-is-bare`.
    pub name: &'static str,
    /// The difference, in one sentence.
    pub what: &'static str,
}

/// A variation in its provider's table, where `Q` is the type of the provider's choices.
pub(crate) struct Row<Q: 'static> {
    /// The field that it sets. Variations of the same field exclude each other and are adjacent.
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

/// Returns the choices of a seed: the defaults for seed 0, and at most one variation per field for any
/// other.
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

/// Applies the named variations that are in the table, in the given order.
pub(crate) fn choose<Q>(rows: &'static [Row<Q>], mut quirks: Q, names: &[String]) -> Q {
    for name in names {
        if let Some(row) = rows.iter().find(|row| row.name == name) {
            (row.apply)(&mut quirks);
        }
    }
    quirks
}
