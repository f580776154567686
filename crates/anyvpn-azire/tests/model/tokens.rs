//! What a caller concludes from its calls about tokens and accounts.

use anyvpn_azire::ops::{CreateToken, DeleteAllTokens, DeleteToken, TokenId, UpdateToken};
use anyvpn_azire::{Azire, ErrorKind, Secret};
use anyvpn_core::{Accounts, CloseAccount, NewAccount, SignUp};
use anyvpn_lab::network::Mishap;

use crate::account::Token;
use crate::{PASSWORDS, World, sign_in, tokens};

impl World {
    pub async fn create_token(&mut self, comment: u8, with_password: bool, mishaps: &[Mishap]) {
        let (name, password) = (&self.account.username, &self.account.password);
        let comment = Some(comment.to_string());
        let new = match with_password {
            true => sign_in(name, password),
            false => {
                CreateToken { username: None, password: None, device_name: None, comment: None }
            }
        };
        let new = CreateToken { comment: comment.clone(), ..new };
        let outcome = match with_password {
            true => self.anonymous().call(new).await,
            false => self.azire.call(new).await,
        };
        let back = async || {
            let known = |token: &Token| self.account.tokens.iter().any(|it| it.id == token.id);
            let mut new = tokens(&self.azire).await;
            new.retain(|token| !known(token));
            assert!(new.len() <= 1, "it was made twice: {new:?}");
            new.pop().map(|token| token.id)
        };
        let outcome = outcome.map(|token| token.id.to_string());
        if let Some(id) = self.conclude(mishaps, &[], outcome, back).await {
            self.account.tokens.push(Token { id, comment });
        }
    }

    /// Selects any token except the caller's own.
    fn token(&self, place: usize) -> Option<usize> {
        let others = |it: &usize| self.account.tokens[*it].id != self.own;
        let all: Vec<_> = (0..self.account.tokens.len()).filter(others).collect();
        all.get(place % (all.len() + 1)).copied()
    }

    fn token_id(&self, token: Option<usize>) -> TokenId {
        token.map_or("nobody", |token| &self.account.tokens[token].id).into()
    }

    pub async fn comment(&mut self, token: usize, comment: u8, mishaps: &[Mishap]) {
        let (token, comment) = (self.token(token), Some(comment.to_string()));
        let refusals = if token.is_some() { vec![] } else { vec![ErrorKind::NotFound] };
        let id = self.token_id(token);
        let change = UpdateToken { id: id.clone(), comment: comment.clone(), device_name: None };
        let outcome = self.azire.call(change).await.map(drop);
        let back = async || {
            let there = tokens(&self.azire).await;
            let changed = |it: &Token| it.id == id.as_str() && it.comment == comment;
            there.iter().any(changed).then_some(())
        };
        if self.conclude(mishaps, &refusals, outcome, back).await.is_some() {
            self.account.tokens[token.unwrap()].comment = comment;
        }
    }

    pub async fn delete_token(&mut self, token: usize, mishaps: &[Mishap]) {
        let token = self.token(token);
        let refusals = if token.is_some() { vec![] } else { vec![ErrorKind::NotFound] };
        let id = self.token_id(token);
        let outcome = self.azire.call(DeleteToken { id: id.clone() }).await;
        let back = async || {
            let there = tokens(&self.azire).await;
            (token.is_some() && there.iter().all(|it| it.id != id.as_str())).then_some(())
        };
        if self.conclude(mishaps, &refusals, outcome, back).await.is_some() {
            self.account.tokens.remove(token.unwrap());
        }
    }

    pub async fn delete_all_tokens(&mut self, mishaps: &[Mishap]) {
        let outcome = self.azire.call(DeleteAllTokens {}).await;
        let back = async || {
            let error = self.azire.account().await.err()?;
            assert_eq!(error.kind(), ErrorKind::Unauthorized);
            Some(())
        };
        if self.conclude(mishaps, &[], outcome, back).await.is_none() {
            return;
        }
        let (name, password) = (&self.account.username, &self.account.password);
        let token = self.anonymous().call(sign_in(name, password)).await.unwrap();
        self.own = token.id.to_string();
        self.second = self.second.with_token(token.key.clone());
        self.azire = self.azire.with_token(token.key);
        self.account.tokens = vec![Token { id: self.own.clone(), comment: None }];
    }

    pub async fn create_account(&mut self, name: &'static str, mishaps: &[Mishap]) {
        let taken = self.account.username == name || self.others.iter().any(|it| it.0 == name);
        let refusals = if taken { vec![ErrorKind::InvalidRequest] } else { Vec::new() };
        let new = NewAccount::new(name, PASSWORDS[1].into());
        let outcome = self.anonymous().create_account(new).await;
        let mut signed_in = 0;
        let back = async || {
            if taken {
                return None;
            }
            self.anonymous().call(sign_in(name, PASSWORDS[1])).await.ok()?;
            signed_in = 1;
            Some(())
        };
        let outcome = outcome.map(|account| assert_eq!(account.login.as_deref(), Some(name)));
        if self.conclude(mishaps, &refusals, outcome, back).await.is_some() {
            self.others.push((name, signed_in));
        }
    }

    pub async fn close_account(&mut self, name: &'static str, right: bool, mishaps: &[Mishap]) {
        let Some(place) = self.others.iter().position(|it| it.0 == name) else { return };
        self.network.calm();
        let token = self.anonymous().call(sign_in(name, PASSWORDS[1])).await.unwrap();
        self.others[place].1 += 1;
        let other: Azire = self.azire.with_token(token.key);
        let refusals = match (right, self.quirks.wrong_password) {
            (true, _) => Vec::new(),
            (false, 403) => vec![ErrorKind::Unauthorized],
            (false, _) => vec![ErrorKind::InvalidRequest],
        };
        self.network.meet(mishaps.to_vec());
        let password = Secret::from(if right { PASSWORDS[1] } else { "wrong" });
        let outcome = other.close_account(Some(&password)).await;
        let back = async || {
            let error = other.account().await.err()?;
            assert_eq!(error.kind(), ErrorKind::Unauthorized);
            Some(())
        };
        if self.conclude(mishaps, &refusals, outcome, back).await.is_some() {
            self.others.remove(place);
        }
    }
}
