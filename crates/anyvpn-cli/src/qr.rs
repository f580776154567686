//! QR codes of configurations, which telephones read.

use anyvpn::Secret;
use qrcode::{Color, EcLevel, QrCode};

use crate::failure::Failure;

/// Modules of light around the code, as the standard has it.
const BORDER: usize = 4;
/// Modules of light that the readers of telephones need, on a terminal.
const TERMINAL_BORDER: usize = 1;
/// Pixels a module in a picture.
const SCALE: usize = 8;

pub struct Qr {
    modules: Vec<bool>,
    width: usize,
}

impl Qr {
    /// The code of a text, byte for byte, as small as it can be.
    pub fn new(text: &Secret) -> Result<Self, Failure> {
        let code = QrCode::with_error_correction_level(text.expose().as_bytes(), EcLevel::L);
        let code =
            code.map_err(|_| Failure::other("the configuration is too long for a QR code"))?;
        let width = code.width();
        let dark = |color| color == Color::Dark;
        Ok(Self { modules: code.into_colors().into_iter().map(dark).collect(), width })
    }

    /// Whether the module is dark; around the code there is light.
    fn is_dark(&self, row: usize, column: usize, border: usize) -> bool {
        let inside = |place: usize| place.checked_sub(border).filter(|it| *it < self.width);
        match (inside(row), inside(column)) {
            (Some(row), Some(column)) => self.modules[row * self.width + column],
            _ => false,
        }
    }

    /// The code for a terminal of so many columns, two modules a character. Light is drawn and dark
    /// is not, as on a dark terminal; `colored` makes it so on any.
    pub fn text(&self, columns: u16, colored: bool) -> Result<Secret, Failure> {
        let border = TERMINAL_BORDER;
        let side = self.width + 2 * border;
        if side > usize::from(columns) {
            return Err(Failure::other(format!("the QR code is wider than {columns} columns"))
                .hint("write it to a picture with --qr-file FILE.png"));
        }
        let (before, after) = if colored { ("\u{1b}[40;97m", "\u{1b}[0m") } else { ("", "") };
        // Of the right size from the start, as it holds a key.
        let mut text = String::with_capacity((side * 3 + 16) * side.div_ceil(2));
        for row in (0..side).step_by(2) {
            text.push_str(before);
            for column in 0..side {
                // Below the last row there is nothing, which counts as light.
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

    /// The code as a picture of one bit a pixel.
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
        written.map_err(|_| Failure::other("the picture cannot be made"))?;
        Ok(picture)
    }

    /// The code as a drawing.
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
    fn the_code_is_as_small_as_it_can_be_and_no_wider_than_the_terminal() {
        let size = |length: usize| {
            let text = Qr::new(&Secret::from("x".repeat(length))).unwrap().text(80, false);
            text.map(|text| {
                let lines: Vec<_> =
                    text.expose().lines().map(|line| line.chars().count()).collect();
                (lines[0], lines.len())
            })
        };
        // Two modules a line.
        assert_eq!(size(300).unwrap(), (63, 32));
        assert_eq!(size(500).unwrap(), (79, 40));
        assert!(size(600).unwrap_err().to_string().contains("80 columns"));
        assert!(Qr::new(&Secret::from("x".repeat(3000))).is_err());
    }
}
