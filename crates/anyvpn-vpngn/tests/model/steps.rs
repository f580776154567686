//! What a reseller and its customers can do, and what they conclude from the results.

use std::sync::Arc;
use std::time::Duration;

use anyvpn_core::{Accounts, ChangePassword, CreatedCustomer, Customers, NewCustomer};
use anyvpn_http::MemoryStore;
use anyvpn_lab::machines::Machine;
use anyvpn_lab::network::Mishap;
use anyvpn_vpngn::ops::{
    AddAlias, AddClient, CancelRequest, DelAlias, NewProduct, ResetPassword, UpgradeProduct,
};
use anyvpn_vpngn::{CancelAt, Error, ErrorKind, ProductType, Secret};
use proptest::prelude::*;

use crate::contest::{Interlude, Second, Told, client, told};
use crate::customers::{DAY, Product, exists, later, unknown};
use crate::{EMAILS, PASSWORDS, Session, World};

const HOUR: Duration = Duration::from_secs(3600);

/// Customers are identified by the position of their address.
#[derive(Clone, Debug)]
pub enum Step {
    Add {
        email: usize,
        plan: usize,
        renews: bool,
        test: bool,
    },
    Ensure {
        email: usize,
        plan: usize,
    },
    /// The other server ensures a customer.
    Second {
        email: usize,
        plan: usize,
    },
    Create {
        email: usize,
        plan: usize,
    },
    Close {
        email: usize,
    },
    Cancel {
        email: usize,
        at_due_date: bool,
    },
    NewProduct {
        email: usize,
        plan: usize,
        force: bool,
        renews: bool,
    },
    Upgrade {
        email: usize,
        product: usize,
        plan: usize,
        renews: bool,
    },
    SetPassword {
        email: usize,
        to: usize,
    },
    ResetPassword {
        email: usize,
    },
    AddAlias {
        email: usize,
        alias: usize,
    },
    DelAlias {
        email: usize,
        alias: usize,
    },
    SignIn {
        email: usize,
    },
    Session {
        email: usize,
    },
    Wait {
        hours: u32,
    },
}

pub fn steps() -> impl Strategy<Value = Step> {
    let email = || 0..EMAILS.len();
    let plan = || 0..ProductType::ALL.len();
    let flag = any::<bool>;
    prop_oneof![
        3 => (email(), plan(), flag(), flag())
            .prop_map(|(email, plan, renews, test)| Step::Add { email, plan, renews, test }),
        5 => (email(), plan()).prop_map(|(email, plan)| Step::Ensure { email, plan }),
        1 => (email(), plan()).prop_map(|(email, plan)| Step::Second { email, plan }),
        2 => (email(), plan()).prop_map(|(email, plan)| Step::Create { email, plan }),
        2 => email().prop_map(|email| Step::Close { email }),
        2 => (email(), flag())
            .prop_map(|(email, at_due_date)| Step::Cancel { email, at_due_date }),
        3 => (email(), plan(), flag(), flag()).prop_map(|(email, plan, force, renews)| {
            Step::NewProduct { email, plan, force, renews }
        }),
        2 => (email(), 0_usize..4, plan(), flag()).prop_map(|(email, product, plan, renews)| {
            Step::Upgrade { email, product, plan, renews }
        }),
        2 => (email(), 0..PASSWORDS.len()).prop_map(|(email, to)| Step::SetPassword { email, to }),
        1 => email().prop_map(|email| Step::ResetPassword { email }),
        2 => (email(), 0_usize..4).prop_map(|(email, alias)| Step::AddAlias { email, alias }),
        2 => (email(), 0_usize..4).prop_map(|(email, alias)| Step::DelAlias { email, alias }),
        2 => email().prop_map(|email| Step::SignIn { email }),
        4 => email().prop_map(|email| Step::Session { email }),
        3 => prop_oneof![1_u32..48, 400_u32..2000].prop_map(|hours| Step::Wait { hours }),
    ]
}

/// Selects one of a few aliases. The last one is a customer's address.
fn alias(number: usize) -> &'static str {
    ["one@example.com", "two@example.com", "three@example.com", EMAILS[0]][number]
}

impl World {
    pub async fn take(&mut self, step: Step, mishaps: &[Mishap], interlude: Option<Interlude>) {
        let plan = |plan: usize| ProductType::ALL[plan];
        match step {
            Step::Add { email, plan: of, renews, test } => {
                let second = self.interrupt(EMAILS[email], interlude);
                self.add(EMAILS[email], plan(of), renews, test, mishaps, second).await
            }
            Step::Ensure { email, plan: of } => {
                let second = self.interrupt(EMAILS[email], interlude);
                self.ensure(EMAILS[email], plan(of), mishaps, second).await
            }
            Step::Second { email, plan: of } => {
                let (email, of) = (EMAILS[email], plan(of));
                let outcome = self.second.ensure_client(client(email, of, Machine::Second)).await;
                let refused = Err(Error::new(ErrorKind::Refused));
                self.contested(email, of, true, false, refused, (of, told(outcome))).await
            }
            Step::Create { email, plan: of } => {
                let second = self.interrupt(EMAILS[email], interlude);
                self.create(EMAILS[email], plan(of), mishaps, second).await
            }
            Step::Close { email } => self.close(EMAILS[email], mishaps).await,
            Step::Cancel { email, at_due_date } => {
                self.cancel(EMAILS[email], at_due_date, mishaps).await
            }
            Step::NewProduct { email, plan: of, force, renews } => {
                self.new_product(EMAILS[email], plan(of), force, renews, mishaps).await
            }
            Step::Upgrade { email, product, plan: to, renews } => {
                self.upgrade(EMAILS[email], product, plan(to), renews, mishaps).await
            }
            Step::SetPassword { email, to } => {
                self.set_password(EMAILS[email], PASSWORDS[to], mishaps).await
            }
            Step::ResetPassword { email } => self.reset_password(EMAILS[email], mishaps).await,
            Step::AddAlias { email, alias: of } => {
                self.add_alias(EMAILS[email], alias(of), mishaps).await
            }
            Step::DelAlias { email, alias: of } => {
                self.del_alias(EMAILS[email], alias(of), mishaps).await
            }
            Step::SignIn { email } => self.sign_in(EMAILS[email], mishaps).await,
            Step::Session { email } => self.session(EMAILS[email], mishaps).await,
            Step::Wait { hours } => self.sandbox.clock().advance(HOUR * hours),
        }
    }

    /// Returns why a call about a customer who may not exist is refused.
    fn refuses(&mut self, email: &str) -> Vec<ErrorKind> {
        match self.customers.open(email) {
            Some(_) => Vec::new(),
            None => vec![unknown(&self.quirks)],
        }
    }

    async fn add(
        &mut self,
        email: &'static str,
        plan: ProductType,
        renews: bool,
        test: bool,
        mishaps: &[Mishap],
        second: Second,
    ) {
        let taken = self.customers.taken(email);
        let refusals = if taken { vec![exists(&self.quirks)] } else { Vec::new() };
        let new = client(email, plan, Machine::First);
        let new = AddClient { auto_terminate: !renews, test_user: test, ..new };
        let outcome = self.server.call(new).await.map(|_| Told::Created);
        if let Some(second) = self.end(second).await {
            return self.contested(email, plan, renews, test, outcome, second).await;
        }
        let back = async || self.product_ids(email).await.filter(|_| !taken).map(drop);
        if self.conclude(mishaps, &refusals, outcome.map(drop), back).await.is_some() {
            self.created(email, plan, renews, test, Machine::First).await;
        }
    }

    /// An alias's address cannot become a customer's, and adding it is refused.
    async fn ensure(
        &mut self,
        email: &'static str,
        plan: ProductType,
        mishaps: &[Mishap],
        second: Second,
    ) {
        let outcome = self.server.ensure_client(client(email, plan, Machine::First)).await;
        self.ensured(email, plan, mishaps, second, told(outcome)).await;
    }

    /// The neutral trait gives the same guarantee.
    async fn create(
        &mut self,
        email: &'static str,
        plan: ProductType,
        mishaps: &[Mishap],
        second: Second,
    ) {
        let mut new = NewCustomer::new(email, PASSWORDS[0].into());
        (new.country, new.plan) = (Some("US".to_owned()), Some(plan.months().to_string()));
        let outcome = self.server.create_customer(new).await.map(|created| {
            assert_eq!(created.customer().key, email);
            match created {
                CreatedCustomer::Created(_) => Told::Created,
                CreatedCustomer::Existed(_) => Told::Existed,
                CreatedCustomer::FoundAfterDoubt(_) => Told::Doubt,
                other => panic!("{other:?}"),
            }
        });
        self.ensured(email, plan, mishaps, second, outcome).await;
    }

    async fn ensured(
        &mut self,
        email: &'static str,
        plan: ProductType,
        mishaps: &[Mishap],
        second: Second,
        outcome: Result<Told, Error>,
    ) {
        let there = self.customers.open(email).is_some();
        let is_alias = !there && self.customers.taken(email);
        let refusals = if is_alias { vec![exists(&self.quirks)] } else { Vec::new() };
        if let Some(second) = self.end(second).await {
            return self.contested(email, plan, true, false, outcome, second).await;
        }
        let outcome = outcome.map(|told| assert_eq!(told == Told::Existed, there, "{told:?}"));
        let back = async || self.product_ids(email).await.filter(|_| !is_alias).map(drop);
        let done = self.conclude(mishaps, &refusals, outcome, back).await;
        if done.is_some() && !there {
            self.created(email, plan, true, false, Machine::First).await;
        }
    }

    async fn close(&mut self, email: &'static str, mishaps: &[Mishap]) {
        let refusals = self.refuses(email);
        let outcome = self.server.close_customer(email).await;
        let back = async || {
            let gone = self.product_ids(email).await.is_none();
            (gone && refusals.is_empty()).then_some(())
        };
        if self.conclude(mishaps, &refusals, outcome, back).await.is_some() {
            self.customers.open(email).unwrap().close();
            self.sessions.remove(email);
        }
    }

    async fn cancel(&mut self, email: &'static str, at_due_date: bool, mishaps: &[Mishap]) {
        let mut refusals = self.refuses(email);
        let midnight = (self.now().div_euclid(DAY) + 1) * DAY;
        let active = self.customers.open(email).and_then(|it| it.active().cloned());
        let end = match active {
            Some(product) if at_due_date => product.due.unwrap_or(midnight),
            None if at_due_date => {
                refusals = vec![unknown(&self.quirks)];
                midnight
            }
            _ => midnight,
        };
        let request = CancelRequest {
            email: email.to_owned(),
            at: if at_due_date { CancelAt::AtDueDate } else { CancelAt::Midnight },
            reason: None,
            product_id: None,
        };
        let outcome = self.server.call(request).await;
        // No call reports when an account ends.
        let back = async || {
            let truth = self.truth(email)?;
            (refusals.is_empty() && truth.ends_at == Some(end)).then_some(())
        };
        if self.conclude(mishaps, &refusals, outcome, back).await.is_some() {
            self.customers.open(email).unwrap().ends_at = Some(end);
        }
    }

    async fn new_product(
        &mut self,
        email: &'static str,
        plan: ProductType,
        force: bool,
        renews: bool,
        mishaps: &[Mishap],
    ) {
        let mut refusals = self.refuses(email);
        let (now, months) = (self.now(), plan.months().into());
        let mut after = self.customers.open(email).cloned();
        match after.as_mut().map(|it| (it.products.len(), it.active())) {
            Some((_, Some(product))) if force => product.change(months, renews, now),
            Some((_, Some(_))) => refusals = vec![exists(&self.quirks)],
            Some((_, None)) => {
                let due = Some(later(now, months));
                let new = Product { id: String::new(), months, active: true, due, renews };
                after.as_mut().unwrap().products.push(new);
            }
            None => {}
        }
        let request = NewProduct {
            email: email.to_owned(),
            product_type: plan,
            force_upgrade: force,
            auto_terminate: !renews,
        };
        let outcome = self.server.call(request).await.map(drop);
        let count = after.as_ref().map(|it| it.products.len());
        // No call reports whether a product is renewed.
        let back = async || {
            let truth = self.truth(email)?;
            let newest = |products: &[Product]| {
                products.iter().rfind(|it| it.active).map(|it| (it.months, it.due, it.renews))
            };
            let same = Some(truth.products.len()) == count
                && newest(&truth.products) == newest(&after.as_ref()?.products);
            (refusals.is_empty() && same).then_some(())
        };
        if self.conclude(mishaps, &refusals, outcome, back).await.is_some() {
            let mut after = after.unwrap();
            let newest = after.products.last_mut().unwrap();
            if newest.id.is_empty() {
                newest.id = self.newest_product(email).await;
            }
            *self.customers.open(email).unwrap() = after;
        }
    }

    async fn upgrade(
        &mut self,
        email: &'static str,
        product: usize,
        plan: ProductType,
        renews: bool,
        mishaps: &[Mishap],
    ) {
        let mut refusals = self.refuses(email);
        let now = self.now();
        let mut after = self.customers.open(email).cloned();
        let product = after.as_mut().and_then(|it| it.products.get_mut(product));
        let mut product_id = "7".to_owned();
        if let Some(product) = product {
            product_id.clone_from(&product.id);
            if !product.active {
                refusals = vec![unknown(&self.quirks)];
            }
            product.change(plan.months().into(), renews, now);
        } else {
            refusals = vec![unknown(&self.quirks)];
        }
        let request = UpgradeProduct {
            email: email.to_owned(),
            product_id,
            new_product_plan: plan,
            auto_terminate: !renews,
        };
        let outcome = self.server.call(request).await.map(drop);
        let back = async || (refusals.is_empty() && self.truth(email) == after).then_some(());
        if self.conclude(mishaps, &refusals, outcome, back).await.is_some() {
            *self.customers.open(email).unwrap() = after.unwrap();
        }
    }

    async fn set_password(&mut self, email: &'static str, to: &str, mishaps: &[Mishap]) {
        let refusals = self.refuses(email);
        let customer = self.server.for_customer(email);
        let outcome = customer.change_password(Secret::from(to)).await;
        let mut asked = false;
        let back = async || {
            asked = true;
            (refusals.is_empty() && self.signs_in(email, to).await).then_some(())
        };
        if self.conclude(mishaps, &refusals, outcome, back).await.is_some() {
            self.customers.open(email).unwrap().password = to.to_owned();
        }
        if asked && let Some(session) = self.sessions.get_mut(email) {
            // Signing in may have revoked its tokens.
            session.ends = None;
        }
    }

    async fn reset_password(&mut self, email: &'static str, mishaps: &[Mishap]) {
        let refusals = self.refuses(email);
        let outcome = self.server.call(ResetPassword { email: email.to_owned() }).await;
        let back = async || (self.sandbox.vpngn().outbox().len() > self.mails).then_some(());
        if self.conclude(mishaps, &refusals, outcome, back).await.is_some() {
            self.mails += 1;
        }
    }

    async fn add_alias(&mut self, email: &'static str, alias: &str, mishaps: &[Mishap]) {
        let mut refusals = self.refuses(email);
        if refusals.is_empty() && self.customers.taken(alias) {
            refusals = vec![exists(&self.quirks)];
        }
        let request = AddAlias {
            email: email.to_owned(),
            setemail: alias.to_owned(),
            setpassword: None,
            auto_passreset: false,
            first_name: None,
            last_name: None,
        };
        let outcome = self.server.call(request).await;
        let back = async || {
            let there =
                refusals.is_empty() && self.aliases(email).await.iter().any(|it| it == alias);
            there.then_some(())
        };
        if self.conclude(mishaps, &refusals, outcome, back).await.is_some() {
            self.customers.open(email).unwrap().aliases.push(alias.to_owned());
        }
    }

    async fn del_alias(&mut self, email: &'static str, alias: &str, mishaps: &[Mishap]) {
        let mut refusals = self.refuses(email);
        let customer = self.customers.open(email);
        if customer.is_none_or(|it| !it.aliases.iter().any(|it| it == alias)) {
            refusals = vec![unknown(&self.quirks)];
        }
        let request = DelAlias { email: email.to_owned(), alias: alias.to_owned() };
        let outcome = self.server.call(request).await;
        let back = async || {
            let gone =
                refusals.is_empty() && self.aliases(email).await.iter().all(|it| it != alias);
            gone.then_some(())
        };
        if self.conclude(mishaps, &refusals, outcome, back).await.is_some() {
            self.customers.open(email).unwrap().aliases.retain(|it| it != alias);
        }
    }

    /// A customer's program signs in again.
    async fn sign_in(&mut self, email: &'static str, mishaps: &[Mishap]) {
        let Some(mut customer) = self.customers.open(email).cloned() else { return };
        let store = Arc::new(MemoryStore::new(None));
        let password = Secret::from(customer.password.as_str());
        match self.server.sign_in_customer(email, password, store).await {
            Ok(vpngn) => {
                let ends = Some(customer.long_token_ends(self.now()));
                self.sessions.insert(email, Session { vpngn, ends });
            }
            Err(error) => {
                assert!(!mishaps.is_empty(), "{error}");
                if let Some(session) = self.sessions.get_mut(email) {
                    session.ends = None;
                }
            }
        }
    }

    /// A customer's program reads its account, and refreshes its tokens if they have expired.
    async fn session(&mut self, email: &'static str, mishaps: &[Mishap]) {
        let now = self.now();
        let (Some(session), Some(customer)) =
            (self.sessions.get_mut(email), self.customers.open(email))
        else {
            return;
        };
        match session.vpngn.account().await {
            Ok(account) => {
                let ids: Vec<_> =
                    account.services.iter().map(|it| it.id.clone().unwrap()).collect();
                let known: Vec<_> = customer.products.iter().map(|it| it.id.clone()).collect();
                assert_eq!(ids, known);
                // If its tokens were refreshed, the new ones may expire sooner.
                let end = customer.long_token_ends(now);
                session.ends = session.ends.map(|ends| ends.min(end));
            }
            Err(error) => {
                let good = session.ends.is_some_and(|end| now < end);
                assert!(!good || !mishaps.is_empty(), "{error:?}");
                if !mishaps.is_empty() {
                    session.ends = None;
                }
            }
        }
    }
}
