//! Reads a list that a provider returns page by page as one stream.

use std::collections::BTreeMap;

use anyvpn_core::{Error, ErrorKind, LeftOut, OperationId};
use futures_core::Stream;
use futures_util::stream;

use crate::LenientList;

/// How often a list is read if it changes meanwhile.
const READINGS: u32 = 4;

/// A list that a provider returns page by page.
pub trait PagedList: Send + Sync + 'static {
    /// An element of the list.
    type Item: Send;
    /// The name of the elements, such as `servers`, for errors.
    const ITEMS: &'static str;
    /// The operation that returns a page.
    const OPERATION: OperationId;

    /// Requests a page by its number, from 1.
    fn page(&self, number: u32)
    -> impl Future<Output = Result<ListPage<Self::Item>, Error>> + Send;

    /// Returns the provider's id of an element.
    fn id(item: &Self::Item) -> u64;

    /// Returns how many bytes of memory an element takes.
    fn size(item: &Self::Item) -> usize;
}

/// A page of a list.
#[derive(Debug)]
pub struct ListPage<T> {
    /// The elements.
    pub items: LenientList<T>,
    /// The number of this page, from 1; `None` if the reply contains all elements.
    pub current_page: Option<u64>,
    /// The page's information about the whole list.
    pub list: ListNumbers,
}

/// The numbers that each page reports for the whole list. If they differ between pages, the list has
/// changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListNumbers {
    /// The number of the last page; `None` if the provider does not report it.
    pub last_page: Option<u64>,
    /// The number of elements per page; `None` if the provider does not report it.
    pub per_page: Option<u64>,
    /// The number of elements on all pages; `None` if the provider does not report it.
    pub total: Option<u64>,
}

/// Returns all elements of a list, each once, one page at a time. Elements that cannot be read are reported
/// with the last page. The stream sends nothing until it is polled, and ends after its first error.
///
/// If a list changes between two pages, elements move from one page to another: one would arrive twice, or
/// never. We then read the list again from its first page, and return only elements that were not returned
/// before. We cannot detect a change that leaves all numbers as they were and brings no element twice.
///
/// `most` limits the bytes of all elements: see [`Limits::list`](crate::Limits::list).
///
/// # Errors
///
/// Returns the errors of the calls; `UnexpectedReply` if fewer elements arrived than the provider counts, if
/// they take more memory than `most`, or if another page than the requested one arrived; and `Unavailable`
/// if the list changed each of the four times it was read.
pub fn pages<L: PagedList>(
    list: L,
    most: usize,
) -> impl Stream<Item = Result<LenientList<L::Item>, Error>> + Send + 'static {
    let pages = Pages {
        list,
        next: Some(1),
        numbers: None,
        reading: 1,
        in_reading: Ids::default(),
        left_out: LeftOut::default(),
        given: Ids::default(),
        most,
        room: most,
    };
    stream::try_unfold(pages, Pages::next)
}

/// The pages that have not been read yet, and the state from those that have.
struct Pages<L> {
    list: L,
    /// The number of the next page; `None` after the last one.
    next: Option<u32>,
    /// The numbers that the pages of this reading report for the whole list.
    numbers: Option<ListNumbers>,
    /// How often reading the list was started.
    reading: u32,
    /// The elements of this reading.
    in_reading: Ids,
    /// The elements left out in this reading.
    left_out: LeftOut,
    /// The elements that were returned in all readings.
    given: Ids,
    most: usize,
    /// The remaining limit on the list, in bytes.
    room: usize,
}

impl<L: PagedList> Pages<L> {
    async fn next(mut self) -> Result<Option<(LenientList<L::Item>, Self)>, Error> {
        while let Some(number) = self.next {
            let page = self.list.page(number).await?;
            let following = following::<L>(number, &page)?;
            if self.has_changed(&page) {
                self.read_again()?;
                continue;
            }
            self.next = following;
            let items = self.take(page.items)?;
            let mut left_out = LeftOut::default();
            if self.next.is_none() {
                self.check_total()?;
                left_out = std::mem::take(&mut self.left_out);
            }
            return Ok(Some((LenientList { items, left_out }, self)));
        }
        Ok(None)
    }

    /// Returns whether the list has changed since the previous pages.
    fn has_changed(&mut self, page: &ListPage<L::Item>) -> bool {
        if *self.numbers.get_or_insert(page.list) != page.list {
            return true;
        }
        page.items.iter().any(|item| self.in_reading.contains(L::id(item)))
    }

    /// Starts reading from the first page again.
    fn read_again(&mut self) -> Result<(), Error> {
        let items = L::ITEMS;
        if self.reading == READINGS {
            let why = format!("the list of {items} changed each of {READINGS} times it was read");
            return Err(failed::<L>(ErrorKind::Unavailable, why));
        }
        tracing::debug!("the list of {items} changed while it was read; reading it again");
        self.reading += 1;
        self.next = Some(1);
        self.numbers = None;
        self.in_reading = Ids::default();
        self.left_out = LeftOut::default();
        Ok(())
    }

    /// Returns the elements of a page that were not returned before.
    fn take(&mut self, page: LenientList<L::Item>) -> Result<Vec<L::Item>, Error> {
        let LenientList { mut items, left_out } = page;
        let mut size = left_out.count * size_of::<L::Item>();
        self.left_out.append(left_out);
        items.retain(|item| {
            self.in_reading.insert(L::id(item));
            let is_new = self.given.insert(L::id(item));
            size += if is_new { L::size(item) } else { 0 };
            is_new
        });
        self.room = self.room.checked_sub(size).ok_or_else(|| {
            unexpected::<L>(format!("the list of {} takes more than {} bytes", L::ITEMS, self.most))
        })?;
        Ok(items)
    }

    /// Checks that as many elements arrived as the provider counts.
    fn check_total(&self) -> Result<(), Error> {
        let Some(total) = self.numbers.and_then(|numbers| numbers.total) else { return Ok(()) };
        let came = self.in_reading.count + self.left_out.count as u64;
        if came < total {
            return Err(unexpected::<L>(format!("only {came} of {total} {} arrived", L::ITEMS)));
        }
        Ok(())
    }
}

/// Returns the number of the page after `page`, whose number is `number`; `None` after the last one.
fn following<L: PagedList>(number: u32, page: &ListPage<L::Item>) -> Result<Option<u32>, Error> {
    let Some(current) = page.current_page else {
        // Without numbers, the reply has all elements.
        return Ok(None);
    };
    if current != u64::from(number) {
        return Err(unexpected::<L>(format!(
            "at `current_page`: {current}, although page {number} was requested"
        )));
    }
    // A page without elements is past the end, whatever the reply says about the last page.
    let is_empty = page.items.is_empty() && page.items.left_out.is_empty();
    if is_empty || page.list.last_page.is_some_and(|last| current >= last) {
        return Ok(None);
    }
    Ok(number.checked_add(1))
}

/// The ids of elements. Most providers number them one by one, so 64 of them share an entry.
#[derive(Default)]
struct Ids {
    words: BTreeMap<u64, u64>,
    count: u64,
}

impl Ids {
    /// Adds an id. Returns false if it was already present.
    fn insert(&mut self, id: u64) -> bool {
        let word = self.words.entry(id / 64).or_default();
        let is_new = *word & (1 << (id % 64)) == 0;
        *word |= 1 << (id % 64);
        self.count += u64::from(is_new);
        is_new
    }

    fn contains(&self, id: u64) -> bool {
        self.words.get(&(id / 64)).is_some_and(|word| word & (1 << (id % 64)) != 0)
    }
}

fn unexpected<L: PagedList>(why: String) -> Error {
    failed::<L>(ErrorKind::UnexpectedReply, why)
}

fn failed<L: PagedList>(kind: ErrorKind, why: String) -> Error {
    Error::new(kind).with_operation(L::OPERATION).with_detail(why)
}
