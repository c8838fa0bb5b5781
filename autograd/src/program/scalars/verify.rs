//! What holds of linear code.

use super::{BLOCK, Fold, Listed, Part, Run, Scalars};
use crate::kernel::elementwise::{FULL, Index, Places};
use crate::op::Op;

/// Checks instructions, part after part.
struct Checker {
    /// Numbers in the file.
    file: usize,
    /// Numbers in a block.
    block: usize,
    /// By register: the run that wrote it last.
    written: Vec<usize>,
    run: usize,
}

impl Checker {
    /// Of the present run.
    fn instruction(&mut self, reads: &[u32], writes: &[u32]) -> Result<(), String> {
        let run = self.run;
        if reads.iter().chain(writes).any(|&register| register as usize + self.block > self.file) {
            return Err(format!("run {run}: {reads:?} to {writes:?} in a file of {}", self.file));
        }
        if reads.iter().any(|&register| self.written[register as usize] == run) {
            return Err(format!("run {run}: {reads:?} is written by the same run"));
        }
        writes.iter().for_each(|&register| self.written[register as usize] = run);
        Ok(())
    }

    fn folds(&mut self, fold: Fold, registers: &[u32]) -> Result<(), String> {
        self.run += 1;
        registers.chunks_exact(fold.registers()).try_for_each(|one| {
            self.run += usize::from(self.block > 1);
            self.instruction(&one[1..], &one[..1])
        })
    }

    /// Blocks that are computed at once stand one after the other, and end, filled up, before their results.
    fn stretch(&self, places: &[Places<u32>]) -> Result<(), String> {
        let full = (self.block * places.len()).next_multiple_of(FULL);
        let all = |k: usize| places.iter().map(move |place| place.inputs.get(k).copied().unwrap_or(place.output));
        let expected = |k: usize| all(k).take(1).flat_map(|start| (start..).step_by(self.block)).take(places.len());
        let ends = |k: usize| all(k).next().map_or(0, |start| start as usize + full);
        let [a, b, c, output] = [0, 1, 2, 3].map(ends);
        if !(0..4).all(|k| all(k).eq(expected(k))) || a.max(b).max(c) + full > output || output > self.file {
            return Err(format!("run {}: {places:?} are no stretch", self.run));
        }
        Ok(())
    }

    fn pair(&mut self, registers: &[u32], count: u32) -> Result<(), String> {
        self.run += 1;
        let ordered = registers.windows(2).all(|two| two[0] + count <= two[1]);
        if !ordered {
            return Err(format!("run {}: {count} numbers each at {registers:?}", self.run));
        }
        (0..count).try_for_each(|i| self.instruction(&[registers[0] + i], &[registers[1] + i, registers[2] + i]))
    }

    /// Gives the places that are left.
    fn numbers<'a, I: Index>(
        &mut self,
        runs: &[Run],
        ops: &[Op],
        mut places: &'a [Places<I>],
    ) -> Result<&'a [Places<I>], String> {
        for run in runs {
            self.run += 1;
            let (now, later) = places.split_at_checked(run.count.into()).ok_or("too few places")?;
            let op = ops.get(usize::from(run.op)).ok_or_else(|| format!("run {} of no operation", self.run))?;
            let now: Vec<Places<u32>> = now.iter().map(|places| places.map(Index::wide)).collect();
            if self.block > 1 && !op.is_cheap() {
                self.stretch(&now)?;
            }
            for Places { inputs, output } in now {
                self.instruction(&inputs, &[output])?;
                // Cheap ones are computed one after the other.
                self.run += usize::from(self.block > 1 && op.is_cheap());
            }
            places = later;
        }
        Ok(places)
    }
}

impl Scalars {
    /// What parts need is there, registers exist, and no instruction reads what another of its run wrote before.
    pub(crate) fn verify(&self, file: usize) -> Result<(), String> {
        match &self.places {
            Listed::Short(places) => self.verify_at(places, file),
            Listed::Long(places) => self.verify_at(places, file),
        }
    }

    fn verify_at<I: Index>(&self, mut places: &[Places<I>], file: usize) -> Result<(), String> {
        let (mut runs, mut registers) = (self.runs.as_slice(), self.registers.as_slice());
        let block = if self.of_blocks { BLOCK } else { 1 };
        let mut checker = Checker { file, block, written: vec![0; file], run: 0 };
        for part in &self.parts {
            let mut take = |count: usize| {
                let (now, later) = registers.split_at_checked(count).ok_or("too few registers")?;
                registers = later;
                Ok::<_, String>(now)
            };
            match *part {
                Part::Numbers(count) => {
                    let (now, later) = runs.split_at_checked(count).ok_or("too few runs")?;
                    places = checker.numbers(now, &self.ops, places)?;
                    runs = later;
                }
                Part::Folds(fold, count) => checker.folds(fold, take(count as usize * fold.registers())?)?,
                Part::Pair(_, count) => checker.pair(take(3)?, count)?,
                Part::Gathers(count) => {
                    checker.run += 1;
                    let all = take(count as usize * (1 + BLOCK))?.as_chunks::<{ 1 + BLOCK }>().0;
                    all.iter().try_for_each(|one| checker.instruction(&one[1..], &one[..1]))?;
                }
                Part::Whole(index) => {
                    checker.run += 1;
                    let whole = self.wholes.get(index as usize).ok_or("no such operation")?;
                    let (reads, writes) = take(whole.registers())?.split_at(whole.registers() - whole.result.len());
                    checker.instruction(reads, writes)?;
                }
            }
        }
        let left = runs.len() + places.len() + registers.len();
        if left == 0 { Ok(()) } else { Err(format!("{left} operands of no part")) }
    }
}
