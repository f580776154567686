//! QR codes of configurations, to be scanned with a phone.

use anyvpn::Secret;
use qrcode::{Color, EcLevel, QrCode};

use crate::failure::Failure;

/// The light border around the code, in modules, as the standard requires.
const BORDER: usize = 4;
/// The light border on a terminal, in modules. Phones need at least one.
const TERMINAL_BORDER: usize = 1;
/// The size of a module in a picture, in pixels.
const SCALE: usize = 8;

pub struct Qr {
    modules: Vec<bool>,
    width: usize,
}

impl Qr {
    /// Encodes a text in the smallest possible code.
    pub fn new(text: &Secret) -> Result<Self, Failure> {
        let code = QrCode::with_error_correction_level(text.expose().as_bytes(), EcLevel::L);
        let code =
            code.map_err(|_| Failure::other("the configuration is too long for a QR code"))?;
        let width = code.width();
        let dark = |color| color == Color::Dark;
        Ok(Self { modules: code.into_colors().into_iter().map(dark).collect(), width })
    }

    /// Whether a module is dark. The border is light.
    fn is_dark(&self, row: usize, column: usize, border: usize) -> bool {
        let inside = |index: usize| index.checked_sub(border).filter(|index| *index < self.width);
        match (inside(row), inside(column)) {
            (Some(row), Some(column)) => self.modules[row * self.width + column],
            _ => false,
        }
    }

    /// Draws the code for a terminal, with two modules in each character. Light modules are drawn, which
    /// fits a dark terminal. With `colored`, the colours fit any terminal.
    pub fn text(&self, columns: u16, colored: bool) -> Result<Secret, Failure> {
        let border = TERMINAL_BORDER;
        let side = self.width + 2 * border;
        if side > usize::from(columns) {
            return Err(Failure::other(format!("the QR code is wider than {columns} columns"))
                .hint("write it to a picture with --qr-file FILE.png"));
        }
        let (before, after) = if colored { ("\u{1b}[40;97m", "\u{1b}[0m") } else { ("", "") };
        // Allocate the whole buffer at once: growing it would leave copies of the key in memory.
        let mut text = String::with_capacity((side * 3 + 16) * side.div_ceil(2));
        for row in (0..side).step_by(2) {
            text.push_str(before);
            for column in 0..side {
                // The row below the last one counts as light.
                let below = self.is_dark(row + 1, column, border);
                text.push(match (self.is_dark(row, column, border), below) {
                    (false, false) => '█',
                    (false, true) => '▀',
                    (true, false) => '▄',
                    (true, true) => ' ',
                });
            }
            text.push_str(after);
            text.push('\n');
        }
        Ok(Secret::from(text))
    }

    /// Draws the code as a PNG with one bit for each pixel.
    pub fn png(&self) -> Result<Vec<u8>, Failure> {
        let side = (self.width + 2 * BORDER) * SCALE;
        let row_bytes = side.div_ceil(8);
        let mut pixels = vec![0_u8; row_bytes * side];
        for (y, row) in pixels.chunks_mut(row_bytes).enumerate() {
            for x in 0..side {
                if !self.is_dark(y / SCALE, x / SCALE, BORDER) {
                    row[x / 8] |= 0x80 >> (x % 8);
                }
            }
        }
        let mut picture = Vec::new();
        // The largest QR code has 185 modules with its border, so the side fits.
        let side = u32::try_from(side).unwrap_or(u32::MAX);
        let mut encoder = png::Encoder::new(&mut picture, side, side);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let written = encoder.write_header().and_then(|mut writer| {
            writer.write_image_data(&pixels)?;
            writer.finish()
        });
        written.map_err(|_| Failure::other("cannot create the picture"))?;
        Ok(picture)
    }

    /// Draws the code as an SVG.
    pub fn svg(&self) -> Vec<u8> {
        let side = self.width + 2 * BORDER;
        let mut path = String::new();
        for row in 0..side {
            for column in (0..side).filter(|column| self.is_dark(row, *column, BORDER)) {
                path.push_str(&format!("M{column} {row}h1v1h-1z"));
            }
        }
        let pixels = side * SCALE;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{pixels}\" height=\"{pixels}\" \
             viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\">\
             <path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path d=\"{path}\"/></svg>\n"
        )
        .into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_small_and_refused_if_wider_than_the_terminal() {
        let size = |length: usize| {
            let text = Qr::new(&Secret::from("x".repeat(length))).unwrap().text(80, false);
            text.map(|text| {
                let lines: Vec<_> =
                    text.expose().lines().map(|line| line.chars().count()).collect();
                (lines[0], lines.len())
            })
        };
        // Each line shows two rows of modules.
        assert_eq!(size(300).unwrap(), (63, 32));
        assert_eq!(size(500).unwrap(), (79, 40));
        assert!(size(600).unwrap_err().to_string().contains("80 columns"));
        assert!(Qr::new(&Secret::from("x".repeat(3000))).is_err());
    }
}
