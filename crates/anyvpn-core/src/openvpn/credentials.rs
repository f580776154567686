//! The user name and the password of a profile.

use std::ops::Range;

use super::OpenVpnProfile;
use super::reader::Item;
use crate::config_text::{refuse_control, split_ending};
use crate::{Error, Secret};

const NAME: &str = "auth-user-pass";
const OPEN: &str = "<auth-user-pass>";
const CLOSE: &str = "</auth-user-pass>";

impl OpenVpnProfile {
    /// Whether OpenVPN would ask for a user name and password: the last `auth-user-pass` names
    /// neither a file nor holds them.
    #[must_use]
    pub fn asks_for_password(&self) -> bool {
        self.bare_auth_user_pass().is_some()
    }

    /// Puts an `<auth-user-pass>` block in place of the bare directive, so that OpenVPN (2.6 or
    /// later) does not ask. Everything else stays, and a profile that does not ask
    /// ([`Self::asks_for_password`]) is returned as it is.
    ///
    /// OpenVPN 2.4 and 2.5 and NetworkManager refuse such a block: [`Self::without_auth_user_pass`]
    /// moves it to a file.
    ///
    /// # Errors
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) when one of the two is empty or cannot
    /// stand in a block: it has a line break or another control character, or looks like the
    /// block's end.
    pub fn with_auth_user_pass(self, username: &str, password: Secret) -> Result<Self, Error> {
        let Some((item, word)) = self.bare_auth_user_pass() else {
            return Ok(self);
        };
        for (field, text) in [("username", username), ("password", password.expose())] {
            let is_end = text.contains(CLOSE) || refuse_control(text).is_err();
            if text.is_empty() || is_end {
                let why = "it cannot stand in a profile: empty, with a control character, or with the block's end";
                return Err(Error::invalid(field, why));
            }
        }
        let (comment, ending) = split_ending(&self.text[word.end..item.head.end]);
        // A comment may directly follow a quote, but not a tag.
        let gap = if comment.starts_with(['#', ';']) { " " } else { "" };
        // The block's own lines end with a bare `\n`: OpenVPN would take a `\r` for a part of the
        // password. A document without a final newline stays one.
        let opening = if ending.ends_with('\n') { ending } else { "\n" };
        let end = word.end + comment.len();
        let block = [opening, username, "\n", password.expose(), "\n", CLOSE];
        // Only the line of the comment can be too long.
        Ok(Self::read(self.text.replace(&[(word, &[OPEN, gap]), (end..end, &block)]))?)
    }

    /// Takes the user name and the password out of the profile: the profile without its
    /// `<auth-user-pass>` block, and the two lines that stood in it. A profile without such a block is
    /// returned as it is.
    ///
    /// With `file`, the directive names the file that these lines go to. OpenVPN looks for it in the
    /// folder that it is started in. Without `file`, OpenVPN asks. All versions of OpenVPN, and
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
    /// [`InvalidRequest`](crate::ErrorKind::InvalidRequest) when the file's name cannot stand in a
    /// profile: it is empty, too long, has a control character, or means something else to OpenVPN.
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

    /// The bare `auth-user-pass` that OpenVPN obeys, the last one, and where it stands.
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

/// The name of a file as one word of a profile.
fn as_word(file: &str) -> Result<String, Error> {
    let has_meaning = ["stdin", "[inline]", "[[INLINE]]"].contains(&file);
    if file.is_empty() || has_meaning || refuse_control(file).is_err() {
        return Err(Error::invalid("file", "OpenVPN cannot read a file of this name"));
    }
    let is_plain = |c: char| c.is_alphanumeric() || "-_./".contains(c);
    if file.chars().all(is_plain) {
        return Ok(file.to_owned());
    }
    Ok(format!("\"{}\"", file.replace('\\', "\\\\").replace('"', "\\\"")))
}
