//! The rules of other libraries' gradient checkers, written from their published algorithms, as functions over the same
//! subjects: a function, the gradient claimed for it, a point. `true`: the checker finds nothing wrong.
//!
//! Constants and formulas were compared with the sources of these versions:
//!
//! - PyTorch 2.15.0, `torch/autograd/gradcheck.py`: eps 1e-6, atol 1e-5, rtol 1e-3 of the numeric derivative; `fast_mode` compares
//!   `vᵀ J u` for random unit vectors with non-negative entries, atol times the sums of both.
//! - JAX 0.10.2, `jax/_src/public_test_util.py`: eps 1e-4, atol = rtol = 1e-5 for f64 (2e-3 for f32), normal tangent and
//!   cotangent.
//! - HIPS autograd 1.9.1, `autograd/test_util.py`: eps 1e-6 (half to each side), `|a - b| < 1e-6` or
//!   `|a - b| / |a + b| < 1e-6`.
//! - Chainer (commit 01e39e1), `chainer/gradient_check.py`: eps 1e-3 along a random unit direction, atol 1e-5, rtol 1e-4.
//! - Stan Math (commit 0367f36), `finite_diff_gradient_auto.hpp`: six points at the step `∛ε max(1, |x|)`; no rule.
//! - FiniteDifferences.jl (commit 0058b46), `src/methods.jl`: `central_fdm(5, 1)`, whose step follows from an estimate of the
//!   fifth derivative in the neighbourhood; its own estimate of the error; no rule.

/// A function of numbers with one value.
pub(crate) type Value<'a> = dyn Fn(&[f64]) -> f64 + 'a;

/// Seeded uniform and normal numbers.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In 0..1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub(crate) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// By Box and Muller.
    pub(crate) fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (core::f64::consts::TAU * self.uniform()).cos()
    }

    #[expect(clippy::cast_possible_truncation, reason = "below n")]
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn moved(x: &[f64], t: f64, u: &[f64]) -> Vec<f64> {
    x.iter().zip(u).map(|(x, u)| x + t * u).collect()
}

/// `numpy.allclose` without NaN being equal.
fn allclose(a: f64, b: f64, rtol: f64, atol: f64) -> bool {
    (a - b).abs() <= atol + rtol * b.abs()
}

/// The central difference along `u`.
fn slope(f: &Value<'_>, x: &[f64], u: &[f64], eps: f64) -> f64 {
    (f(&moved(x, eps, u)) - f(&moved(x, -eps, u))) / (2.0 * eps)
}

/// `torch.autograd.gradcheck(f, x)`.
pub(crate) fn torch_slow(f: &Value<'_>, gradient: &[f64], x: &[f64]) -> bool {
    (0..x.len()).all(|k| {
        let mut unit = vec![0.0; x.len()];
        unit[k] = 1.0;
        allclose(gradient[k], slope(f, x, &unit, 1e-6), 1e-3, 1e-5)
    })
}

/// `torch.autograd.gradcheck(f, x, fast_mode=True)`.
pub(crate) fn torch_fast(f: &Value<'_>, gradient: &[f64], x: &[f64], random: &mut Random) -> bool {
    let u: Vec<f64> = x.iter().map(|_| random.uniform()).collect();
    let norm = dot(&u, &u).sqrt();
    let u: Vec<f64> = u.iter().map(|u| u / norm).collect();
    // The output is one number: its unit vector is 1.
    allclose(dot(gradient, &u), slope(f, x, &u, 1e-6), 1e-3, 1e-5 * u.iter().sum::<f64>())
}

/// `jax.test_util.check_grads(f, (x,), order=1, modes=["rev"])` with this tolerance: 1e-5 for f64, 2e-3 for f32.
pub(crate) fn jax(f: &Value<'_>, gradient: &[f64], x: &[f64], tolerance: f64, random: &mut Random) -> bool {
    let tangent: Vec<f64> = x.iter().map(|_| random.normal()).collect();
    let cotangent = random.normal();
    let found = dot(&tangent, gradient) * cotangent;
    allclose(found, slope(f, x, &tangent, 1e-4) * cotangent, tolerance, tolerance)
}

/// `autograd.test_util.check_grads(f, modes=["rev"], order=1)(x)`.
pub(crate) fn hips(f: &Value<'_>, gradient: &[f64], x: &[f64], random: &mut Random) -> bool {
    let tangent: Vec<f64> = x.iter().map(|_| random.normal()).collect();
    let cotangent = random.normal();
    let a = slope(f, x, &tangent, 0.5e-6) * cotangent;
    let b = dot(&tangent, gradient) * cotangent;
    (a - b).abs() < 1e-6 || (a - b).abs() / (a + b).abs() < 1e-6
}

/// `chainer.gradient_check.check_backward(f, x, None)`.
pub(crate) fn chainer(f: &Value<'_>, gradient: &[f64], x: &[f64], random: &mut Random) -> bool {
    let u: Vec<f64> = x.iter().map(|_| random.normal()).collect();
    let norm = dot(&u, &u).sqrt();
    let u: Vec<f64> = u.iter().map(|u| u / norm).collect();
    allclose(slope(f, x, &u, 1e-3), dot(gradient, &u), 1e-4, 1e-5)
}

/// Stan's `finite_diff_gradient_auto`.
fn stan(f: &dyn Fn(f64) -> f64, x: f64) -> f64 {
    let h = f64::EPSILON.cbrt() * x.abs().max(1.0);
    let terms = [(3.0, 1.0), (2.0, -9.0), (1.0, 45.0), (-3.0, -1.0), (-2.0, 9.0), (-1.0, -45.0)];
    terms.iter().map(|(place, weight)| f(x + h * place) * weight).sum::<f64>() / (60.0 * h)
}

/// The weights of the derivative of order `q` on a grid: the solution of `Σ wₖ gₖⁱ = q! [i = q]`, by elimination.
fn coefficients(grid: &[f64], q: usize) -> Vec<f64> {
    let n = grid.len();
    let factorial = (1..=q).map(|k| k as f64).product::<f64>();
    let mut rows: Vec<Vec<f64>> = (0..n)
        .map(|i| {
            let powers = grid.iter().map(|g| g.powi(i32::try_from(i).unwrap()));
            powers.chain([if i == q { factorial } else { 0.0 }]).collect()
        })
        .collect();
    for i in 0..n {
        let pivot = (i..n).max_by(|&a, &b| rows[a][i].abs().total_cmp(&rows[b][i].abs())).unwrap();
        rows.swap(i, pivot);
        let lead = rows[i].clone();
        for (_, row) in rows.iter_mut().enumerate().filter(|(k, _)| *k != i) {
            let factor = row[i] / lead[i];
            row.iter_mut().zip(&lead).for_each(|(x, y)| *x -= factor * y);
        }
    }
    (0..n).map(|i| rows[i][n] / rows[i][i]).collect()
}

/// A step and an error for the derivative of order `q` on `p` points: `_compute_step_acc`.
fn step_and_error(grid: &[f64], q: usize, slope: f64, error: f64) -> (f64, f64) {
    let p = grid.len();
    let weights = coefficients(grid, q);
    let factorial = (1..=p).map(|k| k as f64).product::<f64>();
    let terms = weights.iter().zip(grid).map(|(w, g)| (w * g.powi(i32::try_from(p).unwrap())).abs());
    let (c1, c2) = (error * weights.iter().map(|w| w.abs()).sum::<f64>(), slope * terms.sum::<f64>() / factorial);
    let (p, q) = (p as f64, q as f64);
    let step = (q / (p - q) * (c1 / c2)).powf(1.0 / p);
    (step, c1 * step.powf(-q) + c2 * step.powf(p - q))
}

/// `central_fdm(5, 1)(f, x)` of FiniteDifferences.jl, and the error that it estimates.
fn fdm(f: &dyn Fn(f64) -> f64, x: f64) -> (f64, f64) {
    const CONDITION: f64 = 10.0;
    let [narrow, wide] = [2_i32, 3].map(|reach| (-reach..=reach).map(f64::from).collect::<Vec<f64>>());
    let at = |grid: &[f64], h: f64| -> Vec<f64> { grid.iter().map(|g| f(x + h * g)).collect() };
    let sum = |values: &[f64], weights: &[f64]| values.iter().zip(weights).map(|(y, w)| y * w).sum::<f64>();
    // The fifth derivative at three points, on seven.
    let (h, _) = step_and_error(&wide, 5, CONDITION, f64::EPSILON);
    let values = at(&wide, h);
    let near = [-1.0, 0.0, 1.0].map(|shift| {
        let grid: Vec<f64> = wide.iter().map(|g| g + shift).collect();
        (sum(&values, &coefficients(&grid, 5)) / h.powi(5)).abs()
    });
    let slope = near.into_iter().fold(0.0_f64, |max, y| if y <= max { max } else { y });
    let size = values.iter().fold(0.0_f64, |max, y| max.max(y.abs()));
    let (usual, usual_error) = step_and_error(&narrow, 1, CONDITION, f64::EPSILON);
    let ulp = size.next_up() - size;
    let (h, error) =
        if slope == 0.0 || size == 0.0 { (usual, usual_error) } else { step_and_error(&narrow, 1, slope, ulp) };
    let (h, error) = if h > 1000.0 * usual { (1000.0 * usual, f64::NAN) } else { (h, error) };
    (sum(&at(&narrow, h), &coefficients(&narrow, 1)) / h, error)
}

#[test]
fn the_rival_with_five_points_has_the_errors_that_its_documentation_tells() {
    let close = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-14);
    assert!(close(
        &coefficients(&[-2.0, -1.0, 0.0, 1.0, 2.0], 1),
        &[1.0 / 12.0, -2.0 / 3.0, 0.0, 2.0 / 3.0, -1.0 / 12.0]
    ));
    // `estimate_step(central_fdm(5, 1), sin, 1.0)` gives (0.001065235154086019, 1.9541865128909085e-13).
    let (value, error) = fdm(&f64::sin, 1.0);
    assert!((value - 1f64.cos()).abs() < 1e-12, "{value}");
    assert!((error / 1.954_186_512_890_908_5e-13 - 1.0).abs() < 1e-3, "{error}");
}

/// Relative errors of the fixed steps, for the table of the guide.
#[test]
fn fixed_steps_lose_digits_where_the_adaptive_difference_does_not() {
    type Row = (&'static str, fn(f64) -> f64, f64, f64);
    let cosh8 = 8f64.cosh();
    let rows: [Row; 11] = [
        ("exp at 1", f64::exp, 1.0, 1f64.exp()),
        ("ln at 1e-3", f64::ln, 1e-3, 1e3),
        ("ln at 1e-8", f64::ln, 1e-8, 1e8),
        ("1/x at 1e-4", f64::recip, 1e-4, -1e8),
        ("sqrt at 1e-6", f64::sqrt, 1e-6, 500.0),
        ("tanh at 8", f64::tanh, 8.0, 1.0 / (cosh8 * cosh8)),
        ("1e6 + sin at 1", |x| 1e6 + x.sin(), 1.0, 1f64.cos()),
        ("sin(1000x) at 1", |x| (1e3 * x).sin(), 1.0, 1e3 * 1e3f64.cos()),
        ("x³ at 1e4", |x| x * x * x, 1e4, 3e8),
        ("relu at 1e-7", |x| x.max(0.0), 1e-7, 1.0),
        ("relu at 1e-3", |x| x.max(0.0), 1e-3, 1.0),
    ];
    print!(
        "| function | PyTorch 1e-6 | JAX 1e-4 | HIPS ±5e-7 | Chainer 1e-3 | Stan | FiniteDifferences.jl (its estimate) |"
    );
    println!(" adaptive | its bar | calls |\n|---|---|---|---|---|---|---|---|---|---|");
    let mut false_estimates = 0;
    for (name, f, x, expected) in rows {
        let relative = |value: f64| (value - expected).abs() / expected.abs();
        let show = |value: f64| if value.is_finite() { format!("{value:.0e}") } else { "domain".to_owned() };
        let fixed = [1e-6, 1e-4, 0.5e-6, 1e-3].map(|eps| relative(slope(&|x: &[f64]| f(x[0]), &[x], &[1.0], eps)));
        let found = autograd::check::Difference::default().outputs(|x| Some(vec![f(x)]), x);
        let d = found.outputs[0];
        let (error, bar) = (relative(d.value), d.error_bar / expected.abs());
        let fixed_text = fixed.map(show).join(" | ");
        let (fdm, estimate) = fdm(&f, x);
        let (six, five, estimate) = (relative(stan(&f, x)), relative(fdm), estimate / expected.abs());
        false_estimates += u32::from(five > 10.0 * estimate);
        let five_text = if five.is_finite() { format!("{five:.0e} ({estimate:.0e})") } else { show(five) };
        let others = format!("{fixed_text} | {} | {five_text}", show(six));
        println!("| {name} | {others} | {error:.0e} | {bar:.0e} | {} |", found.evaluations);
        assert!(error <= bar + f64::EPSILON && error <= 1e-8, "{name}: {error:e} ± {bar:e}");
        if ["ln at 1e-8", "sqrt at 1e-6", "relu at 1e-7"].contains(&name) {
            assert!(fixed.iter().all(|&error| error.is_nan() || error >= 1e-3), "{name}: {fixed:?}");
        }
    }
    assert!(false_estimates >= 3, "an estimate of the error that is false by more than 10: {false_estimates} times");
}
