//! A whole and good message, with JSON in it that is none or another one.

use serde_json::Value;

use super::answer::{Act, Answer, Script};
use super::{AFTER, Level, OTHER, Wanted, WireFault};

const fn json(
    kind: (bool, Wanted),
    name: &'static str,
    what: &'static str,
    play: fn(Answer) -> Script,
) -> WireFault {
    super::row(Level::Json, kind, name, what, play)
}

pub(super) static FAULTS: &[WireFault] = &[
    // Less than all of it.
    json(AFTER, "half-json", "Half of the JSON, with status 200.", |it| match it.body.len() {
        0 => it.with_json("{\"status\":").whole(),
        length => {
            let half = it.body[..length / 2].to_vec();
            it.status(200).with_json(half).whole()
        }
    }),
    json(AFTER, "json-without-last-byte", "The JSON without its last byte.", |it| {
        text(it, |json| json[..json.len() - 1].to_owned())
    }),
    json(AFTER, "not-json", "A word.", |it| text(it, |_| "success".to_owned())),
    json(OTHER, "json-object-empty", "An empty object.", |it| text(it, |_| "{}".to_owned())),
    json(OTHER, "json-array-empty", "An empty array.", |it| text(it, |_| "[]".to_owned())),
    json(OTHER, "json-null", "null.", |it| text(it, |_| "null".to_owned())),
    json(OTHER, "json-number", "A number.", |it| text(it, |_| "7".to_owned())),
    json(OTHER, "json-string", "A string.", |it| text(it, |_| "\"success\"".to_owned())),
    json(OTHER, "json-in-array", "The JSON, within an array.", |it| {
        text(it, |json| format!("[{json}]"))
    }),
    json(OTHER, "json-in-string", "The JSON, written as a string.", |it| {
        text(it, |json| Value::from(json).to_string())
    }),
    // More than it.
    json(AFTER, "json-twice", "The JSON, twice.", |it| text(it, |json| format!("{json}{json}"))),
    json(AFTER, "json-and-garbage", "The JSON, and a bracket.", |it| {
        text(it, |json| format!("{json}]"))
    }),
    json(OTHER, "json-spaces", "The JSON after 100 KB of spaces.", |it| {
        text(it, |json| format!("{}{json}", " ".repeat(100_000)))
    }),
    // Encodings of the text.
    json(OTHER, "byte-order-mark", "A byte order mark before the JSON.", |it| {
        text(it, |json| format!("\u{feff}{json}"))
    }),
    json(OTHER, "utf-8-invalid", "Strings with bytes that are not UTF-8.", |it| {
        let Script { status, mut acts, end } = strings(it, "\"\u{1}\"");
        for act in &mut acts {
            if let Act::Send(bytes) = act {
                let invalid = bytes.iter().map(|byte| if *byte == 1 { 0xff } else { *byte });
                *bytes = invalid.collect();
            }
        }
        Script { status, acts, end }
    }),
    json(AFTER, "utf-16", "The JSON in UTF-16.", |it| {
        let utf_16 = it.json().to_string().encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf_16: Vec<u8> = utf_16;
        it.with_json(utf_16).whole()
    }),
    json(OTHER, "lone-surrogates", "Strings with half of a surrogate pair.", |it| {
        strings(it, "\"\\ud800\"")
    }),
    json(OTHER, "raw-controls", "Strings with control characters that are not escaped.", |it| {
        strings(it, "\"a\nb\u{1b}[2J\"")
    }),
    json(OTHER, "escaped-controls", "Strings with NUL, a terminal's escapes and `../`.", |it| {
        strings(it, "\"../../\\u0000\\u001b[2J\\u001b]0;x\\u0007\"")
    }),
    // What JSON is not.
    json(AFTER, "comments", "The JSON after a comment.", |it| {
        text(it, |json| format!("/* success */ {json}"))
    }),
    json(OTHER, "quotes-single", "Strings in single quotes.", |it| strings(it, "'text'")),
    json(OTHER, "commas-trailing", "A comma after the last of everything.", |it| {
        text(it, |json| json.replace('}', ",}").replace(']', ",]"))
    }),
    // Numbers.
    json(OTHER, "numbers-30-digits", "Whole numbers beyond 64 bits.", |it| {
        numbers(it, "999999999999999999999999999999")
    }),
    json(OTHER, "numbers-2-63", "The whole number 2⁶³.", |it| {
        numbers(it, "9223372036854775808")
    }),
    json(OTHER, "numbers-negative", "The number −1.", |it| numbers(it, "-1")),
    json(OTHER, "numbers-fractions", "Numbers with a fraction.", |it| numbers(it, "1.5")),
    json(OTHER, "numbers-1e400", "A number beyond a double's range.", |it| numbers(it, "1e400")),
    json(OTHER, "nan", "NaN for every number.", |it| numbers(it, "NaN")),
    json(OTHER, "infinity", "Infinity for every number.", |it| numbers(it, "-Infinity")),
    json(OTHER, "numbers-long", "Numbers of 10,000 digits.", |it| numbers(it, &"9".repeat(10_000))),
    // Other types.
    json(OTHER, "types-wrong", "Every value of another type.", |it| {
        let json = scalars(&it.json(), &|value| {
            Some(if value.is_string() { "{\"a\":[1]}" } else { "\"text\"" }.to_owned())
        });
        it.with_json(json).whole()
    }),
    json(OTHER, "numbers-as-strings", "Numbers and truth values as strings.", |it| {
        let json = scalars(&it.json(), &|value| {
            (!value.is_string() && !value.is_null()).then(|| format!("\"{value}\""))
        });
        it.with_json(json).whole()
    }),
    json(OTHER, "all-null", "null for every value.", |it| {
        let json = scalars(&it.json(), &|_| Some("null".to_owned()));
        it.with_json(json).whole()
    }),
    json(OTHER, "data-null", "null for everything but texts at the top.", |it| {
        let json = top(&it.json(), &|value| (!value.is_string()).then(|| "null".to_owned()));
        it.with_json(json).whole()
    }),
    json(
        OTHER,
        "objects-and-arrays-swapped",
        "Arrays for objects, and objects for arrays.",
        |it| {
            let json = top(&it.json(), &|value| match value {
                Value::Object(_) => Some("[]".to_owned()),
                Value::Array(_) => Some("{}".to_owned()),
                _ => None,
            });
            it.with_json(json).whole()
        },
    ),
    // Names.
    json(OTHER, "keys-twice-same", "Every name twice, with the same value.", |it| {
        keys(it, &|name, value| format!("{name}:{value},{name}:{value}"))
    }),
    json(OTHER, "keys-twice-wrong-first", "Every name twice, first with null.", |it| {
        keys(it, &|name, value| format!("{name}:null,{name}:{value}"))
    }),
    json(OTHER, "keys-twice-wrong-last", "Every name twice, last with null.", |it| {
        keys(it, &|name, value| format!("{name}:{value},{name}:null"))
    }),
    json(AFTER, "status-twice", "The status twice: a success, then an error.", |it| {
        status_twice(it, ["success", "error"])
    }),
    json(AFTER, "status-twice-error-first", "The status twice: an error, then a success.", |it| {
        status_twice(it, ["error", "success"])
    }),
    json(OTHER, "keys-upper-case", "Every name in capitals.", |it| {
        keys(it, &|name, value| format!("{}:{value}", name.to_uppercase()))
    }),
    json(OTHER, "keys-huge", "A name of 200 KB.", |it| {
        extra(it, &format!("\"{}\":1", "k".repeat(200_000)))
    }),
    json(OTHER, "keys-many", "20,000 names that are not documented.", |it| {
        let names: Vec<String> = (0..20_000).map(|number| format!("\"k{number}\":0")).collect();
        extra(it, &names.join(","))
    }),
    // Size and depth.
    json(OTHER, "strings-huge", "Every string 50,000 characters long.", |it| {
        strings(it, &format!("\"{}\"", "x".repeat(50_000)))
    }),
    json(OTHER, "strings-escaped-huge", "Every string 50,000 bytes of escapes.", |it| {
        strings(it, &format!("\"{}\"", "\\u0001".repeat(50_000 / 6)))
    }),
    json(OTHER, "arrays-huge", "Every array with 2,000 times its elements.", |it| {
        let json = it.json();
        it.with_json(repeated(&json, 2000)).whole()
    }),
    json(OTHER, "array-extra-huge", "An array of 300,000 numbers that is not documented.", |it| {
        extra(it, &format!("\"extra\":[0{}]", ",0".repeat(300_000)))
    }),
    json(OTHER, "objects-extra", "45,000 objects that are not documented.", |it| {
        extra(it, &format!("\"extra\":[0{}]", ",{\"\":0}".repeat(45_000)))
    }),
    json(OTHER, "objects-extra-huge", "90,000 objects that are not documented.", |it| {
        extra(it, &format!("\"extra\":[0{}]", ",{\"\":0}".repeat(90_000)))
    }),
    json(AFTER, "nested-arrays", "100,000 arrays within each other.", |it| {
        text(it, |_| format!("{}{}", "[".repeat(100_000), "]".repeat(100_000)))
    }),
    json(AFTER, "nested-objects", "100,000 objects within each other.", |it| {
        text(it, |_| format!("{}0{}", "{\"a\":".repeat(100_000), "}".repeat(100_000)))
    }),
    json(OTHER, "nested-extra", "100,000 arrays within each other, not documented.", |it| {
        extra(it, &format!("\"extra\":{}{}", "[".repeat(100_000), "]".repeat(100_000)))
    }),
    json(OTHER, "nested-data", "100,000 arrays within each other as `data`.", |it| {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        text(it, move |_| format!("{{\"status\":\"success\",\"success\":true,\"data\":{deep}}}"))
    }),
];

/// Another text in place of the JSON.
fn text(answer: Answer, change: impl Fn(String) -> String) -> Script {
    let json = change(answer.json().to_string());
    answer.with_json(json).whole()
}

/// Another text in place of every string but the word of success.
fn strings(answer: Answer, string: &str) -> Script {
    let changes = |value: &Value| value.as_str().is_some_and(|it| it != "success");
    let json = scalars(&answer.json(), &|value| changes(value).then(|| string.to_owned()));
    answer.with_json(json).whole()
}

/// Another text in place of every number.
fn numbers(answer: Answer, number: &str) -> Script {
    let json = scalars(&answer.json(), &|value| value.is_number().then(|| number.to_owned()));
    answer.with_json(json).whole()
}

/// The flag of success in every form that a provider gives it, twice.
fn status_twice(answer: Answer, statuses: [&str; 2]) -> Script {
    let flags = statuses.map(|it| format!("\"status\":\"{it}\",\"success\":{}", it == "success"));
    let mut json = answer.json();
    if let Some(fields) = json.as_object_mut() {
        fields.remove("status");
        fields.remove("success");
    }
    extra(answer.body(json.to_string()), &flags.join(","))
}

/// More at the top than there is.
fn extra(answer: Answer, more: &str) -> Script {
    text(answer, |json| match json.strip_prefix('{') {
        Some("}") => format!("{{{more}}}"),
        Some(rest) => format!("{{{more},{rest}"),
        None => format!("{{{more}}}"),
    })
}

/// The names and values of every object, written by `pair`.
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

/// Changes what is directly within the outermost object.
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

/// JSON as text, in which `change` replaces values and `pair` writes the properties.
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
            let list: Vec<String> = list.iter().map(|it| write(it, change, pair)).collect();
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
