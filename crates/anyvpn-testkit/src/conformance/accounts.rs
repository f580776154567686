//! Checks signing in, signing up, and the account that the credentials belong to.

use std::future::poll_fn;
use std::task::Poll;

use anyvpn_core::{
    Accounts, ChangePassword, CloseAccount, ErrorKind, NewAccount, Secret, Settings, SignIn,
    SignOut, SignUp,
};
use futures_util::FutureExt;

use super::{Check, ExpectError, ensure, expect, text};

pub(super) async fn account(accounts: &dyn Accounts) -> Check {
    let first = accounts.account().await.map_err(text)?;
    ensure!(first.login.as_deref() != Some(""), "the account's login is empty");
    let second = accounts.account().await.map_err(text)?;
    ensure!(first == second, "reading the account twice gave {first:?}, then {second:?}");
    Ok(())
}

pub(super) async fn unauthorized(anonymous: &dyn Accounts) -> Check {
    expect(anonymous.account().await, ErrorKind::Unauthorized)
}

/// Drops a call after each of its first polls, then makes a call that must succeed.
pub(super) async fn dropped(accounts: &dyn Accounts) -> Check {
    for polls in 1..4 {
        let mut call = accounts.account();
        for _ in 0..polls {
            if poll_fn(|context| Poll::Ready(call.poll_unpin(context).is_ready())).await {
                break;
            }
            tokio::task::yield_now().await;
        }
    }
    accounts.account().await.map(drop).map_err(text)
}

pub(super) async fn sign_in_fields(sign_in: &dyn SignIn) -> Check {
    ensure!(!sign_in.sign_in_fields().is_empty(), "sign_in_fields() is empty");
    let error = sign_in.obtain_credential(&Settings::new()).await.map(drop).expect_err_text()?;
    ensure!(error.kind() == ErrorKind::InvalidRequest, "signing in without any field gave {error}");
    for field in sign_in.sign_in_fields() {
        let is_needed = field.required && field.default.is_none();
        let is_named = error.fields().contains_key(field.key);
        ensure!(
            is_needed == is_named,
            "{}: required is {is_needed}, but in the error: {is_named}",
            field.key
        );
    }
    Ok(())
}

pub(super) async fn signed_in(sign_in: &dyn SignIn, fields: &Settings) -> Check {
    let credential = sign_in.obtain_credential(fields).await.map_err(text)?;
    ensure!(credential.settings.keys().next().is_some(), "the new credential has no settings");
    Ok(())
}

/// Revoking a credential that is already revoked must succeed.
pub(super) async fn signed_out(
    sign_in: &dyn SignIn,
    sign_out: &dyn SignOut,
    fields: &Settings,
) -> Check {
    let credential = sign_in.obtain_credential(fields).await.map_err(text)?;
    sign_out.revoke_credential(&credential).await.map_err(text)?;
    sign_out.revoke_credential(&credential).await.map_err(text)
}

pub(super) async fn account_create(sign_up: &dyn SignUp, new: &NewAccount) -> Check {
    let made = sign_up.create_account(new.clone()).await.map_err(text)?;
    let is_new = made.login.as_ref() == Some(&new.login);
    ensure!(is_new, "requested the login {:?}, got {:?}", new.login, made.login);
    let error = sign_up.create_account(new.clone()).await.map(drop).expect_err_text()?;
    ensure!(
        matches!(error.kind(), ErrorKind::AlreadyExists | ErrorKind::InvalidRequest),
        "creating the same account again gave {error}"
    );
    Ok(())
}

pub(super) async fn close_account(
    accounts: &dyn Accounts,
    change: &dyn ChangePassword,
    close: &dyn CloseAccount,
    password: &Secret,
) -> Check {
    let new = Secret::from("Another-Passw0rd!");
    change.change_password(new.clone()).await.map_err(text)?;
    let old = close.close_account(Some(password)).await;
    ensure!(old.is_err(), "the account was closed with its old password");
    close.close_account(Some(&new)).await.map_err(text)?;
    let after = accounts.account().await.map(drop).expect_err_text()?;
    ensure!(
        matches!(after.kind(), ErrorKind::Unauthorized | ErrorKind::NotFound | ErrorKind::Refused),
        "reading the closed account gave {after}"
    );
    Ok(())
}
