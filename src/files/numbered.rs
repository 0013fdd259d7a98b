//! Line numbers for a parser that knows its position only in bytes.

use std::collections::VecDeque;
use std::io::{self, Read};

/// A reader that passes bytes on and remembers where lines end, as far ahead as the parser buffers.
pub(super) struct Numbered<R> {
    from: R,
    read: u64,
    /// The ends of the lines that the parser has not passed.
    ends: VecDeque<u64>,
    passed: usize,
}

impl<R> Numbered<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, read: 0, ends: VecDeque::new(), passed: 0 }
    }

    /// The line, counted from 1, of the byte before `end`. Ends are asked for in order.
    pub(super) fn line_at(&mut self, end: u64) -> usize {
        while self.ends.front().is_some_and(|&line_end| line_end < end) {
            self.ends.pop_front();
            self.passed += 1;
        }
        self.passed + 1
    }
}

impl<R: Read> Read for Numbered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        let ends = buffer[..count].iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        self.ends.extend(ends.map(|(place, _)| self.read + place as u64 + 1));
        self.read += count as u64;
        Ok(count)
    }
}
