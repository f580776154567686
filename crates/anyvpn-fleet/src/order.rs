//! Orders: the customers that a shop wants its providers to have.

use std::fmt;
use std::str::FromStr;

use anyvpn_core::{CustomerEnd, Customers, Error, NewCustomer, Secret, Timestamp, is_invisible};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The maximum length of an order's texts, in characters.
const LONGEST: usize = 254;

/// A customer that the shop wants. It is only data: creating or importing it sends nothing.
///
/// The shop changes an order by importing it again with a higher revision. Only the plan, the wanted state
/// and the end can change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Order {
    /// The shop's id of the order. No two orders share one.
    pub id: String,
    /// The profile of the provider, such as `mybrand`.
    #[serde(default)]
    pub profile: String,
    /// The customer's natural key: see [`Customers::customer_key`]. No two orders of a profile share one.
    pub key: String,
    /// The id of the plan; absent if the provider has only one plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// The country, as ISO 3166-1 alpha-2; absent if the provider does not need it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The wanted state of the customer.
    #[serde(default)]
    pub wanted: Wanted,
    /// When the service ends; absent to leave the end unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
    /// The number of this version of the order. Default 1.
    #[serde(default = "first")]
    pub revision: u32,
}

fn first() -> u32 {
    1
}

/// The wanted state of a customer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wanted {
    /// The customer can connect.
    #[default]
    Active,
    /// The customer exists but cannot connect.
    Suspended,
    /// The customer's account is closed. This is final.
    Closed,
}

impl Wanted {
    /// Returns the word for it, as in orders: `active`, `suspended` or `closed`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Closed => "closed",
        }
    }
}

/// The end of a customer's service, written as `paid-period`, `next-run`, `never`, or a time such as
/// `2027-03-31T00:00:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End(pub CustomerEnd);

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            CustomerEnd::PaidPeriod => f.write_str("paid-period"),
            CustomerEnd::NextRun => f.write_str("next-run"),
            CustomerEnd::At(time) => time.fmt(f),
            _ => f.write_str("never"),
        }
    }
}

impl FromStr for End {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Ok(Self(match text {
            "paid-period" => CustomerEnd::PaidPeriod,
            "next-run" => CustomerEnd::NextRun,
            "never" => CustomerEnd::Never,
            time => CustomerEnd::At(time.parse::<Timestamp>().map_err(|_| {
                let why =
                    "must be paid-period, next-run, never, or a time such as 2027-03-31T00:00:00Z";
                Error::invalid("end", why)
            })?),
        }))
    }
}

impl Serialize for End {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for End {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| {
            serde::de::Error::custom(
                "end must be paid-period, next-run, never, or a time such as 2027-03-31T00:00:00Z",
            )
        })
    }
}

impl Order {
    /// Creates an order for an active customer, with revision 1.
    #[must_use]
    pub fn new(id: impl Into<String>, profile: impl Into<String>, key: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            profile: profile.into(),
            key: key.into(),
            plan: None,
            country: None,
            wanted: Wanted::Active,
            end: None,
            revision: 1,
        }
    }

    /// Checks the texts of the order, independent of the provider.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` that names every field that is empty, too long, or has an invisible character.
    pub fn check(&self) -> Result<(), Error> {
        let texts = [
            ("id", Some(&self.id)),
            ("profile", Some(&self.profile)),
            ("key", Some(&self.key)),
            ("plan", self.plan.as_ref()),
            ("country", self.country.as_ref()),
        ];
        let wrong = texts.into_iter().filter_map(|(field, text)| {
            let text = text?;
            let why = if text.is_empty() {
                "must not be empty"
            } else if text.chars().count() > LONGEST {
                "is longer than 254 characters"
            } else if text.contains(is_invisible) || text.trim() != text {
                "has an invisible character, or begins or ends with a space"
            } else {
                return None;
            };
            Some((field, why))
        });
        let mut error = None::<Error>;
        for (field, why) in wrong {
            error = Some(match error {
                Some(error) => error.with_field(field, why),
                None => Error::invalid(field, why),
            });
        }
        error.map_or(Ok(()), Err)
    }

    /// Checks that the provider supports what the order says. Nothing is sent.
    ///
    /// # Errors
    ///
    /// `InvalidRequest` for values that the provider refuses, or changes for which it has no call, such
    /// as suspending at VPNGN.
    pub fn check_reachable(&self, customers: &dyn Customers) -> Result<(), Error> {
        self.check()?;
        if self.wanted == Wanted::Suspended && customers.customer_suspension().is_none() {
            return Err(Error::invalid(
                "wanted",
                "the provider has no call that suspends a customer",
            ));
        }
        if let Some(End(end)) = self.end {
            let ends = customers.customer_end().ok_or_else(|| {
                Error::invalid("end", "the provider has no call that ends a customer's service")
            })?;
            ends.check_end(end)?;
        }
        let plans = customers.plans();
        if let Some(plan) = &self.plan
            && !plans.iter().any(|known| known.id == plan)
        {
            let known: Vec<_> = plans.iter().map(|plan| plan.id).collect();
            let why = match known.is_empty() {
                true => "the provider has only one plan; omit it".to_owned(),
                false => format!("must be one of {}", known.join(", ")),
            };
            return Err(Error::invalid("plan", why));
        }
        // Use a password that every provider accepts, so that only the order is checked.
        customers.check_customer(&self.customer(Secret::from("Placeholder-2027!")))
    }

    /// Returns the customer to be created.
    #[must_use]
    pub fn customer(&self, password: Secret) -> NewCustomer {
        let mut customer = NewCustomer::new(self.key.as_str(), password);
        customer.plan.clone_from(&self.plan);
        customer.country.clone_from(&self.country);
        customer
    }

    /// Returns why this order cannot replace `old`, which has the same id; `None` if it can. The same
    /// order again can.
    #[must_use]
    pub fn conflict(&self, old: &Self) -> Option<String> {
        if self == old {
            return None;
        }
        let differences: Vec<_> =
            old.values().into_iter().zip(self.values()).filter(|(old, new)| old != new).collect();
        let fixed = |field| ["profile", "key", "country"].contains(field);
        if let Some(((field, was), (_, now))) = differences.iter().find(|((it, _), _)| fixed(it)) {
            return Some(format!(
                "{field} cannot change from {was} to {now}; use another order id"
            ));
        }
        if self.revision <= old.revision {
            let says = differences
                .iter()
                .map(|((field, was), (_, now))| format!("{field} {was}, not {now}"));
            let says = says.collect::<Vec<_>>().join(", and ");
            let next = old.revision.saturating_add(1);
            return Some(match differences.is_empty() {
                true => format!("has revision {} already; nothing else differs", old.revision),
                false => format!(
                    "revision {} says {says}; to change the order, use revision {next} or higher",
                    old.revision
                ),
            });
        }
        if old.wanted == Wanted::Closed && self.wanted != Wanted::Closed {
            return Some(
                "a closed order stays closed; release it, and use another order id".into(),
            );
        }
        None
    }

    /// Returns the name and the text of each value that a new revision may contradict.
    fn values(&self) -> [(&'static str, String); 6] {
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "none".to_owned());
        [
            ("profile", self.profile.clone()),
            ("key", self.key.clone()),
            ("country", or_none(self.country.clone())),
            ("plan", or_none(self.plan.clone())),
            ("wanted", self.wanted.name().to_owned()),
            ("end", or_none(self.end.map(|end| end.to_string()))),
        ]
    }
}
