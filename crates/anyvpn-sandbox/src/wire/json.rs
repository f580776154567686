//! Faults in JSON: complete and correct messages whose JSON is invalid or unexpected.

use serde_json::Value;

use super::answer::{Act, Answer, Script};
use super::{AFTER, Level, OTHER, WireFault, row};

#[rustfmt::skip]
pub(super) static FAULTS: &[WireFault] = &[
    // Incomplete JSON.
    row(Level::Json, AFTER, "half-json", "Half of the JSON, with status 200.", |answer| match answer.body.len() {
        0 => answer.with_json("{\"status\":").whole(),
        length => {
            let half = answer.body[..length / 2].to_vec();
            answer.status(200).with_json(half).whole()
        }
    }),
    row(Level::Json, AFTER, "json-without-last-byte", "The JSON without its last byte.", |answer| text(answer, |json| json[..json.len() - 1].to_owned())),
    row(Level::Json, AFTER, "not-json", "A word that is not JSON.", |answer| text(answer, |_| "success".to_owned())),
    row(Level::Json, OTHER, "json-object-empty", "An empty object.", |answer| text(answer, |_| "{}".to_owned())),
    row(Level::Json, OTHER, "json-array-empty", "An empty array.", |answer| text(answer, |_| "[]".to_owned())),
    row(Level::Json, OTHER, "json-null", "The value null.", |answer| text(answer, |_| "null".to_owned())),
    row(Level::Json, OTHER, "json-number", "A number.", |answer| text(answer, |_| "7".to_owned())),
    row(Level::Json, OTHER, "json-string", "A string.", |answer| text(answer, |_| "\"success\"".to_owned())),
    row(Level::Json, OTHER, "json-in-array", "The JSON, wrapped in an array.", |answer| text(answer, |json| format!("[{json}]"))),
    row(Level::Json, OTHER, "json-in-string", "The JSON, encoded as a string.", |answer| text(answer, |json| Value::from(json).to_string())),
    // More than the JSON.
    row(Level::Json, AFTER, "json-twice", "The complete JSON, twice.", |answer| text(answer, |json| format!("{json}{json}"))),
    row(Level::Json, AFTER, "json-and-garbage", "The complete JSON, followed by a bracket.", |answer| text(answer, |json| format!("{json}]"))),
    row(Level::Json, OTHER, "json-spaces", "The JSON after 100 KB of spaces.", |answer| text(answer, |json| format!("{}{json}", " ".repeat(100_000)))),
    // Encodings of the text.
    row(Level::Json, OTHER, "byte-order-mark", "A byte order mark before the JSON.", |answer| text(answer, |json| format!("\u{feff}{json}"))),
    row(Level::Json, OTHER, "utf-8-invalid", "Strings with bytes that are not UTF-8.", |answer| {
        let Script { status, mut acts, end } = strings(answer, "\"\u{1}\"");
        for act in &mut acts {
            if let Act::Send(bytes) = act {
                let invalid = bytes.iter().map(|byte| if *byte == 1 { 0xff } else { *byte });
                *bytes = invalid.collect();
            }
        }
        Script { status, acts, end }
    }),
    row(Level::Json, AFTER, "utf-16", "The JSON in UTF-16.", |answer| {
        let utf_16 = answer.json().to_string().encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf_16: Vec<u8> = utf_16;
        answer.with_json(utf_16).whole()
    }),
    row(Level::Json, OTHER, "lone-surrogates", "Strings with half of a surrogate pair.", |answer| strings(answer, "\"\\ud800\"")),
    row(Level::Json, OTHER, "raw-controls", "Strings with unescaped control characters.", |answer| strings(answer, "\"a\nb\u{1b}[2J\"")),
    row(Level::Json, OTHER, "escaped-controls", "Strings with NUL, terminal escapes and `../`.", |answer| { strings(answer, "\"../../\\u0000\\u001b[2J\\u001b]0;x\\u0007\"") }),
    // Not quite JSON.
    row(Level::Json, AFTER, "comments", "The JSON after a comment.", |answer| text(answer, |json| format!("/* success */ {json}"))),
    row(Level::Json, OTHER, "quotes-single", "Strings in single quotes.", |answer| strings(answer, "'text'")),
    row(Level::Json, OTHER, "commas-trailing", "A trailing comma in every object and array.", |answer| text(answer, |json| json.replace('}', ",}").replace(']', ",]"))),
    // Numbers.
    row(Level::Json, OTHER, "numbers-30-digits", "Integers that do not fit in 64 bits.", |answer| numbers(answer, "999999999999999999999999999999")),
    row(Level::Json, OTHER, "numbers-2-63", "2⁶³ for every number.", |answer| numbers(answer, "9223372036854775808")),
    row(Level::Json, OTHER, "numbers-negative", "−1 for every number.", |answer| numbers(answer, "-1")),
    row(Level::Json, OTHER, "numbers-fractions", "A fraction for every number.", |answer| numbers(answer, "1.5")),
    row(Level::Json, OTHER, "numbers-1e400", "Numbers beyond the range of a double.", |answer| numbers(answer, "1e400")),
    row(Level::Json, OTHER, "nan", "NaN for every number.", |answer| numbers(answer, "NaN")),
    row(Level::Json, OTHER, "infinity", "Negative infinity for every number.", |answer| numbers(answer, "-Infinity")),
    row(Level::Json, OTHER, "numbers-long", "Numbers of 10,000 digits.", |answer| numbers(answer, &"9".repeat(10_000))),
    // Other types.
    row(Level::Json, OTHER, "types-wrong", "Every value has the wrong type.", |answer| {
        let json = scalars(&answer.json(), &|value| {
            Some(if value.is_string() { "{\"a\":[1]}" } else { "\"text\"" }.to_owned())
        });
        answer.with_json(json).whole()
    }),
    row(Level::Json, OTHER, "numbers-as-strings", "Numbers and booleans as strings.", |answer| {
        let json = scalars(&answer.json(), &|value| {
            (!value.is_string() && !value.is_null()).then(|| format!("\"{value}\""))
        });
        answer.with_json(json).whole()
    }),
    row(Level::Json, OTHER, "all-null", "null for every value.", |answer| {
        let json = scalars(&answer.json(), &|_| Some("null".to_owned()));
        answer.with_json(json).whole()
    }),
    row(Level::Json, OTHER, "data-null", "null for every top-level value that is not a string.", |answer| {
        let json = top(&answer.json(), &|value| (!value.is_string()).then(|| "null".to_owned()));
        answer.with_json(json).whole()
    }),
    row(Level::Json, OTHER,
        "objects-and-arrays-swapped",
        "Empty arrays for top-level objects, and empty objects for top-level arrays.",
        |answer| {
            let json = top(&answer.json(), &|value| match value {
                Value::Object(_) => Some("[]".to_owned()),
                Value::Array(_) => Some("{}".to_owned()),
                _ => None,
            });
            answer.with_json(json).whole()
        },
    ),
    // Names.
    row(Level::Json, OTHER, "keys-twice-same", "Every key twice, with the same value.", |answer| keys(answer, &|name, value| format!("{name}:{value},{name}:{value}"))),
    row(Level::Json, OTHER, "keys-twice-wrong-first", "Every key twice, first with null.", |answer| keys(answer, &|name, value| format!("{name}:null,{name}:{value}"))),
    row(Level::Json, OTHER, "keys-twice-wrong-last", "Every key twice, last with null.", |answer| keys(answer, &|name, value| format!("{name}:{value},{name}:null"))),
    row(Level::Json, AFTER, "status-twice", "The status twice: a success, then an error.", |answer| status_twice(answer, ["success", "error"])),
    row(Level::Json, AFTER, "status-twice-error-first", "The status twice: an error, then a success.", |answer| status_twice(answer, ["error", "success"])),
    row(Level::Json, OTHER, "keys-upper-case", "Every key in upper case.", |answer| keys(answer, &|name, value| format!("{}:{value}", name.to_uppercase()))),
    row(Level::Json, OTHER, "keys-huge", "A key of 200 KB.", |answer| extra(answer, &format!("\"{}\":1", "k".repeat(200_000)))),
    row(Level::Json, OTHER, "keys-many", "20,000 undocumented keys.", |answer| {
        let names: Vec<String> = (0..20_000).map(|number| format!("\"k{number}\":0")).collect();
        extra(answer, &names.join(","))
    }),
    // Size and depth.
    row(Level::Json, OTHER, "strings-huge", "Every string is 50,000 characters long.", |answer| strings(answer, &format!("\"{}\"", "x".repeat(50_000)))),
    row(Level::Json, OTHER, "strings-escaped-huge", "Every string consists of 50,000 bytes of escapes.", |answer| strings(answer, &format!("\"{}\"", "\\u0001".repeat(50_000 / 6)))),
    row(Level::Json, OTHER, "arrays-huge", "Every array has its elements 2,000 times.", |answer| {
        let json = answer.json();
        answer.with_json(repeated(&json, 2000)).whole()
    }),
    row(Level::Json, OTHER, "array-extra-huge", "An undocumented array of 300,000 numbers.", |answer| extra(answer, &format!("\"extra\":[0{}]", ",0".repeat(300_000)))),
    row(Level::Json, OTHER, "objects-extra", "45,000 undocumented objects.", |answer| extra(answer, &format!("\"extra\":[0{}]", ",{\"\":0}".repeat(45_000)))),
    row(Level::Json, OTHER, "objects-extra-huge", "90,000 undocumented objects.", |answer| extra(answer, &format!("\"extra\":[0{}]", ",{\"\":0}".repeat(90_000)))),
    row(Level::Json, AFTER, "nested-arrays", "Arrays nested 100,000 levels deep.", |answer| text(answer, |_| format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)))),
    row(Level::Json, AFTER, "nested-objects", "Objects nested 100,000 levels deep.", |answer| text(answer, |_| format!("{}0{}", "{\"a\":".repeat(100_000), "}".repeat(100_000)))),
    row(Level::Json, OTHER, "nested-extra", "Arrays nested 100,000 levels deep in an undocumented field.", |answer| extra(answer, &format!("\"extra\":{}{}", "[".repeat(100_000), "]".repeat(100_000)))),
    row(Level::Json, OTHER, "nested-data", "Arrays nested 100,000 levels deep in `data`.", |answer| {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        text(answer, move |_| format!("{{\"status\":\"success\",\"success\":true,\"data\":{deep}}}"))
    }),
];

/// Replaces the JSON by another text.
fn text(answer: Answer, change: impl Fn(String) -> String) -> Script {
    let json = change(answer.json().to_string());
    answer.with_json(json).whole()
}

/// Replaces every string except the value that signals success.
fn strings(answer: Answer, string: &str) -> Script {
    let changes = |value: &Value| value.as_str().is_some_and(|answer| answer != "success");
    let json = scalars(&answer.json(), &|value| changes(value).then(|| string.to_owned()));
    answer.with_json(json).whole()
}

/// Replaces every number.
fn numbers(answer: Answer, number: &str) -> Script {
    let json = scalars(&answer.json(), &|value| value.is_number().then(|| number.to_owned()));
    answer.with_json(json).whole()
}

/// Repeats the success flag, in each form that a provider uses.
fn status_twice(answer: Answer, statuses: [&str; 2]) -> Script {
    let flags = statuses.map(|word| {
        let (success, code) = if word == "success" { (true, 200) } else { (false, 500) };
        format!("\"status\":\"{word}\",\"success\":{success},\"code\":{code}")
    });
    let mut json = answer.json();
    if let Some(fields) = json.as_object_mut() {
        ["status", "success", "code"].iter().for_each(|name| drop(fields.remove(*name)));
    }
    extra(answer.body(json.to_string()), &flags.join(","))
}

/// Adds more to the outermost object.
fn extra(answer: Answer, more: &str) -> Script {
    text(answer, |json| match json.strip_prefix('{') {
        Some("}") => format!("{{{more}}}"),
        Some(rest) => format!("{{{more},{rest}"),
        None => format!("{{{more}}}"),
    })
}

/// Writes the names and values of every object with `pair`.
fn keys(answer: Answer, pair: &dyn Fn(&str, &str) -> String) -> Script {
    let json = answer.json();
    answer.with_json(write(&json, &|_| None, pair)).whole()
}

fn scalars(value: &Value, change: &dyn Fn(&Value) -> Option<String>) -> String {
    let change = |value: &Value| match value {
        Value::Array(_) | Value::Object(_) => None,
        scalar => change(scalar),
    };
    write(value, &change, &|name, value| format!("{name}:{value}"))
}

/// Changes the values directly within the outermost object.
fn top(value: &Value, change: &dyn Fn(&Value) -> Option<String>) -> String {
    match value {
        Value::Object(fields) => {
            let pair = |(name, value): (&String, &Value)| {
                let value = change(value).unwrap_or_else(|| value.to_string());
                format!("{}:{value}", Value::from(name.as_str()))
            };
            format!("{{{}}}", fields.iter().map(pair).collect::<Vec<_>>().join(","))
        }
        other => change(other).unwrap_or_else(|| other.to_string()),
    }
}

fn repeated(value: &Value, times: usize) -> String {
    let change = |value: &Value| match value {
        Value::Array(list) if !list.is_empty() => {
            let elements: Vec<String> = list.iter().map(Value::to_string).collect();
            Some(format!("[{}]", vec![elements.join(","); times].join(",")))
        }
        _ => None,
    };
    write(value, &change, &|name, value| format!("{name}:{value}"))
}

/// Formats JSON, where `change` can replace values and `pair` writes the properties.
fn write(
    value: &Value,
    change: &dyn Fn(&Value) -> Option<String>,
    pair: &dyn Fn(&str, &str) -> String,
) -> String {
    if let Some(text) = change(value) {
        return text;
    }
    match value {
        Value::Array(list) => {
            let list: Vec<String> = list.iter().map(|answer| write(answer, change, pair)).collect();
            format!("[{}]", list.join(","))
        }
        Value::Object(fields) => {
            let pair = |(name, value): (&String, &Value)| {
                pair(&Value::from(name.as_str()).to_string(), &write(value, change, pair))
            };
            format!("{{{}}}", fields.iter().map(pair).collect::<Vec<_>>().join(","))
        }
        scalar => scalar.to_string(),
    }
}
