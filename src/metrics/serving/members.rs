//! Where the time of a request of a fleet goes: waiting, running, slowed, as in [`Shares`].
//!
//! A layer of an order runs for every request that the order serves, so that each of them has it in its account. All of
//! a request's time outside of service, before a decision, on links and in queues, is waiting.

use std::collections::BTreeMap;

use super::super::shares::{Account, Shares};
use crate::serve::{Record, Recorder};
use crate::sim::{self, JobId, Origin, RequestId};
use crate::units::Time;

/// An order: its site and its number there.
type Order = (usize, JobId);

/// A layer that runs for an order.
#[derive(Clone, Copy)]
struct Running {
    order: Order,
    start: Time,
    alone: Time,
}

/// The fold over the records of a fleet.
#[derive(Default)]
pub struct MemberShares {
    /// The accounts of the requests in flight, and their orders once they are in service.
    open: BTreeMap<RequestId, (Account, Option<Order>)>,
    /// The requests of the orders in service, some of which may have ended.
    members: BTreeMap<Order, Vec<RequestId>>,
    /// What runs, by site and accelerator.
    running: BTreeMap<(usize, usize), Running>,
    /// The shares of the requests that have ended.
    ended: BTreeMap<RequestId, Shares>,
}

impl MemberShares {
    /// The shares of a request; the run has ended.
    pub fn of(&self, request: RequestId) -> Shares {
        self.ended.get(&request).copied().unwrap_or_default()
    }

    /// Changes the accounts of the requests of an order that have not ended.
    fn each(&mut self, order: Order, change: impl Fn(&mut Account)) {
        let members = self.members.get(&order).map_or(&[][..], Vec::as_slice);
        for member in members {
            if let Some((account, _)) = self.open.get_mut(member) {
                change(account);
            }
        }
    }

    fn at_site(&mut self, site: usize, record: &sim::Record) {
        match *record {
            sim::Record::Start { time, sub_job, accelerator, alone, .. } => {
                let running = Running { order: (site, sub_job.job), start: time, alone };
                self.running.insert((site, accelerator), running);
                self.each(running.order, |account| account.start(time));
            }
            sim::Record::Finish { time, accelerator, .. } => {
                if let Some(Running { order, start, alone }) = self.running.remove(&(site, accelerator)) {
                    self.each(order, |account| account.finish(time, time - start, alone));
                }
            }
            _ => {}
        }
    }

    /// A request ends: layers that run on no longer count for it.
    fn close(&mut self, request: RequestId, now: Time) {
        let Some((mut account, order)) = self.open.remove(&request) else { return };
        for running in self.running.values().filter(|running| Some(running.order) == order) {
            account.finish(now, now - running.start, running.alone);
        }
        self.ended.insert(request, account.close(now));
        // The order goes on for nobody, or for the others.
        if let Some(order) = order {
            let members = self.members.get_mut(&order).expect("an order in service has its requests");
            members.retain(|member| *member != request);
            if members.is_empty() {
                self.members.remove(&order);
            }
        }
    }
}

impl Recorder for MemberShares {
    fn record(&mut self, record: &Record, _: Origin) {
        match *record {
            Record::Arrived { request, asked, .. } => {
                self.open.insert(request, (Account::new(asked.arrival), None));
            }
            Record::Member { request, site, order, .. } => {
                let open = self.open.get_mut(&request).expect("only requests in flight are served");
                open.1 = Some((site, order));
                self.members.entry((site, order)).or_default().push(request);
            }
            Record::Site { site, record } => self.at_site(site, &record),
            Record::Answered { time, request, .. } | Record::Lost { time, request, .. } => {
                self.close(request, time);
            }
            Record::End { time } => {
                let open: Vec<RequestId> = self.open.keys().copied().collect();
                open.into_iter().for_each(|request| self.close(request, time));
            }
            _ => {}
        }
    }
}
