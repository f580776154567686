//! Reads the list of servers page by page, one page ahead of the caller.

use std::collections::BTreeMap;
use std::panic::resume_unwind;
use std::pin::pin;

use anyvpn_core::{Error, ErrorKind, LeftOut};
use anyvpn_http::{CompactText, LenientList, Operation as _};
use futures_core::Stream;
use futures_core::stream::BoxStream;
use futures_util::{StreamExt, stream};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::Instrument;

use crate::VpnScript;
use crate::ops::{ListServers, Server, ServerPage};

/// How often a list that changes meanwhile is read.
const READINGS: u32 = 4;

impl VpnScript {
    /// Returns the pages with all servers, each server once. They are read from this client's base URL; the
    /// URLs in a reply are never used.
    pub(crate) fn pages(&self) -> BoxStream<'static, Result<LenientList<Server>, Error>> {
        let pages = Pages {
            vpn: self.clone(),
            next: Some(1),
            numbers: None,
            reading: 1,
            in_reading: Ids::default(),
            left_out: LeftOut::default(),
            given: Ids::default(),
            room: self.client().limits().list,
        };
        let pages = stream::try_unfold(pages, Pages::next);
        if self.prefetch { ahead(pages).boxed() } else { pages.boxed() }
    }
}

/// The pages that have not been read yet, and the state from those that have.
///
/// A list that changes between two pages moves servers from one page to another: one would come twice, or
/// never. So it is read again from its first page, and only servers that were not given before are given.
struct Pages {
    vpn: VpnScript,
    /// The number of the next page; `None` after the last one.
    next: Option<u32>,
    /// The numbers that the pages of this reading state for the whole list.
    numbers: Option<Numbers>,
    /// How often the list was begun.
    reading: u32,
    /// The servers of this reading.
    in_reading: Ids,
    /// The elements left out in this reading.
    left_out: LeftOut,
    /// The servers that were returned, in all readings.
    given: Ids,
    /// The remaining limit on the list, in bytes.
    room: usize,
}

/// The numbers that each page states for the whole list.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Numbers {
    total: Option<u64>,
    per_page: Option<u64>,
    last_page: Option<u64>,
}

impl Pages {
    async fn next(mut self) -> Result<Option<(LenientList<Server>, Self)>, Error> {
        while let Some(number) = self.next {
            let request = ListServers { paginate: Some(self.vpn.page_size), page: Some(number) };
            let page = self.vpn.call(request).await?;
            let following = following(number, &page)?;
            if self.has_changed(&page) {
                self.read_again()?;
                continue;
            }
            self.next = following;
            let items = self.take(page)?;
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
    fn has_changed(&mut self, page: &ServerPage) -> bool {
        let ServerPage { total, per_page, last_page, .. } = *page;
        let numbers = Numbers { total, per_page, last_page };
        if *self.numbers.get_or_insert(numbers) != numbers {
            return true;
        }
        page.servers.iter().any(|server| self.in_reading.contains(server.id))
    }

    /// Starts reading from the first page again.
    fn read_again(&mut self) -> Result<(), Error> {
        if self.reading == READINGS {
            let why = format!("the list of servers changed each of {READINGS} times it was read");
            return Err(failed(ErrorKind::Unavailable, why));
        }
        tracing::debug!("the list of servers changed while it was read; reading it again");
        self.reading += 1;
        self.next = Some(1);
        self.numbers = None;
        self.in_reading = Ids::default();
        self.left_out = LeftOut::default();
        Ok(())
    }

    /// Returns the servers of a page that were not returned before.
    fn take(&mut self, page: ServerPage) -> Result<Vec<Server>, Error> {
        let LenientList { mut items, left_out } = page.servers;
        let mut size = left_out.count * size_of::<Server>();
        self.left_out.append(left_out);
        items.retain(|server| {
            self.in_reading.insert(server.id);
            let is_new = self.given.insert(server.id);
            size += if is_new { bytes(server) } else { 0 };
            is_new
        });
        self.room = self.room.checked_sub(size).ok_or_else(|| {
            let most = self.vpn.client().limits().list;
            lie(format!("the list of servers takes more than {most} bytes"))
        })?;
        Ok(items)
    }

    /// Checks that as many servers arrived as the provider counts.
    fn check_total(&self) -> Result<(), Error> {
        let Some(total) = self.numbers.and_then(|numbers| numbers.total) else { return Ok(()) };
        let came = self.in_reading.count + self.left_out.count as u64;
        if came < total {
            return Err(lie(format!("only {came} of {total} servers came")));
        }
        Ok(())
    }
}

/// Returns the number of the page after `page`, whose number is `number`; `None` after the last one.
fn following(number: u32, page: &ServerPage) -> Result<Option<u32>, Error> {
    let Some(current) = page.current_page else {
        // Without numbers, the reply has all servers.
        return Ok(None);
    };
    if current != u64::from(number) {
        return Err(lie(format!(
            "at `current_page`: {current}, though page {number} was asked for"
        )));
    }
    // A page without servers is past the end, whatever the reply says about the last page.
    let is_empty = page.servers.is_empty() && page.servers.left_out.is_empty();
    if is_empty || page.last_page.is_some_and(|last| current >= last) {
        return Ok(None);
    }
    Ok(number.checked_add(1))
}

/// Returns the memory that a server takes, in bytes.
fn bytes(server: &Server) -> usize {
    let Server { name, country, country_slug, country_iso_code, city, state, host, ipaddr, .. } =
        server;
    let texts = [name, country, country_slug, country_iso_code, city, state, host, ipaddr];
    let in_place = size_of::<CompactText>();
    let length = |text: &&Option<CompactText>| text.as_ref().map_or(0, |text| text.len());
    let elsewhere = texts.iter().map(length).filter(|length| *length > in_place).sum::<usize>();
    size_of::<Server>() + elsewhere + server.protocol.as_str().len()
}

/// A set of server ids. Most providers number servers consecutively, so 64 of them share an entry.
#[derive(Default)]
struct Ids {
    words: BTreeMap<u64, u64>,
    count: u64,
}

impl Ids {
    /// Adds an id; returns false if it was already in the set.
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

fn lie(why: String) -> Error {
    failed(ErrorKind::UnexpectedReply, why)
}

fn failed(kind: ErrorKind, why: String) -> Error {
    Error::new(kind).with_operation(ListServers::ID).with_detail(why)
}

/// Reads a stream one item ahead, in a task that begins with the first poll and ends when the returned
/// stream is dropped.
///
/// It is a task because a call has deadlines: if the caller's polls drove it, a caller that is busy with
/// one page would let the next one time out.
fn ahead<T: Send + 'static>(
    items: impl Stream<Item = T> + Send + 'static,
) -> impl Stream<Item = T> + Send + 'static {
    stream::once(async move {
        let Ok(runtime) = Handle::try_current() else { return items.boxed() };
        let (sender, receiver) = mpsc::channel(1);
        let mut task = JoinSet::new();
        let work = async move {
            let mut items = pin!(items);
            // The next item is requested when the previous one has been taken.
            while let Ok(place) = sender.reserve().await
                && let Some(item) = items.next().await
            {
                place.send(item);
            }
        };
        task.spawn_on(work.in_current_span(), &runtime);
        let taken = stream::unfold((receiver, task), |(mut receiver, mut task)| async {
            if let Some(item) = receiver.recv().await {
                return Some((item, (receiver, task)));
            }
            // If the task panicked, the list is not complete.
            match task.join_next().await {
                Some(Err(error)) if error.is_panic() => resume_unwind(error.into_panic()),
                _ => None,
            }
        });
        taken.boxed()
    })
    .flatten()
}
