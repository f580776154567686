//! Checks a reseller's customers.

use anyvpn_core::{
    ChangePlan, CreatedCustomer, Customer, CustomerEnd, Customers, EndCustomers, ErrorKind,
    ListCustomers, NewCustomer, Secret, Status, SuspendCustomers, Timestamp,
};
use futures_util::TryStreamExt;

use super::{Check, ExpectError, ensure, expect, text};

async fn find(customers: &dyn Customers, key: &str) -> Result<Customer, String> {
    let found = customers.find_customer(key).await.map_err(text)?;
    found.ok_or_else(|| format!("the customer {key} was not found"))
}

/// A customer is created once; creating it again finds the first one and changes nothing.
pub(super) async fn created_once(customers: &dyn Customers, new: &NewCustomer) -> Check {
    let before = customers.find_customer(&new.key).await.map_err(text)?;
    ensure!(before.is_none(), "the customer already exists: {before:?}");
    let made = customers.create_customer(new.clone()).await.map_err(text)?;
    ensure!(matches!(made, CreatedCustomer::Created(_)), "the first creation gave {made:?}");
    ensure!(made.customer().key == new.key, "requested {}, got {made:?}", new.key);
    let found = find(customers, &new.key).await?;
    ensure!(found.plan == new.plan, "requested the plan {:?}, found {:?}", new.plan, found.plan);
    ensure!(found.status == Status::Active, "the new customer is {}", found.status);
    let again = customers.create_customer(new.clone()).await.map_err(text)?;
    ensure!(matches!(again, CreatedCustomer::Existed(_)), "the second creation gave {again:?}");
    ensure!(*again.customer() == found, "the second creation changed {found:?} to {again:?}");
    Ok(())
}

pub(super) async fn password(customers: &dyn Customers, new: &NewCustomer) -> Check {
    let password = Secret::from("Another-Passw0rd!");
    customers.set_customer_password(&new.key, password).await.map_err(text)
}

/// The customer's plan can be changed to each other plan, and is then reported.
pub(super) async fn plan(
    customers: &dyn Customers,
    change: &dyn ChangePlan,
    new: &NewCustomer,
) -> Check {
    ensure!(customers.plans().len() > 1, "the provider has no second plan to change to");
    for plan in customers.plans() {
        change.change_plan(&new.key, plan.id).await.map_err(text)?;
        let found = find(customers, &new.key).await?.plan;
        ensure!(
            found.as_deref() == Some(plan.id),
            "changed the plan to {}, found {found:?}",
            plan.id
        );
    }
    let before = find(customers, &new.key).await?;
    if let Some(plan) = &before.plan {
        change.change_plan(&new.key, plan).await.map_err(text)?;
    }
    expect(change.change_plan(&new.key, "no-such-plan").await, ErrorKind::InvalidRequest)?;
    let after = find(customers, &new.key).await?;
    ensure!(after == before, "calls that must change nothing changed {before:?} to {after:?}");
    Ok(())
}

pub(super) async fn suspension(
    customers: &dyn Customers,
    suspend: &dyn SuspendCustomers,
    new: &NewCustomer,
) -> Check {
    for _ in 0..2 {
        suspend.suspend_customer(&new.key).await.map_err(text)?;
        let found = find(customers, &new.key).await?;
        ensure!(found.status != Status::Active, "the suspended customer is {}", found.status);
    }
    for _ in 0..2 {
        suspend.resume_customer(&new.key).await.map_err(text)?;
        let found = find(customers, &new.key).await?;
        ensure!(found.status == Status::Active, "the resumed customer is {}", found.status);
    }
    Ok(())
}

/// A closed customer no longer exists, or is no longer active.
pub(super) async fn closed(customers: &dyn Customers, new: &NewCustomer) -> Check {
    customers.close_customer(&new.key).await.map_err(text)?;
    let after = customers.find_customer(&new.key).await.map_err(text)?;
    let is_active = after.as_ref().is_some_and(|customer| customer.status == Status::Active);
    ensure!(!is_active, "the closed customer is still active: {after:?}");
    Ok(())
}

/// A new customer is listed exactly once.
pub(super) async fn listed(list: &dyn ListCustomers, new: &NewCustomer) -> Check {
    let all: Vec<_> = list.list_customers().try_collect().await.map_err(text)?;
    let times = all.iter().filter(|customer| customer.key == new.key).count();
    ensure!(times == 1, "{} is listed {times} times", new.key);
    Ok(())
}

/// Each end is accepted, or refused because the provider does not support it.
pub(super) async fn end(
    customers: &dyn Customers,
    end: &dyn EndCustomers,
    new: &NewCustomer,
) -> Check {
    let later = Timestamp::from_second(4_000_000_000).map_err(|error| error.to_string())?;
    let mut kept = 0;
    for when in
        [CustomerEnd::At(later), CustomerEnd::PaidPeriod, CustomerEnd::NextRun, CustomerEnd::Never]
    {
        match end.end_customer(&new.key, when).await {
            Ok(()) => kept += 1,
            Err(error) => {
                ensure!(error.kind() == ErrorKind::InvalidRequest, "{when:?} gave {error}");
            }
        }
        find(customers, &new.key).await?;
    }
    ensure!(kept > 0, "no end is accepted");
    Ok(())
}

/// Calls for a customer who does not exist are refused, and do not create one.
pub(super) async fn unknown(customers: &dyn Customers, new: &NewCustomer) -> Check {
    let key = &format!("nobody-{}", new.key);
    let password = Secret::from("Another-Passw0rd!");
    let mut outcomes = vec![
        ("password", customers.set_customer_password(key, password).await),
        ("closing", customers.close_customer(key).await),
    ];
    if let (Some(change), Some(plan)) = (customers.plan_change(), customers.plans().first()) {
        outcomes.push(("plan", change.change_plan(key, plan.id).await));
    }
    if let Some(suspend) = customers.customer_suspension() {
        outcomes.push(("suspension", suspend.suspend_customer(key).await));
        outcomes.push(("resumption", suspend.resume_customer(key).await));
    }
    for (what, outcome) in outcomes {
        let error = outcome.expect_err_text().map_err(|why| format!("{what}: {why}"))?;
        let is_refusal = matches!(
            error.kind(),
            ErrorKind::NotFound | ErrorKind::Refused | ErrorKind::InvalidRequest
        );
        ensure!(is_refusal, "{what} gave {error}");
    }
    let found = customers.find_customer(key).await.map_err(text)?;
    ensure!(found.is_none(), "the customer exists now: {found:?}");
    Ok(())
}

/// The name of another reseller's customer is refused, and that customer is not returned.
pub(super) async fn taken(customers: &dyn Customers, new: &NewCustomer, key: &str) -> Check {
    let mut new = new.clone();
    new.key = key.to_owned();
    expect(customers.create_customer(new).await, ErrorKind::AlreadyExists)?;
    let found = customers.find_customer(key).await.map_err(text)?;
    ensure!(found.is_none(), "another reseller's customer was returned: {found:?}");
    Ok(())
}

/// A customer whose creation was not confirmed is found, once, and reported as such.
pub(super) async fn found_after_doubt(
    customers: &dyn Customers,
    new: &NewCustomer,
    lose: &(dyn Fn() + Send + Sync),
) -> Check {
    let key = format!("doubt-{}", new.key);
    let mut new = new.clone();
    new.key.clone_from(&key);
    lose();
    let made = customers.create_customer(new.clone()).await.map_err(text)?;
    ensure!(
        matches!(made, CreatedCustomer::FoundAfterDoubt(_)),
        "a creation whose answer was lost gave {made:?}"
    );
    let again = customers.create_customer(new).await.map_err(text)?;
    ensure!(matches!(again, CreatedCustomer::Existed(_)), "a second creation gave {again:?}");
    customers.close_customer(&key).await.map_err(text)
}
