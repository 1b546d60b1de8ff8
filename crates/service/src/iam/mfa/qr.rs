//! A QR code as a PNG picture, for authenticator apps to read.

use qrcodegen::{QrCode, QrCodeEcc};

/// Pixels of one module.
const SCALE: usize = 4;
/// Modules of the quiet zone on each side (ISO/IEC 18004).
const QUIET: i32 = 4;

/// The picture; none if the text is too long for any code.
pub fn png(text: &str) -> Option<Vec<u8>> {
    let code = QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
    let side = usize::try_from(code.size() + 2 * QUIET).ok()? * SCALE;
    let at = |pixel: usize| i32::try_from(pixel / SCALE).map_or(-1, |module| module - QUIET);
    // Outside of the code no module is dark.
    let dark = |x: usize, y: usize| code.get_module(at(x), at(y));
    // One bit a pixel, white is one; rows begin at whole bytes.
    let mut pixels = Vec::with_capacity(side * side.div_ceil(8));
    for y in 0..side {
        for bytes in (0..side).step_by(8) {
            let bit = |byte: u8, x: usize| byte << 1 | u8::from(x < side && !dark(x, y));
            pixels.push((bytes..bytes + 8).fold(0, bit));
        }
    }
    let mut picture = Vec::new();
    let side = u32::try_from(side).ok()?;
    let mut encoder = png::Encoder::new(&mut picture, side, side);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::One);
    encoder.write_header().ok()?.write_image_data(&pixels).ok()?;
    Some(picture)
}
