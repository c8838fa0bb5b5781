//! Operations and derivatives of the user's own.

use autograd::op::CustomOp;
use autograd::{Graph, Matrix, Real, Shape, Var, View};

use crate::support::panic_of;

/// `x y` as an operation of the user's, which shows all that one can be: two operands, a rule for each.
struct Product;

impl<T: Real> CustomOp<T> for Product {
    fn name(&self) -> &'static str {
        "product"
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, String> {
        match operands {
            [a, b] if a.cols == b.rows => Ok(Shape::new(a.rows, b.cols)),
            _ => Err("left columns must equal right rows".to_owned()),
        }
    }

    fn forward(&self, operands: &[View<'_, T>], out: &mut [T]) {
        let (a, b) = (operands[0], operands[1]);
        let n = b.shape().cols;
        for (i, row) in a.rows().enumerate() {
            for j in 0..n {
                out[i * n + j] = row.iter().enumerate().map(|(k, &x)| x * b.as_slice()[k * n + j]).sum();
            }
        }
    }

    fn vjp<'g>(&self, g: Var<'g, T>, operands: &[Var<'g, T>], _: Var<'g, T>) -> Vec<Option<Var<'g, T>>> {
        vec![Some(g.matmul(operands[1].transpose())), Some(operands[0].transpose().matmul(g))]
    }
}

fn example(graph: &Graph<f64>) -> [Var<'_, f64>; 2] {
    [graph.variable([[1.0, -2.0], [0.5, 3.0]]), graph.variable([[2.0, 0.25], [-1.0, 4.0]])]
}

/// A function of a product, once by the user's operation and once by the built-in one.
fn loss<'g>(product: Var<'g, f64>) -> Var<'g, f64> {
    (product.tanh() * product).sum()
}

#[test]
fn an_operation_of_the_users_has_all_derivatives_of_the_built_in_one() {
    let graph = Graph::new();
    let [a, b] = example(&graph);
    let (ours, theirs) = (loss(a.matmul(b)), loss(graph.custom(Product, &[a, b])));
    assert_eq!(ours.item(), theirs.item());
    let first = |y: Var<'_, f64>| y.gradient([a, b]).map(|g| g.value());
    assert_eq!(first(ours), first(theirs));
    let tangent = [b, a];
    approx::assert_relative_eq!(ours.jvp([a, b], tangent).item(), theirs.jvp([a, b], tangent).item(), epsilon = 1e-12);
    let second = |y: Var<'_, f64>| y.hessian([a, b]).value();
    approx::assert_relative_eq!(second(ours), second(theirs), epsilon = 1e-12);
}

#[test]
fn a_program_runs_operations_of_the_users() {
    let graph = Graph::new();
    let [a, b] = example(&graph);
    let y = graph.custom(Product, &[a, b]);
    let da = loss(y).gradient(a);
    let mut program = graph.compile(&[a], &[], &[y, da]).unwrap();
    program.run(&[&a.peek()]).unwrap();
    assert_eq!((program.output(0), program.output(1)), (y.peek(), da.peek()));
}

#[test]
fn refused_operands_are_an_error_at_the_users_line() {
    let graph = Graph::<f64>::new();
    let x = graph.variable(Matrix::zeros(2, 3));
    let caught = panic_of(|| graph.custom(Product, &[x, x]));
    let start = "product: 2x3 by 2x3: left columns must equal right rows; left made at";
    assert!(caught.message.starts_with(start), "{}", caught.message);
}

#[test]
fn a_rule_that_gives_a_cotangent_of_another_shape_is_an_error() {
    let graph = Graph::<f64>::new();
    let x = graph.variable([[1.0, 2.0]]);
    let wrong = x.exp().with_gradient(&[x], |g, _, _| vec![g.sum()]);
    let caught = panic_of(|| wrong.sum().gradient(x));
    let expected = "with_gradient: vjp gives a 1x1 cotangent to operand 1, which is 1x2";
    assert_eq!(caught.message, expected);
    let missing = x.exp().with_gradient(&[x], |_, _, _| vec![]);
    let caught = panic_of(|| missing.sum().gradient(x));
    assert_eq!(caught.message, "with_gradient: vjp gives no cotangent to operand 1, which is differentiable");
}

#[test]
fn a_replaced_derivative_is_used_in_both_modes_and_differentiated_again() {
    let graph = Graph::<f64>::new();
    let x = graph.variable(3.0);
    let y = x.square().with_gradient(&[x], |g, x, _| vec![g * x[0].powi(3)]);
    assert_eq!(y.item(), 9.0);
    assert_eq!(y.gradient(x).item(), 27.0);
    assert_eq!(y.jvp(x, graph.constant(2.0)).item(), 54.0);
    assert_eq!(y.gradient(x).gradient(x).item(), 27.0);
}

#[test]
fn the_value_of_a_straight_through_estimator_gets_no_derivative() {
    let graph = Graph::<f64>::new();
    let (x, s) = (graph.variable(3.0), graph.variable(4.0));
    let y = (x * x).straight_through(s * 5.0);
    assert_eq!((y.item(), y.gradient(s).item()), (9.0, 5.0));
    let caught = panic_of(|| y.gradient(x));
    assert!(caught.message.contains("the path is cut by the straight_through"), "{}", caught.message);
}

#[test]
fn a_reversed_gradient_is_that_of_the_composition_with_its_sign_changed() {
    let graph = Graph::<f64>::new();
    let x = graph.variable([[1.0, 2.0]]);
    let plain = (x * x).exp().sum().gradient(x).value();
    let reversed = (x * x).scale_gradient(-1.0).exp().sum().gradient(x).value();
    assert_eq!(reversed, plain.map(|g| -g));
}

/// A clipped gradient is no linear function of the cotangent: transposing it would give a wrong tangent.
#[test]
fn a_rule_that_is_not_linear_has_no_forward_mode() {
    let graph = Graph::<f64>::new();
    let x = graph.variable(3.0);
    let y = x.square().with_gradient(&[x], |g, x, _| {
        let dx = g * x[0] * 2.0;
        vec![dx.maximum(dx.scalar(-1.0)).minimum(dx.scalar(1.0))]
    });
    assert_eq!(y.gradient(x).item(), 1.0);
    let caught = panic_of(|| y.jvp(x, graph.constant(1.0)));
    assert_eq!(
        caught.message,
        "with_gradient: forward mode needs a vjp that is linear in its cotangent, and this one is not; write its jvp"
    );
}
