//! What a program does, kernel by kernel, and how long each takes.

use core::fmt;
use core::panic::Location;
use std::time::Instant;

use crate::error::RunError;
use crate::op::Op;
use crate::program::Program;
use crate::program::fuse::steps;
use crate::program::plan::Span;
use crate::program::scalars;
use crate::program::schedule::Step;
use crate::scalar::Real;
use crate::shape::Shape;

/// What a program does in a run: its kernels in their order, and the memory that it keeps. Prints as a table.
///
/// Made by [`Program::explain`]; [`Program::profile`] adds times.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Explanation {
    /// The kernels, in the order in which they run.
    pub kernels: Vec<Kernel>,
    /// What the program keeps.
    pub memory: Memory,
    /// Runs that were timed, 0 if none.
    pub runs: usize,
}

/// Bytes that a program keeps from run to run, in one stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Memory {
    /// All of it.
    pub total: usize,
    /// What is fed.
    pub inputs: usize,
    /// What lives from run to run: parameters, moments.
    pub states: usize,
}

/// A kernel: one pass over its rows, in which all its operations are done; or linear code on single numbers.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Kernel {
    /// The operations in the order of computation; none for a copy of a state.
    pub operations: Vec<Operation>,
    /// The shape of its first value; for a copy, a row.
    pub shape: Shape,
    /// Operations on numbers: two for each multiply-add of a product, one for each element of every other result or, where
    /// that is smaller, of its operand. Elementary functions count as one.
    pub flops: u64,
    /// Bytes of operands read and results written, each once.
    pub bytes: u64,
    /// If all values are tiny, the whole program is one kernel of so many instructions on single numbers. They do not stand
    /// in the order of the operations.
    pub instructions: Option<usize>,
    /// Parts that threads may share out.
    pub parts: usize,
    /// Seconds of a run, the least of those timed: whatever else the machine does only adds to it.
    pub seconds: Option<f64>,
}

/// An operation of a kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operation {
    /// Its name.
    pub name: &'static str,
    /// The line that recorded it; for a derivative, the line of the operation that is differentiated.
    pub site: &'static Location<'static>,
    /// Whether it is part of a derivative.
    pub in_derivative: bool,
    /// The shape of its result.
    pub shape: Shape,
}

impl<T: Real> Program<T> {
    /// The kernels that the compiler made, their operations with the lines that recorded them, work and memory.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::<f64>::new();
    /// let (x, w) = (graph.input(8, 3), graph.variable(autograd::Matrix::ones(3, 2)));
    /// let program = graph.compile(&[x], &[], &[x.matmul(w).tanh().sum()]).unwrap();
    /// let kernels = program.explain().kernels;
    /// let names: Vec<&str> = kernels[0].operations.iter().map(|operation| operation.name).collect();
    /// assert_eq!((kernels.len(), names), (1, vec!["matmul", "tanh", "sum"]));
    /// ```
    #[must_use]
    pub fn explain(&self) -> Explanation {
        let bytes = |places: &mut dyn Iterator<Item = Span>| places.map(|place| place.len * size_of::<T>()).sum();
        let memory = Memory {
            total: self.memory(),
            inputs: bytes(&mut self.inputs.iter().map(|(place, _)| *place)),
            states: bytes(&mut self.states.values().map(|(place, _)| *place)),
        };
        let kernels = (0..self.steps.len()).map(|step| self.kernel(step)).collect();
        Explanation { kernels, memory, runs: 0 }
    }

    /// Runs the program, with what stands in its inputs, so many times, and tells how long each kernel took. States change as
    /// in any run.
    ///
    /// # Errors
    /// If a number that serves as an index is out of range.
    ///
    /// # Examples
    /// ```
    /// let graph = autograd::Graph::<f64>::new();
    /// let x = graph.variable(autograd::Matrix::ones(100, 100));
    /// let mut program = graph.compile(&[], &[(x, (x * 0.5).tanh())], &[]).unwrap();
    /// let profile = program.profile(5)?;
    /// assert!(profile.kernels[0].seconds.is_some_and(|seconds| seconds > 0.0));
    /// println!("{profile}");
    /// # Ok::<(), autograd::RunError>(())
    /// ```
    pub fn profile(&mut self, runs: usize) -> Result<Explanation, RunError> {
        let mut explanation = self.explain();
        explanation.runs = runs;
        self.with_threads(|program| {
            for _ in 0..runs {
                for (step, kernel) in explanation.kernels.iter_mut().enumerate() {
                    let start = Instant::now();
                    T::execute(program, step..step + 1)?;
                    let seconds = start.elapsed().as_secs_f64();
                    kernel.seconds = Some(kernel.seconds.map_or(seconds, |least| least.min(seconds)));
                }
            }
            Ok(explanation)
        })
    }

    fn kernel(&self, step: usize) -> Kernel {
        let mut members = self.groups.get(step).map_or_else(Vec::new, Vec::clone);
        let mut instructions = None;
        let operation = |&i: &usize| {
            let term = &self.terms[i];
            let (name, shape) = (term.op.name(), term.shape);
            Operation { name, site: term.site, in_derivative: term.in_derivative, shape }
        };
        let (numbers, parts) = match &self.steps[step] {
            Step::Fused(kernel) => (kernel.slots.iter().map(|slot| slot.len).sum(), kernel.parts),
            Step::Single(single) => (single.slots.iter().map(|slot| slot.len).sum(), 1),
            Step::Scalars(code) => {
                members = (0..self.terms.len()).filter(|&i| !scalars::is_free(self.terms[i].op)).collect();
                instructions = Some(code.instructions());
                (self.arena.len(), 1)
            }
            Step::Copy(from, to) => (from.len + to.len, 1),
        };
        let copied = Shape::new(1, numbers / 2);
        Kernel {
            operations: members.iter().map(operation).collect(),
            shape: members.first().map_or(copied, |&first| self.terms[first].shape),
            flops: members.iter().map(|&i| self.flops(i)).sum(),
            bytes: (numbers * size_of::<T>()) as u64,
            instructions,
            parts,
            seconds: None,
        }
    }

    fn flops(&self, i: usize) -> u64 {
        let term = &self.terms[i];
        if matches!(term.op, Op::MatMul(_)) {
            return 2 * (term.shape.len() * steps(&self.terms, i)) as u64;
        }
        if let Op::SumOfProducts(_) = term.op {
            return term.inputs.len() as u64;
        }
        let operand = term.inputs.iter().map(|&input| self.terms[input].shape.len()).max();
        term.shape.len().max(operand.unwrap_or(0)) as u64
    }
}

impl Explanation {
    /// Seconds of a run: the sum over the kernels, or `None` if none was timed.
    #[must_use]
    pub fn seconds(&self) -> Option<f64> {
        self.kernels.iter().map(|kernel| kernel.seconds).sum()
    }
}

/// Operations of linear code that are printed.
const LISTED: usize = 24;

/// A number with a unit that leaves one to three digits before the point.
fn short(number: f64, units: [&str; 4]) -> String {
    let power = [1e9, 1e6, 1e3].iter().position(|&power| number >= power);
    match power {
        Some(i) => format!("{:.1} {}", number / [1e9, 1e6, 1e3][i], units[i]),
        None => format!("{number:.0} {}", units[3]),
    }
}

#[allow(clippy::cast_precision_loss, reason = "for people to read")]
fn float(count: u64) -> f64 {
    count as f64
}

/// A line for each kernel: its number, the shape of its first value, operations on numbers, bytes, parts, and where it was
/// timed the microseconds, the share of the run and 10⁹ operations per second; then its operations, each line of the user's
/// named where its operations begin, derivatives marked by a `'`.
impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>3} {:>11} {:>8} {:>8} {:>5}", "", "shape", "flops", "bytes", "parts")?;
        let total = self.seconds();
        if total.is_some() && self.runs > 0 {
            write!(f, " {:>9} {:>5} {:>6}", "µs", "%", "GF/s")?;
        }
        writeln!(f, "  operations")?;
        for (i, kernel) in self.kernels.iter().enumerate() {
            let flops = short(float(kernel.flops), ["G", "M", "k", " "]);
            let bytes = short(float(kernel.bytes), ["G", "M", "k", " "]);
            write!(f, "{i:>3} {:>11} {flops:>8} {bytes:>8} {:>5}", kernel.shape.to_string(), kernel.parts)?;
            if let (Some(seconds), Some(total)) = (kernel.seconds, total) {
                let (share, rate) = (100.0 * seconds / total, float(kernel.flops) / seconds * 1e-9);
                write!(f, " {:>9.2} {share:>5.1} {rate:>6.1}", seconds * 1e6)?;
            }
            writeln!(f, "  {}", kernel.text())?;
        }
        let Memory { total: all, inputs, states } = self.memory;
        let bytes = |count: usize| short(float(count as u64), ["GB", "MB", "kB", "B"]);
        write!(f, "memory: {} ({} inputs, {} states)", bytes(all), bytes(inputs), bytes(states))?;
        match total.filter(|_| self.runs > 0) {
            Some(total) => write!(f, "; a run: {:.2} µs, each kernel at its best of {}", total * 1e6, self.runs),
            None => Ok(()),
        }
    }
}

impl Kernel {
    /// The operations, with the lines that recorded them.
    fn text(&self) -> String {
        let mut text = match self.instructions {
            Some(count) => format!("{count} instructions on numbers;"),
            None if self.operations.is_empty() => return "copy".to_owned(),
            None => String::new(),
        };
        let mut line = None;
        let listed = if self.instructions.is_some() { LISTED } else { usize::MAX };
        for Operation { name, site, in_derivative, .. } in self.operations.iter().take(listed) {
            let own = Some((site.file(), site.line()));
            if line.is_some() && line != own {
                text.push(';');
            }
            if !text.is_empty() {
                text.push(' ');
            }
            if line != own {
                let file = site.file().rsplit('/').next().unwrap_or_default();
                text.push_str(&format!("{file}:{}: ", site.line()));
            }
            text.push_str(name);
            text.push_str(if *in_derivative { "'" } else { "" });
            line = own;
        }
        if self.operations.len() > listed {
            text.push_str(&format!("; and {} more", self.operations.len() - listed));
        }
        text
    }
}
