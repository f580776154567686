//! Reads, adds and removes the user name and password of a profile.

use std::ops::Range;

use super::OpenVpnProfile;
use super::reader::Item;
use crate::config_text::{refuse_control, split_ending};
use crate::{Error, Secret};

const NAME: &str = "auth-user-pass";
const OPEN: &str = "<auth-user-pass>";
const CLOSE: &str = "</auth-user-pass>";

impl OpenVpnProfile {
    /// Returns whether OpenVPN would ask for a user name and password: the last `auth-user-pass`
    /// neither names a file nor contains them.
    #[must_use]
    pub fn asks_for_password(&self) -> bool {
        self.bare_auth_user_pass().is_some()
    }

    /// Replaces the bare directive by an `<auth-user-pass>` block, so that OpenVPN (2.6 or later) does
    /// not ask. Nothing else changes, and a profile that does not ask ([`Self::asks_for_password`]) is
    /// returned as it is.
    ///
    /// OpenVPN 2.4 and 2.5 and NetworkManager refuse such a block: [`Self::without_auth_user_pass`]
    /// moves it to a file.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the user name or password is empty or
    /// cannot be written in a block, because it has a line break or another control character, or looks
    /// like the block's end.
    pub fn with_auth_user_pass(self, username: &str, password: Secret) -> Result<Self, Error> {
        let Some((item, word)) = self.bare_auth_user_pass() else {
            return Ok(self);
        };
        for (field, text) in [("username", username), ("password", password.expose())] {
            let is_end = text.contains(CLOSE) || refuse_control(text).is_err();
            if text.is_empty() || is_end {
                let why = "cannot be written in a profile: it is empty, or has a control character or the block's end";
                return Err(Error::invalid(field, why));
            }
        }
        let (comment, ending) = split_ending(&self.text[word.end..item.head.end]);
        // A comment may directly follow a quote, but not a tag.
        let gap = if comment.starts_with(['#', ';']) { " " } else { "" };
        // The block's own lines end with a bare `\n`, because OpenVPN would treat a `\r` as part of the
        // password. If the document has no final newline, we add none.
        let opening = if ending.ends_with('\n') { ending } else { "\n" };
        let end = word.end + comment.len();
        let block = [opening, username, "\n", password.expose(), "\n", CLOSE];
        // Only the line of the comment can be too long.
        Ok(Self::read(self.text.replace(&[(word, &[OPEN, gap]), (end..end, &block)]))?)
    }

    /// Removes the user name and password from the profile. Returns the profile without its
    /// `<auth-user-pass>` block, and the two lines of the block. A profile without such a block is
    /// returned as it is.
    ///
    /// With `file`, the directive names the file to which you write these lines. OpenVPN looks for it
    /// in the folder in which it is started. Without `file`, OpenVPN asks. All versions of OpenVPN, and
    /// NetworkManager, accept both.
    ///
    /// ```
    /// use anyvpn_core::OpenVpnProfile;
    ///
    /// let profile = OpenVpnProfile::parse("client\n<auth-user-pass>\njo\nsecret\n</auth-user-pass>\n")?;
    /// let (profile, lines) = profile.without_auth_user_pass(Some("se sto.auth"))?;
    /// assert_eq!(profile.to_secret().expose(), "client\nauth-user-pass \"se sto.auth\"\n");
    /// assert_eq!(lines.unwrap().expose(), "jo\nsecret\n");
    /// # Ok::<(), anyvpn_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) if the file's name cannot be written in a
    /// profile, because it is empty, too long, has a control character, or means something else to
    /// OpenVPN.
    pub fn without_auth_user_pass(
        self,
        file: Option<&str>,
    ) -> Result<(Self, Option<Secret>), Error> {
        let word = file.map(as_word).transpose()?;
        let directive: &[&str] = match &word {
            Some(word) => &[NAME, " ", word],
            None => &[NAME],
        };
        let (mut edits, mut lines): (Vec<(Range<usize>, &[&str])>, _) = (Vec::new(), None);
        for item in self.items.iter().filter(|item| is_auth_user_pass(item)) {
            if let (Some(block), [word]) = (&item.block, &*item.words) {
                edits.push((word.span.clone(), directive));
                edits.push((block.body.start..block.tail.end, &[]));
                lines = Some(Secret::from(&self.text[block.body.clone()]));
            }
        }
        if edits.is_empty() {
            return Ok((self, None));
        }
        Ok((Self::read(self.text.replace(&edits))?, lines))
    }

    /// Returns the bare `auth-user-pass` that OpenVPN uses, which is the last one, and its position.
    fn bare_auth_user_pass(&self) -> Option<(&Item, Range<usize>)> {
        let item = self.items.iter().rev().find(|item| is_auth_user_pass(item))?;
        let (first, last) = (item.words.first()?, item.words.last()?);
        let is_bare = item.block.is_none() && item.words().len() == 1;
        is_bare.then_some((item, first.span.start..last.span.end))
    }
}

fn is_auth_user_pass(item: &Item) -> bool {
    item.words().first() == Some(&NAME)
}

/// Writes the name of a file as one word of a profile.
fn as_word(file: &str) -> Result<String, Error> {
    let has_meaning = ["stdin", "[inline]", "[[INLINE]]"].contains(&file);
    if file.is_empty() || has_meaning || refuse_control(file).is_err() {
        return Err(Error::invalid("file", "OpenVPN cannot read a file with this name"));
    }
    let is_plain = |c: char| c.is_alphanumeric() || "-_./".contains(c);
    if file.chars().all(is_plain) {
        return Ok(file.to_owned());
    }
    Ok(format!("\"{}\"", file.replace('\\', "\\\\").replace('"', "\\\"")))
}
