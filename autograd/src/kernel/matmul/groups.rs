//! Bands whose left operand has zeros: groups of rows leave out the steps at which they are zero.

use pulp::Simd;

use super::lanes::{Lanes, lanes};
use super::tile::{self, ByColumns, ByRows, CopiedSteps, MAX_VECTORS, SomeSteps, WIDE_VECTORS};
use super::zeros::{self, CopyListed, GROUP, ListSteps};
use super::{Band, Order, STEPS, TOGETHER, equal};

impl<T: Lanes> Band<'_, T> {
    /// Makes room for lists of steps. What there is no need for in one run there may be in the next, which is to allocate nothing.
    pub(super) fn make_room_for_lists(&self) {
        let (groups, steps) = match self.a.order {
            Order::Plain => ((self.out.len() / self.right.n).div_ceil(GROUP), equal(self.steps.len(), 2 * STEPS)),
            Order::Transposed => (TOGETHER / GROUP, STEPS),
        };
        let mut lists = zeros::scratch().take();
        lists.clear(groups, steps);
        zeros::scratch().set(lists);
    }

    /// `k` steps of all rows, which are stored as rows.
    pub(super) fn groups<S: Simd>(&mut self, simd: S, q: usize, k: usize) {
        let (n, stride, p) = (self.right.n, self.a.stored.cols, self.p + q);
        let rows = self.out.len() / n;
        let mut lists = zeros::scratch().take();
        let data = &self.a.data[self.row * stride..][..rows * stride];
        simd.vectorize(ListSteps { rows: data, stride, steps: p..p + k, lists: &mut lists });
        let mut column = 0;
        while column < n {
            let mut rest = self.right.panel(lanes::<S, T>(), column, q, k);
            while rest.width > 0 {
                let panel = rest.take(widest::<S, T>(rest.width));
                for (group, steps) in lists.groups().enumerate() {
                    let group = group * GROUP..rows.min((group + 1) * GROUP);
                    let left = |row| SomeSteps { rows: ByRows { data: &data[row * stride + p..], stride }, steps };
                    if group.len() == GROUP {
                        let left = left(group.start);
                        tile::listed::<S, T, GROUP>(simd, self.block(group, column), left, panel);
                    } else {
                        for row in group {
                            tile::listed::<S, T, 1>(simd, self.block(row..row + 1, column), left(row), panel);
                        }
                    }
                }
                column += panel.width;
            }
        }
        zeros::scratch().set(lists);
    }

    /// The same where rows are stored as columns, which are copied. The last rows, which fill no group, leave out nothing.
    pub(super) fn copied_groups<S: Simd>(&mut self, simd: S, q: usize, k: usize) {
        let (n, stride, p) = (self.right.n, self.a.stored.cols, self.p + q);
        let mut scratch = T::part_scratch().take();
        scratch.resize(scratch.len().max(TOGETHER * STEPS), T::ZERO);
        let mut lists = zeros::scratch().take();
        let rows = self.out.len() / n;
        for first in (0..rows).step_by(TOGETHER) {
            let groups = TOGETHER.min(rows - first) / GROUP;
            let copy = &mut scratch.as_chunks_mut::<GROUP>().0[..groups * k];
            let columns = &self.a.data[p * stride + self.row + first..];
            simd.vectorize(CopyListed { columns, stride, k, copy, lists: &mut lists });
            let mut column = 0;
            while column < n {
                let mut rest = self.right.panel(lanes::<S, T>(), column, q, k);
                while rest.width > 0 {
                    let panel = rest.take(widest::<S, T>(rest.width));
                    for ((group, copy), steps) in copy.chunks_exact(k).enumerate().zip(lists.groups()) {
                        let row = first + group * GROUP;
                        let left = CopiedSteps { data: copy.as_flattened(), steps };
                        tile::listed::<S, T, GROUP>(simd, self.block(row..row + GROUP, column), left, panel);
                    }
                    for row in first + groups * GROUP..rows.min(first + TOGETHER) {
                        let left = ByColumns { data: &self.a.data[p * stride..], stride, first: self.row + row };
                        tile::listed::<S, T, 1>(simd, self.block(row..row + 1, column), left, panel);
                    }
                    column += panel.width;
                }
            }
        }
        zeros::scratch().set(lists);
        T::part_scratch().set(scratch);
    }
}

/// Columns that a tile has at most, if so many are left of a panel.
fn widest<S: Simd, T: Lanes>(columns: usize) -> usize {
    let wide = columns.div_ceil(lanes::<S, T>()) == WIDE_VECTORS;
    lanes::<S, T>() * if wide { WIDE_VECTORS } else { MAX_VECTORS }
}
