//! The kinds of files that pictures are written to. PDF and PNG are made from the SVG, with the one font that is shipped
//! here, so that the same picture gives the same bytes on every machine. In a PDF the font is embedded, as publishers
//! ask.

use std::sync::Arc;

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};
use svg2pdf::{ConversionOptions, PageOptions};

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Format {
    /// Lines and text in the reader's font, for pages and drawing programs.
    Svg,
    /// Lines and text in an embedded font, for papers.
    Pdf,
    /// Pixels, for slides.
    Png,
}

const FONT: &[u8] = include_bytes!("font/FigureSans-Regular.ttf");
const FAMILY: &str = "Figure Sans";

/// Pixels per unit of a PNG. Our choice, because a picture of 420 units is then sharp on a slide that is 1,260 pixels wide.
const SCALE: f32 = 3.0;

impl Format {
    /// The extension of its files.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Svg => "svg",
            Self::Pdf => "pdf",
            Self::Png => "png",
        }
    }

    /// The file of a picture, from its SVG.
    pub(super) fn of_svg(self, svg: &str) -> Vec<u8> {
        match self {
            Self::Svg => svg.as_bytes().to_vec(),
            Self::Pdf => {
                let pdf = svg2pdf::to_pdf(&tree(svg), ConversionOptions::default(), PageOptions::default());
                pdf.expect("pictures hold no raster images, which alone can fail")
            }
            Self::Png => png(&tree(svg)),
        }
    }
}

fn tree(svg: &str) -> Tree {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(FONT.to_vec());
    fonts.set_sans_serif_family(FAMILY);
    let options = Options { fontdb: Arc::new(fonts), ..Options::default() };
    Tree::from_str(svg, &options).expect("the pictures are well-formed SVG")
}

fn png(tree: &Tree) -> Vec<u8> {
    let size = tree.size().to_int_size().scale_by(SCALE).expect("a picture has a size above zero");
    let mut pixels = Pixmap::new(size.width(), size.height()).expect("the size is above zero");
    resvg::render(tree, Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().expect("memory takes all")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::svg::{Anchor, Canvas};

    #[test]
    fn files_are_what_their_names_say_and_have_text() {
        let mut canvas = Canvas::new(60.0, 40.0);
        let empty = canvas.standalone("title");
        canvas.text(10.0, 20.0, Anchor::Start, "SLA \u{b1} \u{3bb}");
        let svg = canvas.standalone("title");
        assert_eq!(Format::Svg.of_svg(&svg), svg.as_bytes());
        let pdf = Format::Pdf.of_svg(&svg);
        let has = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|part| part == text.as_bytes());
        assert!(
            pdf.starts_with(b"%PDF-")
                && has(&pdf, "FigureSans")
                && !has(&Format::Pdf.of_svg(&empty), "Figure")
        );
        let (png, blank) = (Format::Png.of_svg(&svg), Format::Png.of_svg(&empty));
        let (png, blank) = (Pixmap::decode_png(&png).unwrap(), Pixmap::decode_png(&blank).unwrap());
        assert_eq!((png.width(), png.height()), (180, 120));
        let inked = png.pixels().iter().zip(blank.pixels()).filter(|(one, other)| one != other).count();
        assert!(inked > 300, "{inked} pixels of text");
        assert_eq!(Format::Pdf.of_svg(&svg), pdf);
    }
}
