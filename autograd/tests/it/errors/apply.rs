//! What `try_apply` refuses, and that it never panics.

use autograd::op::{self, MatMul};
use autograd::{Axis, Graph, Op, Shape, Var};

use crate::errors::{said, zeros};
use crate::support::panic_of;

#[test]
fn try_apply_returns_what_the_operators_panic_with() {
    let graph = Graph::new();
    let base = line!();
    let a = graph.variable(zeros(2, 3));
    let b = graph.variable(zeros(2, 3));
    let nodes = graph.len();
    let error = graph.try_apply(MatMul::default(), &[a, b]).unwrap_err();
    assert_eq!((error.op, error.shapes.as_slice()), ("matmul", [Shape::new(2, 3); 2].as_slice()));
    assert_eq!(error.rule, "left columns (3) must equal right rows (2)");
    assert_eq!(error.origins.iter().map(|site| site.line() - base).collect::<Vec<_>>(), [1, 2]);
    let panicked = panic_of(|| a.matmul(b));
    assert_eq!(panicked.message, error.to_string());
    assert_eq!(graph.len(), nodes, "what failed is not recorded");
}

#[test]
fn try_apply_refuses_a_wrong_number_of_operands_and_leaves() {
    let graph = Graph::new();
    let x = graph.variable(zeros(2, 3));
    let rule = |op: Op, operands: &[Var<'_, f64>]| graph.try_apply(op, operands).unwrap_err().rule;
    assert_eq!(rule(op::Add.into(), &[x]), "takes 2 operands, not 1");
    assert_eq!(rule(op::Exp.into(), &[x, x]), "takes 1 operands, not 2");
    assert_eq!(rule(op::Select.into(), &[]), "takes 3 operands, not 0");
    assert_eq!(rule(op::Transpose.into(), &[]), "takes 1 operands, not 0");
    assert_eq!(rule(MatMul::default().into(), &[x, x, x]), "takes 2 operands, not 3");
    assert_eq!(rule(op::Concat(Axis::Rows).into(), &[]), "takes at least one operand");
    let unpaired = "takes pairs of operands, at least one, not 1 operands";
    assert_eq!(rule(op::SumOfProducts.into(), &[x]), unpaired);
    for leaf in [Op::Input, Op::Variable, Op::Constant] {
        assert_eq!(rule(leaf, &[]), "a leaf is made by the graph, not applied");
    }
}

#[test]
fn a_result_that_no_memory_can_hold_is_refused() {
    let graph = Graph::<f64>::new();
    let base = line!();
    let x = graph.variable(zeros(1, 1));
    let huge = usize::MAX / 2;
    let broadcast = said(base, || x.broadcast((huge, 3)));
    let scatter = said(base, || x.segment_sum(x, usize::MAX));
    let reshape = said(base, || x.reshape(huge, 3));
    let rest = "more than memory can hold";
    let one = "operand made at +1";
    let two = "left made at +1; right made at +1";
    assert_eq!(broadcast, format!("+3: broadcast: 1x1: the result would be {huge}x3, {rest}; {one}"));
    let max = usize::MAX;
    assert_eq!(scatter, format!("+4: segment_sum: 1x1 by 1x1: the result would be {max}x1, {rest}; {two}"));
    let rule = format!("1 elements cannot become {huge}x3, which has {max}");
    assert_eq!(reshape, format!("+5: reshape: 1x1: {rule}; {one}"));
}

/// Operands of every operation, in number and shape, are refused or accepted, but never a panic.
#[test]
fn try_apply_never_panics_on_shapes() {
    let graph = Graph::<f64>::new();
    let shapes = [(0, 0), (0, 3), (3, 0), (1, 1), (1, 3), (3, 1), (2, 3), (4, 5), (usize::MAX / 32, 2)];
    let inputs: Vec<_> = shapes.iter().map(|(rows, cols)| graph.input(*rows, *cols)).collect();
    for case in op::cases() {
        for x in &inputs {
            _ = graph.try_apply(case.op, &[*x]);
            for y in &inputs {
                _ = graph.try_apply(case.op, &[*x, *y]);
                for z in &inputs {
                    _ = graph.try_apply(case.op, &[*x, *y, *z]);
                }
            }
        }
    }
}
