//! Third pass: where everything lives in one arena.
//!
//! Leaves have fixed places for the life of the program. A temporary lives from the step that writes it to the
//! last that reads it, and its place is then used again. A pointwise kernel writes in place: over a state that it
//! updates, if all other readers of that state have run, or over a temporary that dies with it.

use crate::scalar::Real;
use crate::shape::Shape;

/// A stretch of the arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span {
    pub(crate) start: usize,
    pub(crate) len: usize,
}

/// Numbers in one block of memory that starts at a cache line.
#[derive(Debug)]
pub(crate) struct Arena<T> {
    data: Vec<T>,
    skip: usize,
    len: usize,
}

/// Bytes in a cache line, and in the widest vector register.
pub(crate) const LINE: usize = 64;

impl<T: Real> Arena<T> {
    pub(crate) fn new(len: usize) -> Self {
        let data = vec![T::ZERO; len + LINE];
        let skip = data.as_ptr().align_offset(LINE).min(LINE);
        Self { data, skip, len }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn all(&mut self) -> &mut [T] {
        &mut self.data[self.skip..self.skip + self.len]
    }

    pub(crate) fn get(&self, span: Span) -> &[T] {
        &self.data[self.skip + span.start..self.skip + span.start + span.len]
    }

    pub(crate) fn get_mut(&mut self, span: Span) -> &mut [T] {
        &mut self.data[self.skip + span.start..self.skip + span.start + span.len]
    }
}

impl<T: Real> Clone for Arena<T> {
    fn clone(&self) -> Self {
        let mut copy = Self::new(self.len);
        let whole = Span { start: 0, len: self.len };
        copy.all().copy_from_slice(self.get(whole));
        copy
    }
}

/// Hands out places in the arena.
#[derive(Debug)]
pub(crate) struct Allocator {
    /// Elements in a cache line.
    line: usize,
    end: usize,
    /// Unused stretches before the end, in order, never two that touch.
    free: Vec<Span>,
}

impl Allocator {
    pub(crate) fn new<T: Real>() -> Self {
        Self { line: LINE / size_of::<T>(), end: 0, free: Vec::new() }
    }

    /// Length of the arena so far.
    pub(crate) fn len(&self) -> usize {
        self.end
    }

    /// Whole cache lines. An empty matrix takes one, too: places tell operands apart.
    fn room(&self, len: usize) -> usize {
        len.max(1).next_multiple_of(self.line)
    }

    /// A place for `shape`: the smallest unused stretch that holds it.
    pub(crate) fn take(&mut self, shape: Shape) -> Span {
        let (len, room) = (shape.len(), self.room(shape.len()));
        let fitting = self.free.iter().enumerate().filter(|(_, free)| free.len >= room);
        if let Some(best) = fitting.min_by_key(|(_, free)| free.len).map(|(i, _)| i) {
            let free = &mut self.free[best];
            let start = free.start;
            free.start += room;
            free.len -= room;
            if free.len == 0 {
                self.free.remove(best);
            }
            return Span { start, len };
        }
        let start = match self.free.last() {
            Some(last) if last.start + last.len == self.end => {
                let start = last.start;
                self.free.pop();
                start
            }
            _ => self.end,
        };
        self.end = start + room;
        Span { start, len }
    }

    /// Gives a place back.
    pub(crate) fn give(&mut self, span: Span) {
        let room = self.room(span.len);
        let at = self.free.partition_point(|free| free.start < span.start);
        self.free.insert(at, Span { start: span.start, len: room });
        if at + 1 < self.free.len() && self.free[at].start + room == self.free[at + 1].start {
            self.free[at].len += self.free[at + 1].len;
            self.free.remove(at + 1);
        }
        if at > 0 && self.free[at - 1].start + self.free[at - 1].len == span.start {
            self.free[at - 1].len += self.free[at].len;
            self.free.remove(at);
        }
    }
}
