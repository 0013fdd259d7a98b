//! One channel: its banks, its queues and its controller, which is FR-FCFS (Rixner et al., ISCA 2000): row hits first,
//! then the oldest request.

use std::collections::VecDeque;

use super::{Memory, Timing};

/// Where a burst lies; `bank` counts over all bank groups of the channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) channel: usize,
    pub(crate) group: usize,
    pub(crate) bank: usize,
    pub(crate) row: u64,
}

/// A burst that a core reads or writes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) place: Place,
    pub(crate) write: bool,
    /// Who sent it, and for which tile of its layer.
    pub(crate) core: usize,
    pub(crate) tile: u64,
}

/// Before all commands.
const NEVER: i64 = -1_000_000;

/// When each command was last given, to a bank, a bank group or the channel.
#[derive(Clone, Copy, Debug)]
struct Last {
    activate: i64,
    precharge: i64,
    read: i64,
    write: i64,
}

const NONE: Last = Last { activate: NEVER, precharge: NEVER, read: NEVER, write: NEVER };

/// A channel with its controller.
#[derive(Debug)]
pub(crate) struct Channel {
    timing: Timing,
    /// Entries of each of the two queues.
    queue: usize,
    open_rows: Vec<Option<u64>>,
    banks: Vec<Last>,
    groups: Vec<Last>,
    last: Last,
    /// The last four activates, oldest first.
    activates: [i64; 4],
    /// What has arrived and found no place in a queue, first come, first served.
    waiting: VecDeque<Request>,
    reads: Vec<Request>,
    /// Writes that entered their queue since the last clock. They are posted: for the core they are done.
    pub(crate) accepted: Vec<Request>,
    writes: Vec<Request>,
    draining: bool,
    /// Room for what one clock looks at.
    misses: Vec<Place>,
    refresh_due: i64,
    /// The end of the last refresh.
    refreshed: i64,
    /// No command is possible before this clock.
    idle_until: i64,
    /// Bursts moved.
    pub(crate) bursts: u64,
}

impl Channel {
    pub(crate) fn new(memory: &Memory) -> Self {
        let banks = (memory.groups * memory.banks) as usize;
        Self {
            timing: memory.timing,
            queue: memory.queue,
            open_rows: vec![None; banks],
            banks: vec![NONE; banks],
            groups: vec![NONE; memory.groups as usize],
            last: NONE,
            activates: [NEVER; 4],
            waiting: VecDeque::new(),
            reads: Vec::new(),
            accepted: Vec::new(),
            writes: Vec::new(),
            draining: false,
            misses: Vec::new(),
            refresh_due: memory.timing.refi,
            refreshed: 0,
            idle_until: 0,
            bursts: 0,
        }
    }

    /// A request arrives.
    pub(crate) fn push(&mut self, request: Request) {
        self.waiting.push_back(request);
        self.admit();
    }

    /// Fills the queues in the order of arrival.
    fn admit(&mut self) {
        while let Some(request) = self.waiting.front() {
            let queue = if request.write { &mut self.writes } else { &mut self.reads };
            if queue.len() == self.queue {
                return;
            }
            queue.push(*request);
            if request.write {
                self.accepted.push(*request);
            }
            self.waiting.pop_front();
            self.idle_until = self.refreshed;
        }
    }

    /// Gives at most one command. If it moves the data of a request: the request, and when the last of these are moved.
    pub(crate) fn tick(&mut self, now: i64) -> Option<(Request, i64)> {
        if now < self.idle_until {
            return None;
        }
        if now >= self.refresh_due {
            self.refresh(now);
            return None;
        }
        self.choose_direction();
        let queue = if self.draining { &self.writes } else { &self.reads };
        let mut soonest = self.refresh_due;
        // Of the requests for a bank that hit its open row, or of those that do not, the oldest stands for all.
        let (mut hits, mut misses) = (Banks::default(), Banks::default());
        let mut oldest_misses = std::mem::take(&mut self.misses);
        let mut hit = None;
        for (i, &Request { place, write, .. }) in queue.iter().enumerate() {
            if self.open_rows[place.bank] != Some(place.row) {
                if misses.insert(place.bank) {
                    oldest_misses.push(place);
                }
            } else if hits.insert(place.bank) {
                let ready = self.column_ready(place, write);
                if ready <= now {
                    hit = Some(i);
                    break;
                }
                soonest = soonest.min(ready);
            }
        }
        let moved = hit.map(|i| self.column(i, now));
        if hit.is_none() {
            // Rows that a queued request hits stay open.
            let needs = oldest_misses.iter().filter(|place| !hits.has(place.bank));
            self.idle_until = self.open_or_close(needs, now, soonest);
        }
        oldest_misses.clear();
        self.misses = oldest_misses;
        moved
    }

    /// Writes wait until their queue is full to three quarters, or no read waits, and are then drained down to a quarter
    /// (our choice).
    fn choose_direction(&mut self) {
        let enough = if self.draining { self.queue / 4 } else { self.queue * 3 / 4 };
        self.draining = self.writes.len() >= enough || self.reads.is_empty() && !self.writes.is_empty();
    }

    /// Activates or precharges the bank of the first place where that is possible. Returns until when no command is.
    fn open_or_close<'a>(
        &mut self,
        places: impl Iterator<Item = &'a Place>,
        now: i64,
        mut soonest: i64,
    ) -> i64 {
        for &place in places {
            let is_open = self.open_rows[place.bank].is_some();
            let ready = if is_open { self.precharge_ready(place.bank) } else { self.activate_ready(place) };
            if ready <= now {
                if is_open {
                    self.precharge(place.bank, now)
                } else {
                    self.activate(place, now)
                }
                return now + 1;
            }
            soonest = soonest.min(ready);
        }
        soonest
    }

    fn column_ready(&self, place: Place, write: bool) -> i64 {
        let Timing { cl, cwl, burst, ccd_s, ccd_l, wtr_s, wtr_l, .. } = self.timing;
        let group = &self.groups[place.group];
        let (same, bus) = if write {
            // The bus turns round: a gap of two clocks between read and written data.
            let turned = self.last.read + cl + burst + 2 - cwl;
            (group.write + ccd_l, turned.max(self.last.write + ccd_s))
        } else {
            let turned = (self.last.write + wtr_s).max(group.write + wtr_l) + cwl + burst;
            (group.read + ccd_l, turned.max(self.last.read + ccd_s))
        };
        same.max(bus).max(self.banks[place.bank].activate + self.timing.rcd)
    }

    /// Moves the data of a request in the queue.
    fn column(&mut self, i: usize, now: i64) -> (Request, i64) {
        let request = if self.draining { self.writes.remove(i) } else { self.reads.remove(i) };
        let Request { place, write, .. } = request;
        for last in [&mut self.banks[place.bank], &mut self.groups[place.group], &mut self.last] {
            *(if write { &mut last.write } else { &mut last.read }) = now;
        }
        self.bursts += 1;
        self.admit();
        (request, now + self.timing.burst + if write { self.timing.cwl } else { self.timing.cl })
    }

    fn activate_ready(&self, place: Place) -> i64 {
        let Timing { rp, rrd_s, rrd_l, faw, .. } = self.timing;
        (self.banks[place.bank].precharge + rp)
            .max(self.last.activate + rrd_s)
            .max(self.groups[place.group].activate + rrd_l)
            .max(self.activates[0] + faw)
    }

    fn activate(&mut self, place: Place, now: i64) {
        self.open_rows[place.bank] = Some(place.row);
        for last in [&mut self.banks[place.bank], &mut self.groups[place.group], &mut self.last] {
            last.activate = now;
        }
        self.activates.rotate_left(1);
        self.activates[3] = now;
    }

    fn precharge_ready(&self, bank: usize) -> i64 {
        let Timing { ras, rtp, cwl, burst, wr, .. } = self.timing;
        let bank = &self.banks[bank];
        (bank.activate + ras).max(bank.read + rtp).max(bank.write + cwl + burst + wr)
    }

    fn precharge(&mut self, bank: usize, now: i64) {
        self.open_rows[bank] = None;
        self.banks[bank].precharge = now;
    }

    /// Closes all rows as soon as all may be closed, and refreshes all banks.
    fn refresh(&mut self, now: i64) {
        let Timing { rp, rfc, refi, .. } = self.timing;
        let is_open = |&bank: &usize| self.open_rows[bank].is_some();
        let ready = (0..self.banks.len()).filter(is_open).map(|bank| self.precharge_ready(bank)).max();
        let closed = ready.unwrap_or(now).max(now);
        let end = closed + rp + rfc;
        // As if the banks had been closed so late that they may be opened at the end.
        self.open_rows.fill(None);
        self.banks.iter_mut().for_each(|bank| bank.precharge = end - rp);
        self.refresh_due += refi;
        (self.refreshed, self.idle_until) = (end, end);
    }
}

/// A set of banks of a channel.
#[derive(Clone, Copy, Debug, Default)]
struct Banks(u64);

impl Banks {
    fn has(self, bank: usize) -> bool {
        self.0 >> bank & 1 == 1
    }

    /// Whether the bank is new.
    fn insert(&mut self, bank: usize) -> bool {
        let is_new = !self.has(bank);
        self.0 |= 1 << bank;
        is_new
    }
}
