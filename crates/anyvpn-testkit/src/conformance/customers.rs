//! A reseller's customers.

use anyvpn_core::{
    ChangePlan, CreatedCustomer, Customer, Customers, NewCustomer, Secret, Status, SuspendCustomers,
};

use super::{Check, ensure, text};

async fn find(customers: &dyn Customers, key: &str) -> Result<Customer, String> {
    let found = customers.find_customer(key).await.map_err(text)?;
    found.ok_or_else(|| format!("{key} is not found"))
}

/// A customer is created once; a second creation finds the first one and changes nothing.
pub(super) async fn created_once(customers: &dyn Customers, new: &NewCustomer) -> Check {
    let before = customers.find_customer(&new.key).await.map_err(text)?;
    ensure!(before.is_none(), "there is one already: {before:?}");
    let made = customers.create_customer(new.clone()).await.map_err(text)?;
    ensure!(matches!(made, CreatedCustomer::Created(_)), "the first creation gave {made:?}");
    ensure!(made.customer().key == new.key, "asked for {}, made {made:?}", new.key);
    let found = find(customers, &new.key).await?;
    ensure!(found.plan == new.plan, "asked for the plan {:?}, found {:?}", new.plan, found.plan);
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

/// A plan is changed to each other one, and found.
pub(super) async fn plan(
    customers: &dyn Customers,
    change: &dyn ChangePlan,
    new: &NewCustomer,
) -> Check {
    ensure!(customers.plans().len() > 1, "there is no other plan to change to");
    for plan in customers.plans() {
        change.change_plan(&new.key, plan.id).await.map_err(text)?;
        let found = find(customers, &new.key).await?.plan;
        ensure!(found.as_deref() == Some(plan.id), "changed to {}, found {found:?}", plan.id);
    }
    let unknown = change.change_plan(&new.key, "no-such-plan").await;
    ensure!(unknown.is_err(), "an unknown plan was taken");
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
        ensure!(found.status != Status::Active, "suspended, yet {}", found.status);
    }
    for _ in 0..2 {
        suspend.resume_customer(&new.key).await.map_err(text)?;
        let found = find(customers, &new.key).await?;
        ensure!(found.status == Status::Active, "resumed, yet {}", found.status);
    }
    Ok(())
}

/// What is closed is gone, or has nothing active left.
pub(super) async fn closed(customers: &dyn Customers, new: &NewCustomer) -> Check {
    customers.close_customer(&new.key).await.map_err(text)?;
    let after = customers.find_customer(&new.key).await.map_err(text)?;
    let is_active = after.as_ref().is_some_and(|customer| customer.status == Status::Active);
    ensure!(!is_active, "closed, yet there: {after:?}");
    Ok(())
}
