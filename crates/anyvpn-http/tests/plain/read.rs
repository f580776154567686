//! An operation that reads a number.

use anyvpn_core::{Error, OperationId};
use anyvpn_http::{Dialect, Operation, Replay, Reply, Request, Security};

use super::plain::Plain;

pub struct Read;

impl Operation for Read {
    type Dialect = Plain;
    type Output = u32;
    const ID: OperationId = OperationId::new("plain", "read");
    const REPLAY: Replay = Replay::Safe;

    fn security(&self) -> Security {
        Security::required(&["bearer"])
    }

    fn request(&self) -> Result<Request, Error> {
        Ok(Request::get("/thing"))
    }

    fn decode(&self, reply: &Reply) -> Result<u32, Error> {
        Plain::decode(reply)
    }
}
