//! Optimisers, written as in their papers: expressions of parameter, gradient and state.
//!
//! Moments that decay to subnormal numbers are set to 0, since processors are many times slower with these.
//!
//! They are recorded into the graph of the training step, compiled and fused with it, and can be differentiated
//! through like any other expression. What changes from step to step and not from element to element (the rate, bias
//! corrections) is computed in `f64` outside and enters as `1x1` values.

use autograd::{Real, Var};

/// An update rule, applied to each parameter by itself.
///
/// ```
/// use autograd::{Real, Var};
/// use nn::optimizer::{Optimizer, Step};
///
/// /// Moves by the sign of the gradient alone: an optimiser of one's own.
/// struct SignDescent;
///
/// impl<T: Real> Optimizer<T> for SignDescent {
///     fn rate(&self) -> f64 {
///         0.01
///     }
///     fn update<'g>(&self, step: &Step<'g, '_, T>) -> (Var<'g, T>, Vec<Var<'g, T>>) {
///         (step.parameter - step.gradient.sign() * step.rate, vec![])
///     }
/// }
/// assert_eq!(Optimizer::<f32>::rate(&SignDescent), 0.01);
/// ```
pub trait Optimizer<T: Real> {
    /// The learning rate, unless a schedule says otherwise.
    fn rate(&self) -> f64;

    /// Names of the matrices that are kept for each parameter, of its shape, 0 at first.
    fn slots(&self) -> &'static [&'static str] {
        &[]
    }

    /// Further numbers for the step `t`, counted from 1.
    fn scalars(&self, t: u64) -> Vec<f64> {
        let _ = t;
        Vec::new()
    }

    /// The new value of the parameter and of each slot.
    fn update<'g>(&self, step: &Step<'g, '_, T>) -> (Var<'g, T>, Vec<Var<'g, T>>);
}

/// What an update rule sees of one parameter.
#[derive(Clone, Copy, Debug)]
pub struct Step<'g, 's, T: Real> {
    /// The parameter.
    pub parameter: Var<'g, T>,
    /// Its gradient.
    pub gradient: Var<'g, T>,
    /// Its slots, in the order of [`Optimizer::slots`].
    pub slots: &'s [Var<'g, T>],
    /// The learning rate, `1x1`.
    pub rate: Var<'g, T>,
    /// The numbers of [`Optimizer::scalars`], each `1x1`.
    pub scalars: &'s [Var<'g, T>],
}

/// Stochastic gradient descent, with momentum if that is not 0:
///
/// `v ← μ v + g`, `w ← w - η v` (Nesterov: `w ← w - η (g + μ v)`).
///
/// The rate is outside of the velocity, as in PyTorch; Keras puts it inside, which differs when the rate changes.
///
/// ```
/// let plain = nn::optimizer::Sgd::new(0.1);
/// let heavy = nn::optimizer::Sgd { momentum: 0.9, nesterov: true, ..plain };
/// assert_eq!(heavy.rate, 0.1);
/// ```
///
/// # References
/// I. Sutskever et al., "On the importance of initialization and momentum in deep learning", 2013.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    /// The learning rate η.
    pub rate: f64,
    /// The momentum μ, 0 for none.
    pub momentum: f64,
    /// Whether the gradient is looked at one step ahead.
    pub nesterov: bool,
}

impl Sgd {
    /// Gradient descent without momentum.
    #[must_use]
    pub fn new(rate: f64) -> Self {
        Self { rate, momentum: 0.0, nesterov: false }
    }
}

impl<T: Real> Optimizer<T> for Sgd {
    fn rate(&self) -> f64 {
        self.rate
    }

    fn slots(&self) -> &'static [&'static str] {
        if self.momentum == 0.0 { &[] } else { &["velocity"] }
    }

    fn update<'g>(&self, step: &Step<'g, '_, T>) -> (Var<'g, T>, Vec<Var<'g, T>>) {
        let &Step { parameter, gradient, slots, rate, .. } = step;
        let &[velocity] = slots else {
            return (parameter - gradient * rate, vec![]);
        };
        let momentum = T::from_f64(self.momentum);
        let velocity = (velocity * momentum + gradient).flush_subnormal();
        let direction = if self.nesterov { gradient + velocity * momentum } else { velocity };
        (parameter - direction * rate, vec![velocity])
    }
}

/// RMSprop as **Keras** defines it, with ε inside of the root:
///
/// `s ← ρ s + (1 - ρ) g²`, `w ← w - η g / √(s + ε)`.
///
/// PyTorch has ε outside of the root and a default of 1e-8. Inside of it, ε counts for more: with Keras' defaults (η 0.001,
/// ρ 0.9, ε 1e-7) the first step for a gradient of 1e-4 is √101 ≈ 10 times smaller than without ε.
///
/// ```
/// assert_eq!(nn::optimizer::RmsProp::default().epsilon, 1e-7);
/// ```
///
/// # References
/// T. Tieleman, G. Hinton, "Lecture 6.5: RMSprop", 2012.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RmsProp {
    /// The learning rate η.
    pub rate: f64,
    /// How much of the mean square is kept at each step, ρ.
    pub decay: f64,
    /// What keeps the root from 0, ε.
    pub epsilon: f64,
}

impl Default for RmsProp {
    fn default() -> Self {
        Self { rate: 0.001, decay: 0.9, epsilon: 1e-7 }
    }
}

impl<T: Real> Optimizer<T> for RmsProp {
    fn rate(&self) -> f64 {
        self.rate
    }

    fn slots(&self) -> &'static [&'static str] {
        &["mean_square"]
    }

    fn update<'g>(&self, step: &Step<'g, '_, T>) -> (Var<'g, T>, Vec<Var<'g, T>>) {
        let g = step.gradient;
        let (decay, epsilon) = (T::from_f64(self.decay), T::from_f64(self.epsilon));
        let mean_square = step.slots[0] * decay + g.square() * T::from_f64(1.0 - self.decay);
        let mean_square = mean_square.flush_subnormal();
        (step.parameter - g * step.rate * (mean_square + epsilon).rsqrt(), vec![mean_square])
    }
}

/// Adam as in its paper (Algorithm 1) and in PyTorch, with ε outside of the root of the corrected moment:
///
/// `m ← β₁ m + (1 - β₁) g`, `v ← β₂ v + (1 - β₂) g²`, `w ← w - η m̂ / (√v̂ + ε)`
/// with `m̂ = m / (1 - β₁ᵗ)`, `v̂ = v / (1 - β₂ᵗ)`.
///
/// Keras adds ε to the root of the *uncorrected* moment, and its default is 1e-7.
///
/// ```
/// assert_eq!(nn::optimizer::Adam::default().epsilon, 1e-8);
/// ```
///
/// # References
/// D. Kingma, J. Ba, "Adam: a method for stochastic optimization", 2015, Algorithm 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adam {
    /// The learning rate η.
    pub rate: f64,
    /// How much of the mean is kept at each step, β₁.
    pub beta1: f64,
    /// How much of the mean square is kept at each step, β₂.
    pub beta2: f64,
    /// What keeps the root from 0, ε.
    pub epsilon: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Self { rate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

impl<T: Real> Optimizer<T> for Adam {
    fn rate(&self) -> f64 {
        self.rate
    }

    fn slots(&self) -> &'static [&'static str] {
        &["mean", "mean_square"]
    }

    /// `1 - β₁ᵗ` and `√(1 - β₂ᵗ)`.
    #[allow(clippy::cast_precision_loss, reason = "steps stay far below 2⁵³")]
    fn scalars(&self, t: u64) -> Vec<f64> {
        let t = t as f64;
        vec![1.0 - self.beta1.powf(t), (1.0 - self.beta2.powf(t)).sqrt()]
    }

    fn update<'g>(&self, step: &Step<'g, '_, T>) -> (Var<'g, T>, Vec<Var<'g, T>>) {
        let g = step.gradient;
        let kept = |kept: f64| (T::from_f64(kept), T::from_f64(1.0 - kept));
        let ((beta1, new1), (beta2, new2)) = (kept(self.beta1), kept(self.beta2));
        let mean = (step.slots[0] * beta1 + g * new1).flush_subnormal();
        let mean_square = (step.slots[1] * beta2 + g.square() * new2).flush_subnormal();
        let root = mean_square.sqrt() / step.scalars[1] + T::from_f64(self.epsilon);
        let new = step.parameter - (step.rate / step.scalars[0]) * mean / root;
        (new, vec![mean, mean_square])
    }
}
