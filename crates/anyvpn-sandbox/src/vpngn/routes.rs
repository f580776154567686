//! VPNGN's calls, as one table.

use http::Method;

use super::access::{Access, Caller};
use super::answer::Answer;
use super::state::State;
use super::{aliases, clients, passwords, products, tokens};
use crate::fields::Fields;
use crate::provider::{Route, route};

/// Who may make a call, and the call's effect.
pub(super) type Work = (Access, fn(&mut State, &Caller, Fields) -> Answer);

const fn row(
    path: &'static str,
    operation: &'static str,
    shows: &'static [&'static str],
    access: Access,
    work: fn(&mut State, &Caller, Fields) -> Answer,
) -> Route<Work> {
    route(Method::POST, path, operation, shows, (access, work))
}

/// Each row: path, operation, the fields that may be logged, who may call, and the effect.
#[rustfmt::skip]
pub(super) static ROUTES: &[Route<Work>] = &[
    row("/api/amapi/AddClient", "vpngn.add-client", &["email", "country", "type", "auto_terminate", "test_user"], Access::Anybody, clients::add),
    row("/api/amapi/TokenRefresh", "vpngn.token-refresh", &["email"], Access::Refresh, tokens::refresh),
    row("/api/amapi/CloseClient", "vpngn.close-client", &["email"], Access::Customer, clients::close),
    row("/api/amapi/CancelRequest", "vpngn.cancel-request", &["email", "type", "product_id"], Access::Customer, clients::cancel),
    row("/api/amapi/GetProducts", "vpngn.get-products", &["email"], Access::Customer, products::list),
    row("/api/amapi/NewProduct", "vpngn.new-product", &["email", "type", "force_upgrade", "auto_terminate"], Access::Customer, products::add),
    row("/api/amapi/UpgradeProduct", "vpngn.upgrade-product", &["email", "product_id", "new_product_plan", "auto_terminate"], Access::Customer, products::upgrade),
    row("/api/amapi/SetPassword", "vpngn.set-password", &["email"], Access::Customer, passwords::set),
    row("/api/amapi/ResetPassword", "vpngn.reset-password", &["email"], Access::Server, passwords::reset),
    row("/api/amapi/ListAliases", "vpngn.list-aliases", &["email"], Access::Customer, aliases::list),
    row("/api/amapi/AddAlias", "vpngn.add-alias", &["email", "setemail", "auto_passreset"], Access::Customer, aliases::add),
    row("/api/amapi/DelAlias", "vpngn.del-alias", &["email", "alias"], Access::Customer, aliases::delete),
    row("/api/amapi/SetAliasPassword", "vpngn.set-alias-password", &["email"], Access::Alias, passwords::set_for_alias),
    row("/api/amapi/ResetAliasPassword", "vpngn.reset-alias-password", &["email"], Access::ServerForAlias, passwords::reset_for_alias),
];
