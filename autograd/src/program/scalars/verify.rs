//! What holds of linear code.

use super::{Code, Scalars};

impl Scalars {
    /// What runs need is there, registers exist, and no instruction reads what another of its run wrote before.
    pub(crate) fn verify(&self, file: usize) -> Result<(), String> {
        let (mut places, mut registers) = (self.places.as_slice(), self.registers.as_slice());
        let mut written = vec![usize::MAX; file];
        for (i, run) in self.runs.iter().enumerate() {
            let Some(code) = self.codes.get(run.code as usize) else { return Err(format!("run {i} of no code")) };
            let mut instruction = |reads: &[u32], writes: &[u32]| {
                if reads.iter().chain(writes).any(|&register| register as usize >= file) {
                    return Err(format!("run {i}, {code:?}: {reads:?} to {writes:?} in a file of {file}"));
                }
                if reads.iter().any(|&register| written[register as usize] == i) {
                    return Err(format!("run {i}, {code:?}: {reads:?} is written by the same run"));
                }
                writes.iter().for_each(|&register| written[register as usize] = i);
                Ok(())
            };
            let short = || format!("run {i} is too long");
            if let Code::Apply(_) = code {
                let (now, later) = places.split_at_checked(run.count as usize).ok_or_else(short)?;
                now.iter().try_for_each(|place| instruction(&place.inputs, &[place.output]))?;
                places = later;
                continue;
            }
            let (now, later) = registers.split_at_checked(run.count as usize * code.registers()).ok_or_else(short)?;
            for one in now.chunks_exact(code.registers()) {
                match code {
                    Code::Whole(whole) => {
                        let (reads, writes) = one.split_at(one.len() - whole.result.len());
                        instruction(reads, writes)?;
                    }
                    Code::Apply(_) | Code::Dot(_) => instruction(&one[1..], &one[..1])?,
                }
            }
            registers = later;
        }
        if places.is_empty() && registers.is_empty() { Ok(()) } else { Err("operands of no run".to_owned()) }
    }
}
