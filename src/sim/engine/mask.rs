//! Sets of accelerators as bits, such as those that are busy or those that have something waiting.

/// A set of accelerators. Up to 64 are in one word; the words of more are made when the first of them is inserted.
#[derive(Debug, Default)]
pub(super) struct Mask {
    first: u64,
    /// The words after the first.
    more: Vec<u64>,
}

clone_by_field!(Mask { first, more });

const BITS: usize = u64::BITS as usize;

impl Mask {
    #[inline]
    pub(super) fn insert(&mut self, accelerator: usize) {
        match accelerator < BITS {
            true => self.first |= 1 << accelerator,
            false => self.insert_more(accelerator),
        }
    }

    #[cold]
    fn insert_more(&mut self, accelerator: usize) {
        let words = accelerator / BITS;
        self.more.resize(self.more.len().max(words), 0);
        self.more[words - 1] |= 1 << (accelerator % BITS);
    }

    #[inline]
    pub(super) fn remove(&mut self, accelerator: usize) {
        if accelerator < BITS {
            self.first &= !(1 << accelerator);
        } else if let Some(word) = self.more.get_mut(accelerator / BITS - 1) {
            *word &= !(1 << (accelerator % BITS));
        }
    }

    #[inline]
    pub(super) fn contains(&self, accelerator: usize) -> bool {
        self.word(accelerator / BITS) >> (accelerator % BITS) & 1 == 1
    }

    /// Empties the set.
    pub(super) fn clear(&mut self) {
        self.first = 0;
        self.more.fill(0);
    }

    /// The number of members.
    pub(super) fn len(&self) -> u32 {
        self.first.count_ones() + self.more.iter().map(|word| word.count_ones()).sum::<u32>()
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.first == 0 && self.more.iter().all(|&word| word == 0)
    }

    /// The first member from a number on that is not in the other set.
    #[inline]
    pub(super) fn next_without(&self, other: &Self, from: usize) -> Option<usize> {
        let mut from_on = u64::MAX << (from % BITS);
        for word in from / BITS..=self.more.len() {
            let bits = self.word(word) & !other.word(word) & from_on;
            if bits != 0 {
                return Some(word * BITS + bits.trailing_zeros() as usize);
            }
            from_on = u64::MAX;
        }
        None
    }

    /// The members in ascending order.
    #[inline]
    pub(super) fn iter(&self) -> Members<'_> {
        Members { base: 0, bits: self.first, more: self.more.iter() }
    }

    #[inline]
    fn word(&self, word: usize) -> u64 {
        match word {
            0 => self.first,
            _ => self.more.get(word - 1).copied().unwrap_or(0),
        }
    }
}

/// The members of a set that are still to come.
pub(super) struct Members<'a> {
    /// The number of the first bit of the present word.
    base: usize,
    bits: u64,
    more: std::slice::Iter<'a, u64>,
}

impl Iterator for Members<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.bits == 0 {
            self.bits = *self.more.next()?;
            self.base += BITS;
        }
        let next = self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        Some(self.base + next)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::RngExt;

    use super::*;
    use crate::rng;

    /// The slow twin is an ordered set of numbers.
    #[test]
    fn a_mask_is_a_set() {
        for most in [6, 64, 65, 1_024] {
            let mut rng = rng::stream(1, "test", "mask");
            let (mut masks, mut sets) = ([Mask::default(), Mask::default()], [const { BTreeSet::new() }; 2]);
            for _ in 0..2_000 {
                let (which, m) = (rng.random_range(0..2), rng.random_range(0..most));
                match rng.random_range(0..3) {
                    0 => {
                        masks[which].remove(m);
                        sets[which].remove(&m);
                    }
                    _ => {
                        masks[which].insert(m);
                        sets[which].insert(m);
                    }
                }
                let ([mask, other], [set, without]) = (&masks, &sets);
                assert_eq!((mask.contains(m), mask.len() as usize), (set.contains(&m), set.len()));
                let next = set.iter().find(|&&n| n >= m && !without.contains(&n)).copied();
                assert_eq!(mask.next_without(other, m), next, "from {m} of {most}");
            }
            assert!(masks[0].iter().eq(sets[0].iter().copied()));
            masks[0].clear();
            assert!(masks[0].is_empty() && !masks[1].is_empty() && masks[0].iter().next().is_none());
        }
    }
}
