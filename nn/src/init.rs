//! Initial weights.
//!
//! With `n` inputs of variance 1, a sum `Σ wᵢ xᵢ` has the variance `n · var(w)`: weights that are all alike make the
//! signal, or the gradient on its way back, grow or fade from layer to layer. The schemes here choose `var(w)` from
//! the numbers of inputs (*fan-in*) and outputs (*fan-out*) of a layer.

use autograd::{Matrix, Real, Shape};

use crate::random::Random;

/// How the first values of a weight matrix or a bias are drawn.
///
/// | | `var(w)` | for |
/// |---|---|---|
/// | [Glorot](Self::glorot_uniform) | `2 / (in + out)` | tanh, sigmoid, softmax |
/// | [He](Self::he_uniform) | `2 / in` | relu and its relatives |
/// | [LeCun](Self::lecun_uniform) | `1 / in` | selu, linear |
///
/// ```
/// use nn::{Random, init::Initializer};
/// let mut random = Random::stream(42, "hidden.0.weight");
/// let weights = Initializer::he_uniform().sample::<f32>(784, 16, &mut random);
/// assert_eq!((weights.rows(), weights.cols()), (784, 16));
/// let limit = (6.0_f32 / 784.0).sqrt();
/// assert!(weights.as_slice().iter().all(|w| w.abs() <= limit));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Initializer {
    /// Every element is this number: 0 for a bias, as a rule.
    Constant(f64),
    /// Equally likely anywhere in `low ..= high`.
    Uniform {
        /// The lower end.
        low: f64,
        /// The upper end.
        high: f64,
    },
    /// Normally distributed.
    Normal {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        std: f64,
    },
    /// Normally distributed, and drawn again until within two `std` of the mean.
    TruncatedNormal {
        /// The mean.
        mean: f64,
        /// The standard deviation before truncation; what is drawn has 0.8796 of it.
        std: f64,
    },
    /// Of mean 0 and variance `scale / max(1, fan)`.
    VarianceScaling {
        /// The variance times the fan.
        scale: f64,
        /// Which fan.
        fan: Fan,
        /// The distribution.
        distribution: Distribution,
    },
}

/// Which number of neighbours of a neuron a variance is divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fan {
    /// Inputs: the variance of the signal is kept on its way forward.
    In,
    /// Outputs: the variance of the gradient is kept on its way back.
    Out,
    /// The mean of both.
    Average,
}

/// The form of a distribution of given variance `v` and mean 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distribution {
    /// Within `±√(3v)`.
    Uniform,
    /// With `σ = √v`.
    Normal,
    /// With `σ = √v / 0.8796`, drawn again until within `±2σ`.
    TruncatedNormal,
}

/// Standard deviation of a standard normal distribution truncated to ±2: `√(1 − 4 φ(2) / erf(√2))`.
const TRUNCATED_STD: f64 = 0.879_625_661_034_239_8;

impl Initializer {
    /// Every element is 0.
    pub const ZEROS: Self = Self::Constant(0.0);
    /// Every element is 1.
    pub const ONES: Self = Self::Constant(1.0);

    /// Glorot's, also called Xavier's: within `±√(6 / (in + out))`.
    ///
    /// # References
    /// X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010, eq. 16.
    #[must_use]
    pub const fn glorot_uniform() -> Self {
        Self::variance_scaling(1.0, Fan::Average, Distribution::Uniform)
    }

    /// Glorot's, normally distributed: `σ = √(2 / (in + out))`.
    ///
    /// # References
    /// X. Glorot, Y. Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010, eq. 12.
    #[must_use]
    pub const fn glorot_normal() -> Self {
        Self::variance_scaling(1.0, Fan::Average, Distribution::Normal)
    }

    /// He's, also called Kaiming's: within `±√(6 / in)`.
    ///
    /// # References
    /// K. He et al., "Delving deep into rectifiers", 2015, eq. 10.
    #[must_use]
    pub const fn he_uniform() -> Self {
        Self::variance_scaling(2.0, Fan::In, Distribution::Uniform)
    }

    /// He's, normally distributed: `σ = √(2 / in)`.
    ///
    /// # References
    /// K. He et al., "Delving deep into rectifiers", 2015, eq. 10.
    #[must_use]
    pub const fn he_normal() -> Self {
        Self::variance_scaling(2.0, Fan::In, Distribution::Normal)
    }

    /// LeCun's: within `±√(3 / in)`.
    ///
    /// # References
    /// Y. LeCun et al., "Efficient BackProp", 1998, eq. 16.
    #[must_use]
    pub const fn lecun_uniform() -> Self {
        Self::variance_scaling(1.0, Fan::In, Distribution::Uniform)
    }

    /// LeCun's, normally distributed: `σ = √(1 / in)`; to be used with selu.
    ///
    /// # References
    /// Y. LeCun et al., "Efficient BackProp", 1998, eq. 16.
    #[must_use]
    pub const fn lecun_normal() -> Self {
        Self::variance_scaling(1.0, Fan::In, Distribution::Normal)
    }

    /// Within `±1 / √in`: what PyTorch's `Linear` does with weights and biases.
    #[must_use]
    pub const fn torch_linear() -> Self {
        Self::variance_scaling(1.0 / 3.0, Fan::In, Distribution::Uniform)
    }

    /// Of variance `scale / max(1, fan)`.
    #[must_use]
    pub const fn variance_scaling(scale: f64, fan: Fan, distribution: Distribution) -> Self {
        Self::VarianceScaling { scale, fan, distribution }
    }

    /// Normal distributions are truncated at two standard deviations, as Keras does; others stay as they are.
    ///
    /// In a variance-scaling scheme the variance after truncation is the one of the scheme; in
    /// [`Normal`](Self::Normal) `std` is the one before it.
    #[must_use]
    pub const fn truncated(self) -> Self {
        match self {
            Self::Normal { mean, std } => Self::TruncatedNormal { mean, std },
            Self::VarianceScaling { scale, fan, distribution: Distribution::Normal } => {
                Self::variance_scaling(scale, fan, Distribution::TruncatedNormal)
            }
            Self::Constant(_) | Self::Uniform { .. } | Self::TruncatedNormal { .. } | Self::VarianceScaling { .. } => {
                self
            }
        }
    }

    /// Everything that is drawn is multiplied by `gain`, see [`gain`](mod@self::gain).
    ///
    /// ```
    /// use nn::init::{Initializer, gain};
    /// let tanh = Initializer::glorot_uniform().with_gain(gain::TANH);
    /// assert_eq!(tanh.std(8, 8), 5.0 / 3.0 * (1.0_f64 / 8.0).sqrt());
    /// ```
    #[must_use]
    pub const fn with_gain(self, gain: f64) -> Self {
        match self {
            Self::Constant(value) => Self::Constant(gain * value),
            Self::Uniform { low, high } => Self::Uniform { low: gain * low, high: gain * high },
            Self::Normal { mean, std } => Self::Normal { mean: gain * mean, std: gain.abs() * std },
            Self::TruncatedNormal { mean, std } => Self::TruncatedNormal { mean: gain * mean, std: gain.abs() * std },
            Self::VarianceScaling { scale, fan, distribution } => {
                Self::variance_scaling(gain * gain * scale, fan, distribution)
            }
        }
    }

    /// A weight matrix of `fan_in` rows and `fan_out` columns, for `y = x W`.
    ///
    /// Numbers are drawn row by row in `f64` and rounded, so that `f32` and `f64` networks begin alike.
    #[must_use]
    pub fn sample<T: Real>(&self, fan_in: usize, fan_out: usize, random: &mut Random) -> Matrix<T> {
        self.sample_shape(Shape::new(fan_in, fan_out), (fan_in, fan_out), random)
    }

    /// A matrix of any shape for a layer of `fans` inputs and outputs: the bias of a layer is `1 x out`.
    ///
    /// ```
    /// use autograd::Shape;
    /// use nn::{Random, init::Initializer};
    /// let bias = Initializer::torch_linear().sample_shape::<f64>(Shape::new(1, 3), (4, 3), &mut Random::new(1));
    /// assert!(bias.as_slice().iter().all(|b| b.abs() <= 0.5));
    /// ```
    #[must_use]
    pub fn sample_shape<T: Real>(&self, shape: Shape, fans: (usize, usize), random: &mut Random) -> Matrix<T> {
        let law = self.law(fans.0, fans.1);
        Matrix::from_fn(shape.rows, shape.cols, |_, _| T::from_f64(law.draw(random)))
    }

    /// The expected value of what is drawn.
    #[must_use]
    pub fn mean(&self) -> f64 {
        match *self {
            Self::Constant(value) => value,
            Self::Uniform { low, high } => f64::midpoint(low, high),
            Self::Normal { mean, .. } | Self::TruncatedNormal { mean, .. } => mean,
            Self::VarianceScaling { .. } => 0.0,
        }
    }

    /// The standard deviation of what is drawn, after truncation if there is any.
    #[must_use]
    pub fn std(&self, fan_in: usize, fan_out: usize) -> f64 {
        match self.law(fan_in, fan_out) {
            Law::Constant(_) => 0.0,
            Law::Uniform { low, high } => (high - low).abs() / 12.0_f64.sqrt(),
            Law::Normal { sigma, .. } => sigma,
            Law::Truncated { sigma, .. } => sigma * TRUNCATED_STD,
        }
    }

    /// Half the width of a uniform distribution, `None` for others.
    ///
    /// ```
    /// use nn::init::Initializer;
    /// assert_eq!(Initializer::lecun_uniform().limit(12, 5), Some(0.5));
    /// assert_eq!(Initializer::lecun_normal().limit(12, 5), None);
    /// ```
    #[must_use]
    pub fn limit(&self, fan_in: usize, fan_out: usize) -> Option<f64> {
        match self.law(fan_in, fan_out) {
            Law::Uniform { low, high } => Some((high - low).abs() / 2.0),
            Law::Constant(_) | Law::Normal { .. } | Law::Truncated { .. } => None,
        }
    }

    /// The parameter `σ` of a normal distribution, before truncation if there is any; `None` for others.
    ///
    /// ```
    /// use nn::init::Initializer;
    /// assert_eq!(Initializer::he_normal().sigma(8, 5), Some(0.5));
    /// ```
    #[must_use]
    pub fn sigma(&self, fan_in: usize, fan_out: usize) -> Option<f64> {
        match self.law(fan_in, fan_out) {
            Law::Normal { sigma, .. } | Law::Truncated { sigma, .. } => Some(sigma),
            Law::Constant(_) | Law::Uniform { .. } => None,
        }
    }

    /// What is drawn from for these fans.
    fn law(self, fan_in: usize, fan_out: usize) -> Law {
        match self {
            Self::Constant(value) => Law::Constant(value),
            Self::Uniform { low, high } => Law::Uniform { low, high },
            Self::Normal { mean, std } => Law::Normal { mean, sigma: std },
            Self::TruncatedNormal { mean, std } => Law::Truncated { mean, sigma: std },
            Self::VarianceScaling { scale, fan, distribution } => {
                distribution.law(scale / fan.of(fan_in, fan_out).max(1.0))
            }
        }
    }
}

impl Fan {
    fn of(self, fan_in: usize, fan_out: usize) -> f64 {
        let (fan_in, fan_out) = (f64::from_usize(fan_in), f64::from_usize(fan_out));
        match self {
            Self::In => fan_in,
            Self::Out => fan_out,
            Self::Average => f64::midpoint(fan_in, fan_out),
        }
    }
}

impl Distribution {
    fn law(self, variance: f64) -> Law {
        match self {
            Self::Uniform => {
                let limit = (3.0 * variance).sqrt();
                Law::Uniform { low: -limit, high: limit }
            }
            Self::Normal => Law::Normal { mean: 0.0, sigma: variance.sqrt() },
            Self::TruncatedNormal => Law::Truncated { mean: 0.0, sigma: variance.sqrt() / TRUNCATED_STD },
        }
    }
}

/// A distribution with all its numbers known.
enum Law {
    Constant(f64),
    Uniform { low: f64, high: f64 },
    Normal { mean: f64, sigma: f64 },
    Truncated { mean: f64, sigma: f64 },
}

impl Law {
    fn draw(&self, random: &mut Random) -> f64 {
        match *self {
            Self::Constant(value) => value,
            Self::Uniform { low, high } => random.uniform(low, high),
            Self::Normal { mean, sigma } => mean + sigma * random.normal(),
            Self::Truncated { mean, sigma } => mean + sigma * random.truncated_normal(),
        }
    }
}

/// Gains: by how much the weights before an activation grow, to make up for what it takes from the signal.
///
/// They are PyTorch's, for use with a scheme of gain 1: [`glorot`](Initializer::glorot_uniform) or
/// [`lecun`](Initializer::lecun_uniform). He's scheme contains the gain of relu already.
pub mod gain {
    /// No activation, or sigmoid.
    pub const LINEAR: f64 = 1.0;
    /// tanh.
    pub const TANH: f64 = 5.0 / 3.0;
    /// relu: √2.
    pub const RELU: f64 = std::f64::consts::SQRT_2;
    /// selu.
    pub const SELU: f64 = 0.75;

    /// leaky relu with this slope below 0: `√(2 / (1 + slope²))`.
    ///
    /// ```
    /// use nn::init::gain;
    /// assert_eq!(gain::leaky_relu(0.0), gain::RELU);
    /// ```
    #[must_use]
    pub fn leaky_relu(slope: f64) -> f64 {
        (2.0 / (1.0 + slope * slope)).sqrt()
    }
}
