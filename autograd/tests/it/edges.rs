//! What the documentation says of values and derivatives at ±0, ±∞, NaN and of nothing is what is computed: each method
//! has a line in a fixed form, which is written here anew from the numbers and looked for in the source.

use std::panic::{AssertUnwindSafe, catch_unwind};

use autograd::op::{Direction, Frame, SortOrder};
use autograd::{Axis, Graph, Matrix, Real, Var};

use crate::docs::documentation;

type Method<T> = for<'g> fn(Var<'g, T>) -> Var<'g, T>;

const ROW: Axis = Axis::Columns;

/// Methods that work element by element on one operand, with the parameters that stand in their documentation.
fn pointwise<T: Real>() -> Vec<(&'static str, Method<T>)> {
    macro_rules! plain {
        ($($name:ident)*) => { vec![$((stringify!($name), (|x| x.$name()) as Method<T>)),*] };
    }
    let mut methods = plain![
        sigmoid softplus log_sigmoid softsign tanhshrink abs sign is_nan exp exp2 exp_m1 flush_subnormal silu mish gelu
        gelu_tanh tanh sech_squared sinh cosh asinh acosh atanh log_cosh ln ln_1p log2 log10 logit entr square sqrt recip
        rsqrt cbrt relu relu6 hardtanh hardsigmoid hardswish selu floor ceil trunc round_ties_even fract gaussian
        normal_pdf normal_cdf sparse_plus sparse_sigmoid erf erfc erfinv lgamma digamma trigamma sin cos tan asin acos atan
    ];
    let more: [(&'static str, Method<T>); 15] = [
        ("softplus_with", |x| x.softplus_with(T::from_f64(2.0))),
        ("nan_to_num", |x| x.nan_to_num(T::ZERO, T::ONE, -T::ONE)),
        ("clamp", |x| x.clamp(-T::ONE, T::ONE)),
        ("snake", |x| x.snake(T::ONE)),
        ("powi", |x| x.powi(3)),
        ("powf", |x| x.powf(T::from_f64(1.5))),
        ("leaky_relu", |x| x.leaky_relu(T::from_f64(0.5))),
        ("threshold", |x| x.threshold(T::ONE, T::from_f64(-2.0))),
        ("elu", |x| x.elu(T::from_f64(2.0))),
        ("celu", |x| x.celu(T::from_f64(2.0))),
        ("hardshrink", |x| x.hardshrink(T::ONE)),
        ("softshrink", |x| x.softshrink(T::ONE)),
        ("squareplus", |x| x.squareplus(T::from_f64(4.0))),
        ("polygamma", |x| x.polygamma(2)),
        ("scale_gradient", |x| x.scale_gradient(T::from_f64(-2.0))),
    ];
    methods.extend(more);
    methods
}

/// A number to four places.
fn shown<T: Real>(x: T) -> String {
    let x = x.to_f64();
    if x.is_nan() {
        return "NaN".to_owned();
    }
    if x.is_infinite() {
        return if x > 0.0 { "∞" } else { "-∞" }.to_owned();
    }
    let text = format!("{x:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.to_owned()
}

fn list<T: Real>(row: &[T]) -> String {
    row.iter().map(|x| shown(*x)).collect::<Vec<_>>().join(", ")
}

/// The value and, if the path is not cut, the derivative at -∞, -0, 0, ∞, NaN.
fn at_the_ends<T: Real>(method: Method<T>) -> String {
    let graph = Graph::new();
    let x = graph.variable([[T::NEG_INFINITY, -T::ZERO, T::ZERO, T::INFINITY, T::NAN]]);
    let y = method(x);
    let value = list(y.value().as_slice());
    let derivative = catch_unwind(AssertUnwindSafe(|| list(y.sum().gradient(x).value().as_slice())));
    let derivative = derivative.map_or("none".to_owned(), |derivative| derivative);
    format!("t -∞, -0, 0, ∞, NaN: {value}; derivative {derivative}.")
}

#[test]
fn pointwise_methods_say_what_they_are_at_the_ends() {
    let singles = pointwise::<f32>();
    let mut wrong = Vec::new();
    for ((name, method), (_, single)) in pointwise::<f64>().into_iter().zip(singles) {
        let line = at_the_ends(method);
        assert_eq!(line, at_the_ends(single), "{name}: f32 differs");
        if !documentation(name).contains(&line) {
            wrong.push(format!("{name}: A{line}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Methods that make one number of a row.
fn reductions() -> Vec<(&'static str, Method<f64>)> {
    vec![
        ("sum", |x| x.sum()),
        ("sum_axis", |x| x.sum_axis(ROW)),
        ("mean", |x| x.mean()),
        ("mean_axis", |x| x.mean_axis(ROW)),
        ("prod", |x| x.prod()),
        ("prod_axis", |x| x.prod_axis(ROW)),
        ("max", |x| x.max()),
        ("max_axis", |x| x.max_axis(ROW)),
        ("min", |x| x.min()),
        ("min_axis", |x| x.min_axis(ROW)),
        ("arg_max", |x| x.arg_max(ROW)),
        ("arg_min", |x| x.arg_min(ROW)),
        ("median", |x| x.median()),
        ("median_axis", |x| x.median_axis(ROW)),
        ("log_sum_exp", |x| x.log_sum_exp()),
        ("log_sum_exp_axis", |x| x.log_sum_exp_axis(ROW)),
        ("log_mean_exp", |x| x.log_mean_exp()),
        ("log_mean_exp_axis", |x| x.log_mean_exp_axis(ROW)),
        ("var", |x| x.var(0)),
        ("var_axis", |x| x.var_axis(ROW, 0)),
        ("std", |x| x.std(0)),
        ("std_axis", |x| x.std_axis(ROW, 0)),
        ("norm", |x| x.norm(2.0)),
        ("norm_axis", |x| x.norm_axis(ROW, 2.0)),
        ("dot", |x| x.dot(x)),
    ]
}

/// Methods that make a row of a row.
fn along_rows() -> Vec<(&'static str, Method<f64>)> {
    vec![
        ("softmax", |x| x.softmax(ROW)),
        ("softmin", |x| x.softmin(ROW)),
        ("log_softmax", |x| x.log_softmax(ROW)),
        ("normalize", |x| x.normalize(ROW, 2.0, 0.5)),
        ("rms_norm", |x| x.rms_norm(0.5)),
        ("center", |x| x.center(ROW)),
        ("standardize", |x| x.standardize(ROW, 0.5)),
        ("cumsum", |x| x.cumsum(ROW)),
        ("cumprod", |x| x.cumprod(ROW)),
        ("cummax", |x| x.cummax(ROW)),
        ("log_cum_sum_exp", |x| x.log_cum_sum_exp(ROW)),
        ("linear_scan", |x| x.linear_scan(x.scalar(0.5), Direction::Forward)),
        ("arg_sort", |x| x.arg_sort(ROW, SortOrder::Ascending)),
        ("sort", |x| x.sort(ROW, SortOrder::Ascending).0),
    ]
}

const ROWS: [[f64; 2]; 3] = [[f64::NAN, 1.0], [f64::INFINITY, 1.0], [f64::INFINITY, f64::NEG_INFINITY]];

#[test]
fn reductions_say_what_they_make_of_nothing_nan_and_infinities() {
    let mut wrong = Vec::new();
    for (name, method) in reductions() {
        let of = |x: Matrix<f64>| {
            let graph = Graph::new();
            let x = graph.variable(x);
            catch_unwind(AssertUnwindSafe(|| method(x).value().item())).map_or("a panic".to_owned(), shown)
        };
        let nothing = of(Matrix::zeros(1, 0));
        let rows = ROWS.map(|row| of([row].into())).join(", ");
        let line = format!("Of nothing, [NaN, 1], [∞, 1], [∞, -∞]: {nothing}, {rows}.");
        if !documentation(name).contains(&line) {
            wrong.push(format!("{name}: {line}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn methods_along_rows_say_what_they_make_of_nan_and_infinities() {
    let mut wrong = Vec::new();
    for (name, method) in along_rows() {
        let graph = Graph::new();
        let rows = ROWS.map(|row| format!("[{}]", list(method(graph.variable([row])).value().as_slice()))).join(", ");
        let line = format!("Of [NaN, 1], [∞, 1], [∞, -∞]: {rows}. Of nothing: nothing.");
        for shape in [(1, 0), (0, 0)] {
            let empty = method(graph.variable(Matrix::zeros(shape.0, shape.1))).value();
            assert!(empty.is_empty(), "{name} of nothing");
        }
        if !documentation(name).contains(&line) {
            wrong.push(format!("{name}: {line}"));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

/// The value at numbers, as [`shown`].
fn at<const N: usize>(point: [f64; N], f: impl for<'g> Fn([Var<'g, f64>; N]) -> Var<'g, f64>) -> String {
    let graph = Graph::new();
    list(f(point.map(|x| graph.variable(x))).value().as_slice())
}

#[test]
fn methods_of_two_operands_are_at_the_ends_as_they_say() {
    let copysign = |x, y| at([x, y], |[x, y]| x.copysign(y));
    assert_eq!([copysign(3.0, -0.0), copysign(0.0, -INF), copysign(NAN, 1.0)], ["-3", "-0", "NaN"]);
    let difference = |x, y| at([x, y], |[x, y]| x.squared_difference(y));
    assert_eq!([difference(INF, 1.0), difference(INF, INF), difference(NAN, 1.0)], ["∞", "NaN", "NaN"]);
    let lerp = |x, y, weight| at([x, y, weight], |[x, y, weight]| x.lerp(y, weight));
    assert_eq!([0.0, 0.5, 1.0, 2.0].map(|weight| lerp(INF, 1.0, weight)), ["NaN"; 4]);
    assert_eq!([0.0, 0.5, 1.0, 2.0].map(|weight| lerp(1.0, INF, weight)), ["NaN", "∞", "∞", "∞"]);
    let addcmul = |x, a, b| at([x, a, b], |[x, a, b]| x.addcmul(1.0, a, b));
    assert_eq!([addcmul(0.0, 0.0, INF), addcmul(INF, 1.0, -INF), addcmul(1.0, INF, 1.0)], ["NaN", "NaN", "∞"]);
    let addcdiv = |x, a, b| at([x, a, b], |[x, a, b]| x.addcdiv(1.0, a, b));
    assert_eq!([addcdiv(0.0, 1.0, 0.0), addcdiv(0.0, 1.0, -0.0), addcdiv(0.0, 0.0, 0.0)], ["∞", "-∞", "NaN"]);
    let strong = |x, d| at([x, d], |[x, d]| x.strong_mul(d).abs());
    assert_eq!([strong(0.0, NAN), strong(-0.0, INF), strong(1.0, INF), strong(NAN, 0.0)], ["0", "0", "∞", "NaN"]);
    let prelu = |x, slope| at([x, slope], |[x, slope]| x.prelu(slope));
    assert_eq!([prelu(0.0, INF), prelu(NAN, 0.5), prelu(-1.0, INF), prelu(INF, 0.5)], ["NaN", "NaN", "-∞", "∞"]);
    assert_eq!(at([NAN], |[x]| x.prelu(x.scalar(0.5)).gradient(x)), "0.5");
}

#[test]
fn comparisons_and_choices_are_at_the_ends_as_they_say() {
    let compare =
        |x, y| at([x, y], |[x, y]| Var::concat(&[x.lt(y), x.le(y), x.gt(y), x.ge(y), x.equal(y)], Axis::Columns));
    assert_eq!(compare(-0.0, 0.0), "0, 1, 0, 1, 1");
    assert_eq!(compare(-INF, INF), "1, 1, 0, 0, 0");
    assert_eq!([compare(NAN, 1.0), compare(1.0, NAN), compare(NAN, NAN)], ["0, 0, 0, 0, 0"; 3]);
    let select = |flag| at([flag, 1.0, 2.0], |[flag, x, y]| flag.select(x, y));
    assert_eq!([select(-0.0), select(NAN), select(INF)], ["2", "1", "1"]);
    let fill = |flag| at([flag, NAN], |[flag, x]| x.masked_fill(flag, 2.0));
    assert_eq!([fill(-0.0), fill(NAN)], ["NaN", "2"]);
}

#[test]
fn gates_and_products_leave_nothing_out() {
    let halves = |a: f64, b: f64| {
        let graph = Graph::new();
        let x = graph.variable([[a, 1.0, b, 1.0]]);
        [x.glu(), x.swiglu()].map(|y| shown(y.value()[(0, 0)]))
    };
    assert_eq!(
        [halves(INF, -INF), halves(0.0, INF), halves(-0.0, INF), halves(-INF, INF)].map(|y| y[1].clone()),
        ["-∞", "NaN", "NaN", "NaN"]
    );
    assert_eq!(halves(INF, -INF)[0], "NaN");
    let graph = Graph::new();
    let x = graph.variable([[NAN, 1.0, 1.0, 1.0]]);
    assert!(x.glu().value()[(0, 1)].is_finite() && x.swiglu().value()[(0, 1)].is_finite());
    for (zero, other) in [(0.0, INF), (0.0, NAN), (INF, 0.0)] {
        let (x, y) = (graph.variable([[zero, 1.0]]), graph.variable([[other], [1.0]]));
        let products =
            [x.matmul(y), x.transpose().outer(y), x.kron(y.transpose()), x.transpose().quadratic_form(y.matmul(x))];
        assert!(products.map(|z| z.value()[(0, 0)].is_nan()).into_iter().all(|nan| nan), "{zero} · {other}");
    }
    let (x, a) = (graph.variable(INF), graph.variable(1.0));
    assert_eq!([x.addmm(0.0, 1.0, a, a), a.addmm(1.0, 0.0, x, a)].map(|y| shown(y.item())), ["NaN", "NaN"]);
}

#[test]
fn methods_that_move_numbers_keep_their_bits_and_take_empty_matrices() {
    let methods: [(&str, Method<f64>); 12] = [
        ("transpose", |x| x.transpose()),
        ("reshape", |x| x.reshape(x.cols(), x.rows())),
        ("broadcast", |x| x.reshape(1, x.shape().len()).broadcast((3, x.shape().len()))),
        ("slice", |x| x.slice(0..x.rows(), 0..x.cols())),
        ("slice_step", |x| x.slice_step(0..x.rows(), 2, 0..x.cols(), 2)),
        ("flip", |x| x.flip(Axis::Rows).flip(Axis::Columns)),
        ("roll", |x| x.roll(Axis::Rows, 1).roll(Axis::Columns, -1)),
        ("tile", |x| x.tile(2, 3)),
        ("concat", |x| Var::concat(&[x, x], Axis::Rows)),
        ("diag_part", |x| x.diag_part(1)),
        ("detach", |x| x.detach()),
        ("straight_through", |x| x.straight_through(x.sign())),
    ];
    let special = Matrix::from([[NAN, -0.0, 0.0], [INF, -INF, 5e-324]]);
    let bits: Vec<u64> = special.as_slice().iter().map(|x| x.to_bits()).collect();
    for (name, method) in methods {
        let graph = Graph::new();
        let moved = method(graph.variable(&special)).value();
        assert!(!moved.is_empty() && moved.as_slice().iter().all(|x| bits.contains(&x.to_bits())), "{name}: {moved}");
        for (rows, cols) in [(0, 0), (0, 3), (3, 0)] {
            assert!(method(graph.variable(Matrix::zeros(rows, cols))).value().is_empty(), "{name} of {rows}x{cols}");
        }
    }
    let graph = Graph::new();
    let x = graph.variable(&special);
    assert_eq!((x.tile(0, 2).shape(), x.tile(2, 0).shape()), ((0, 6).into(), (4, 0).into()));
    assert!(x.tile(0, 2).value().is_empty() && x.tile(2, 0).value().is_empty());
    assert_eq!(x.slice(1..1, 0..2).value(), Matrix::zeros(0, 2));
    let (values, indices) = x.top_k(Axis::Rows, 0);
    assert!(values.value().is_empty() && indices.value().is_empty());
    assert_eq!(x.transpose().top_k(Axis::Rows, 2).0.value(), Matrix::from([[0.0, INF], [0.0, 5e-324]]));
}

/// `zero` exactly where the original is not kept.
#[test]
fn what_is_cut_away_leaves_no_trace() {
    let graph = Graph::new();
    let x = graph.variable([[1.0, NAN], [INF, 2.0]]);
    assert_eq!(x.trace().item(), 3.0);
    assert_eq!(graph.variable(Matrix::zeros(0, 4)).trace().item(), 0.0);
    assert_eq!(graph.variable([[1.0, NAN], [2.0, 3.0]]).tril(0).value().as_slice(), [1.0, 0.0, 2.0, 3.0]);
    assert_eq!(graph.variable([[1.0, 2.0], [INF, 3.0]]).triu(0).value().as_slice(), [1.0, 2.0, 0.0, 3.0]);
    let spread = graph.variable([[INF, NAN]]).diag_matrix(0).value();
    assert_eq!((spread[(0, 1)], spread[(1, 0)]), (0.0, 0.0));
    let empty = |rows, cols| graph.variable(Matrix::<f64>::zeros(rows, cols));
    assert_eq!(empty(0, 1).diag_matrix(-2).value(), Matrix::zeros(2, 2));
    assert_eq!((empty(0, 3).tril(1).value(), empty(3, 0).triu(0).value()), (Matrix::zeros(0, 3), Matrix::zeros(3, 0)));
    let frame = Frame { top: 1, right: 2, ..Frame::default() };
    assert_eq!(empty(0, 0).pad(frame, 7.0).value(), Matrix::filled(1, 2, 7.0));
    assert_eq!(empty(0, 1).pad(frame, 0.0).value(), Matrix::zeros(1, 3));
    let framed = graph.variable([[NAN, -0.0]]).pad(frame, 7.0).value();
    assert!(framed[(1, 0)].is_nan() && framed[(1, 1)].is_sign_negative());
    assert_eq!(empty(2, 0).matmul(empty(0, 3)).value(), Matrix::zeros(2, 3));
    assert_eq!(graph.variable(5.0).addmm(2.0, 1.0, empty(2, 0), empty(0, 3)).value(), Matrix::filled(2, 3, 10.0));
    assert_eq!(empty(0, 1).quadratic_form(empty(0, 0)).item(), 0.0);
    assert_eq!(
        (empty(0, 1).outer(empty(2, 1)).shape(), empty(0, 2).kron(empty(2, 3)).shape()),
        ((0, 2).into(), (0, 6).into())
    );
    assert!(empty(0, 2).kron(empty(2, 3)).value().is_empty() && empty(0, 1).outer(empty(2, 1)).value().is_empty());
    assert!(empty(3, 0).glu().value().is_empty() && empty(3, 0).swiglu().value().is_empty());
}
