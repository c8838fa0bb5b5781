//! The operations under the names of the reference values, and which of those names have no operation yet.

use autograd::op::{self, Frame, MatMul, SortOrder};
use autograd::{Axis, Matrix, Op, Real, Var};
use serde_json::Value;

use crate::support::{list, matrix, number, text, whole};

/// Names of reference values that nothing here computes yet. A name that is neither here nor in [`apply`] fails.
const MISSING: &[&str] = &[
    "acos",
    "acosh",
    "asin",
    "asinh",
    "atan",
    "atan2",
    "atanh",
    "cbrt",
    "ceil",
    "celu",
    "cholesky",
    "cholesky_solve",
    "clamp",
    "clamp_max",
    "clamp_min",
    "clamp_tensor",
    "copysign",
    "cos",
    "cosh",
    "det",
    "digamma",
    "elu",
    "entr",
    "erf",
    "erfc",
    "erfinv",
    "exp2",
    "expm1",
    "floor",
    "fmax",
    "fmin",
    "fmod",
    "frac",
    "gelu",
    "gelu_tanh",
    "hardshrink",
    "hardsigmoid",
    "hardswish",
    "hardtanh",
    "hypot",
    "inverse",
    "lgamma",
    "log10",
    "log1p",
    "log2",
    "log_cosh",
    "logabsdet",
    "logaddexp",
    "logdet_spd",
    "logit",
    "mish",
    "nan_to_num",
    "pow",
    "prelu",
    "relu6",
    "remainder",
    "round",
    "scalar_pow",
    "selu",
    "sin",
    "sinh",
    "snake",
    "softshrink",
    "solve",
    "tan",
    "threshold",
    "triangular_solve",
    "trigamma",
    "trunc",
    "xlog1py",
    "xlogy",
    "rel_entr",
    "cross_entropy_probs",
    "huber_elementwise",
    "smooth_l1_elementwise",
];

/// Names that [`apply`] composes of other operations, because they are none themselves.
const COMPOSED: &[&str] = &[
    "addcdiv",
    "addcmul",
    "addmm",
    "argmin",
    "batch_norm",
    "cdist",
    "cosine_similarity",
    "cube",
    "cumprod",
    "diag_matrix",
    "diag_part",
    "dot",
    "flip",
    "gather_cols",
    "gaussian",
    "glu",
    "hinge_elementwise",
    "kl_div",
    "kron",
    "layer_norm",
    "leaky_relu",
    "lerp",
    "linear",
    "mae_elementwise",
    "masked_fill",
    "matrix_power",
    "mean",
    "median",
    "normalize",
    "outer",
    "pad",
    "quadratic_form",
    "reciprocal",
    "rms_norm",
    "roll",
    "rsqrt",
    "silu",
    "softmin",
    "softsign",
    "sort",
    "squared_difference",
    "squareplus",
    "std",
    "swiglu",
    "tanhshrink",
    "tile",
    "topk",
    "trace",
    "tril",
    "triu",
    "var",
];

/// Whether a name is known to be missing.
pub(crate) fn is_missing(name: &str) -> bool {
    MISSING.contains(&name)
}

/// Names are spelled in two ways: `ln_1p` here, `log1p` there.
fn plain(name: &str) -> String {
    let name = name.replace('_', "");
    name.strip_prefix("ln").map_or(name.clone(), |rest| format!("log{rest}"))
}

#[test]
fn no_operation_is_listed_as_missing_or_composed() {
    for name in op::cases().iter().map(|case| case.op.name()) {
        let listed = MISSING.iter().chain(COMPOSED).find(|listed| plain(listed) == plain(name));
        assert!(listed.is_none(), "{name} exists now: let `apply` use it, and take {listed:?} off the list");
    }
}

/// The parameters of an operation.
struct Params<'a>(&'a Value);

impl Params<'_> {
    fn real<T: Real>(&self, name: &str) -> T {
        T::from_f64(number(&self.0[name]))
    }

    fn whole(&self, name: &str) -> usize {
        whole(&self.0[name])
    }

    fn flag(&self, name: &str) -> bool {
        self.0[name].as_bool().expect("a flag")
    }

    /// `None` is the whole matrix.
    fn axis(&self) -> Option<Axis> {
        match self.0["axis"].as_u64() {
            None => None,
            Some(0) => Some(Axis::Rows),
            Some(_) => Some(Axis::Columns),
        }
    }

    fn matrix<'g, T: Real>(&self, name: &str, x: Var<'g, T>) -> Var<'g, T> {
        x.graph().constant(matrix(&self.0[name]).cast::<T>())
    }

    fn column<'g, T: Real>(&self, name: &str, x: Var<'g, T>) -> Var<'g, T> {
        let indices: Vec<T> = list(&self.0[name]).iter().map(|index| T::from_usize(whole(index))).collect();
        x.graph().constant(Matrix::column_vector(&indices))
    }
}

/// The operation of that name, or `None` if there is none.
pub(crate) fn apply<'g, T: Real>(name: &str, params: &Value, x: &[Var<'g, T>]) -> Option<Var<'g, T>> {
    let p = Params(params);
    match *x {
        [x] => pointwise(name, &p, x).or_else(|| reduction(name, &p, x)).or_else(|| structure(name, &p, x)),
        [x, y] => two(name, &p, x, y),
        _ => many(name, &p, x),
    }
}

fn pointwise<'g, T: Real>(name: &str, p: &Params<'_>, x: Var<'g, T>) -> Option<Var<'g, T>> {
    let one = x.scalar(T::ONE);
    let zero = x.scalar(T::ZERO);
    let positive = || x.gt(zero);
    Some(match name {
        "neg" => -x,
        "square" => x.square(),
        "cube" => x.powi(3),
        "reciprocal" => one / x,
        "sqrt" => x.sqrt(),
        "rsqrt" => one / x.sqrt(),
        "exp" => x.exp(),
        "log" => x.ln(),
        "tanh" => x.tanh(),
        "sigmoid" => x.sigmoid(),
        "log_sigmoid" => x.log_sigmoid(),
        "silu" => x * x.sigmoid(),
        "softsign" => x / (x.abs() + T::ONE),
        "tanhshrink" => x - x.tanh(),
        "gaussian" => (-x.square()).exp(),
        "abs" => x.abs(),
        "sign" => x.sign(),
        "relu" => x.relu(),
        "softplus" => (x * p.real::<T>("beta")).softplus() / p.real::<T>("beta"),
        "squareplus" => (x + (x.square() + p.real::<T>("b")).sqrt()) * T::from_f64(0.5),
        "leaky_relu" => positive().select(x, x * p.real::<T>("slope")),
        "add_scalar" => x + p.real::<T>("c"),
        "mul_scalar" => x * p.real::<T>("c"),
        "rsub_scalar" => x.scalar(p.real("c")) - x,
        "rdiv_scalar" => x.scalar(p.real("c")) / x,
        "pow_scalar" => x.powf(p.real("c")),
        "powi" => x.powi(format!("{}", p.real::<f64>("c")).parse().expect("a whole power")),
        "masked_fill" => p.matrix("mask", x).select(x.scalar(p.real("value")), x),
        "where_sqrt" => positive().select(x.sqrt(), zero),
        "where_log" => positive().select(x.ln(), zero),
        "where_reciprocal" => positive().select(one / x, zero),
        "hinge_elementwise" => {
            let y: Vec<T> = list(&p.0["y"]).iter().map(|y| T::from_f64(number(y))).collect();
            (one - x.graph().constant(Matrix::row_vector(&y)) * x).relu()
        }
        "kl_div" => {
            // t (ln t - x), where 0 ln 0 is 0.
            let t = p.matrix("target", x);
            t.strong_mul(t.gt(zero).select(t, one).ln() - x)
        }
        _ => return None,
    })
}

/// `f` along an axis, or of all elements as one row.
fn along<'g, T: Real>(
    axis: Option<Axis>,
    x: Var<'g, T>,
    f: impl Fn(Var<'g, T>, Axis) -> Var<'g, T>,
) -> Var<'g, T> {
    match axis {
        Some(axis) => f(x, axis),
        None => f(x.reshape(1, x.shape().len()), Axis::Columns),
    }
}

fn reduction<'g, T: Real>(name: &str, p: &Params<'_>, x: Var<'g, T>) -> Option<Var<'g, T>> {
    let axis = p.axis();
    let same = |f: &dyn Fn(Var<'g, T>, Axis) -> Var<'g, T>| along(axis, x, f).reshape(x.rows(), x.cols());
    let ddof = || p.whole("ddof");
    let order = || if p.flag("descending") { SortOrder::Descending } else { SortOrder::Ascending };
    Some(match name {
        "sum" => axis.map_or_else(|| x.sum(), |axis| x.sum_axis(axis)),
        "mean" => axis.map_or_else(|| x.mean(), |axis| x.mean_axis(axis)),
        "prod" => axis.map_or_else(|| x.prod(), |axis| x.prod_axis(axis)),
        "max" => axis.map_or_else(|| x.max(), |axis| x.max_axis(axis)),
        "min" => axis.map_or_else(|| x.min(), |axis| x.min_axis(axis)),
        "median" => axis.map_or_else(|| x.median(), |axis| x.median_axis(axis)),
        "logsumexp" => axis.map_or_else(|| x.log_sum_exp(), |axis| x.log_sum_exp_axis(axis)),
        "logmeanexp" => axis.map_or_else(|| x.log_mean_exp(), |axis| x.log_mean_exp_axis(axis)),
        "var" => axis.map_or_else(|| x.var(ddof()), |axis| x.var_axis(axis, ddof())),
        "std" => axis.map_or_else(|| x.std(ddof()), |axis| x.std_axis(axis, ddof())),
        "norm" => axis.map_or_else(|| x.norm(p.real("p")), |axis| x.norm_axis(axis, p.real("p"))),
        "argmax" => along(axis, x, Var::arg_max),
        "argmin" => along(axis, x, Var::arg_min),
        "softmax" => same(&Var::softmax),
        "softmin" => same(&Var::softmin),
        "log_softmax" => same(&Var::log_softmax),
        "cumsum" => same(&Var::cumsum),
        "cumprod" => same(&Var::cumprod),
        "cummax" => same(&Var::cummax),
        "logcumsumexp" => same(&Var::log_cum_sum_exp),
        "normalize" => same(&|x, axis| x.normalize(axis, p.real("p"), p.real("eps"))),
        "flip" => same(&Var::flip),
        "roll" => {
            let shift = p.0["shift"].as_i64().and_then(|shift| isize::try_from(shift).ok());
            same(&|x, axis| x.roll(axis, shift.expect("a whole number")))
        }
        "sort" => same(&|x, axis| x.sort(axis, order()).0),
        "topk" => along(axis, x, |x, axis| x.top_k(axis, p.whole("k")).0),
        _ => return None,
    })
}

fn structure<'g, T: Real>(name: &str, p: &Params<'_>, x: Var<'g, T>) -> Option<Var<'g, T>> {
    let half = x.cols() / 2;
    let halves = || (x.slice(0..x.rows(), 0..half), x.slice(0..x.rows(), half..x.cols()));
    let offset = || isize::try_from(p.0["k"].as_i64().expect("a whole number")).expect("it fits");
    Some(match name {
        "transpose" => x.transpose(),
        "reshape" => x.reshape(p.whole("rows"), p.whole("cols")),
        "broadcast_to" => x.broadcast((p.whole("rows"), p.whole("cols"))),
        "slice" => {
            let (rows, cols) = (p.whole("r0")..p.whole("r1"), p.whole("c0")..p.whole("c1"));
            x.slice_step(rows, p.whole("rstep"), cols, p.whole("cstep"))
        }
        "tile" => x.tile(p.whole("rows"), p.whole("cols")),
        "pad" => {
            let (top, bottom) = (p.whole("top"), p.whole("bottom"));
            let (left, right) = (p.whole("left"), p.whole("right"));
            x.pad(Frame { top, bottom, left, right }, p.real("value"))
        }
        "gather_rows" => x.gather_rows(p.column("indices", x)),
        "gather_cols" => x.gather_cols(p.column("indices", x)),
        "pick" => x.pick(p.column("indices", x)),
        "diag_part" => x.diag_part(offset()),
        "diag_matrix" => x.diag_matrix(offset()),
        "trace" => x.trace(),
        "tril" => x.tril(offset()),
        "triu" => x.triu(offset()),
        "matrix_power" => x.matrix_power(u32::try_from(p.whole("k")).expect("it fits")),
        "glu" => halves().0 * halves().1.sigmoid(),
        "swiglu" => halves().0 * halves().0.sigmoid() * halves().1,
        _ => return None,
    })
}

fn two<'g, T: Real>(name: &str, p: &Params<'_>, x: Var<'g, T>, y: Var<'g, T>) -> Option<Var<'g, T>> {
    Some(match name {
        "add" => x + y,
        "sub" => x - y,
        "mul" => x * y,
        "div" => x / y,
        "maximum" => x.maximum(y),
        "minimum" => x.minimum(y),
        "squared_difference" => (x - y).square(),
        "mae_elementwise" => (x - y).abs(),
        "where" => p.matrix("mask", x).select(x, y),
        "concat" => Var::concat(&[x, y], p.axis()?),
        "matmul" => {
            let op = MatMul { transpose_left: p.flag("ta"), transpose_right: p.flag("tb") };
            x.graph().try_apply(Op::from(op), &[x, y]).expect("it fits")
        }
        "outer" => x.outer(y),
        "dot" => x.dot(y),
        "kron" => x.kron(y),
        "quadratic_form" => x.quadratic_form(y),
        "scatter_add_rows" => x.scatter_add_rows(p.column("indices", x), y),
        "scatter_rows" => x.scatter_rows(p.column("indices", x), y),
        "sqdist" => x.sqdist(y),
        "cdist" => x.cdist(y, p.real("p")),
        "cosine_similarity" => x.cosine_similarity(y, p.real("eps")),
        "rms_norm" => x.rms_norm(p.real("eps")) * y,
        _ => return None,
    })
}

fn many<'g, T: Real>(name: &str, p: &Params<'_>, x: &[Var<'g, T>]) -> Option<Var<'g, T>> {
    Some(match (name, x) {
        ("concat", x) => Var::concat(x, p.axis()?),
        ("lerp", [a, b, w]) => *a + *w * (*b - *a),
        ("addcmul", [a, b, c]) => *a + *b * *c * p.real::<T>("value"),
        ("addcdiv", [a, b, c]) => *a + *b / *c * p.real::<T>("value"),
        ("addmm", [c, a, b]) => c.addmm(p.real("beta"), p.real("alpha"), *a, *b),
        ("linear", [x, w, b]) => x.matmul(*w) + *b,
        ("layer_norm", [x, gamma, beta]) => x.standardize(Axis::Columns, p.real("eps")) * *gamma + *beta,
        ("batch_norm", [x, gamma, beta]) => x.standardize(Axis::Rows, p.real("eps")) * *gamma + *beta,
        _ => return None,
    })
}

/// All names under which a case is computed: some names stand for several operations.
pub(crate) fn names(case: &Value) -> Vec<&str> {
    let (name, params) = (text(&case["op"]), &case["params"]);
    match name {
        "pow_scalar" if number(&params["c"]).fract() == 0.0 => vec![name, "powi"],
        "matrix_power" if number(&params["k"]) < 0.0 => vec!["inverse"],
        name => vec![name],
    }
}
