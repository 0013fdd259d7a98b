//! Numbers as Timeloop's front end reads them: expressions of numbers, names and a few functions.
//!
//! A name is an attribute of the component, of a container around it, or a variable. Of Python, which the front end
//! evaluates, this reads the arithmetic: `+ - * / // % **`, brackets and the functions in [`FUNCTIONS`]. Everything else
//! is an error at its line, never a guess.

use std::ops::RangeInclusive;

use super::yaml::Node;
use crate::files::InputError;

const FUNCTIONS: &str = "abs, ceil, floor, int, log2, max, min, pow, round, sqrt";
/// How deep brackets and names may be nested. Our choice, because a name that leads to itself must end.
const MAX_DEPTH: usize = 32;

/// The tables in which names are looked up, innermost first.
#[derive(Clone, Debug, Default)]
pub(super) struct Scope<'a>(pub(super) Vec<&'a Node>);

impl<'a> Scope<'a> {
    /// The value of a key in the innermost table that has it. It counts as taken.
    pub(super) fn find(&self, names: &[&str]) -> Result<Option<&'a Node>, InputError> {
        for table in &self.0 {
            if let Some(node) = table.find(names)? {
                return Ok(Some(node));
            }
        }
        Ok(None)
    }

    /// The value of a number or an expression.
    pub(super) fn number(&self, node: &Node) -> Result<f64, InputError> {
        self.evaluate(node.text()?, node, 0)
    }

    /// The value of an expression that is part of a value.
    pub(super) fn number_in(&self, text: &str, node: &Node) -> Result<f64, InputError> {
        self.evaluate(text, node, 0)
    }

    /// The value of a whole number or an expression within a range.
    pub(super) fn whole(&self, node: &Node, range: RangeInclusive<u64>) -> Result<u64, InputError> {
        let value = self.number(node)?;
        let is_allowed = value.fract() == 0.0 && value >= 0.0 && range.contains(&(value as u64));
        let (from, to) = (range.start(), range.end());
        match is_allowed {
            true => Ok(value as u64),
            false => Err(node.expected(format!("a whole number from {from} to {to}"))),
        }
    }

    fn evaluate(&self, text: &str, node: &Node, depth: usize) -> Result<f64, InputError> {
        if let Ok(number) = text.trim().parse::<f64>() {
            return if number.is_finite() { Ok(number) } else { Err(node.expected("a finite number")) };
        }
        let allowed =
            || format!("a number, or an expression of numbers, names, + - * / // % ** and {FUNCTIONS}");
        if node.is_quoted() {
            return Err(node.expected("a number, without quotes"));
        }
        let mut parser = Parser { scope: self, rest: text, depth };
        let value = match parser.sum() {
            Ok(value) if parser.rest.trim().is_empty() && value.is_finite() => value,
            Err(Failure::Name(error)) => return Err(*error),
            Ok(_) | Err(Failure::Syntax) => return Err(node.expected(allowed())),
            Err(Failure::Unknown(name)) => {
                return Err(node.error(format!("`{text}`: no attribute or variable is named `{name}`")));
            }
        };
        Ok(value)
    }
}

enum Failure {
    Syntax,
    /// A name that no table has.
    Unknown(String),
    /// A name whose value is wrong.
    Name(Box<InputError>),
}

struct Parser<'a, 'b> {
    scope: &'b Scope<'a>,
    rest: &'b str,
    depth: usize,
}

impl Parser<'_, '_> {
    fn sum(&mut self) -> Result<f64, Failure> {
        let mut value = self.product()?;
        loop {
            match self.operator(&["+", "-"]) {
                Some("+") => value += self.product()?,
                Some(_) => value -= self.product()?,
                None => return Ok(value),
            }
        }
    }

    fn product(&mut self) -> Result<f64, Failure> {
        let mut value = self.signed()?;
        loop {
            let operator = if self.rest.trim_start().starts_with("**") {
                None
            } else {
                self.operator(&["*", "//", "/", "%"])
            };
            match operator {
                Some("*") => value *= self.signed()?,
                Some("//") => value = (value / self.signed()?).floor(),
                Some("/") => value /= self.signed()?,
                Some(_) => {
                    let divisor = self.signed()?;
                    value -= divisor * (value / divisor).floor();
                }
                None => return Ok(value),
            }
        }
    }

    /// A sign binds less than a power, as in Python.
    fn signed(&mut self) -> Result<f64, Failure> {
        if self.operator(&["-"]).is_some() {
            return self.deeper(|parser| parser.signed().map(|value| -value));
        }
        let base = self.atom()?;
        match self.operator(&["**"]) {
            Some(_) => self.deeper(|parser| parser.signed().map(|exponent| base.powf(exponent))),
            None => Ok(base),
        }
    }

    fn atom(&mut self) -> Result<f64, Failure> {
        self.rest = self.rest.trim_start();
        if self.operator(&["("]).is_some() {
            let value = self.deeper(Self::sum)?;
            return self.operator(&[")"]).map(|_| value).ok_or(Failure::Syntax);
        }
        if self.rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return self.literal();
        }
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        match name {
            "" => Err(Failure::Syntax),
            _ if self.operator(&["("]).is_some() => self.call(name),
            _ => self.named(name),
        }
    }

    fn literal(&mut self) -> Result<f64, Failure> {
        let is_part = |(i, c): (usize, char)| {
            let after_e = i > 0 && matches!(self.rest.as_bytes()[i - 1], b'e' | b'E');
            c.is_ascii_alphanumeric() || c == '.' || (after_e && matches!(c, '+' | '-'))
        };
        let end = self.rest.char_indices().find(|&at| !is_part(at)).map_or(self.rest.len(), |(i, _)| i);
        let (number, rest) = self.rest.split_at(end);
        self.rest = rest;
        number.parse().map_err(|_| Failure::Syntax)
    }

    fn named(&mut self, name: &str) -> Result<f64, Failure> {
        let inner = |error| Failure::Name(Box::new(error));
        let node =
            self.scope.find(&[name]).map_err(inner)?.ok_or_else(|| Failure::Unknown(name.to_string()))?;
        if self.depth == MAX_DEPTH {
            return Err(Failure::Name(Box::new(node.error(format!("`{name}` leads back to itself")))));
        }
        let text = node.text().map_err(inner)?;
        self.scope.evaluate(text, node, self.depth + 1).map_err(inner)
    }

    fn call(&mut self, name: &str) -> Result<f64, Failure> {
        let mut arguments = vec![self.deeper(Self::sum)?];
        while self.operator(&[","]).is_some() {
            arguments.push(self.deeper(Self::sum)?);
        }
        self.operator(&[")"]).ok_or(Failure::Syntax)?;
        match (name, arguments.as_slice()) {
            ("abs", [x]) => Ok(x.abs()),
            ("ceil", [x]) => Ok(x.ceil()),
            ("floor", [x]) => Ok(x.floor()),
            ("int", [x]) => Ok(x.trunc()),
            ("log2", [x]) => Ok(x.log2()),
            ("round", [x]) => Ok(x.round_ties_even()),
            ("sqrt", [x]) => Ok(x.sqrt()),
            ("pow", [x, y]) => Ok(x.powf(*y)),
            ("max", all) => Ok(all.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
            ("min", all) => Ok(all.iter().copied().fold(f64::INFINITY, f64::min)),
            _ => Err(Failure::Syntax),
        }
    }

    fn operator(&mut self, operators: &[&'static str]) -> Option<&'static str> {
        let rest = self.rest.trim_start();
        let found = operators.iter().find(|operator| rest.starts_with(**operator))?;
        self.rest = &rest[found.len()..];
        Some(found)
    }

    fn deeper(&mut self, read: impl FnOnce(&mut Self) -> Result<f64, Failure>) -> Result<f64, Failure> {
        if self.depth == MAX_DEPTH {
            return Err(Failure::Syntax);
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }
}
