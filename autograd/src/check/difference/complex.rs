//! Derivatives from one evaluation at a complex point: no difference, no cancellation, no step to choose.

use core::ops::{Add, Div, Mul, Neg, Sub};

/// A complex number with the functions that are analytic, for [`complex_step`].
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Complex {
    /// The real part.
    pub re: f64,
    /// The imaginary part.
    pub im: f64,
}

impl Complex {
    /// `re + i im`.
    #[must_use]
    pub const fn new(re: f64, im: f64) -> Self {
        Self { re, im }
    }

    /// `e^z`.
    #[must_use]
    pub fn exp(self) -> Self {
        let size = self.re.exp();
        Self::new(size * self.im.cos(), size * self.im.sin())
    }

    /// The principal logarithm.
    #[must_use]
    pub fn ln(self) -> Self {
        Self::new(self.re.hypot(self.im).ln(), self.im.atan2(self.re))
    }

    /// The sine.
    #[must_use]
    pub fn sin(self) -> Self {
        Self::new(self.re.sin() * self.im.cosh(), self.re.cos() * self.im.sinh())
    }

    /// The cosine.
    #[must_use]
    pub fn cos(self) -> Self {
        Self::new(self.re.cos() * self.im.cosh(), -self.re.sin() * self.im.sinh())
    }

    /// The hyperbolic tangent; precise for small imaginary parts.
    #[must_use]
    pub fn tanh(self) -> Self {
        let (t, u) = (self.re.tanh(), self.im.tan());
        Self::new(t, u) / Self::new(1.0, t * u)
    }

    /// The principal square root.
    #[must_use]
    pub fn sqrt(self) -> Self {
        let size = self.re.hypot(self.im);
        if self.re >= 0.0 {
            let re = ((size + self.re) / 2.0).sqrt();
            Self::new(re, if re > 0.0 { self.im / (2.0 * re) } else { 0.0 })
        } else {
            let im = ((size - self.re) / 2.0).sqrt().copysign(self.im);
            Self::new(self.im / (2.0 * im), im)
        }
    }

    /// `z` to a whole power.
    #[must_use]
    pub fn powi(self, n: i32) -> Self {
        let mut result = Self::from(1.0);
        for _ in 0..n.unsigned_abs() {
            result = result * self;
        }
        if n < 0 { Self::from(1.0) / result } else { result }
    }
}

impl From<f64> for Complex {
    fn from(re: f64) -> Self {
        Self::new(re, 0.0)
    }
}

impl Neg for Complex {
    type Output = Self;
    fn neg(self) -> Self {
        Self::new(-self.re, -self.im)
    }
}

impl<R: Into<Self>> Add<R> for Complex {
    type Output = Self;
    fn add(self, other: R) -> Self {
        let other = other.into();
        Self::new(self.re + other.re, self.im + other.im)
    }
}

impl<R: Into<Self>> Sub<R> for Complex {
    type Output = Self;
    fn sub(self, other: R) -> Self {
        let other = other.into();
        Self::new(self.re - other.re, self.im - other.im)
    }
}

impl<R: Into<Self>> Mul<R> for Complex {
    type Output = Self;
    fn mul(self, other: R) -> Self {
        let other = other.into();
        Self::new(self.re * other.re - self.im * other.im, self.re * other.im + self.im * other.re)
    }
}

impl<R: Into<Self>> Div<R> for Complex {
    type Output = Self;
    fn div(self, other: R) -> Self {
        let d = other.into();
        if d.re.abs() >= d.im.abs() {
            let r = d.im / d.re;
            let size = d.re + d.im * r;
            Self::new((self.re + self.im * r) / size, (self.im - self.re * r) / size)
        } else {
            let r = d.re / d.im;
            let size = d.re * r + d.im;
            Self::new((self.re * r + self.im) / size, (self.im * r - self.re) / size)
        }
    }
}

/// The gradient of a real analytic function, `∂f/∂xₖ = Im f(x + i h eₖ) / h` with `h = 1e-30`, one evaluation each.
///
/// As accurate as the function itself, and independent of every table of derivatives. For code that is written for
/// complex numbers; not for `abs`, `max` and what else is not analytic.
///
/// # Examples
/// ```
/// use autograd::check::{Complex, complex_step};
/// let gradient = complex_step(|z: &[Complex]| (z[0] * z[1]).sin() / z[1], &[1.0, 2.0]);
/// assert!((gradient[0] - 2f64.cos()).abs() < 1e-15);
/// ```
///
/// # References
/// W. Squire and G. Trapp, *Using complex variables to estimate derivatives of real functions*, SIAM Review 40 (1998) 110-112.
pub fn complex_step(f: impl Fn(&[Complex]) -> Complex, x: &[f64]) -> Vec<f64> {
    const STEP: f64 = 1e-30;
    let mut z: Vec<Complex> = x.iter().copied().map(Complex::from).collect();
    (0..x.len())
        .map(|k| {
            z[k].im = STEP;
            let slope = f(&z).im / STEP;
            z[k].im = 0.0;
            slope
        })
        .collect()
}
