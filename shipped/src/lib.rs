//! Packs the data files that `shipped/files.txt` lists into the program: accelerators, networks, scenarios, fleets,
//! policies, experiments.
//!
//! This is a macro of the program, and no build script, because whatever a build script watches builds the library
//! anew: minutes after each edit of an experiment, in place of the seconds in which the program alone is linked.
//!
//! The archive is a zlib stream of all files in the order of the list: the path, a line break, the number of bytes, a
//! line break, the bytes. `src/experiment/shipped.rs` reads it.

use std::path::Path;

use proc_macro::{Literal, TokenStream};

/// The list, from the root of the repository.
const LIST: &str = "shipped/files.txt";

/// 9 of 10: the last step takes twice the time for one per cent.
const LEVEL: u8 = 9;

/// The archive of the files in the list, as a `&'static [u8; N]`. The compiler watches the list and each of its files.
#[proc_macro]
pub fn archive(_: TokenStream) -> TokenStream {
    packed()
        .unwrap_or_else(|message| format!("compile_error!({message:?})").parse().expect("it is one macro"))
}

fn packed() -> Result<TokenStream, String> {
    let root = std::env::var("CARGO_MANIFEST_DIR").map_err(|e| format!("CARGO_MANIFEST_DIR: {e}"))?;
    // Of the package `mascot`, or of one in a folder of its own, as the Python package is.
    let root = Path::new(&root).ancestors().find(|folder| folder.join(LIST).is_file());
    let root = root.ok_or_else(|| format!("{LIST}: there is no such file in this folder or above"))?;
    let read = |path: &str| std::fs::read(root.join(path)).map_err(|e| format!("{path}: {e}"));
    let list = String::from_utf8(read(LIST)?).map_err(|e| format!("{LIST}: {e}"))?;
    let mut bytes = Vec::new();
    for path in list.lines() {
        let file = read(path)?;
        bytes.extend(format!("{path}\n{}\n", file.len()).into_bytes());
        bytes.extend(file);
    }
    let archive = Literal::byte_string(&miniz_oxide::deflate::compress_to_vec_zlib(&bytes, LEVEL));
    let watched: String = [LIST]
        .into_iter()
        .chain(list.lines())
        .map(|path| format!("include_bytes!({:?}),", root.join(path)))
        .collect();
    let text = format!("{{ const _: &[&[u8]] = &[{watched}]; {archive} }}");
    text.parse().map_err(|e| format!("{LIST}: {e}"))
}
