//! Energies where a source has none: the technology basis that all system accelerators share (45 nm), so that the
//! energies of an imported accelerator add up with theirs.

use super::draft::Energy;

/// The formulas as a comment of the file.
pub(super) const BASIS: &str = "\
Energies that the source does not have are on the technology basis of the system accelerators (45 nm):
- SRAM: Timeloop's public formula E = (5/99.5 x (KiB - 0.5) + 1) x bits/16 pJ per access, for scratch pads too.
- DRAM: 8 pJ/bit (Timeloop's 512 pJ per 64 bits). MAC: 0.2 pJ 8-bit multiply, growing with the square of the \
width, + 0.03 pJ 8-bit add, growing with the width (Horowitz, ISSCC 2014, figure 1.1.9).
- Leakage: 0.0042 pJ per cycle and KiB at 1 GHz (our choice, see the accelerators of the shipped systems).";

/// Energy of an access of `bits` to an SRAM of `kib` KiB in pJ, by Timeloop's public formula.
pub(super) fn sram_pj(kib: f64, bits: u64) -> f64 {
    (5.0 / 99.5 * (kib - 0.5) + 1.0) * bits as f64 / 16.0
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

/// Leakage of an SRAM of `kib` KiB in pJ per cycle, from 0.0042 pJ per cycle and KiB at 1 GHz. Our choice, because the
/// system accelerators have it.
pub(super) fn leak_pj(kib: f64, clock_mhz: f64) -> f64 {
    0.0042 * kib * 1000.0 / clock_mhz
}

impl Energy {
    /// An SRAM on our technology basis.
    pub(super) fn of_sram(kib: f64, bits: u64, clock_mhz: f64) -> Self {
        let pj = sram_pj(kib, bits);
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
