//! Metrics in Prometheus' text format.

use std::fmt::Write as _;

/// A page of metrics in Prometheus' classic text format, version 0.0.4. It suits both an HTTP reply and the
/// node exporter's textfile collector.
///
/// Samples have no timestamps, because one of them makes the textfile collector skip the whole file.
///
/// ```
/// use anyvpn_core::MetricsText;
///
/// let mut text = MetricsText::default();
/// text.gauge("anyvpn_port", "The forwarded port.").sample(&[("client", "a\"b")], 50123.0);
/// text.counter("anyvpn_port_changes_total", "Changes of the port.").sample(&[], 2.0);
/// let expected = concat!(
///     "# HELP anyvpn_port The forwarded port.\n",
///     "# TYPE anyvpn_port gauge\n",
///     "anyvpn_port{client=\"a\\\"b\"} 50123\n",
///     "# HELP anyvpn_port_changes_total Changes of the port.\n",
///     "# TYPE anyvpn_port_changes_total counter\n",
///     "anyvpn_port_changes_total 2\n",
/// );
/// assert_eq!(text.into_string(), expected);
/// ```
#[derive(Clone, Debug, Default)]
pub struct MetricsText(String);

impl MetricsText {
    /// The media type of the text.
    pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

    /// Starts a metric whose value can go up and down. `name` must be unique on the page, and consist
    /// of ASCII letters, digits and `_`.
    pub fn gauge(&mut self, name: &str, help: &str) -> Metric<'_> {
        self.begin(name, help, "gauge")
    }

    /// Starts a metric whose value only increases. Its name ends with `_total`.
    pub fn counter(&mut self, name: &str, help: &str) -> Metric<'_> {
        self.begin(name, help, "counter")
    }

    /// Returns the page.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }

    fn begin(&mut self, name: &str, help: &str, kind: &str) -> Metric<'_> {
        let help = help.replace('\\', r"\\").replace('\n', r"\n");
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
        Metric { text: &mut self.0, name: name.to_owned() }
    }
}

/// A metric, to which samples can be added.
#[derive(Debug)]
pub struct Metric<'a> {
    text: &'a mut String,
    name: String,
}

impl Metric<'_> {
    /// Adds a sample. No two samples of a metric may have the same labels. The values of labels may contain
    /// any characters.
    pub fn sample(&mut self, labels: &[(&str, &str)], value: f64) -> &mut Self {
        let labels: Vec<String> = labels
            .iter()
            .map(|(name, value)| {
                let value = value.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n");
                format!("{name}=\"{value}\"")
            })
            .collect();
        let labels =
            if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        // Writing to a `String` cannot fail.
        let _ = writeln!(self.text, "{}{labels} {value}", self.name);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::MetricsText;

    #[test]
    fn hostile_texts_stay_on_their_line() {
        let mut text = MetricsText::default();
        let mut metric = text.gauge("a", "one\\two\nthree");
        metric
            .sample(&[("x", "1\\2\"3\n4"), ("y", "é")], 0.5)
            .sample(&[("x", ""), ("y", "")], 1e12);
        let expected = "# HELP a one\\\\two\\nthree\n# TYPE a gauge\n\
                        a{x=\"1\\\\2\\\"3\\n4\",y=\"é\"} 0.5\na{x=\"\",y=\"\"} 1000000000000\n";
        assert_eq!(text.into_string(), expected);
    }
}
