//! Lines over a logarithmic axis, as an SVG of docs/.

use std::fmt::Write as _;

/// What is drawn. Texts are put in as they are: they hold no `<` and no `&`.
pub struct Picture<'a> {
    pub title: &'a str,
    /// What the values to the right are: each ten times as many as far from the last.
    pub across: &'a str,
    /// What the values upwards are, from zero.
    pub upwards: &'a str,
    pub lines: Vec<Line<'a>>,
}

/// One line, and what it is called.
pub struct Line<'a> {
    pub name: &'a str,
    /// To the right and upwards; at least one, and all to the right greater than zero.
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 400.0;
/// Where the axes are.
const LEFT: f64 = 70.0;
const RIGHT: f64 = 570.0;
const TOP: f64 = 60.0;
const BOTTOM: f64 = 340.0;

/// The lines' colours, those on light and those on dark ground.
const COLOURS: [(&str, &str); 6] = [
    ("#0969da", "#58a6ff"),
    ("#1a7f37", "#3fb950"),
    ("#bf8700", "#d29922"),
    ("#cf222e", "#f85149"),
    ("#8250df", "#a371f7"),
    ("#57606a", "#8b949e"),
];

/// The least room between two names, so that both can be read.
const LINE_HEIGHT: f64 = 18.0;

impl Picture<'_> {
    /// The file's text. The same picture gives the same text.
    pub fn svg(&self) -> String {
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let least = points().map(|it| it.0).fold(f64::INFINITY, f64::min);
        let most = points().map(|it| it.0).fold(least, f64::max);
        let step = step(points().map(|it| it.1).fold(0.0, f64::max));
        let top = step * (points().map(|it| it.1).fold(0.0, f64::max) / step).ceil().max(1.0);
        let across = |value: f64| {
            let share = (value / least).log10() / (most / least).log10().max(f64::MIN_POSITIVE);
            LEFT + (RIGHT - LEFT) * share
        };
        let upwards = |value: f64| BOTTOM - (BOTTOM - TOP) * value / top;

        let mut svg = self.beginning();
        let mut value = 0.0;
        while value <= top * 1.001 {
            let y = upwards(value);
            text(&mut svg, "end", LEFT - 8.0, y + 4.0, &number(value));
            path(&mut svg, "grid", &[(LEFT, y), (RIGHT, y)]);
            value += step;
        }
        let mut marks: Vec<f64> = points().map(|it| it.0).collect();
        marks.sort_by(f64::total_cmp);
        marks.dedup();
        for value in marks {
            text(&mut svg, "middle", across(value), BOTTOM + 20.0, &number(value));
        }
        text(&mut svg, "middle", f64::midpoint(LEFT, RIGHT), BOTTOM + 44.0, self.across);

        // From above, each name beside its line's end, and none upon another.
        let mut ends: Vec<(f64, usize)> = Vec::new();
        for (index, line) in self.lines.iter().enumerate() {
            let drawn: Vec<(f64, f64)> =
                line.points.iter().map(|it| (across(it.0), upwards(it.1))).collect();
            let class = index % COLOURS.len();
            path(&mut svg, &format!("line c{class}"), &drawn);
            for (x, y) in &drawn {
                let _ = writeln!(
                    svg,
                    "  <circle class=\"c{class}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>"
                );
            }
            ends.extend(drawn.last().map(|it| (it.1, index)));
        }
        ends.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut free = TOP - LINE_HEIGHT;
        for (y, index) in ends {
            free = (free + LINE_HEIGHT).max(y);
            let class = index % COLOURS.len();
            let name = self.lines[index].name;
            let _ = writeln!(
                svg,
                "  <text class=\"name c{class}\" x=\"{:.1}\" y=\"{:.1}\">{name}</text>",
                RIGHT + 12.0,
                free + 4.0,
            );
        }
        svg.push_str("</svg>\n");
        svg
    }

    fn beginning(&self) -> String {
        let (mut light, mut dark) = (String::new(), String::new());
        for (index, (on_light, on_dark)) in COLOURS.iter().enumerate() {
            let _ = write!(light, " .c{index} {{ fill: {on_light}; stroke: {on_light} }}");
            let _ = write!(dark, " .c{index} {{ fill: {on_dark}; stroke: {on_dark} }}");
        }
        let (title, upwards) = (self.title, self.upwards);
        let (width, height) = (WIDTH - 1.0, HEIGHT - 1.0);
        format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{title}">
  <style>
    text {{ fill: #1f2328; font: 13px system-ui, sans-serif }}
    .page {{ fill: #ffffff; stroke: #d0d7de }} .grid {{ stroke: #d0d7de }}
   {light}
    .line {{ fill: none; stroke-width: 2 }} .name {{ stroke: none }} .title {{ font-weight: bold }}
    @media (prefers-color-scheme: dark) {{
      text {{ fill: #e6edf3 }}
      .page {{ fill: #161b22; stroke: #30363d }} .grid {{ stroke: #30363d }}
     {dark}
      .line {{ fill: none }} .name {{ stroke: none }}
    }}
  </style>
  <rect class="page" x="0.5" y="0.5" width="{width}" height="{height}" rx="6"/>
  <text class="title" x="20" y="24">{title}</text>
  <text x="20" y="44">{upwards}</text>
"#
        )
    }
}

fn text(svg: &mut String, anchor: &str, x: f64, y: f64, text: &str) {
    let _ =
        writeln!(svg, "  <text text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>");
}

fn path(svg: &mut String, class: &str, points: &[(f64, f64)]) {
    let points: Vec<String> = points.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = writeln!(svg, "  <polyline class=\"{class}\" points=\"{}\"/>", points.join(" "));
}

/// The distance of the lines behind: 1, 2 or 5 times a power of ten, of which some five make the most.
fn step(most: f64) -> f64 {
    if most <= 0.0 {
        return 1.0;
    }
    let power = 10_f64.powf((most / 5.0).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|it| it * power);
    steps.into_iter().find(|it| *it >= most / 5.0).unwrap_or(power)
}

/// `20`, `0.5`, `100 k`, `1 M`.
fn number(value: f64) -> String {
    let (value, unit) = match value {
        1e6.. => (value / 1e6, " M"),
        1e4.. => (value / 1e3, " k"),
        _ => (value, ""),
    };
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    format!("{text}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_where_its_values_are() {
        let points = vec![(1.0, 0.0), (10.0, 25.0), (100.0, 50.0)];
        let lines =
            vec![Line { name: "one", points }, Line { name: "two", points: vec![(1.0, 50.0)] }];
        let svg = Picture { title: "T", across: "calls", upwards: "µs", lines }.svg();
        // Ten is in the middle between one and a hundred; 50 is the top.
        assert!(
            svg.contains(r#"class="line c0" points="70.0,340.0 320.0,200.0 570.0,60.0""#),
            "{svg}"
        );
        assert!(svg.contains(r#"class="line c1" points="70.0,60.0""#), "{svg}");
        // Two names at one height stand below each other.
        assert!(svg.contains(r#"class="name c0" x="582.0" y="64.0">one<"#), "{svg}");
        assert!(svg.contains(r#"class="name c1" x="582.0" y="82.0">two<"#), "{svg}");
        for mark in ["1", "10", "100", "20", "40"] {
            assert!(svg.contains(&format!(">{mark}</text>")), "{mark}: {svg}");
        }
    }

    #[test]
    fn numbers_are_short() {
        let numbers = [0.0, 0.5, 20.0, 1000.0, 10_000.0, 100_000.0, 1_000_000.0].map(number);
        assert_eq!(numbers, ["0", "0.5", "20", "1000", "10 k", "100 k", "1 M"]);
        assert_eq!([step(50.0), step(51.0), step(3.0), step(0.0)], [10.0, 20.0, 1.0, 1.0]);
    }
}
