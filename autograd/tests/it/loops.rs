//! Loops whose number of steps depends on values.

use autograd::{Graph, Matrix, Var};
use proptest::prelude::*;

use crate::support::{close, dyadic, for_all};

/// Newton's iteration for `√x`, until two iterates agree.
fn newton_root<'g>(x: Var<'g, f64>) -> Var<'g, f64> {
    let mut root = (x + 1.0) * 0.5;
    loop {
        let next = (root + x / root) * 0.5;
        if (next.item() - root.item()).abs() <= 1e-12 * next.item() {
            return next;
        }
        root = next;
    }
}

/// How often a number is halved until it is at most 1, and what remains.
fn halved<'g>(x: Var<'g, f64>) -> (Var<'g, f64>, i32) {
    let (mut rest, mut times) = (x, 0);
    while rest.item() > 1.0 {
        rest = rest * 0.5;
        times += 1;
    }
    (rest, times)
}

/// The last steps of a converged Newton iteration have derivatives that no longer depend on the first guess:
/// each step squares the error of the first derivative too.
#[test]
fn a_square_root_iterated_to_convergence_has_the_derivatives_of_the_square_root() {
    for_all(200, "roots", &(1..=64 * 1024).prop_map(|k| f64::from(k) / 1024.0), |x| {
        let graph = Graph::new();
        let x = graph.variable(x);
        let value = x.item();
        let root = newton_root(x);
        let first = root.gradient(x);
        let second = first.gradient(x);
        let expected = [value.sqrt(), 0.5 / value.sqrt(), -0.25 / (value * value.sqrt())];
        for (what, found, expected) in
            [("root", root, expected[0]), ("first", first, expected[1]), ("second", second, expected[2])]
        {
            // The error of the last guess is 1e-12, that of its derivatives some times larger.
            close(what, &found.value(), &Matrix::scalar(expected), 1e-9 * (1.0 + expected.abs()))?;
        }
        Ok(())
    });
}

#[test]
fn a_loop_that_halves_has_the_slope_of_its_number_of_steps() {
    for_all(200, "halvings", &dyadic(1, 1000), |value| {
        let graph = Graph::new();
        let x = graph.variable(value);
        let (rest, times) = halved(x);
        let expected = 0.5f64.powi(times);
        close("rest", &rest.value(), &Matrix::scalar(value * expected), 0.0)?;
        close("slope", &rest.gradient(x).value(), &Matrix::scalar(expected), 0.0)
    });
}

/// `f(x) = x³ (x/2ᵏ)`, where a loop finds `k`: derived twice, and as the tangent of a gradient.
#[test]
fn a_function_with_a_loop_inside_is_differentiated_twice() {
    for_all(200, "functions with a loop", &dyadic(1, 20), |value| {
        let graph = Graph::new();
        let x = graph.variable(value);
        let (rest, times) = halved(x);
        let y = x.powi(3) * rest;
        let scale = 0.5f64.powi(times);
        let first = y.gradient(x);
        let second = first.gradient(x);
        let tangent = first.jvp(x, graph.constant(1.0));
        // Some ten products of exact numbers, each rounded once.
        let near = |what: &str, found: Var<'_, f64>, expected: f64| {
            close(what, &found.value(), &Matrix::scalar(expected), 16.0 * f64::EPSILON * expected)
        };
        near("first", first, 4.0 * value.powi(3) * scale)?;
        near("second", second, 12.0 * value.powi(2) * scale)?;
        near("tangent of the gradient", tangent, 12.0 * value.powi(2) * scale)
    });
}

/// An inner minimisation by gradient descent, as recorded, differentiated by its step.
#[test]
fn a_descent_that_records_gradients_in_a_loop_is_differentiated_itself() {
    let graph = Graph::new();
    let step = graph.variable(0.25);
    let mut x = graph.variable(1.0);
    let mut steps = 0;
    while x.square().item() > 1e-6 {
        let slope = x.square().gradient(x);
        x = x - step * slope;
        steps += 1;
    }
    // x = (1 - 2 s)ⁿ
    assert_eq!((steps, x.item()), (10, 0.5f64.powi(10)));
    assert_eq!(x.gradient(step).item(), -20.0 * 0.5f64.powi(9));
}

/// A branch on a value records one side only; at another value the other one.
#[test]
fn a_branch_has_the_derivative_of_the_side_that_was_taken() {
    for (value, slope) in [(2.0, 3.0), (-2.0, -4.0)] {
        let graph = Graph::new();
        let x = graph.variable(value);
        let y = if x.item() > 0.0 { x * 3.0 } else { x.square() };
        assert_eq!(y.gradient(x).item(), slope);
    }
}

/// A fixed point of a matrix map, iterated until it stands still: `X ↦ A X + B` with a contraction `A`.
#[test]
fn a_fixed_point_of_matrices_has_the_derivative_of_the_solution() {
    let graph = Graph::new();
    let a = graph.constant([[0.25, 0.125], [0.0, 0.5]]);
    let b = graph.variable([[1.0], [2.0]]);
    let mut x = b;
    loop {
        let next = a.matmul(x) + b;
        if (next - x).abs().max().item() <= 1e-15 {
            break;
        }
        x = next;
    }
    // ∂ Σ (I - A)⁻¹ B / ∂B = (I - A)⁻ᵀ 1, here [4/3, 4/3 · 1/8 · 2 + 2]
    let expected = Matrix::from([[4.0 / 3.0], [7.0 / 3.0]]);
    close("gradient", &x.sum().gradient(b).value(), &expected, 1e-12).unwrap();
}
