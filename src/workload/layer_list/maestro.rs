//! MAESTRO's network files, as its `data/model/*.m` and XRBench's usage scenarios write them.
//!
//! ```text
//! Constant SeqLen 128;
//! Network NAME {
//!   Layer NAME { Type: CONV  Stride { X: 2, Y: 2 }  Dimensions { N: 1, K: 32, C: 3, R: 3, S: 3, Y: 224, X: 224 } }
//! }
//! ```
//!
//! | type | becomes |
//! |---|---|
//! | CONV | convolution of C into K channels; Y, X is the input |
//! | DSCONV | depthwise convolution of C channels with K outputs each |
//! | NGCONV | G groups, each a convolution of C into K channels |
//! | TRCONV | transposed convolution: every pixel of Y x X times every weight |
//! | FC | as CONV, always without padding; sizes that are not given are 1 |
//! | GEMM | M x K times K x N with weights K x N |
//! | BMM | B products of two activations |
//!
//! Colons and commas may be missing, and `//` and `/* */` are comments. Other entries of a network or layer (Dataflow,
//! FPS, Dependency, ...) are skipped, except for those that would change its sizes, such as `Padding`, and for mistyped
//! words, which are errors. Values that are given twice have to be equal.

use std::collections::BTreeMap;

use super::{Entry, List, Padding, Windows, at, product};
use crate::files::{InputError, Source, did_you_mean};
use crate::workload::layer::{Op, product as checked_product};

/// The types of layers, with their dimensions.
const TYPES: [(&str, &str); 7] = [
    ("CONV", "N, K, C, Y, X, R, S"),
    ("DSCONV", "N, K, C, Y, X, R, S"),
    ("NGCONV", "N, G, K, C, Y, X, R, S"),
    ("TRCONV", "N, K, C, Y, X, R, S"),
    ("FC", "N, K, C, Y, X, R, S"),
    ("GEMM", "M, N, K"),
    ("BMM", "B, M, N, K"),
];

const DIMENSIONS: [&str; 10] = ["N", "G", "K", "C", "Y", "X", "R", "S", "M", "B"];

/// Entries that would change the sizes of a layer, and that are in none of MAESTRO's files.
const UNSUPPORTED: [&str; 6] = ["Padding", "Pad", "Dilation", "Dilations", "Groups", "Group"];

/// Sizes by name, with their lines.
type Sizes<'s> = BTreeMap<&'s str, (usize, u64)>;

/// The words of a file, each with its line.
struct Words<'s> {
    source: &'s Source,
    words: Vec<(usize, &'s str)>,
    next: usize,
    constants: BTreeMap<&'s str, u64>,
}

pub(super) fn parse(source: &Source, padding: Padding) -> Result<Vec<List>, InputError> {
    let words = split(&source.text);
    let mut words = Words { source, words, next: 0, constants: BTreeMap::new() };
    let mut lists = Vec::new();
    while let Some(word) = words.take() {
        match word {
            "Constant" => {
                let name = words.expect("a name")?;
                let value = words.number()?;
                words.constants.insert(name, value);
            }
            "Network" => lists.push(words.network(padding)?),
            _ => words.skip_block()?,
        }
    }
    Ok(lists)
}

/// Words and braces with their lines, comments left out. Separators carry no meaning.
fn split(text: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let mut in_comment = false;
    for (number, line) in text.lines().enumerate() {
        let mut rest = line;
        while !rest.is_empty() {
            if in_comment {
                let Some(end) = rest.find("*/") else { break };
                rest = &rest[end + 2..];
                in_comment = false;
            } else if rest.starts_with("//") {
                break;
            } else if let Some(after) = rest.strip_prefix("/*") {
                rest = after;
                in_comment = true;
            } else {
                let is_word = |c: char| !(c.is_whitespace() || "{}():,;/".contains(c));
                let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
                let length = if length == 0 { rest.chars().next().map_or(1, char::len_utf8) } else { length };
                let (word, after) = rest.split_at(length);
                if word.chars().all(is_word) || matches!(word, "{" | "}") {
                    words.push((number + 1, word));
                }
                rest = after;
            }
        }
    }
    words
}

impl<'s> Words<'s> {
    fn take(&mut self) -> Option<&'s str> {
        let word = self.words.get(self.next).map(|&(_, word)| word);
        self.next += 1;
        word
    }

    fn line(&self) -> usize {
        let last = self.words.len().saturating_sub(1);
        self.words.get(self.next.saturating_sub(1).min(last)).map_or(1, |&(line, _)| line)
    }

    fn error(&self, message: String) -> InputError {
        at(self.source, self.line(), message)
    }

    fn expect(&mut self, what: &str) -> Result<&'s str, InputError> {
        self.take().ok_or_else(|| self.error(format!("the file ends where {what} is expected")))
    }

    fn open(&mut self, of: &str) -> Result<(), InputError> {
        match self.expect("`{`")? {
            "{" => Ok(()),
            other => Err(self.error(format!("`{other}` after {of}: expected `{{`"))),
        }
    }

    /// A number, or the name of a constant.
    fn number(&mut self) -> Result<u64, InputError> {
        let word = self.expect("a number")?;
        let value = word.parse().ok().or_else(|| self.constants.get(word).copied());
        value.ok_or_else(|| {
            self.error(format!("`{word}`: expected a whole number, or the name of a Constant"))
        })
    }

    /// Skips a value or a block that does not matter here.
    fn skip_block(&mut self) -> Result<(), InputError> {
        if self.words.get(self.next).is_none_or(|&(_, word)| word != "{") {
            return Ok(());
        }
        let mut depth = 0u64;
        loop {
            match self.expect("`}`")? {
                "{" => depth += 1,
                "}" if depth == 1 => return Ok(()),
                "}" => depth -= 1,
                _ => {}
            }
        }
    }

    fn network(&mut self, padding: Padding) -> Result<List, InputError> {
        let name = self.expect("the name of a network")?.to_owned();
        self.open("the name of a network")?;
        let mut entries = Vec::new();
        loop {
            match self.expect("`}`")? {
                "}" => return Ok(List { name, entries }),
                "Layer" => entries.push(self.layer(padding)?),
                _ => self.skip_block()?,
            }
        }
    }

    fn layer(&mut self, padding: Padding) -> Result<Entry, InputError> {
        let name = self.expect("the name of a layer")?.to_owned();
        let line = self.line();
        self.open("the name of a layer")?;
        let (mut kind, mut stride, mut sizes) = (None, Sizes::new(), Sizes::new());
        loop {
            match self.expect("`}`")? {
                "}" => break,
                "Type" => self.kind(&mut kind)?,
                "Stride" => self.sizes(&["X", "Y"], &mut stride)?,
                "Dimensions" => self.sizes(&DIMENSIONS, &mut sizes)?,
                other => self.skip(other)?,
            }
        }
        let kind = kind.map_or("", |(_, kind)| kind);
        let op = op(kind, &sizes, &stride, padding);
        let op = op.map_err(|what| at(self.source, line, format!("layer `{name}`: {what}")))?;
        Ok(Entry { line, name, op })
    }

    fn kind(&mut self, kind: &mut Option<(usize, &'s str)>) -> Result<(), InputError> {
        let new = self.expect("a type")?;
        match kind.replace((self.line(), new)) {
            Some((line, old)) if old != new => {
                Err(self.error(format!("`Type` is {new} here and {old} in line {line}")))
            }
            _ => Ok(()),
        }
    }

    /// Skips an entry of a layer that does not matter here.
    fn skip(&mut self, word: &str) -> Result<(), InputError> {
        let hint = did_you_mean(word, ["Type", "Stride", "Dimensions"]);
        if !hint.is_empty() || UNSUPPORTED.iter().any(|name| name.eq_ignore_ascii_case(word)) {
            let message = format!("`{word}`{hint} is not read: a layer has Type, Stride and Dimensions");
            return Err(self.error(message));
        }
        self.skip_block()
    }

    /// `{ K: 32, C: 3 }`
    fn sizes(&mut self, known: &[&str], sizes: &mut Sizes<'s>) -> Result<(), InputError> {
        self.open("`Stride` or `Dimensions`")?;
        loop {
            match self.expect("`}`")? {
                "}" => return Ok(()),
                name if known.contains(&name) => {
                    let value = self.number()?;
                    match sizes.insert(name, (self.line(), value)) {
                        Some((line, old)) if old != value => {
                            let message = format!("`{name}` is {value} here and {old} in line {line}");
                            return Err(self.error(message));
                        }
                        _ => {}
                    }
                }
                other => {
                    let hint = did_you_mean(other, known);
                    return Err(self.error(format!("`{other}`{hint}: expected one of {}", known.join(", "))));
                }
            }
        }
    }
}

fn op(kind: &str, sizes: &Sizes, stride: &Sizes, padding: Padding) -> Result<Op, String> {
    let given = |name: &str| sizes.get(name).map(|&(_, size)| size);
    let need = |name: &str| given(name).ok_or_else(|| format!("`{name}` is missing"));
    let or_one = |name: &str| given(name).unwrap_or(1);
    let stride = ["Y", "X"].map(|name| stride.get(name).map_or(1, |&(_, stride)| stride));
    let (_, known) = TYPES.iter().find(|(name, _)| *name == kind).ok_or_else(|| unknown(kind))?;
    if let Some((name, (_, size))) = sizes.iter().find(|(name, size)| !known.contains(**name) && size.1 != 1)
    {
        return Err(format!("`{name}` is {size}, but {kind} has {known} only"));
    }
    let windows = Windows { input: [or_one("Y"), or_one("X")], kernel: [or_one("R"), or_one("S")], stride };
    match kind {
        "CONV" | "FC" | "DSCONV" | "NGCONV" => {
            let padding = if kind == "FC" { Padding::Valid } else { padding };
            let outputs = windows.count(padding, false)?;
            let [groups, inputs] = match kind {
                "DSCONV" => [need("C")?, 1],
                "NGCONV" => [need("G")?, need("C")?],
                _ => [1, need("C")?],
            };
            Ok(Op::Conv(windows.nest([or_one("N"), groups, need("K")?, inputs], outputs)))
        }
        "TRCONV" => {
            let outputs = checked_product([need("K")?, or_one("R"), or_one("S")]);
            let outputs = outputs.ok_or("the weights are too large")?;
            let pixels = Windows { kernel: [1, 1], stride: [1, 1], ..windows };
            let size = pixels.input;
            Ok(Op::Conv(pixels.nest([or_one("N"), 1, outputs, need("C")?], size)))
        }
        "GEMM" => Ok(Op::Gemm(product([1, need("M")?, need("N")?, need("K")?]))),
        "BMM" => Ok(Op::Matmul(product([need("B")?, need("M")?, need("N")?, need("K")?]))),
        _ => unreachable!("the types were looked up above"),
    }
}

fn unknown(kind: &str) -> String {
    if kind.is_empty() {
        return "`Type` is missing".into();
    }
    let types: Vec<&str> = TYPES.iter().map(|(name, _)| *name).collect();
    format!("type `{kind}`{}: expected one of {}", did_you_mean(kind, &types), types.join(", "))
}
