{
    use autograd::op::*;
    use autograd::{Axis::*, Matrix, Op, Shape};
    use {Compare::*, Direction::*, Part::*, Round::*, SortOrder::*};
    let apply = |op: Op, x: &[_]| graph.try_apply(op, x).unwrap();
    let x0 = graph.variable([[0.5, -1.25, 2.0], [0.0, -0.0, 1.0]]);
    let x1 = graph.constant(f64::NEG_INFINITY);
    let x2 = apply(Op::Clamp(Clamp { low: Bits::new(-0.5), high: Bits::new(f64::INFINITY) }), &[x0]);
    let x3 = apply(Op::Powf(Powf(Bits::new(1.5))), &[x2]);
    let x4 = apply(Op::Compare(LessOrEqual), &[x1, x0]);
    let x5 = apply(Op::Select(Select), &[x4, x3, x0]);
    let x6 = apply(Op::Sum(Sum(Some(Rows))), &[x5]);
    let x7 = apply(Op::MatMul(MatMul { transpose_left: false, transpose_right: true }), &[x5, x6]);
    let x8 = apply(Op::Slice(Slice { start: (0, 2), shape: Shape { rows: 2, cols: 2 }, step: (1, -2) }), &[x5]);
    let x9 = apply(Op::Triangle(Triangle { part: Lower, offset: -1 }), &[x8]);
    let x10 = apply(Op::CumSum(CumSum(Backward)), &[x9]);
    let x11 = apply(Op::ArgSort(ArgSort(Descending)), &[x7]);
    let x12 = apply(Op::Round(TiesEven), &[x10]);
    let x13 = graph.constant(Matrix::new(0, 2, vec![]));
    [x11, x12, x13]
}
