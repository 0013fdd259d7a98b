//! A layer and a mapping small enough to follow by hand.

use crate::cost::mapping::{LevelLoops, Loop, Mapping};
use crate::dims::Dim;
use crate::hw::AccelSpec;
use crate::workload::LoopNest;

/// Four 3 x 3 filters over two channels, 8 x 8 outputs, row-stationary on the Eyeriss chip.
pub(super) fn by_hand() -> (AccelSpec, LoopNest, Mapping) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/accel-models/eyeriss_chip.toml");
    let accel = AccelSpec::read(path.as_ref()).unwrap();
    let nest =
        LoopNest { bounds: [1, 1, 4, 2, 8, 8, 3, 3], stride: [1, 1], dilation: [1, 1], padding: [0; 2] };
    let loops = |pairs: &[(Dim, u64)]| pairs.iter().map(|&(dim, bound)| Loop { dim, bound }).collect();
    let time = |pairs| LevelLoops { temporal: loops(pairs), ..LevelLoops::default() };
    let space = |x, y| LevelLoops { spatial: [loops(x), loops(y)], ..LevelLoops::default() };
    let levels = vec![
        time(&[(Dim::K, 2), (Dim::P, 4)]),
        time(&[(Dim::P, 2)]),
        space(&[(Dim::Q, 8)], &[]),
        space(&[], &[(Dim::C, 2), (Dim::S, 3)]),
        time(&[]),
        time(&[(Dim::R, 3)]),
        time(&[(Dim::K, 2)]),
    ];
    (accel, nest, Mapping { levels })
}
