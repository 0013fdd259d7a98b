//! Energies where a source has none: the technology basis that all system accelerators share (45 nm), so that the
//! energies of an imported accelerator add up with theirs.

use super::draft::Energy;
use crate::hw::accel::{Technology, TechnologyNode};

/// The formulas as a comment of the file.
pub(super) const BASIS: &str = "\
Energies that the source does not have are on the technology basis of the system accelerators (45 nm):
- SRAM: Timeloop's public formula E = (5/99.5 x (KiB - 0.5) + 1) x bits/16 pJ per access.
- Register files: 0.01036 pJ x bits + 0.00106 pJ x entries x log2(entries), rounded up, per access (Aladdin, Shao et al., \
ISCA 2014). Buffers below 0.5 KiB are register files where that takes less.
- DRAM: 8 pJ/bit (Timeloop's 512 pJ per 64 bits). MAC: 0.2 pJ 8-bit multiply, growing with the square of the \
width, + 0.03 pJ 8-bit add, growing with the width (Horowitz, ISSCC 2014, figure 1.1.9).
- Leakage: 0.0042 pJ per cycle and KiB at 1 GHz (our choice, see the accelerators of the shipped systems).";

/// Energy of an access of `bits` to an SRAM of `kib` KiB in pJ, by Timeloop's public formula.
fn sram_pj(kib: f64, bits: u64) -> f64 {
    (5.0 / 99.5 * (kib - 0.5) + 1.0) * bits as f64 / 16.0
}

/// Energy of an access of `bits` to a register file with so many entries in pJ: a register per bit, and a comparator of the
/// address per entry, as Accelergy combines them. Aladdin (Shao et al., ISCA 2014) has 0.009 pJ per bit and 0.02947 pJ per
/// comparator of 32 bits at 1 ns and 40 nm.
fn register_file_pj(entries: u64, bits: u64) -> f64 {
    let address_bits = f64::from(entries.max(1).next_power_of_two().ilog2());
    let at_40_nm = bits as f64 * 0.009 + entries as f64 * address_bits * 0.02947 / 32.0;
    at_40_nm * from_40_to_45_nm()
}

/// The technology factor, with energies between 32 and 45 nm taken as linear: our choice, because the published factors have
/// no 40 nm.
fn from_40_to_45_nm() -> f64 {
    let growth = Technology { node: TechnologyNode::Nm45, scale_from: TechnologyNode::Nm32 }.energy_factor();
    growth / (1.0 + (growth - 1.0) * (40.0 - 32.0) / (45.0 - 32.0))
}

/// Energy of an access of `bits` to a buffer of `kib` KiB in pJ. The formula for SRAM starts at 0.5 KiB; what is smaller is
/// a register file where that takes less: our choice, because a designer would choose so.
fn buffer_pj(kib: f64, bits: u64) -> f64 {
    let sram = sram_pj(kib, bits);
    if kib >= 0.5 {
        return sram;
    }
    let entries = (kib * 8192.0 / bits as f64).ceil() as u64;
    sram.min(register_file_pj(entries, bits))
}

/// Energy of an access of `bits` to DRAM in pJ: Timeloop's 512 pJ per 64 bits.
pub(super) fn dram_pj(bits: u64) -> f64 {
    8.0 * bits as f64
}

/// Energy of a MAC of operands of `bits` in pJ, from the 8-bit multiply (0.2 pJ) and add (0.03 pJ) of Horowitz, ISSCC
/// 2014. The square of the width for the multiplier meets the 3.1 pJ of the same figure for 32 bits within 4 %.
pub(super) fn mac_pj(bits: u64) -> f64 {
    let width = bits as f64 / 8.0;
    0.2 * width * width + 0.03 * width
}

/// Leakage of a buffer of `kib` KiB in pJ per cycle, from 0.0042 pJ per cycle and KiB at 1 GHz. Our choice, because the
/// system accelerators have it.
pub(super) fn leak_pj(kib: f64, clock_mhz: f64) -> f64 {
    0.0042 * kib * 1000.0 / clock_mhz
}

impl Energy {
    /// A buffer on our technology basis.
    pub(super) fn of_buffer(kib: f64, bits: u64, clock_mhz: f64) -> Self {
        let pj = buffer_pj(kib, bits);
        let leak = leak_pj(kib, clock_mhz);
        let remark =
            format!("No energies in the source: our technology basis, {kib} KiB, {bits} bits per access.");
        Self { read: pj, write: pj, update: pj, leak, remark, is_ours: true }
    }

    /// A DRAM on our technology basis.
    pub(super) fn of_dram(bits: u64) -> Self {
        let pj = dram_pj(bits);
        let remark =
            format!("No energies in the source: our technology basis, DRAM, {bits} bits per access.");
        Self { read: pj, write: pj, update: pj, leak: 0.0, remark, is_ours: true }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::hw::AccelSpec;

    /// By hand at 0.8 V: 45 nm 0.69302, 32 nm 0.456936, so 40 nm 0.602218; 8 bits x 0.009 pJ, and 128 comparators of 7 bits.
    #[test]
    fn register_files_by_hand() {
        let factor = 0.69302 / 0.602218;
        assert!((from_40_to_45_nm() - factor).abs() < 1e-6);
        assert!((register_file_pj(1, 8) - 0.072 * factor).abs() < 1e-6);
        assert!((register_file_pj(128, 24) - (0.216 + 128.0 * 7.0 * 0.02947 / 32.0) * factor).abs() < 1e-5);
        // Twelve addresses take four bits.
        assert!((register_file_pj(12, 16) - (0.144 + 12.0 * 4.0 * 0.02947 / 32.0) * factor).abs() < 1e-6);
    }

    /// The accelerators of the systems and the basis of imports are one technology.
    #[test]
    fn accelerators_that_ship_are_on_the_basis() {
        let mut registers = 0;
        let names = ["simba", "eyeriss"].map(|kind| [256, 768, 1024].map(|macs| format!("{kind}_{macs}")));
        for name in names.iter().flatten() {
            let path = format!("accel-models/{name}.toml");
            let spec = AccelSpec::read(Path::new(&path)).expect("it ships");
            for (_, level) in spec.storages().skip(1) {
                let words = level.capacity_words.expect("it is a buffer");
                let kib = (words * level.word_bits) as f64 / 8192.0;
                let (told, expected) = (level.read_pj_per_access, buffer_pj(kib, level.entry_bits));
                assert!(
                    (told - expected).abs() < 1e-4 * expected,
                    "{name}, {}: {told}, not {expected}",
                    level.name
                );
                registers += usize::from(expected < sram_pj(kib, level.entry_bits));
            }
        }
        assert_eq!(registers, 12);
    }
}
