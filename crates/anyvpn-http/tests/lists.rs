//! A list as a stream: the same elements and the same errors as the whole reply gives, wherever the
//! network cuts it.

#![allow(clippy::unwrap_used, reason = "it is a test, also in its helpers")]

mod listed;

use anyvpn_core::{ErrorKind, Secret};
use anyvpn_http::{Client, Dialect, ListOperation};
use anyvpn_testkit::scripted::Step;
use bytes::Bytes;
use listed::{BareServers, BareValues, Keys, Numbers, Servers, Values, client, streamed};

/// That the stream gives the same as the call, whole, byte by byte, and cut in two anywhere.
async fn agrees<O>(operation: O, text: &[u8])
where
    O: ListOperation<Output = Vec<<O as ListOperation>::Item>> + Clone + 'static,
    O::Item: PartialEq + std::fmt::Debug,
    O::Dialect: Dialect<Provider = Client<O::Dialect>, Credential = Secret>,
{
    let body = Bytes::copy_from_slice(text);
    let (client, _) = client([Step::Pieces(200, Vec::new(), vec![body.clone()])], |it| it);
    let whole = client.call(operation.clone()).await;
    let mut ways: Vec<Vec<Bytes>> =
        (0..=body.len()).map(|at| vec![body.slice(..at), body.slice(at..)]).collect();
    ways.push((0..body.len()).map(|at| body.slice(at..=at)).collect());
    for pieces in ways {
        let place = pieces.first().map_or(0, Bytes::len);
        let shown = String::from_utf8_lossy(text);
        let (items, error) = streamed(operation.clone(), pieces).await;
        match (&whole, &error) {
            (Ok(whole), None) => assert_eq!(*whole, items, "{shown} cut at {place}"),
            (Err(whole), Some(error)) => {
                assert_eq!(whole.kind(), error.kind(), "{shown} cut at {place}: {error}");
                assert_eq!(whole.status(), error.status());
                assert_eq!(whole.advice(), error.advice());
                assert_eq!(whole.operation(), error.operation());
            }
            _ => panic!("{shown} cut at {place}: {whole:?}, but {error:?} after {items:?}"),
        }
    }
}

/// Lists, whole and broken, as they stand behind a name or by themselves.
const LISTS: &[&str] = &[
    r#"[]"#,
    r#"[ ]"#,
    r#"[{"id":1}]"#,
    r#"[{"id":"1","name":"a \"quoted\\\" ] } , name"}, {"id":2,"name":null,"more":[[{}],{"x":"\u00e9"}]} ]"#,
    " [\n\t{\"id\":1}\r\n , {\"id\":2}\n] ",
    r#"[{"id":1,"name":"Zürich 🗺"},{"id":2,"name":"\ud83d\ude00"}]"#,
    r#"[{"id":1,"name":"a\"}],"},{"id":2}]"#,
    r#"[1, 23 ,456,"text","",true,false,null,-0.5e3,[],[[1],[2]],{}]"#,
    r#"[1]"#,
    r#"["a","b"]"#,
    r#"[{"id":"x"}]"#,
    r#"[{"id":1},{"id":"x"},{"id":3}]"#,
    r#"[{"id":1},{"name":"no id"}]"#,
    r#"[{"id":1},7]"#,
    r#"[{"id":1},null]"#,
    r#"[{"id":1,"id":2}]"#,
    r#"[{"id":1}"#,
    r#"[{"id":1},"#,
    r#"[{"id":1},{"id":2"#,
    r#"[{"id":1},]"#,
    r#"[,{"id":1}]"#,
    r#"[{"id":1},,{"id":2}]"#,
    r#"[{"id":1} {"id":2}]"#,
    r#"[{"id":1}}]"#,
    r#"[}]"#,
    r#"[{"id":1}]]"#,
    r#"[{"id":1}] x"#,
    "[{\"id\":1}\u{c},{\"id\":2}]",
    r#"[{"id":1},{id:2}]"#,
    r#"[{"id":01}]"#,
    r#"[1 2]"#,
    r#"[01]"#,
    r#"[1x]"#,
    r#"[truth]"#,
    r#"[1.]"#,
    r#"["\ud83d"]"#,
    r#"["a"b"]"#,
    r#"[18446744073709551616]"#,
    r#"null"#,
    r#"{}"#,
    r#"{"0":{"id":1}}"#,
    r#""text""#,
    r#""#,
];

/// What can stand around a list.
const AROUND: &[(&str, &str)] = &[
    (r#"{"ok":true,"data":"#, r#"}"#),
    (r#"{"data":"#, r#","ok":true}"#),
    (r#"{"list":"#, r#","ok":true}"#),
    (r#" { "nested" : {"data":[{"id":9}]}, "ok" : true , "data" : "#, r#" , "more":[1,2] } "#),
    (r#"{"data":"#, r#","ok":false}"#),
    (r#"{"ok":false,"data":"#, r#"}"#),
    (r#"{"data":"#, r#"}"#),
    (r#"{"data":"#, r#","ok":true"#),
    (r#"{"data":"#, r#","ok":true}}"#),
    (r#"{"data":"#, r#","ok":true} {"#),
    (r#"{"data":"#, r#","ok":true,"data":[]}"#),
    (r#"{"data":"#, r#","ok":true,"list":[{"id":7}]}"#),
    (r#"{"data":null,"ok":true,"list":"#, r#"}"#),
    (r#"{"d\u0061ta":"#, r#","ok":true}"#),
    (r#"{"ok":true,"other":"data","name":"#, r#"}"#),
    (r#"{"ok":true,"x":["data",":"],"data":"#, r#"}"#),
    (r#"{"ok":true "data":"#, r#"}"#),
    (r#"{"ok":true,"data"::"#, r#"}"#),
    ("\u{feff}{\"ok\":true,\"data\":", "}"),
    (r#"["data","#, r#"]"#),
    (r#"["data":"#, r#"]"#),
    (r#"<html>{"ok":true,"data":"#, r#"}"#),
];

#[tokio::test]
async fn a_list_is_handed_out_before_its_end_whatever_stands_before_it() {
    for before in [
        r#"{"data":"#,
        r#"{"ok":true,"list":"#,
        r#"{"nested":{"data":[{"id":9}]},"x":["data",":",{}],"ok":true,"data":"#,
        r#"{"ok":true,"name":"data","note":"\\\":[", "data" : "#,
    ] {
        let text = format!("{before}[{{\"id\":1}},");
        for at in 0..=text.len() {
            let (one, other) = text.split_at(at);
            let (one, other) = (one.to_owned().into(), other.to_owned().into());
            let (items, error) = streamed(Servers, vec![one, other]).await;
            let ids: Vec<u64> = items.iter().map(|it| it.id).collect();
            assert_eq!(ids, [1], "{before} cut at {at}: {error:?}");
            assert_eq!(error.unwrap().kind(), ErrorKind::UnexpectedReply);
        }
    }
}

#[tokio::test]
async fn a_list_by_itself_is_the_same_however_it_arrives() {
    for text in LISTS {
        agrees(BareServers, text.as_bytes()).await;
        agrees(BareValues, text.as_bytes()).await;
        agrees(Numbers, text.as_bytes()).await;
        let garbage = format!("\u{feff}{text}");
        agrees(BareServers, garbage.as_bytes()).await;
        agrees(BareServers, format!("x{text}").as_bytes()).await;
    }
    agrees(BareValues, b"[\"a\xff\"]").await;
    // Where nobody reads it, it may be anything.
    agrees(BareServers, b"[{\"id\":1},{\"id\":2,\"x\":\"\xff\"},{\"id\":3}]").await;
}

#[tokio::test]
async fn a_list_in_an_envelope_is_the_same_however_it_arrives() {
    for (before, after) in AROUND {
        for text in LISTS {
            let text = format!("{before}{text}{after}");
            agrees(Servers, text.as_bytes()).await;
        }
    }
    for text in LISTS {
        agrees(Values, format!(r#"{{"data":{text},"ok":true}}"#).as_bytes()).await;
    }
    agrees(Keys, br#"{"data":[{"id":1},{"id":"x"}],"ok":true}"#).await;
    agrees(Keys, br#"{"data":[{"id":1}"#).await;
}
