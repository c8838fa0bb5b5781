//! 100,000 random graphs in each element type: what must hold of every graph holds of each.

use std::cell::Cell;

use autograd::{Graph, Matrix, Real, Var};

use crate::recipe::{Recipe, recipes, wild_recipes};
use crate::support::{Verdict, dot, for_all_from, values};

/// Steps of a graph.
const STEPS: usize = 8;

/// How many.
const GRAPHS: u32 = 100_000;

/// Non-uniform numbers in -1..=1, none of them 0: multiples of 1/16, so exact.
fn numbers<T: Real>(rows: usize, cols: usize, seed: usize) -> Matrix<T> {
    Matrix::from_fn(rows, cols, |i, j| {
        let k = (i * cols + j) * 7 + seed * 5;
        T::from_f64(
            (f64::from(u32::try_from(k % 16).unwrap()) + 1.0) / 16.0 * if k.is_multiple_of(3) { -1.0 } else { 1.0 },
        )
    })
}

fn all_finite<T: Real>(of: &[Matrix<T>]) -> bool {
    of.iter().flat_map(Matrix::as_slice).all(|x| x.is_finite())
}

/// A graph with products of its Jacobian `J` recorded.
struct Products<'g, T: Real> {
    x: Vec<Var<'g, T>>,
    /// Tangents and cotangent.
    u: Vec<Var<'g, T>>,
    v: Var<'g, T>,
    /// The value, `Jᵀ v` and `J u`.
    y: Var<'g, T>,
    pulled: Vec<Var<'g, T>>,
    pushed: Var<'g, T>,
    /// Nodes before the derivatives.
    primal: usize,
}

impl<'g, T: Real> Products<'g, T> {
    fn record(recipe: &Recipe, graph: &'g Graph<T>) -> Self {
        let x: Vec<_> = recipe.point().iter().map(|x| graph.variable(x.cast::<T>())).collect();
        let y = recipe.column(graph, &x);
        let u: Vec<_> = x.iter().enumerate().map(|(k, x)| graph.constant(numbers(x.rows(), x.cols(), k))).collect();
        // The variables themselves stand at the end of the column: they get no cotangent.
        let own: usize = x.iter().map(|x| x.shape().len()).sum();
        let results = y.rows() - own;
        let weights = numbers::<T>(y.rows(), 1, 3);
        let v = Matrix::from_fn(y.rows(), 1, |i, _| if i < results { weights[(i, 0)] } else { T::ZERO });
        let v = graph.constant(v);
        let primal = graph.len();
        let pulled = y.vjp(v, x.as_slice());
        let pushed = y.jvp(x.clone(), u.clone());
        Self { x, u, v, y, pulled, pushed, primal }
    }

    fn outputs(&self) -> Vec<Var<'g, T>> {
        [self.y, self.pushed].into_iter().chain(self.pulled.iter().copied()).collect()
    }

    /// A program that is fed the variables gives the bits of values on demand.
    fn same_bits_compiled(&self, graph: &'g Graph<T>) -> Verdict {
        let outputs = self.outputs();
        let mut program = graph.compile(&self.x, &[], &outputs).map_err(|error| error.to_string())?;
        let fed: Vec<_> = self.x.iter().map(|x| x.peek()).collect();
        program.run(&fed.iter().collect::<Vec<_>>()).map_err(|error| error.to_string())?;
        for (i, output) in outputs.iter().enumerate() {
            let on_demand = output.peek();
            for (k, (a, b)) in program.output_slice(i).iter().zip(on_demand.as_slice()).enumerate() {
                let same = a.to_f64().to_bits() == b.to_f64().to_bits() || a.is_nan() && b.is_nan();
                if !same {
                    return Err(format!("{} output {i}, element {k}: compiled {a:e}, on demand {b:e}", T::NAME));
                }
            }
        }
        Ok(())
    }

    /// `⟨v, J u⟩ = ⟨Jᵀ v, u⟩`. `None` where a product is not finite.
    ///
    /// In most graphs the two differ by less than [`FEW`] units in the last place of the terms that are added up. Where
    /// terms of a product have cancelled before, that is less than rounding may do, and the bound is
    /// [`derived`](Self::rounding).
    fn adjoint(&self, graph: &'g Graph<T>) -> Option<Verdict> {
        let (pulled, pushed) = (values(&self.pulled), self.pushed.value());
        if !all_finite(&pulled) || !all_finite(core::slice::from_ref(&pushed)) {
            return None;
        }
        let (u, v) = (values(&self.u), self.v.value());
        let absolute = |x: &Matrix<T>| x.map(T::abs);
        let left = dot(&v, &pushed);
        let right: f64 = pulled.iter().zip(&u).map(|(pulled, u)| dot(pulled, u)).sum();
        let terms = dot(&absolute(&v), &absolute(&pushed))
            + pulled.iter().zip(&u).map(|(pulled, u)| dot(&absolute(pulled), &absolute(u))).sum::<f64>();
        let error = (left - right).abs();
        if error <= FEW * T::EPSILON.to_f64() * terms {
            return Some(Ok(()));
        }
        let bound = self.rounding(graph);
        let verdict =
            format!("{}: ⟨v, J u⟩ = {left:e}, ⟨Jᵀ v, u⟩ = {right:e} differ by {error:e}, not {bound:e}", T::NAME);
        Some(if error <= bound { Ok(()) } else { Err(verdict) })
    }

    /// What rounding may do to `⟨v, J u⟩ - ⟨Jᵀ v, u⟩`, to first order: each node of the derivatives is wrong by up to
    /// [`ULPS`] units of its magnitude, and the difference moves by the derivative with respect to that node times the error.
    /// Nodes of the value itself are the same numbers in both modes. The magnitude of a node that adds up is that of the
    /// sum of magnitudes.
    fn rounding(&self, graph: &'g Graph<T>) -> f64 {
        let last = self.outputs().iter().map(|output| output.id().index()).max().unwrap();
        let nodes = graph.vars().take(last + 1).skip(self.primal);
        let nodes: Vec<Var<'g, T>> = nodes.filter(|node| !node.op().is_leaf()).collect();
        let left = (self.v * self.pushed).sum();
        let right: Var<'_, T> = self.pulled.iter().zip(&self.u).map(|(pulled, u)| (*pulled * *u).sum()).sum();
        let sensitivities = (left - right).gradient_or_zero(nodes.as_slice());
        let unit = T::EPSILON.to_f64();
        let moved = |(node, sensitivity): (&Var<'g, T>, &Var<'g, T>)| {
            let magnitude = magnitude(*node);
            let elements = magnitude.as_slice().iter().zip(sensitivity.value().into_vec());
            let felt = elements.filter(|(_, s)| *s != T::ZERO);
            felt.map(|(m, s)| (m.to_f64() * unit + T::MIN_POSITIVE.to_f64()) * s.abs().to_f64()).sum::<f64>()
        };
        ULPS * nodes.iter().zip(&sensitivities).map(moved).sum::<f64>()
    }
}

/// Units in the last place of the added terms.
const FEW: f64 = 4.0;
/// What a sum of up to 1024 numbers may be wrong by in units of the sum of magnitudes (the guide's chapter on numerics), and
/// more than any other operation.
const ULPS: f64 = 16.0;

/// The magnitudes of a node's elements: those of the operation on the magnitudes of the operands if it adds up.
fn magnitude<T: Real>(node: Var<'_, T>) -> Matrix<T> {
    let own = node.value().map(T::abs);
    if node.op().is_pointwise() {
        return own;
    }
    let graph = Graph::new();
    let operands: Vec<_> = node.operands().iter().map(|x| graph.variable(x.value().map(T::abs))).collect();
    let added = graph.try_apply(node.op(), &operands).unwrap().value();
    Matrix::from_fn(
        own.rows(),
        own.cols(),
        |i, j| if added[(i, j)] > own[(i, j)] { added[(i, j)] } else { own[(i, j)] },
    )
}

/// What holds of a graph whatever its numbers are.
fn well_formed<T: Real>(recipe: &Recipe) -> Verdict {
    let graph = Graph::<T>::new();
    let products = Products::record(recipe, &graph);
    graph.verify()?;
    products.same_bits_compiled(&graph)
}

/// Every law for one graph; whether its derivatives could be compared.
fn laws<T: Real>(recipe: &Recipe) -> Result<bool, String> {
    let graph = Graph::<T>::new();
    let products = Products::record(recipe, &graph);
    graph.verify()?;
    products.same_bits_compiled(&graph)?;
    let adjoint = products.adjoint(&graph);
    let compared = adjoint.is_some();
    adjoint.unwrap_or(Ok(()))?;
    Ok(compared)
}

fn hold_for_all<T: Real>(seed: u64) {
    let compared = Cell::new(0);
    for_all_from(seed, GRAPHS, T::NAME, &recipes(STEPS), |recipe| {
        compared.set(compared.get() + u32::from(laws::<T>(&recipe)?));
        Ok(())
    });
    assert!(compared.get() >= GRAPHS / 100 * 99, "the derivatives of {} of {GRAPHS} graphs are finite", compared.get());
}

#[test]
fn laws_hold_in_random_graphs_of_f64() {
    hold_for_all::<f64>(1);
}

#[test]
fn laws_hold_in_random_graphs_of_f32() {
    hold_for_all::<f32>(2);
}

#[test]
fn nothing_breaks_in_random_graphs_of_numbers_that_are_none() {
    for_all_from(3, GRAPHS / 10, "wild", &wild_recipes(STEPS), |recipe| {
        well_formed::<f64>(&recipe)?;
        well_formed::<f32>(&recipe)
    });
}

/// A derivative that is off by a few parts in a billion is seen, where the product does not happen to be 0.
#[test]
fn products_that_are_not_adjoint_are_noticed() {
    let (seen, compared) = (Cell::new(0), Cell::new(0));
    for_all_from(4, 1000, "planted", &recipes(STEPS), |recipe| {
        let graph = Graph::<f64>::new();
        let mut products = Products::record(&recipe, &graph);
        let exact = dot(&products.v.value(), &products.pushed.value());
        products.pushed = products.pushed * (1.0 + 4e-9);
        if exact.is_finite() && exact.abs() > 1e-6 {
            compared.set(compared.get() + 1);
            seen.set(seen.get() + u32::from(products.adjoint(&graph).is_some_and(|verdict| verdict.is_err())));
        }
        Ok(())
    });
    assert!(compared.get() > 500, "{} graphs have a product", compared.get());
    assert!(seen.get() * 100 >= compared.get() * 99, "{} of {} are seen", seen.get(), compared.get());
}
