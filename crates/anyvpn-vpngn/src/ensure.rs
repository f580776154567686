//! A customer who must exist once.

use anyvpn_core::{Advice, Error, ErrorKind};
use anyvpn_http::Operation as _;

use crate::Vpngn;
use crate::ops::{AddClient, CreatedClient, GetProducts, Product};

/// How often a creation is tried whose outcome is unknown and that reading then does not find.
const ATTEMPTS: u32 = 5;

/// Whether [`Vpngn::ensure_client`] created the customer.
#[derive(Clone, Debug)]
pub enum Ensured {
    /// It did. The reply is absent when it was lost and reading showed the customer: the password is
    /// then the one that was given, and one made by VPNGN can only be reset.
    Created(Option<CreatedClient>),
    /// The customer was there already, with these products.
    Existed(Vec<Product>),
}

impl Vpngn {
    /// Makes sure that the customer exists, without ever creating one twice.
    ///
    /// Reads first; creates only when the customer is not found; and when the outcome of creating
    /// is unknown, reads again and decides by what is there. A customer who exists without a product
    /// of the wanted type is reported as it is: adding a product costs money, and is
    /// [`NewProduct`](crate::ops::NewProduct)'s work.
    ///
    /// Give a password: one that VPNGN makes is lost with a lost reply.
    ///
    /// # Errors
    ///
    /// As [`Vpngn::call`]; `Ambiguous` when neither creating nor reading gave an answer.
    pub async fn ensure_client(&self, client: AddClient) -> Result<Ensured, Error> {
        if let Some(products) = self.find(&client.email).await? {
            return Ok(Ensured::Existed(products));
        }
        let mut lost = None;
        for _ in 0..ATTEMPTS {
            let error = match self.call(client.clone()).await {
                Ok(created) => return Ok(Ensured::Created(Some(created))),
                Err(error) => error,
            };
            let unknown = error.advice() == Advice::ReadBack;
            let refused = matches!(
                error.kind(),
                ErrorKind::Refused | ErrorKind::AlreadyExists | ErrorKind::InvalidRequest
            );
            if !unknown && !refused {
                return Err(error);
            }
            match self.find(&client.email).await {
                // A refusal after a lost attempt is that attempt's doing.
                Ok(Some(_)) if unknown || lost.is_some() => return Ok(Ensured::Created(None)),
                Ok(Some(products)) => return Ok(Ensured::Existed(products)),
                Ok(None) if refused => return Err(error),
                Ok(None) => lost = Some(error),
                Err(_) => return Err(error),
            }
        }
        Err(lost.unwrap_or_else(|| Error::new(ErrorKind::Ambiguous).with_operation(AddClient::ID)))
    }

    /// The customer's products; `None` when VPNGN does not know the customer.
    ///
    /// How VPNGN says that is documented nowhere. So any refusal that is not about the caller counts:
    /// to take it for "unknown" wrongly is harmless, since adding a client who exists is refused.
    pub(crate) async fn find(&self, email: &str) -> Result<Option<Vec<Product>>, Error> {
        match self.call(GetProducts { email: email.to_owned() }).await {
            Ok(products) => Ok(Some(products)),
            Err(error) => match error.kind() {
                ErrorKind::Refused | ErrorKind::NotFound | ErrorKind::InvalidRequest
                    if error.status().is_some() =>
                {
                    Ok(None)
                }
                _ => Err(error),
            },
        }
    }
}
