//! The orders of a site: which requests each serves.

use std::collections::VecDeque;

use crate::sim::{JobId, RequestId};
use crate::units::Time;

/// An order in service.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) members: Vec<RequestId>,
    /// The number of members that wait for it.
    pub(super) open: usize,
    /// When it would end if nothing else ran.
    pub(super) alone_until: Time,
    /// The numbers of its model and variant.
    pub(super) of: (usize, usize),
}

/// The orders of a site by number: a window that moves with them. Lists of members are reused.
#[derive(Clone, Debug, Default)]
pub(super) struct Orders {
    window: VecDeque<Option<Order>>,
    first: u32,
    open: u32,
    spare: Vec<Vec<RequestId>>,
}

impl Orders {
    /// An empty list of members.
    pub(super) fn list(&mut self) -> Vec<RequestId> {
        self.spare.pop().unwrap_or_default()
    }

    pub(super) fn push(&mut self, id: JobId, order: Order) {
        if self.window.is_empty() {
            self.first = id.0;
        }
        assert_eq!(
            id.0,
            self.first + self.window.len() as u32,
            "orders are numbered in the order of their launch"
        );
        self.window.push_back(Some(order));
        self.open += 1;
    }

    pub(super) fn get_mut(&mut self, id: JobId) -> Option<&mut Order> {
        self.window.get_mut(id.0.checked_sub(self.first)? as usize)?.as_mut()
    }

    pub(super) fn remove(&mut self, id: JobId) -> Option<Order> {
        let order = self.window.get_mut(id.0.checked_sub(self.first)? as usize)?.take()?;
        self.open -= 1;
        while self.window.front().is_some_and(Option::is_none) {
            self.window.pop_front();
            self.first += 1;
        }
        Some(order)
    }

    /// Takes the list of an order that has ended back.
    pub(super) fn reuse(&mut self, mut members: Vec<RequestId>) {
        members.clear();
        self.spare.push(members);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Order> {
        self.window.iter().flatten()
    }

    /// The number of orders in service.
    pub(super) fn len(&self) -> u32 {
        self.open
    }
}
