//! How an accelerator rewrites convolutions before it runs them, and how it lays tensors out in DRAM.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The `[lowering]` table of an accelerator file; without it nothing is rewritten. `cost::lowering` has the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Lowering {
    /// Fold strides into channels: a convolution of stride s becomes one of stride 1 on C x s x s channels with ceil(R /
    /// s) x ceil(S / s) taps. DRAM holds the zeros that round the kernel up; MACs skip them.
    pub fold_stride: bool,
    /// Run 3 x 3 convolutions of stride 1 as Winograd F(2 x 2, 3 x 3): 16 multiplications for 2 x 2 outputs instead of 36;
    /// weights are stored transformed, 16 for 9.
    pub winograd: bool,
    /// Tensors are stored with a multiple of this many channels, all groups together; the input channels of each group are
    /// computed with in such multiples, and weights are stored so.
    #[schemars(range(min = 1))]
    pub channel_multiple: u64,
    /// Whether the zeros that pad an input are read from DRAM; if not, they are made on chip.
    pub reads_padding: bool,
}

impl Lowering {
    /// Nothing is rewritten: every layer runs as it is.
    pub const NEUTRAL: Self =
        Self { fold_stride: false, winograd: false, channel_multiple: 1, reads_padding: true };

    /// Whether nothing is rewritten.
    pub fn is_neutral(&self) -> bool {
        *self == Self::NEUTRAL
    }
}

impl Default for Lowering {
    fn default() -> Self {
        Self::NEUTRAL
    }
}
