//! The rules of other libraries' gradient checkers, written from their published algorithms, as functions over the same
//! subjects: a function, the gradient claimed for it, a point. `true`: the checker finds nothing wrong.
//!
//! - PyTorch `torch/autograd/gradcheck.py`: eps 1e-6, atol 1e-5, rtol 1e-3; `fast_mode` compares `vᵀ J u` for random unit
//!   vectors with non-negative entries, atol times the sums of both.
//! - JAX `jax/_src/public_test_util.py`: eps 1e-4, atol = rtol = 1e-5 for f64 (2e-3 for f32), normal tangent and cotangent.
//! - HIPS autograd `test_util.py`: eps 1e-6 (half to each side), `|a - b| < 1e-6` or `|a - b| / |a + b| < 1e-6`.
//! - Chainer `gradient_check.py`: eps 1e-3 along a random unit direction, atol 1e-5, rtol 1e-4.

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
    println!("| function | PyTorch 1e-6 | JAX 1e-4 | HIPS ±5e-7 | Chainer 1e-3 | adaptive | its bar | calls |");
    println!("|---|---|---|---|---|---|---|---|");
    for (name, f, x, expected) in rows {
        let relative = |value: f64| (value - expected).abs() / expected.abs();
        let show = |value: f64| if value.is_finite() { format!("{value:.0e}") } else { "domain".to_owned() };
        let fixed = [1e-6, 1e-4, 0.5e-6, 1e-3].map(|eps| relative(slope(&|x: &[f64]| f(x[0]), &[x], &[1.0], eps)));
        let found = autograd::check::Difference::default().outputs(|x| Some(vec![f(x)]), x);
        let d = found.outputs[0];
        let (error, bar) = (relative(d.value), d.error_bar / expected.abs());
        let fixed_text = fixed.map(show).join(" | ");
        println!("| {name} | {fixed_text} | {error:.0e} | {bar:.0e} | {} |", found.evaluations);
        assert!(error <= bar + f64::EPSILON && error <= 1e-8, "{name}: {error:e} ± {bar:e}");
        if ["ln at 1e-8", "sqrt at 1e-6", "relu at 1e-7"].contains(&name) {
            assert!(fixed.iter().all(|&error| error.is_nan() || error >= 1e-3), "{name}: {fixed:?}");
        }
    }
}
