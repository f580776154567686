//! A page of a list, in the form of Laravel's paginator.

use serde::Serialize;
use serde_json::{Value, json};

use super::quirks::Quirks;

/// A host name that does not exist, because the installation does not know its own address.
const URL: &str = "http://vpnscript.example/api/servers";
/// The number of links on each side of the current page.
const EACH_SIDE: u64 = 3;
/// Up to this distance from an end, the links continue to that end without a gap.
const WINDOW: u64 = EACH_SIDE + 4;

pub(super) struct Page {
    /// Counted from 1; may be beyond the last page.
    pub(super) number: u64,
    /// Not zero.
    pub(super) per_page: u64,
    pub(super) total: u64,
}

#[derive(Serialize)]
pub(super) struct PageReply<T> {
    current_page: u64,
    data: Vec<T>,
    first_page_url: String,
    from: Option<u64>,
    last_page: u64,
    last_page_url: String,
    links: Vec<Value>,
    next_page_url: Option<String>,
    path: &'static str,
    per_page: Value,
    prev_page_url: Option<String>,
    to: Option<u64>,
    total: u64,
}

fn url(page: u64) -> String {
    format!("{URL}?page={page}")
}

impl Page {
    fn first(&self) -> u64 {
        (self.number - 1).saturating_mul(self.per_page)
    }

    pub(super) fn skipped(&self) -> usize {
        usize::try_from(self.first()).unwrap_or(usize::MAX)
    }

    pub(super) fn most(&self) -> usize {
        usize::try_from(self.per_page).unwrap_or(usize::MAX)
    }

    /// Returns the reply. `data` is the part of the list that [`Page::skipped`] and [`Page::most`]
    /// select.
    pub(super) fn reply<T: Serialize>(&self, data: Vec<T>, quirks: &Quirks) -> PageReply<T> {
        let last = self.total.div_ceil(self.per_page).max(1);
        let next = (self.number < last).then(|| url(self.number + 1));
        let previous = (self.number > 1).then(|| url(self.number - 1));
        let from = (!data.is_empty()).then(|| self.first() + 1);
        PageReply {
            current_page: self.number,
            first_page_url: url(1),
            from,
            last_page: last,
            last_page_url: url(last),
            links: self.links(last, &previous, &next),
            next_page_url: next,
            path: URL,
            per_page: match quirks.per_page_is_number {
                true => self.per_page.into(),
                false => self.per_page.to_string().into(),
            },
            prev_page_url: previous,
            to: from.map(|_| self.first() + data.len() as u64),
            total: self.total,
            data,
        }
    }

    fn links(&self, last: u64, previous: &Option<String>, next: &Option<String>) -> Vec<Value> {
        let step = |url: &Option<String>, label: &str| json!({ "url": url, "label": label, "active": false });
        let mut links = vec![step(previous, "« Previous")];
        let mut before = 0;
        for page in self.linked(last) {
            if page > before + 1 {
                links.push(step(&None, "..."));
            }
            before = page;
            let active = page == self.number;
            links.push(json!({ "url": url(page), "label": page.to_string(), "active": active }));
        }
        links.push(step(next, "Next »"));
        links
    }

    /// Returns the pages that have a link: both ends, and those near the current page.
    fn linked(&self, last: u64) -> Vec<u64> {
        if last < 2 * EACH_SIDE + 8 {
            return (1..=last).collect();
        }
        let near = if self.number <= WINDOW {
            1..=WINDOW + EACH_SIDE
        } else if self.number > last - WINDOW {
            last - (WINDOW + EACH_SIDE - 1)..=last
        } else {
            self.number - EACH_SIDE..=self.number + EACH_SIDE
        };
        let mut pages: Vec<u64> = [1, 2].into_iter().chain(near).chain([last - 1, last]).collect();
        pages.sort_unstable();
        pages.dedup();
        pages
    }
}
