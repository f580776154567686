//! The e-mails that the provider would have sent.

use jiff::Timestamp;

/// The subject of an e-mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MailSubject {
    /// The password of an account is to be reset.
    ResetPassword,
    /// The password of an alias is to be reset.
    ResetAliasPassword,
}

impl MailSubject {
    pub(super) fn name(self) -> &'static str {
        match self {
            MailSubject::ResetPassword => "reset-password",
            MailSubject::ResetAliasPassword => "reset-alias-password",
        }
    }
}

/// An e-mail that the provider would have sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mail {
    /// The recipient.
    pub to: String,
    /// The subject.
    pub subject: MailSubject,
    /// When it was sent.
    pub sent_at: Timestamp,
}
