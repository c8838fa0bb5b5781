//! The order of instructions.

use core::ops::Range;
use std::collections::VecDeque;

use smallvec::SmallVec;

use super::items::Items;
use super::{NONE, small};

/// Puts the items of a window in order: those that are ready and have the same code come together.
#[derive(Default)]
pub(super) struct Batches {
    /// By number: the position in the window of what computes it.
    position: Vec<u32>,
    /// By position: code, operands in the window that are not computed yet, and readers there.
    code: Vec<u32>,
    waiting: Vec<u32>,
    users: Vec<SmallVec<[u32; 4]>>,
    /// By code: positions that could be next.
    ready: Vec<Vec<u32>>,
    /// Codes of which some are ready.
    turn: VecDeque<u32>,
    /// Room for those that are taken out.
    now: Vec<u32>,
}

impl Batches {
    pub(super) fn new(values: usize) -> Self {
        Self { position: vec![NONE; values], ..Self::default() }
    }

    pub(super) fn enter(&mut self, window: Range<usize>, items: &Items) {
        self.code.clear();
        self.waiting.clear();
        self.users.iter_mut().for_each(SmallVec::clear);
        self.users.resize_with(window.len(), SmallVec::new);
        for (position, item) in window.clone().enumerate() {
            self.code.push(items.codes_of[item]);
            let mut waiting = 0;
            for &input in items.inputs_of(item) {
                let producer = self.position[input as usize];
                if producer != NONE {
                    self.users[producer as usize].push(small(position));
                    waiting += 1;
                }
            }
            self.waiting.push(waiting);
            items.outputs_of(item).iter().for_each(|&value| self.position[value as usize] = small(position));
        }
        self.ready.resize_with(items.codes.len(), Vec::new);
        for position in 0..window.len() {
            if self.waiting[position] == 0 {
                self.make_ready(small(position));
            }
        }
        let outputs = window.flat_map(|item| items.outputs_of(item));
        outputs.for_each(|&value| self.position[value as usize] = NONE);
    }

    fn make_ready(&mut self, position: u32) {
        let code = self.code[position as usize];
        let ready = &mut self.ready[code as usize];
        if ready.is_empty() {
            self.turn.push_back(code);
        }
        ready.push(position);
    }

    /// The next items to be computed, in `batch`, and their code; `first` is the first of the window.
    pub(super) fn next(&mut self, first: usize, batch: &mut Vec<usize>) -> Option<u32> {
        let code = self.turn.pop_front()?;
        let mut now = core::mem::take(&mut self.now);
        now.append(&mut self.ready[code as usize]);
        batch.clear();
        for position in now.drain(..) {
            batch.push(first + position as usize);
            for user in core::mem::take(&mut self.users[position as usize]) {
                self.waiting[user as usize] -= 1;
                if self.waiting[user as usize] == 0 {
                    self.make_ready(user);
                }
            }
        }
        self.now = now;
        Some(code)
    }
}
