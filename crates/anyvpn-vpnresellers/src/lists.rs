//! Reads the lists of accounts and servers, page by page.

use anyvpn_core::{Error, ErrorKind, OperationId};
use anyvpn_http::{Client, LenientList, ListNumbers, ListPage, Operation as _, PagedList, pages};
use futures_core::Stream;
use futures_util::{TryStreamExt, stream};

use crate::ops::{Account, ListAccounts, ListServers, Server};
use crate::{Dialect, VpnResellers};

/// The number of elements per page. Other open-source clients of this API request the same number.
const PER_PAGE: u32 = 100;

impl VpnResellers {
    /// Returns all accounts, each once, page by page.
    pub(crate) fn accounts_by_page(
        &self,
    ) -> impl Stream<Item = Result<Account, Error>> + Send + 'static {
        let pages = pages(AccountList(self.client().clone()), self.client().limits().list);
        pages.map_ok(|page| stream::iter(page.items.into_iter().map(Ok))).try_flatten()
    }

    /// Returns all servers, each once, page by page if there are pages.
    pub(crate) fn servers_by_page(
        &self,
    ) -> impl Stream<Item = Result<LenientList<Server>, Error>> + Send + 'static {
        pages(ServerList(self.client().clone()), self.client().limits().list)
    }

    /// Returns the account with exactly this user name; `None` if no page has it.
    pub(crate) async fn find(&self, username: &str) -> Result<Option<Account>, Error> {
        let mut accounts = std::pin::pin!(self.accounts_by_page());
        while let Some(account) = accounts.try_next().await? {
            if account.username == username {
                return Ok(Some(account));
            }
        }
        Ok(None)
    }

    /// As [`Self::find`], but returns `NotFound` if no page has it.
    pub(crate) async fn existing(&self, username: &str) -> Result<Account, Error> {
        self.find(username).await?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound)
                .with_operation(ListAccounts::ID)
                .with_detail(format!("the reseller has no account with the user name {username:?}"))
        })
    }
}

struct AccountList(Client<Dialect>);

impl PagedList for AccountList {
    type Item = Account;
    const ITEMS: &'static str = "accounts";
    const OPERATION: OperationId = ListAccounts::ID;

    async fn page(&self, number: u32) -> Result<ListPage<Account>, Error> {
        let list = ListAccounts { page: Some(number), per_page: Some(PER_PAGE) };
        let page = self.0.call(list).await?;
        let (last_page, per_page, total) = (page.last_page, page.per_page, page.total);
        Ok(ListPage {
            items: page.accounts.into(),
            current_page: page.current_page,
            list: ListNumbers { last_page, per_page, total },
        })
    }

    fn id(account: &Account) -> u64 {
        account.id
    }

    fn size(account: &Account) -> usize {
        let Account { username, wg_ip, wg_public_key, created, updated, .. } = account;
        let texts = [wg_ip, wg_public_key, created, updated];
        let length = |text: &&Option<String>| text.as_ref().map_or(0, String::len);
        size_of::<Account>()
            + username.len()
            + texts.iter().map(length).sum::<usize>()
            + account.wg_private_key.as_ref().map_or(0, |key| key.expose().len())
    }
}

struct ServerList(Client<Dialect>);

impl PagedList for ServerList {
    type Item = Server;
    const ITEMS: &'static str = "servers";
    const OPERATION: OperationId = ListServers::ID;

    async fn page(&self, number: u32) -> Result<ListPage<Server>, Error> {
        let list = ListServers { page: Some(number), per_page: Some(PER_PAGE) };
        let page = self.0.call(list).await?;
        let (last_page, per_page, total) = (page.last_page, page.per_page, page.total);
        Ok(ListPage {
            items: page.servers,
            current_page: page.current_page,
            list: ListNumbers { last_page, per_page, total },
        })
    }

    fn id(server: &Server) -> u64 {
        server.id
    }

    fn size(server: &Server) -> usize {
        let texts = [&server.ip, &server.country_code, &server.city];
        let length = |text: &&Option<String>| text.as_ref().map_or(0, String::len);
        size_of::<Server>() + server.name.len() + texts.iter().map(length).sum::<usize>()
    }
}
