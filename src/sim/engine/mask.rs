//! Sets of accelerators as bits, such as those that are busy or those that have something waiting.

use super::super::bandwidth::MAX_SHARERS;

/// A set of accelerators.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mask(u64);

const _: () = assert!(MAX_SHARERS <= u64::BITS as usize, "an accelerator is a bit");

impl Mask {
    /// The accelerators for which a condition holds, given one value for each.
    pub(super) fn of(holds: impl Iterator<Item = bool>) -> Self {
        let mut mask = Self::default();
        let mut bit = 1;
        for holds in holds {
            mask.0 |= if holds { bit } else { 0 };
            bit <<= 1;
        }
        mask
    }

    pub(super) fn insert(&mut self, accelerator: usize) {
        self.0 |= 1 << accelerator;
    }

    pub(super) fn remove(&mut self, accelerator: usize) {
        self.0 &= !(1 << accelerator);
    }

    pub(super) fn contains(self, accelerator: usize) -> bool {
        self.0 >> accelerator & 1 == 1
    }

    /// Bit m is set if accelerator m is in the set.
    pub(super) fn bits(self) -> u64 {
        self.0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The members of this set that are not in the other.
    pub(super) fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// The members in ascending order.
    pub(super) fn iter(self) -> impl Iterator<Item = usize> {
        let mut bits = self.0;
        std::iter::from_fn(move || {
            let next = bits.trailing_zeros();
            bits &= bits.wrapping_sub(1);
            (next < u64::BITS).then_some(next as usize)
        })
    }
}

#[test]
fn a_mask_is_a_set() {
    let mut mask = Mask::of([true, false, true].into_iter());
    mask.insert(63);
    mask.remove(0);
    assert_eq!(mask.iter().collect::<Vec<_>>(), [2, 63]);
    assert!(mask.contains(63) && !mask.contains(0) && mask.bits() == 1 << 63 | 4);
    assert_eq!(mask.without(mask), Mask::default());
    assert!(Mask::default().is_empty() && !mask.is_empty());
}
