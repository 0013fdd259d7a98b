//! The loop nest of a mapping as text.

use crate::cost::lowering::Lowered;
use crate::cost::mapping::{LevelLoops, Loop, Mapping};
use crate::dims::{PerDim, Tensor};
use crate::hw::{AccelSpec, Level};
use crate::workload::{LoopNest, tile_elements};

/// The nest as Timeloop prints it: each level with the tile of every tensor it keeps, then its loops above 1, one a
/// line. A padded dimension shows its padded bounds and tiles.
pub fn loop_nest(accel: &AccelSpec, nest: &LoopNest, mapping: &Mapping) -> String {
    let lowered = Lowered::new(accel, nest).expect("a mapping is for a layer that the accelerator can run");
    let mut text = String::new();
    let (mut depth, mut gap) = (0, "");
    for ((level, loops), tile) in accel.levels.iter().zip(&mapping.levels).zip(mapping.tiles()) {
        let header = header(level, &lowered.nest, &tile);
        text += &format!("{gap}{header}\n");
        gap = "";
        let lines = loop_lines(loops);
        if lines.is_empty() {
            continue;
        }
        text += &format!("{}\n", "-".repeat(header.len()));
        for line in lines {
            text += &format!("| {}{line}\n", "  ".repeat(depth));
            depth += 1;
        }
        gap = "\n";
    }
    text + &format!("| {}<< Compute >>\n", "  ".repeat(depth))
}

fn header(level: &Level, nest: &LoopNest, tile: &PerDim<u64>) -> String {
    let keeps = |tensor: Tensor| matches!(level, Level::Storage(s) if s.keeps[tensor as usize]);
    let tiles = Tensor::ALL.into_iter().filter(|&tensor| keeps(tensor));
    let tiles = tiles.map(|tensor| format!("{tensor:?}:{} ", tile_elements(nest, tile, tensor)));
    format!("{} [ {}]", level.name(), tiles.collect::<String>())
}

fn loop_lines(loops: &LevelLoops) -> Vec<String> {
    let [x, y] = &loops.spatial;
    let lines = |loops: &[Loop], axis: &str| {
        let above_one = loops.iter().filter(|each| each.bound > 1);
        above_one.map(|each| format!("for {:?} in [0:{}){axis}", each.dim, each.bound)).collect::<Vec<_>>()
    };
    [lines(&loops.temporal, ""), lines(y, " (Spatial-Y)"), lines(x, " (Spatial-X)")].concat()
}

/// The loops above 1 of every level that has any, e.g. `DRAM: K4 P2, rows: S3y`.
pub fn loop_summary(accel: &AccelSpec, mapping: &Mapping) -> String {
    let words = |loops: &[Loop], axis: &str| {
        let above_one = loops.iter().filter(|each| each.bound > 1);
        above_one.map(|each| format!(" {:?}{}{axis}", each.dim, each.bound)).collect::<String>()
    };
    let levels = accel.levels.iter().zip(&mapping.levels).filter_map(|(level, loops)| {
        let [x, y] = &loops.spatial;
        let words = [words(&loops.temporal, ""), words(y, "y"), words(x, "x")].concat();
        (!words.is_empty()).then(|| format!("{}:{words}", level.name()))
    });
    levels.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::timeloop::testing::by_hand;

    #[test]
    fn a_nest_by_hand() {
        let (accel, nest, mapping) = by_hand();
        let text = "\
DRAM [ Weights:72 Inputs:200 Outputs:256 ]
------------------------------------------
| for K in [0:2)
|   for P in [0:4)

shared_glb [ Inputs:80 Outputs:32 ]
-----------------------------------
|     for P in [0:2)

inter_PE_column_spatial [ ]
---------------------------
|       for Q in [0:8) (Spatial-X)

inter_PE_spatial [ ]
--------------------
|         for C in [0:2) (Spatial-Y)
|           for S in [0:3) (Spatial-Y)

ifmap_spad [ Inputs:3 ]
weights_spad [ Weights:6 ]
--------------------------
|             for R in [0:3)

psum_spad [ Outputs:2 ]
-----------------------
|               for K in [0:2)
|                 << Compute >>
";
        assert_eq!(loop_nest(&accel, &nest, &mapping), text);
        assert_eq!(
            loop_summary(&accel, &mapping),
            "DRAM: K2 P4, shared_glb: P2, inter_PE_column_spatial: Q8x, inter_PE_spatial: C2y S3y, \
             weights_spad: R3, psum_spad: K2"
        );
    }
}
