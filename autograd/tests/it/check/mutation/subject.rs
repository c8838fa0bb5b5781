//! What mutants are put into, and what derivatives come out of it.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};

use autograd::check::{Check, Report};
use autograd::op::{Case, Domain};
use autograd::{Graph, Matrix, Op, Program, Real, Shape, Var};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};

use super::mutant::Mutant;
use crate::check::every_op::{kinky, operand, shapes};
use crate::check::rivals::{self, Random};
use crate::operations::dominance;
use crate::recipe::{Recipe, Statement, recipes_around};

/// A function of matrices with one number as value: a weighted sum of all that a graph computes.
pub(crate) struct Subject {
    pub(crate) recipe: Recipe,
    /// The line on which the operation stands that is mutated.
    pub(crate) line: usize,
    /// Whether it is the operation alone.
    alone: bool,
}

/// Where a mutant was recorded: which node of the graph, and the line of this file.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Place {
    pub(crate) node: usize,
    pub(crate) line: u32,
}

impl Subject {
    /// A graph that has no mutant.
    pub(crate) fn healthy(recipe: Recipe) -> Self {
        Self { recipe, line: usize::MAX, alone: false }
    }

    pub(crate) fn record<'g, T: Real>(
        &self,
        x: &[Var<'g, T>],
        mutant: Option<&Mutant>,
        place: Option<&Cell<Place>>,
    ) -> Var<'g, T> {
        let graph = x[0].graph();
        let apply = |line: usize, op: Op, operands: &[Var<'g, T>]| match mutant {
            Some(mutant) if line == self.line => {
                if let Some(place) = place {
                    place.set(Place { node: graph.len(), line: line!() + 2 });
                }
                graph.custom(mutant.clone(), operands)
            }
            _ => graph.try_apply(op, operands).unwrap(),
        };
        let values = self.recipe.record_by(graph, x, apply);
        let y = if self.alone {
            values[self.line].reshape(values[self.line].shape().len(), 1)
        } else {
            self.recipe.joined(&values, x)
        };
        let mut random = Random::new(77);
        let weights = Matrix::from_fn(y.rows(), 1, |_, _| {
            let size = 0.25 + 0.75 * random.uniform();
            if random.below(2) == 0 { size } else { -size }
        });
        (y * graph.constant(weights.cast::<T>())).sum()
    }

    /// What the checker says, and where the mutant is.
    pub(crate) fn check<T: Real>(&self, check: &Check, mutant: Option<&Mutant>) -> (Report, Place) {
        let place = Cell::default();
        let point: Vec<Matrix<T>> = self.recipe.point().iter().map(Matrix::cast).collect();
        let inputs: Vec<(&str, &Matrix<T>)> = point.iter().map(|x| ("x", x)).collect();
        let report = check.named(&inputs, |x| self.record(x, mutant, Some(&place)));
        (report, place.get())
    }

    /// The operation of the line, and the values of its operands.
    pub(crate) fn operation(&self) -> (Op, Vec<Matrix<f64>>, Shape) {
        let graph = Graph::<f64>::new();
        let x: Vec<_> = self.recipe.point().iter().map(|x| graph.variable(x)).collect();
        let values = self.recipe.record(&graph, &x);
        let Statement::Apply(op, operands) = &self.recipe.statements()[self.line] else { panic!("it is a leaf") };
        (*op, operands.iter().map(|operand| values[*operand].value()).collect(), values[self.line].shape())
    }
}

impl Subject {
    /// Whether derivatives flow through operand `slot` of the operation: from a variable to it, and from it to the value.
    pub(crate) fn flows_to(&self, slot: usize) -> bool {
        let statements = self.recipe.statements();
        let paths = |operands: &[usize], op: Op, on: &[bool]| {
            operands.iter().enumerate().any(|(slot, operand)| op.differentiable(slot) && on[*operand])
        };
        let mut moves: Vec<bool> = Vec::new();
        for statement in statements {
            moves.push(match statement {
                Statement::Variable(_) => true,
                Statement::Constant(_) => false,
                Statement::Apply(op, operands) => paths(operands, *op, &moves),
            });
        }
        let mut counts = vec![false; statements.len()];
        self.recipe.results().into_iter().for_each(|line| counts[line] = true);
        for (line, statement) in statements.iter().enumerate().rev().filter(|_| !self.alone) {
            if let (Statement::Apply(op, operands), true) = (statement, counts[line]) {
                let flows = operands.iter().enumerate().filter(|(slot, _)| op.differentiable(*slot));
                flows.for_each(|(_, operand)| counts[*operand] = true);
            }
        }
        let Statement::Apply(op, operands) = &statements[self.line] else { panic!("it is a leaf") };
        counts[self.line] && op.differentiable(slot) && moves[operands[slot]]
    }
}

/// The derivatives that a graph claims to have, and its value as a function of numbers.
pub(crate) struct Derivatives {
    pub(crate) x: Vec<f64>,
    pub(crate) gradient: Vec<f64>,
    /// Products of the Hessian with three directions.
    pub(crate) products: Vec<Vec<f64>>,
    /// The value, and the products of the gradient with the directions.
    program: RefCell<Program<f64>>,
}

const DIRECTIONS: usize = 3;

impl Derivatives {
    /// `None` if they cannot be recorded.
    pub(crate) fn of(subject: &Subject, mutant: Option<&Mutant>) -> Option<Self> {
        catch_unwind(AssertUnwindSafe(|| Self::record(subject, mutant))).ok()
    }

    fn record(subject: &Subject, mutant: Option<&Mutant>) -> Self {
        let graph = Graph::<f64>::new();
        let point = subject.recipe.point();
        let x: Vec<_> = point.iter().map(|x| graph.variable(x)).collect();
        let y = subject.record(&x, mutant, None);
        let gradient = y.gradient_or_zero(x.as_slice());
        let mut random = Random::new(2027);
        let mut outputs = vec![y];
        let mut products = Vec::new();
        for _ in 0..DIRECTIONS {
            let mut slope = graph.filled(1, 1, 0.0);
            for (x, g) in point.iter().zip(&gradient) {
                let v = Matrix::from_fn(x.rows(), x.cols(), |_, _| random.normal());
                slope = slope + (*g * graph.constant(v)).sum();
            }
            outputs.push(slope);
            products.push(slope.gradient_or_zero(x.as_slice()));
        }
        let program = RefCell::new(graph.compile(&x, &[], &outputs).unwrap());
        // Numbers are read last: one that was read could have decided what is compiled.
        let products = products.iter().map(|product| numbers(product)).collect();
        Self { x: flat(&point), gradient: numbers(&gradient), products, program }
    }

    pub(crate) fn is_finite(&self) -> bool {
        self.gradient.iter().chain(self.products.iter().flatten()).all(|x| x.is_finite())
    }

    /// Whether derivatives differ by more than twice what the checker allows them to be off by.
    pub(crate) fn differ(&self, other: &Self) -> bool {
        let size = largest(&self.gradient).max(largest(&other.gradient)).max(1.0);
        let all = |own: &Self| own.products.iter().flatten().copied().collect::<Vec<_>>();
        let (own, others) = (all(self), all(other));
        let second = largest(&own).max(largest(&others)).max(size);
        apart(&self.gradient, &other.gradient, size) || apart(&own, &others, second)
    }

    fn evaluate(&self, output: usize, x: &[f64]) -> f64 {
        let mut program = self.program.borrow_mut();
        let mut x = x.iter();
        for k in 0..program.inputs() {
            program.input_mut(k).iter_mut().zip(&mut x).for_each(|(input, x)| *input = *x);
        }
        match program.execute() {
            Ok(()) => program.output_slice(output)[0],
            Err(_) => f64::NAN,
        }
    }

    /// Which rivals find something wrong, each in first order and, where it finds nothing, in second.
    pub(crate) fn found_by_rivals(&self, seed: u64) -> [bool; RIVALS.len()] {
        let f = |x: &[f64]| self.evaluate(0, x);
        let h = |x: &[f64]| self.evaluate(1, x);
        let orders: [(&rivals::Value<'_>, &[f64]); 2] = [(&f, &self.gradient), (&h, &self.products[0])];
        core::array::from_fn(|k| {
            let mut random = Random::new(seed);
            !orders.iter().all(|(f, gradient)| match k {
                0 => rivals::torch_slow(f, gradient, &self.x),
                1 => rivals::torch_fast(f, gradient, &self.x, &mut random),
                2 => rivals::jax(f, gradient, &self.x, 1e-5, &mut random),
                3 => rivals::hips(f, gradient, &self.x, &mut random),
                _ => rivals::chainer(f, gradient, &self.x, &mut random),
            })
        })
    }
}

/// Checkers whose rules judge the same corpus.
pub(crate) const RIVALS: [&str; 5] = ["PyTorch slow", "PyTorch fast", "JAX", "HIPS", "Chainer"];

fn apart(a: &[f64], b: &[f64], size: f64) -> bool {
    !a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 2.0 * (1e-10 * size + 1e-7 * a.abs().max(b.abs())))
}

fn largest(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |max: f64, x| max.max(x.abs()))
}

fn numbers(of: &[Var<'_, f64>]) -> Vec<f64> {
    flat(&of.iter().map(|x| x.value()).collect::<Vec<_>>())
}

fn flat(of: &[Matrix<f64>]) -> Vec<f64> {
    of.iter().flat_map(Matrix::as_slice).copied().collect()
}

/// The operation of an example alone, broadcast along rows and along columns if it is: away from kinks, or on them.
pub(crate) fn alone(case: &Case, state: &mut u64, on_kinks: bool) -> Vec<Subject> {
    let own = |state: &mut u64, domain: Domain, shape: Shape| {
        if domain == Domain::Dominant {
            let small = operand(state, Domain::between(-0.5, 0.5), shape);
            return Matrix::from_fn(shape.rows, shape.cols, |i, j| small[(i, j)] + dominance(i, j));
        }
        if on_kinks { kinky(state, domain, shape) } else { operand(state, domain, shape) }
    };
    let mut subject = |shapes: Vec<Shape>| {
        let leaves = case.domains.iter().zip(&shapes).enumerate().map(|(slot, (domain, shape))| {
            let value = own(state, *domain, *shape);
            if case.op.differentiable(slot) { Statement::Variable(value) } else { Statement::Constant(value) }
        });
        let mut statements: Vec<_> = leaves.collect();
        statements.push(Statement::Apply(case.op, (0..case.domains.len()).collect()));
        Subject { line: case.domains.len(), recipe: Recipe::of(statements), alone: true }
    };
    let arrangements = shapes(case);
    let chosen: &[usize] = if arrangements.len() > 2 { &[2, 3] } else { &[0] };
    chosen.iter().map(|k| subject(arrangements[*k].clone())).collect()
}

/// The operation of an example in small random graphs: `count` of those whose derivatives are finite and depend on its own.
pub(crate) fn embedded(case: &Case, seed: u64, count: usize) -> Vec<Subject> {
    let config = Config { rng_seed: RngSeed::Fixed(seed), ..Config::default() };
    let mut runner = TestRunner::new(config);
    let strategy = recipes_around(case.clone(), 3);
    let drawn = (0..40 * count).filter_map(|_| strategy.new_tree(&mut runner).unwrap().current());
    let subjects = drawn.map(|(recipe, line)| Subject { recipe, line, alone: false });
    subjects
        .filter(|subject| subject.recipe.is_differentiable() && !subject.operation().2.is_empty())
        .take(count)
        .collect()
}
