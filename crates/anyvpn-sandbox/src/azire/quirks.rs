//! What the documents leave open, decided by the seed.

use crate::random::Random;

/// How the user object tells how many addresses the account has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserIps {
    /// `{"allocated": 0, "available": 10}`, as clients of the live service expect it.
    Object,
    /// `[{"allocated": 0}, {"available": 10}]`, a reading of the documents' sample.
    Array,
    /// Not at all.
    Missing,
}

/// How a deletion without a documented reply is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeleteReply {
    /// 200 without a body.
    Empty,
    /// 204.
    NoContent,
    /// 200 with `{"status": "success"}`.
    Envelope,
}

/// How a list without a visible port is answered. All three were seen, or follow from the documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmptyList {
    /// 404 `Not found`
    NotFound,
    /// 404 `No port forwardings found`
    NoneFound,
    /// 200 with an empty array.
    Array,
}

/// The deletions without a documented reply.
const DELETIONS: [&str; 5] = [
    "azire.delete-user",
    "azire.delete-port-forward",
    "azire.delete-token",
    "azire.delete-all-tokens",
    "azire.delete-ip",
];
const DELETE_REPLIES: [DeleteReply; 3] =
    [DeleteReply::Empty, DeleteReply::NoContent, DeleteReply::Envelope];
const EMPTY_LISTS: [EmptyList; 3] = [EmptyList::NotFound, EmptyList::NoneFound, EmptyList::Array];

/// The choices of one sandbox. Seed 0 takes the first of each, as listed here; any other seed
/// draws. A test that needs a certain choice looks for a seed:
///
/// ```
/// use anyvpn_sandbox::azire::Quirks;
///
/// let seed = (0..).find(|seed| Quirks::from_seed(*seed).created_ip_is_bare);
/// assert!(seed.is_some());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Quirks {
    /// `ips` of the user object: [`UserIps::Object`], `Array` or `Missing`.
    pub user_ips: UserIps,
    /// Status of a creation that worked: 200 or 201.
    pub created: u16,
    /// Status of a sign-in with wrong credentials: 401 or 422.
    pub wrong_sign_in: u16,
    /// Status of a deletion of the account with the wrong password: 403 or 422.
    pub wrong_password: u16,
    /// Whether a changed e-mail address counts as verified, as the sample shows it, or is to be
    /// verified again: true or false.
    pub changed_email_is_verified: bool,
    /// Whether `POST /ips` answers the ip without an envelope: false as seen live, or true as the
    /// page shows it.
    pub created_ip_is_bare: bool,
    /// Status of a WireGuard key that the account has already: 422 or 409.
    pub duplicate_key: u16,
    /// Whether a fourth key of an ip drops the oldest, or is refused: false or true.
    pub fourth_key_drops_oldest: bool,
    /// Whether `pool` and `pubkey` of a location are arrays: false as seen live, or true as the
    /// page says.
    pub locations_have_arrays: bool,
    /// Status of an `internal_ipv4` that is no device of the account: 422 or 404.
    pub unknown_device: u16,
    /// Status of a device or a port more than there may be at one time: 422 or 403.
    pub too_many: u16,
    /// Status of the answer that a port is closed: 200, 400, 404 or 422.
    pub closed: u16,
    /// Whether `expires_in: 0`, which the page's sample sends, counts as absent or is refused: true
    /// or false.
    pub zero_days_is_absent: bool,
    /// Ports that an account may create a day: 10, or from 5 to 19.
    pub daily_port_cap: u32,
    delete_reply: usize,
    empty_list: usize,
}

impl Quirks {
    /// The choices that follow from the seed.
    #[must_use]
    pub fn from_seed(seed: u64) -> Quirks {
        let mut random = Random::new(seed, 1);
        let mut draw = |options: u32| {
            if seed == 0 { 0 } else { random.below(options) as usize }
        };
        Quirks {
            user_ips: [UserIps::Object, UserIps::Array, UserIps::Missing][draw(3)],
            created: [200, 201][draw(2)],
            wrong_sign_in: [401, 422][draw(2)],
            wrong_password: [403, 422][draw(2)],
            changed_email_is_verified: [true, false][draw(2)],
            created_ip_is_bare: [false, true][draw(2)],
            duplicate_key: [422, 409][draw(2)],
            fourth_key_drops_oldest: [false, true][draw(2)],
            locations_have_arrays: [false, true][draw(2)],
            unknown_device: [422, 404][draw(2)],
            too_many: [422, 403][draw(2)],
            closed: [200, 400, 404, 422][draw(4)],
            zero_days_is_absent: [true, false][draw(2)],
            daily_port_cap: 5 + (5 + draw(15) as u32) % 15,
            delete_reply: draw(3),
            empty_list: draw(3),
        }
    }

    /// How a deletion is answered, by its name, such as `azire.delete-ip`. Each of the five is
    /// answered differently from the next.
    #[must_use]
    pub fn delete_reply(&self, operation: &str) -> DeleteReply {
        let place = DELETIONS.iter().position(|name| *name == operation).unwrap_or_default();
        DELETE_REPLIES[(self.delete_reply + place) % DELETE_REPLIES.len()]
    }

    /// How an empty list is answered when so many were answered before.
    #[must_use]
    pub fn empty_list(&self, before: usize) -> EmptyList {
        EMPTY_LISTS[(self.empty_list + before % EMPTY_LISTS.len()) % EMPTY_LISTS.len()]
    }
}
