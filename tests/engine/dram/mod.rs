//! A small cycle-level model of DRAM, the slow twin of the fluid model of contention: channels with bank groups, banks
//! with one open row each, FR-FCFS queues, refresh, and cores that stream the tiles of a layer.
//!
//! Modelled: the timing between commands that limits bandwidth (in the table below), one command per channel and clock,
//! all-bank refresh, reads before writes with a write queue that is drained. Left out: power states, ranks, ECC,
//! per-bank refresh, commands that take two clocks (activations of HBM2 and LPDDR5), HBM2's second command bus, the clock
//! synchronisation of LPDDR5, and the time in the network between cores and controllers.
//!
//! All times are in clocks of the memory's command bus, which is also the clock of the cores here.

mod channel;
mod checks;
mod cores;
mod coruns;

pub(crate) use self::channel::{Channel, Place, Request};
pub(crate) use self::cores::{Core, Layer, Run, System};
pub(crate) use self::coruns::{CORUNS, configs};

/// What a memory is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    /// The name in the data files.
    pub(crate) name: &'static str,
    /// Channels with buses of their own; pseudo-channels of HBM2.
    pub(crate) channels: u64,
    /// Bank groups per channel.
    pub(crate) groups: u64,
    /// Banks per group.
    pub(crate) banks: u64,
    /// Bursts in a row of a bank.
    pub(crate) row_bursts: u64,
    /// Bytes of a burst: what one read or write moves.
    pub(crate) burst_bytes: u64,
    /// Requests that a core may have outstanding: 64 on DDR4, as in tests/data/contention/corun.csv, and elsewhere as
    /// many as let one core alone come close to the peak (64 to 107 ns of it).
    pub(crate) window: usize,
    /// Entries of the queue of reads, and of that of writes, of a channel: 32 as in Ramulator 2; 64 as gem5 has it for
    /// LPDDR5, where bursts are half as long.
    pub(crate) queue: usize,
    /// A clock of the command bus in nanoseconds.
    pub(crate) clock_ns: f64,
    /// Times between commands.
    pub(crate) timing: Timing,
}

/// Least times between commands in clocks, by the names of the JEDEC standards.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// Clocks of the data bus per burst.
    pub(crate) burst: i64,
    /// Read command to data.
    pub(crate) cl: i64,
    /// Write command to data.
    pub(crate) cwl: i64,
    /// Activate to read or write.
    pub(crate) rcd: i64,
    /// Precharge to activate.
    pub(crate) rp: i64,
    /// Activate to precharge.
    pub(crate) ras: i64,
    /// Read to precharge.
    pub(crate) rtp: i64,
    /// End of written data to precharge.
    pub(crate) wr: i64,
    /// Reads, or writes, of two bank groups.
    pub(crate) ccd_s: i64,
    /// The same in one bank group.
    pub(crate) ccd_l: i64,
    /// Activates of two bank groups.
    pub(crate) rrd_s: i64,
    /// The same in one bank group.
    pub(crate) rrd_l: i64,
    /// Window of at most four activates.
    pub(crate) faw: i64,
    /// End of written data to a read of another bank group.
    pub(crate) wtr_s: i64,
    /// The same in one bank group.
    pub(crate) wtr_l: i64,
    /// Refresh to activate.
    pub(crate) rfc: i64,
    /// Refresh interval.
    pub(crate) refi: i64,
}

/// Two channels of DDR4-2400R, 64 bits each, of 8 Gb x8 devices at 1.2 GHz: 38.4 GB/s. JESD79-4 (speed bin 2400R, tables
/// of tCCD, tRRD, tFAW, tRFC1 = 350 ns, tREFI = 7.8 us); the same numbers are DDR4_2400R of Ramulator 2 and
/// DDR4_8Gb_x8_2400 of DRAMsim3.
pub(crate) const DDR4: Memory = Memory {
    name: "ddr4",
    channels: 2,
    groups: 4,
    banks: 4,
    row_bursts: 128,
    burst_bytes: 64,
    window: 64,
    queue: 32,
    clock_ns: 1.0 / 1.2,
    timing: Timing {
        burst: 4,
        cl: 16,
        cwl: 12,
        rcd: 16,
        rp: 16,
        ras: 39,
        rtp: 9,
        wr: 18,
        ccd_s: 4,
        ccd_l: 6,
        rrd_s: 4,
        rrd_l: 6,
        faw: 26,
        wtr_s: 3,
        wtr_l: 9,
        rfc: 420,
        refi: 9360,
    },
};

/// Half a stack of HBM2 at 2 Gb/s per pin, 1 GHz: 8 of its 16 pseudo-channels of 64 bits, 128 GB/s. JESD235 gives the organisation
/// and burst length 4; the times are those of HBM_2000_4H_1x64 in gem5 (in nanoseconds, which are clocks here), with
/// tRFC = 260 ns and tREFI = 3.9 us of HBM2_8Gb_x128 in DRAMsim3.
pub(crate) const HBM2: Memory = Memory {
    name: "hbm2",
    channels: 8,
    groups: 4,
    banks: 4,
    row_bursts: 32,
    burst_bytes: 32,
    window: 256,
    queue: 64,
    clock_ns: 1.0,
    timing: Timing {
        burst: 2,
        cl: 18,
        cwl: 7,
        rcd: 12,
        rp: 14,
        ras: 28,
        rtp: 5,
        wr: 14,
        ccd_s: 2,
        ccd_l: 3,
        rrd_s: 4,
        rrd_l: 6,
        faw: 16,
        wtr_s: 4,
        wtr_l: 9,
        rfc: 260,
        refi: 3900,
    },
};

/// Four channels of LPDDR5-6400, 16 bits each, 8 Gb per channel, in bank-group mode with bursts of 16 at 800 MHz:
/// 51.2 GB/s. JESD209-5; times as in LPDDR5_6400_1x16_BG_BL16 of gem5 (tRCD = tRP = 18 ns, tRAS = 42 ns, tRRD = 5 ns,
/// tFAW = 20 ns, tRFCab = 210 ns, tREFI = 3.906 us ...), in clocks; the write latency is that of LPDDR5_6400 in Ramulator 2.
pub(crate) const LPDDR5: Memory = Memory {
    name: "lpddr5",
    channels: 4,
    groups: 4,
    banks: 4,
    row_bursts: 64,
    burst_bytes: 32,
    window: 128,
    queue: 64,
    clock_ns: 1.25,
    timing: Timing {
        burst: 2,
        cl: 17,
        cwl: 11,
        rcd: 15,
        rp: 15,
        ras: 34,
        rtp: 4,
        wr: 28,
        ccd_s: 2,
        ccd_l: 4,
        rrd_s: 4,
        rrd_l: 4,
        faw: 16,
        wtr_s: 5,
        wtr_l: 10,
        rfc: 168,
        refi: 3125,
    },
};

impl Memory {
    /// The same without the gaps between reads and writes.
    pub(crate) fn without_turnarounds(mut self) -> Self {
        let t = &mut self.timing;
        t.cwl = t.cl + 2;
        (t.wtr_s, t.wtr_l) = (t.ccd_s - t.cwl - t.burst, t.ccd_l - t.cwl - t.burst);
        self
    }

    /// The same with rows that open and close at once, and bank groups without their own limits.
    pub(crate) fn without_rows(mut self) -> Self {
        let t = &mut self.timing;
        (t.rcd, t.rp, t.ras, t.rtp, t.wr) = (0, 0, 0, 0, -t.cwl - t.burst);
        (t.rrd_s, t.rrd_l, t.faw, t.ccd_l) = (0, 0, 0, t.ccd_s);
        (t.wtr_s, t.wtr_l) = (t.wtr_s, t.wtr_s);
        self
    }

    /// The same without refresh.
    pub(crate) fn without_refresh(mut self) -> Self {
        self.timing.rfc = 0;
        self
    }

    /// Bytes per clock of all channels at their peak.
    pub(crate) fn peak_bytes(&self) -> f64 {
        (self.channels * self.burst_bytes) as f64 / self.timing.burst as f64
    }

    /// Where a burst lies. From the low bits upwards: channel, bank group, column, bank, row. Bank groups alternate from
    /// burst to burst, because else tCCD_L would halve the bandwidth of a single stream. Channel and bank are
    /// permuted by higher bits (Zhang, Zhu and Zhang, MICRO 2000), so that strides do not hit one of them alone.
    pub(crate) fn place(&self, burst: u64) -> Place {
        let upper = burst / self.channels;
        let channel = (burst % self.channels) ^ (fold(upper / self.groups) % self.channels);
        let (group, upper) = (upper % self.groups, upper / self.groups);
        let (bank, row) = (upper / self.row_bursts % self.banks, upper / self.row_bursts / self.banks);
        let bank = bank ^ (row % self.banks);
        Place {
            channel: channel as usize,
            group: group as usize,
            bank: (group * self.banks + bank) as usize,
            row,
        }
    }
}

/// Bits of all places of a number, folded onto the low ones.
fn fold(x: u64) -> u64 {
    x ^ x >> 4 ^ x >> 8 ^ x >> 12
}
