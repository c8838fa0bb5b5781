//! Finds instructions that together compute a formula which has a loop of its own, and sums that need none of their own.

use std::sync::LazyLock;

use smallvec::SmallVec;

use super::{Coder, Virtual};
use crate::op::Op;
use crate::op::formula::{Formula, Tree};
use crate::program::fused::{Action, Place};

/// All formulas, made once and not for each kernel.
static TREES: LazyLock<Vec<(Formula, Tree)>> =
    LazyLock::new(|| Formula::ALL.iter().map(|formula| (*formula, formula.tree())).collect());

/// A formula that was found.
struct Found {
    formula: Formula,
    /// Its operands, as they are found.
    operands: SmallVec<[Option<usize>; 6]>,
    /// The instructions that it replaces but for the last.
    inner: SmallVec<[usize; 8]>,
}

impl Coder<'_> {
    /// Replaces instructions by formulas that do the same.
    pub(super) fn find_formulas(&mut self) {
        let mut made_by = vec![None; self.all.len()];
        let mut readers = vec![0_usize; self.all.len()];
        for (at, instruction) in self.code.iter().enumerate() {
            made_by[instruction.output] = Some(at);
            instruction.inputs.iter().for_each(|&input| readers[input] += 1);
        }
        // What is wanted besides is never inside of a formula.
        let stored = (0..self.all.len()).filter(|&value| self.all[value].stored.is_some());
        stored.chain(self.summed()).for_each(|value| made_by[value] = None);
        let mut replaced = vec![false; self.code.len()];
        for at in (0..self.code.len()).rev() {
            if replaced[at] {
                continue;
            }
            let sources = Sources { coder: self, made_by: &made_by, readers: &readers, at };
            if let Some(sum) = sources.sum_of_pair() {
                replaced[sum] = true;
                self.code[at].inputs = self.code[sum].inputs.clone();
                continue;
            }
            let Some(found) = TREES.iter().find_map(|(formula, tree)| sources.find(*formula, tree)) else { continue };
            found.inner.iter().for_each(|&inner| replaced[inner] = true);
            self.code[at].action = Action::Compute(found.formula);
            self.code[at].inputs = found.operands.into_iter().flatten().collect();
        }
        let mut kept = replaced.into_iter().map(|replaced| !replaced);
        self.code.retain(|_| kept.next().unwrap_or(true));
    }
}

/// Where a formula may be found: its last instruction is that at `at`.
struct Sources<'a> {
    coder: &'a Coder<'a>,
    /// The instruction that makes a value, if it may be inside of a formula.
    made_by: &'a [Option<usize>],
    readers: &'a [usize],
    at: usize,
}

impl Sources<'_> {
    /// The sum that the pair at `at` is computed of, in the same loop.
    fn sum_of_pair(&self) -> Option<usize> {
        let Virtual { inputs, second, .. } = &self.coder.code[self.at];
        let sum = self.made_by[inputs[0]].filter(|_| second.is_some() && self.readers[inputs[0]] == 1)?;
        let Virtual { action, inputs, .. } = &self.coder.code[sum];
        let is_sum = matches!(action, Action::Apply(Op::Add(_), _)) && inputs[0] != inputs[1];
        (is_sum && inputs.iter().all(|&value| self.is_full(value) && !self.is_single(value))).then_some(sum)
    }

    fn find(&self, formula: Formula, tree: &Tree) -> Option<Found> {
        let mut found = Found { formula, operands: SmallVec::new(), inner: SmallVec::new() };
        self.instruction(self.at, tree, &mut found).then_some(found)
    }

    /// Whether the instruction computes the tree.
    fn instruction(&self, at: usize, tree: &Tree, found: &mut Found) -> bool {
        let Virtual { action, inputs, .. } = &self.coder.code[at];
        let (Tree::Apply(op, operands), Action::Apply(applied, _)) = (tree, action) else { return false };
        op == applied && operands.iter().zip(inputs).all(|(tree, &value)| self.value(value, tree, found))
    }

    /// Whether the value is what stands in the tree.
    fn value(&self, value: usize, tree: &Tree, found: &mut Found) -> bool {
        if let Tree::Operand(k) = tree {
            return self.operand(value, *k, found);
        }
        let inner = self.made_by[value].filter(|_| self.readers[value] == 1 && self.is_full(value));
        let Some(at) = inner else { return false };
        found.inner.push(at);
        self.instruction(at, tree, found)
    }

    fn operand(&self, value: usize, k: usize, found: &mut Found) -> bool {
        let single = self.is_single(value);
        let fits = if k < found.formula.full() { !single && self.is_full(value) } else { single };
        if found.operands.len() <= k {
            found.operands.resize(k + 1, None);
        }
        let same = found.operands[k].is_none_or(|other| other == value);
        found.operands[k] = Some(value);
        fits && same
    }

    /// Whether it is a single number, for all elements.
    fn is_single(&self, value: usize) -> bool {
        matches!(self.coder.all[value].place, Some(Place::Constant(_) | Place::Scalar(_)))
    }

    /// Whether it has as many columns as the result.
    fn is_full(&self, value: usize) -> bool {
        self.coder.all[value].cols == self.coder.all[self.coder.code[self.at].output].cols
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Graph;
    use crate::matrix::Matrix;
    use crate::program::Program;
    use crate::program::schedule::Step;
    use crate::scalar::Real;
    use crate::var::Var;

    fn formulas(program: &Program<f64>) -> Vec<Formula> {
        let kernels =
            program.steps.iter().filter_map(|step| if let Step::Fused(kernel) = step { Some(kernel) } else { None });
        let actions = kernels.flat_map(|kernel| &kernel.code).map(|instruction| instruction.action);
        actions.filter_map(|action| if let Action::Compute(formula) = action { Some(formula) } else { None }).collect()
    }

    /// The formulas of a program of `outputs`, which has the bits that they have on demand.
    fn found(outputs: &[Var<'_, f64>]) -> Vec<Formula> {
        let graph = outputs[0].graph();
        let mut program = graph.compile(&[], &[], outputs).unwrap();
        program.execute().unwrap();
        for (i, output) in outputs.iter().enumerate() {
            assert_eq!(program.output(i), output.value(), "output {i}");
        }
        formulas(&program)
    }

    /// A variable of 40 rows and 30 columns, positive.
    fn variable(graph: &Graph<f64>, seed: usize) -> Var<'_, f64> {
        graph.variable(Matrix::from_fn(40, 30, |i, j| {
            f64::from(u8::try_from((i * 31 + j * 17 + seed) % 97).unwrap()) / 50.0 + 0.01
        }))
    }

    #[test]
    fn updates_and_rectifiers_are_found() {
        let graph = Graph::new();
        let [w, g, s, m] = [1, 2, 3, 4].map(|seed| variable(&graph, seed));
        let rate = graph.variable(0.01);
        let square = (s * 0.9 + g.square() * 0.1).flush_subnormal();
        let rms_prop = w - g * rate * (square + 1e-7).rsqrt();
        assert_eq!(found(&[square, rms_prop]), [Formula::MeanSquare, Formula::RmsProp]);
        let mean = (m * 0.9 + g * 0.1).flush_subnormal();
        let adam = w - rate * mean / (square.sqrt() / graph.variable(0.3) + 1e-8);
        assert_eq!(found(&[mean, square, adam]), [Formula::MeanSquare, Formula::Mean, Formula::Adam]);
        let velocity = (m * 0.9 + g).flush_subnormal();
        assert_eq!(found(&[velocity, w - velocity * rate]), [Formula::Velocity, Formula::Descent]);
        let bias = graph.variable(Matrix::from_fn(1, 30, |_, j| f64::from(u8::try_from(j).unwrap()) - 15.0));
        let hidden = (w + bias).relu();
        assert_eq!(found(&[hidden]), [Formula::ReluOfSum]);
        let behind = hidden.gt(hidden.scalar(0.0)).select(g, g.scalar(0.0)).flush_subnormal();
        assert_eq!(found(&[behind]), [Formula::ReluOfSum, Formula::BehindRelu]);
    }

    #[test]
    fn updates_are_made_where_the_states_are() {
        fn check(updates: &[(Var<'_, f64>, Var<'_, f64>)], registers: usize) {
            let mut program = updates[0].0.graph().compile(&[], updates, &[]).unwrap();
            let [Step::Fused(kernel)] = program.steps.as_slice() else { panic!("{:?}", program.steps) };
            assert_eq!((kernel.registers, kernel.stores.len()), (registers, registers));
            program.execute().unwrap();
            for (state, value) in updates {
                assert_eq!(program.state(state.id()).unwrap(), value.value());
            }
        }
        let graph = Graph::new();
        let [w, g, s] = [1, 2, 3].map(|seed| variable(&graph, seed));
        let square = (s * 0.9 + g.square() * 0.1).flush_subnormal();
        check(&[(s, square), (w, w - g * 0.01 * (square + 1e-7).rsqrt())], 0);
        // Read twice by one formula, it may not be written over meanwhile.
        let graph = Graph::new();
        let w = variable(&graph, 1);
        check(&[(w, w - w * 0.01)], 1);
    }

    /// How many instructions the kernel of a program of both has, which gives the bits that they have on demand.
    fn instructions(outputs: [Var<'_, f64>; 2]) -> usize {
        let mut program = outputs[0].graph().compile(&[], &[], &outputs).unwrap();
        program.execute().unwrap();
        for (i, output) in outputs.iter().enumerate() {
            assert_eq!(program.output(i), output.value(), "output {i}");
        }
        let [Step::Fused(kernel)] = program.steps.as_slice() else { panic!("{:?}", program.steps) };
        kernel.code.len()
    }

    #[test]
    fn a_pair_adds_up_its_own_operand() {
        let graph = Graph::new();
        let (x, w) = (variable(&graph, 1), variable(&graph, 2));
        let bias = graph.variable(Matrix::from_fn(1, 30, |_, j| f64::from(u8::try_from(j).unwrap()) * 0.1 - 1.5));
        let pair = |z: Var<'_, f64>| instructions([z.tanh(), z.sech_squared()]);
        assert_eq!(pair(x + bias), 1, "a row");
        assert_eq!(pair(x + w), 1, "a matrix");
        assert_eq!(pair(x - 2.0 + bias), 2, "a matrix that is computed");
        assert_eq!(pair(x + 0.5), 2, "a number");
        assert_eq!(pair(x + x), 2, "itself");
        assert_eq!(instructions([(x + bias).sigmoid(), (-(x + bias)).sigmoid()]), 1, "sigmoids");
        let z = x + bias;
        assert_eq!(instructions([z.tanh() + z, z.sech_squared()]), 3, "a sum that is read besides");
        let tall = graph.variable(Matrix::from_fn(500, 30, |i, j| f64::from_usize(i + 7 * j) * 1e-3 - 0.3));
        assert_eq!(pair(tall + bias), 1, "several blocks");
        let product =
            tall.matmul(graph.variable(Matrix::from_fn(30, 64, |i, j| f64::from_usize(i * 3 + j) * 0.01 - 0.5)));
        let wide = graph.variable(Matrix::from_fn(1, 64, |_, j| f64::from_usize(j) * 0.02));
        assert_eq!(pair(product + wide), 1, "behind a product in bands");
        let long = graph.variable(Matrix::from_fn(2, 3000, |i, j| f64::from_usize(j + 11 * i) * 1e-3 - 1.5));
        let row = graph.variable(Matrix::from_fn(1, 3000, |_, j| f64::from_usize(j % 70) * 0.05 - 2.0));
        assert_eq!(pair(long + row), 1, "one row at a time");
        for (rows, cols) in [(7, 8), (8, 8), (13, 8), (77, 16), (500, 32), (300, 2)] {
            let x = graph.variable(Matrix::from_fn(rows, cols, |i, j| f64::from_usize(7 * i + j) * 1e-2 - 1.0));
            let row = graph.variable(Matrix::from_fn(1, cols, |_, j| f64::from_usize(j) * 0.1 - 0.7));
            assert_eq!(pair(x + row), 1, "{rows} times");
            assert_eq!(pair(row + x), 1, "the same, the other way round");
            let z = row + x;
            assert_eq!(instructions([z.tanh() * row, z.sech_squared()]), 2, "a row that is read besides");
        }
    }

    #[test]
    fn what_is_wanted_besides_or_differs_is_no_formula() {
        let graph = Graph::new();
        let [w, g, s] = [1, 2, 3].map(|seed| variable(&graph, seed));
        let sum = s * 0.9 + g.square() * 0.1;
        assert_eq!(found(&[sum.flush_subnormal(), sum]), [], "the sum is an output");
        assert_eq!(found(&[sum.flush_subnormal(), sum.exp()]), [], "the sum is read twice");
        assert_eq!(found(&[sum.flush_subnormal(), sum.sum()]), [], "the sum is added up");
        assert_eq!(found(&[w - g * s]), [], "the rate is a matrix");
        let column = graph.variable(Matrix::from_fn(40, 1, |i, _| f64::from(u8::try_from(i).unwrap())));
        assert_eq!(found(&[w - column * 0.5]), [], "the gradient is a column");
    }
}
