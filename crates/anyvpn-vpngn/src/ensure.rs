//! Makes sure that a customer exists, and is created at most once.

use anyvpn_core::{Advice, Error, ErrorKind, Leftover, LeftoverKind};
use anyvpn_http::Operation as _;

use crate::control::Words;
use crate::ops::{AddClient, CreatedClient, GetProducts, Product, ProductStatus};
use crate::{ProductType, Vpngn};

/// How often a creation is sent. The second time requires proof that the customer is absent.
const ATTEMPTS: u32 = 2;
/// How often reading must show that a lost creation had no effect before it is sent again.
const ABSENT_LOOKS: u32 = 2;

/// What [`Vpngn::ensure_client`] knows about the existing customer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Ensured {
    /// This call created the customer, and VPNGN confirmed it. The password is the given one, or the one
    /// that VPNGN generated.
    Created(CreatedClient),
    /// The customer already existed and was not changed.
    Existed(Existing),
    /// The customer was found after a creation whose answer was lost. This call or somebody else created
    /// it, so its password is unknown: do not give the caller's password to the customer.
    FoundAfterDoubt(Existing),
}

/// An existing customer.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Existing {
    /// The products, with any status.
    pub products: Vec<Product>,
    /// Whether an active product has the requested type.
    pub has_wanted: ProductMatch,
}

/// Whether a customer has an active product of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProductMatch {
    /// An active product has the type.
    Yes,
    /// No active product has the type.
    No,
    /// An active product has an unknown type, and no other one has the requested type.
    Unknown,
}

impl ProductMatch {
    /// Returns whether an active product has this type.
    #[must_use]
    pub fn of(products: &[Product], wanted: ProductType) -> Self {
        let mut found = Self::No;
        let is_active = |product: &&Product| product.product_status == ProductStatus::Active;
        for product in products.iter().filter(is_active) {
            match product.months() {
                Some(months) if months == u32::from(wanted.months()) => return Self::Yes,
                Some(_) => {}
                None => found = Self::Unknown,
            }
        }
        found
    }
}

impl Product {
    /// Returns the number of months in the product's type, which VPNGN's page writes as `1 Month` or
    /// `12 Months`; `None` for any other text.
    #[must_use]
    pub fn months(&self) -> Option<u32> {
        let (number, unit) = self.product_type.trim().split_once(' ')?;
        let months: u32 = number.parse().ok()?;
        let is_months = unit.eq_ignore_ascii_case("month") || unit.eq_ignore_ascii_case("months");
        (is_months && months > 0).then_some(months)
    }
}

impl Vpngn {
    /// Makes sure that the customer exists, without ever creating one twice.
    ///
    /// This reads first, and creates the customer if VPNGN refuses to show it. If the answer to the
    /// creation is lost, the customer counts as absent only if VPNGN twice refuses to show it in the
    /// same words as a customer who cannot exist, each time after the settle time. Then it is created
    /// once more. A customer who exists without a product of the wanted type is returned as it is: see
    /// [`Existing::has_wanted`]. Adding a product costs money; use
    /// [`NewProduct`](crate::ops::NewProduct) for that.
    ///
    /// Set a password: one that VPNGN generates would be lost with a lost reply.
    ///
    /// # Errors
    ///
    /// As [`Vpngn::call`]; `Ambiguous`, with the customer listed as left behind, if the answer to the
    /// creation was lost and reading does not show whether it took effect.
    pub async fn ensure_client(&self, client: AddClient) -> Result<Ensured, Error> {
        let existing = |products: Vec<Product>| {
            let has_wanted = ProductMatch::of(&products, client.product_type);
            Existing { products, has_wanted }
        };
        if let Look::Found(products) = self.find(&client.email).await? {
            return Ok(Ensured::Existed(existing(products)));
        }
        let mut lost: Option<Error> = None;
        for _ in 0..ATTEMPTS {
            let error = match self.call(client.clone()).await {
                Ok(created) => return Ok(Ensured::Created(created)),
                Err(error) => error,
            };
            if error.advice() != Advice::ReadBack {
                if !is_refusal(&error) && lost.is_none() {
                    return Err(error);
                }
                return match (self.find(&client.email).await, lost) {
                    // A refusal after a lost attempt may be caused by that attempt.
                    (Ok(Look::Found(products)), Some(_)) => {
                        Ok(Ensured::FoundAfterDoubt(existing(products)))
                    }
                    (Ok(Look::Found(products)), None) => Ok(Ensured::Existed(existing(products))),
                    (_, Some(lost)) => Err(in_doubt(lost, &client.email)),
                    (_, None) => Err(error),
                };
            }
            match self.look_for_lost(&client.email).await {
                Ok(Some(products)) => return Ok(Ensured::FoundAfterDoubt(existing(products))),
                Ok(None) => lost = Some(error),
                Err(()) => return Err(in_doubt(error, &client.email)),
            }
        }
        let lost = lost.unwrap_or_else(|| Error::new(ErrorKind::Ambiguous));
        Err(in_doubt(lost, &client.email))
    }

    /// Looks for a customer after a lost creation. Returns its products; `None` if the creation did not
    /// take effect; an error if we cannot know.
    ///
    /// The documentation does not say how VPNGN reports an unknown customer, and other refusals look the
    /// same. So the refusal is compared with that of a customer who cannot exist.
    async fn look_for_lost(&self, email: &str) -> Result<Option<Vec<Product>>, ()> {
        for _ in 0..ABSENT_LOOKS {
            self.client.clock().sleep(self.settle_time).await;
            let Ok(Some(control)) = self.read_control().await else { return Err(()) };
            match self.find(email).await {
                Ok(Look::Found(products)) => return Ok(Some(products)),
                Ok(Look::Refused(error)) if Words::of(&error, email) == control => {}
                Ok(Look::Refused(_)) | Err(_) => return Err(()),
            }
        }
        Ok(None)
    }

    /// Looks for a customer. Any refusal in VPNGN's own form that is not about the caller is a
    /// refusal to show it, which need not mean that there is no such customer.
    ///
    /// # Errors
    ///
    /// Returns any other failure.
    pub(crate) async fn find(&self, email: &str) -> Result<Look, Error> {
        match self.call(GetProducts { email: email.to_owned() }).await {
            Ok(products) => Ok(Look::Found(products)),
            Err(error) if is_refusal(&error) => Ok(Look::Refused(error)),
            Err(error) => Err(error),
        }
    }
}

/// The result of reading a customer.
pub(crate) enum Look {
    Found(Vec<Product>),
    Refused(Error),
}

/// Returns whether VPNGN itself refused, and not because of the caller's credential or rate.
fn is_refusal(error: &Error) -> bool {
    let says_no = matches!(
        error.kind(),
        ErrorKind::Refused
            | ErrorKind::NotFound
            | ErrorKind::AlreadyExists
            | ErrorKind::InvalidRequest
    );
    // Every reply from VPNGN has a message or a code; pages of other servers have neither.
    let is_own = error.message().is_some() || error.code().is_some();
    says_no && error.status().is_some() && is_own
}

/// Returns the error for a creation that may have taken effect.
fn in_doubt(lost: Error, email: &str) -> Error {
    lost.with_kind(ErrorKind::Ambiguous)
        .with_operation(AddClient::ID)
        .with_leftover(customer(email))
}

/// Returns the leftover for a customer who may exist although the call failed.
pub(crate) fn customer(email: &str) -> Leftover {
    Leftover::new(LeftoverKind::Customer, email)
}
