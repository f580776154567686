//! What readers see during many changes.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyvpn_keeper::publish::{Access, ControlApi, PublishedFile, Publisher};

use crate::open;

/// The numbers in order. They grow, which shows an old one after a new one, and become longer.
const NUMBERS: std::ops::RangeInclusive<u16> = 5000..=15_000;

/// Reads until the changes have ended, and returns what was read.
fn reader<T>(begin: &Barrier, is_over: &AtomicBool, read: impl Fn() -> T) -> Vec<T> {
    let mut seen = vec![read()];
    begin.wait();
    while !is_over.load(Ordering::Relaxed) {
        seen.push(read());
    }
    seen.push(read());
    seen
}

/// Publishes every number while one reader reads the file, with a pause before each read, and
/// another one asks the API. Fails unless each sees complete, growing numbers up to the last one.
fn race(make: fn(&Path) -> PublishedFile, pause: Duration) {
    // In memory if possible, as in /run, because a disk takes long to replace a file 10,000 times.
    let memory = Path::new("/dev/shm");
    let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let folder = tempfile::tempdir_in(place).unwrap();
    let path = folder.path().join("port");
    let mut publisher = Publisher::new(vec![make(&path)], open(*NUMBERS.start()));
    assert_eq!(publisher.publish(&open(*NUMBERS.start())), []);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let api =
        runtime.block_on(ControlApi::bind(([127, 0, 0, 1], 0).into(), Access::open())).unwrap();
    let (address, latest) = (api.address().unwrap(), publisher.subscribe());
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let (begin, is_over) = (Barrier::new(3), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            runtime.block_on(async {
                tokio::select! { () = api.serve(latest) => {}, _ = ended => {} }
            });
        });
        let of_file = scope.spawn(|| {
            reader(&begin, &is_over, || {
                std::thread::sleep(pause);
                fs::read_to_string(&path).unwrap()
            })
        });
        let of_api = scope.spawn(|| reader(&begin, &is_over, || ask(address)));
        begin.wait();
        for number in NUMBERS {
            assert_eq!(publisher.publish(&open(number)), []);
        }
        is_over.store(true, Ordering::Relaxed);
        let seen = [of_file.join().unwrap(), of_api.join().unwrap()];
        end.send(()).unwrap();
        seen.iter().for_each(|seen| check(seen));
    });
}

/// Returns the number in the API's reply, which must be complete.
fn ask(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /v1/portforward HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    let (_, body) = reply.split_once("\r\n\r\n").unwrap();
    let number = body.strip_prefix("{\"port\":").and_then(|rest| rest.split(',').next()).unwrap();
    assert_eq!(body, format!("{{\"port\":{number},\"ports\":[{number}]}}\n"));
    number.to_owned()
}

fn check(seen: &[String]) {
    // For a moment, a file that is changed in place can end with a newline.
    let numbers: Vec<u16> = seen.iter().map(|text| text.trim_end().parse().unwrap()).collect();
    assert!(numbers.is_sorted() && numbers.iter().all(|number| NUMBERS.contains(number)));
    assert!(numbers.len() > 2 && numbers.last() == Some(NUMBERS.end()), "{} reads", numbers.len());
}

#[test]
fn a_replaced_file_and_the_api_are_never_empty_torn_or_old_after_new() {
    race(|path| PublishedFile::status(path.to_owned()), Duration::ZERO);
}

#[test]
fn a_file_that_is_changed_in_place_shows_whole_numbers_at_a_thousand_looks_a_second() {
    // A pause is necessary: see docs/decisions/keeper-publishing.md.
    race(|path| PublishedFile::status(path.to_owned()).in_place(), Duration::from_millis(1));
}
