//! The conformance suite, fixtures, scripted transport and canary check for providers.
//!
//! For authors of providers: [`fixtures`] hold a provider's documented requests and replies as raw
//! bytes; [`conformance`] checks the contract of the neutral traits; [`openapi`] holds bodies against
//! the provider's document; [`scripted`] is a transport without a socket, and [`time`] a clock without
//! waits; [`canary`] looks for secrets in outputs; [`document`] keeps tables in documents true.
//! [`reference`](mod@reference) is a provider in memory, which the suite itself is tested with.
//!
//! A test of a provider; here of the reference, with the password of its account and a second account
//! to create:
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
//! - A check that does not apply is a skip with its reason, and never a silent pass.
//! - The suite is tested itself: it passes for the reference provider, and fails for one that breaks the
//!   contract.
//! - Nothing here is a stand-in for a provider's reply: fixtures are raw bytes.
//!
//! There are no features to choose.

pub mod canary;
pub mod conformance;
pub mod document;
pub mod fixtures;
pub mod openapi;
pub mod reference;
pub mod scripted;
pub mod time;
