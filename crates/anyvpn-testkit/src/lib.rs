//! Test tools for authors of providers: conformance suite, fixtures, scripted transport and canary.
//!
//! [`fixtures`] contain a provider's documented requests and replies as raw bytes. [`conformance`]
//! checks the contract of the neutral traits. [`openapi`] compares bodies with the provider's document.
//! [`scripted`] is a transport without a socket, and [`time`] is a clock without waits. [`canary`]
//! searches outputs for secrets. [`document`] keeps tables in the documentation up to date.
//! [`reference`](mod@reference) is a provider in memory, with which the suite itself is tested.
//!
//! This tests a provider, in this case the reference provider, with the password of its account and a
//! second account to create:
//!
//! ```
//! use anyvpn_core::{NewAccount, Secret};
//! use anyvpn_testkit::conformance::{Subject, run};
//! use anyvpn_testkit::reference::Reference;
//!
//! #[tokio::main(flavor = "current_thread")]
//! async fn main() {
//!     let provider = Reference::new("user", Secret::from("first"));
//!     let mut subject = Subject::new(provider.clone(), provider.anonymous());
//!     subject.password = Secret::from("first");
//!     subject.new_account = Some(NewAccount::new("someone", Secret::from("second")));
//!     let report = run(&subject).await;
//!     assert!(report.failures().is_empty(), "{report}");
//! }
//! ```
//!
//! # Guarantees
//!
//! - A check that does not apply is reported as skipped, with the reason. It never passes silently.
//! - The suite is tested: it passes for the reference provider, and fails for one that breaks the
//!   contract.
//! - Replies are never made from our own types: fixtures are raw bytes.

pub mod canary;
pub mod conformance;
pub mod document;
pub mod fixtures;
pub mod openapi;
pub mod reference;
pub mod scripted;
pub mod time;
