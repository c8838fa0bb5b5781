//! What holds of linear code.

use super::{Fold, Listed, Part, Run, Scalars};
use crate::kernel::elementwise::{Index, Places};

/// Checks instructions, part after part.
struct Checker {
    /// Numbers in the file.
    file: usize,
    /// By register: the run that wrote it last.
    written: Vec<usize>,
    run: usize,
}

impl Checker {
    /// Of the present run.
    fn instruction(&mut self, reads: &[u32], writes: &[u32]) -> Result<(), String> {
        let run = self.run;
        if reads.iter().chain(writes).any(|&register| register as usize >= self.file) {
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
        registers.chunks_exact(fold.registers()).try_for_each(|one| self.instruction(&one[1..], &one[..1]))
    }

    /// Gives the places that are left.
    fn numbers<'a, I: Index>(
        &mut self,
        runs: &[Run],
        ops: usize,
        mut places: &'a [Places<I>],
    ) -> Result<&'a [Places<I>], String> {
        for run in runs {
            self.run += 1;
            let (now, later) = places.split_at_checked(run.count.into()).ok_or("too few places")?;
            if usize::from(run.op) >= ops {
                return Err(format!("run {} of no operation", self.run));
            }
            for place in now {
                let Places { inputs, output } = place.map(Index::wide);
                self.instruction(&inputs, &[output])?;
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
        let mut checker = Checker { file, written: vec![0; file], run: 0 };
        for part in &self.parts {
            let mut take = |count: usize| {
                let (now, later) = registers.split_at_checked(count).ok_or("too few registers")?;
                registers = later;
                Ok::<_, String>(now)
            };
            match *part {
                Part::Numbers(count) => {
                    let (now, later) = runs.split_at_checked(count).ok_or("too few runs")?;
                    places = checker.numbers(now, self.ops.len(), places)?;
                    runs = later;
                }
                Part::Folds(fold, count) => checker.folds(fold, take(count as usize * fold.registers())?)?,
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
