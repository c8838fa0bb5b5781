//! The operations under the names of the reference values, and which of those names have no operation yet.

use autograd::op::{self, Frame, MatMul, Part, SortOrder, Triangular};
use autograd::{Axis, Matrix, Op, Real, Var};
use serde_json::Value;

use crate::support::{list, matrix, number, text, whole};

/// Names of reference values that nothing here computes yet. A name that is neither here nor in [`apply`] fails.
const MISSING: &[&str] = &["cross_entropy_probs", "huber_elementwise", "smooth_l1_elementwise"];

/// Names that [`apply`] composes of other operations, because they are none themselves.
const COMPOSED: &[&str] = &[
    "addcdiv",
    "addcmul",
    "addmm",
    "argmin",
    "batch_norm",
    "cdist",
    "cholesky_solve",
    "cosine_similarity",
    "cube",
    "cumprod",
    "diag_matrix",
    "diag_part",
    "dot",
    "flip",
    "gather_cols",
    "glu",
    "hinge_elementwise",
    "kl_div",
    "kron",
    "layer_norm",
    "lerp",
    "linear",
    "logdet_spd",
    "mae_elementwise",
    "masked_fill",
    "matrix_power",
    "mean",
    "median",
    "normalize",
    "outer",
    "pad",
    "quadratic_form",
    "rms_norm",
    "roll",
    "softmin",
    "sort",
    "squared_difference",
    "std",
    "swiglu",
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
        [x] => elementary(name, x)
            .or_else(|| pointwise(name, &p, x))
            .or_else(|| reduction(name, &p, x))
            .or_else(|| structure(name, &p, x)),
        [x, y] => two(name, &p, x, y),
        _ => many(name, &p, x),
    }
}

/// Functions of one operand without parameters.
fn elementary<'g, T: Real>(name: &str, x: Var<'g, T>) -> Option<Var<'g, T>> {
    Some(match name {
        "neg" => -x,
        "square" => x.square(),
        "cube" => x.powi(3),
        "reciprocal" => x.recip(),
        "sqrt" => x.sqrt(),
        "rsqrt" => x.rsqrt(),
        "cbrt" => x.cbrt(),
        "exp" => x.exp(),
        "exp2" => x.exp2(),
        "expm1" => x.exp_m1(),
        "log" => x.ln(),
        "log1p" => x.ln_1p(),
        "log2" => x.log2(),
        "log10" => x.log10(),
        "logit" => x.logit(),
        "entr" => x.entr(),
        "sin" => x.sin(),
        "cos" => x.cos(),
        "tan" => x.tan(),
        "asin" => x.asin(),
        "acos" => x.acos(),
        "atan" => x.atan(),
        "sinh" => x.sinh(),
        "cosh" => x.cosh(),
        "tanh" => x.tanh(),
        "asinh" => x.asinh(),
        "acosh" => x.acosh(),
        "atanh" => x.atanh(),
        "sigmoid" => x.sigmoid(),
        "log_sigmoid" => x.log_sigmoid(),
        "abs" => x.abs(),
        "sign" => x.sign(),
        "relu" => x.relu(),
        "floor" => x.floor(),
        "ceil" => x.ceil(),
        "trunc" => x.trunc(),
        "frac" => x.fract(),
        "round" => x.round_ties_even(),
        "erf" => x.erf(),
        "erfc" => x.erfc(),
        "erfinv" => x.erfinv(),
        "lgamma" => x.lgamma(),
        "digamma" => x.digamma(),
        "trigamma" => x.trigamma(),
        "gaussian" => x.gaussian(),
        "log_cosh" => x.log_cosh(),
        "softsign" => x.softsign(),
        "tanhshrink" => x.tanhshrink(),
        "silu" => x.silu(),
        "mish" => x.mish(),
        "gelu" => x.gelu(),
        "gelu_tanh" => x.gelu_tanh(),
        "inverse" => x.inverse(),
        "det" => x.determinant(),
        "logabsdet" => x.log_abs_determinant().0,
        "cholesky" => x.cholesky(),
        "logdet_spd" => x.log_determinant_spd(),
        "selu" => x.selu(),
        "relu6" => x.relu6(),
        "hardsigmoid" => x.hardsigmoid(),
        "hardswish" => x.hardswish(),
        _ => return None,
    })
}

fn pointwise<'g, T: Real>(name: &str, p: &Params<'_>, x: Var<'g, T>) -> Option<Var<'g, T>> {
    let one = x.scalar(T::ONE);
    let zero = x.scalar(T::ZERO);
    let positive = || x.gt(zero);
    Some(match name {
        "softplus" => x.softplus_with(p.real("beta")),
        "squareplus" => x.squareplus(p.real("b")),
        "snake" => x.snake(p.real("a")),
        "elu" => x.elu(p.real("alpha")),
        "celu" => x.celu(p.real("alpha")),
        "hardtanh" | "clamp" => x.clamp(p.real("lo"), p.real("hi")),
        "clamp_min" => x.clamp(p.real("lo"), T::INFINITY),
        "clamp_max" => x.clamp(T::NEG_INFINITY, p.real("hi")),
        "hardshrink" => x.hardshrink(p.real("lambda")),
        "softshrink" => x.softshrink(p.real("lambda")),
        "threshold" => x.threshold(p.real("threshold"), p.real("value")),
        "nan_to_num" => x.nan_to_num(p.real("nan"), p.real("posinf"), p.real("neginf")),
        "leaky_relu" => x.leaky_relu(p.real("slope")),
        "add_scalar" => x + p.real::<T>("c"),
        "mul_scalar" => x * p.real::<T>("c"),
        "rsub_scalar" => x.scalar(p.real("c")) - x,
        "rdiv_scalar" => x.scalar(p.real("c")) / x,
        "scalar_pow" => x.scalar(p.real("c")).pow(x),
        "pow_scalar" => x.powf(p.real("c")),
        "powi" => x.powi(format!("{}", p.real::<f64>("c")).parse().expect("a whole power")),
        "masked_fill" => x.masked_fill(p.matrix("mask", x), p.real("value")),
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
fn along<'g, T: Real>(axis: Option<Axis>, x: Var<'g, T>, f: impl Fn(Var<'g, T>, Axis) -> Var<'g, T>) -> Var<'g, T> {
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
        "matrix_power" => x.matrix_power(format!("{}", p.real::<f64>("k")).parse().expect("a whole power")),
        "glu" => x.glu(),
        "swiglu" => x.swiglu(),
        _ => return None,
    })
}

fn two<'g, T: Real>(name: &str, p: &Params<'_>, x: Var<'g, T>, y: Var<'g, T>) -> Option<Var<'g, T>> {
    Some(match name {
        "add" => x + y,
        "sub" => x - y,
        "mul" => x * y,
        "div" => x / y,
        "fmax" => x.fmax(y),
        "fmin" => x.fmin(y),
        "fmod" => x % y,
        "remainder" => x.remainder(y),
        "copysign" => x.copysign(y),
        "prelu" => x.prelu(y),
        "pow" => x.pow(y),
        "hypot" => x.hypot(y),
        "atan2" => x.atan2(y),
        "logaddexp" => x.logaddexp(y),
        "xlogy" => x.xlogy(y),
        "xlog1py" => x.xlog1py(y),
        "rel_entr" => x.rel_entr(y),
        "maximum" => x.maximum(y),
        "minimum" => x.minimum(y),
        "squared_difference" => x.squared_difference(y),
        "mae_elementwise" => (x - y).abs(),
        "where" => p.matrix("mask", x).select(x, y),
        "concat" => Var::concat(&[x, y], p.axis()?),
        "matmul" => {
            let op = MatMul { transpose_left: p.flag("ta"), transpose_right: p.flag("tb") };
            x.graph().try_apply(Op::from(op), &[x, y]).expect("it fits")
        }
        "outer" => x.outer(y),
        "solve" => x.solve(y),
        "cholesky_solve" => x.cholesky_solve(y),
        "triangular_solve" => {
            let part = if p.flag("lower") { Part::Lower } else { Part::Upper };
            let (transposed, unit_diagonal) = (p.flag("trans"), p.flag("unit"));
            x.solve_triangular(y, Triangular { part, transposed, unit_diagonal })
        }
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
        ("clamp_tensor", [x, low, high]) => x.clamp_between(*low, *high),
        ("lerp", [a, b, w]) => a.lerp(*b, *w),
        ("addcmul", [a, b, c]) => a.addcmul(p.real("value"), *b, *c),
        ("addcdiv", [a, b, c]) => a.addcdiv(p.real("value"), *b, *c),
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
        "matrix_power" if number(&params["k"]) == -1.0 => vec![name, "inverse"],
        name => vec![name],
    }
}
