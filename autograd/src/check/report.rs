//! What a check found, as fields and as text.

use core::fmt;
use core::panic::Location;

mod text;

/// Whether the derivative is right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Verdict {
    /// It is, as far as was asked.
    Pass,
    /// It is not.
    Fail,
    /// The numeric derivative was not accurate enough to tell. Not a pass.
    Inconclusive(Reason),
}

impl Verdict {
    /// The worse of two: a failure before what is inconclusive before a pass.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Fail, _) | (_, Self::Pass) => self,
            (_, Self::Fail) | (Self::Pass, _) => other,
            (Self::Inconclusive(_), Self::Inconclusive(_)) => self,
        }
    }

    /// Whether this is [`Verdict::Pass`].
    #[must_use]
    pub fn is_pass(self) -> bool {
        self == Self::Pass
    }
}

/// Why a check could not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Reason {
    /// Rounding in the function's values leaves too few digits of the difference.
    Noise,
    /// The function is defined on one side only, and its slope there is not resolved.
    DomainEdge,
    /// The function has a kink at the point: its slopes to the left and to the right differ.
    Kink,
    /// The function has no finite value at the point, or no finite slope.
    NonFinite,
    /// The same call gave two results.
    Flaky,
    /// What is computed in `f32` is off, by no more than rounding explains: the rules are right, the digits were lost.
    LostDigits,
    /// Nothing was compared.
    Nothing,
}

/// A line of a source file.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Site {
    /// The path, as the compiler was given it.
    pub file: String,
    /// The line, counted from 1.
    pub line: u32,
    /// The column, counted from 1.
    pub column: u32,
}

impl From<&Location<'_>> for Site {
    fn from(location: &Location<'_>) -> Self {
        Self { file: location.file().to_owned(), line: location.line(), column: location.column() }
    }
}

/// An element of an input or an output: `w[2,1]`, `x[3]`, or the whole of it: `loss`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Element {
    /// What it is an element of.
    pub name: String,
    /// Its indices, counted from 0; none: all of it.
    pub index: Vec<usize>,
}

impl Element {
    /// The element of `name` at `index`.
    ///
    /// # Examples
    /// ```
    /// use autograd::check::Element;
    /// assert_eq!(Element::new("w", &[2, 1]).to_string(), "w[2,1]");
    /// ```
    #[must_use]
    pub fn new(name: impl Into<String>, index: &[usize]) -> Self {
        Self { name: name.into(), index: index.to_vec() }
    }
}

/// A derivative that is wrong, or that could not be judged.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Mismatch {
    /// What was compared: `gradient`, `jvp`, `hessian` …
    pub part: String,
    /// Of what the derivative is taken, if that is one of many.
    pub output: Option<Element>,
    /// By what, or along which direction.
    pub input: Element,
    /// [`Verdict::Fail`] or [`Verdict::Inconclusive`].
    pub verdict: Verdict,
    /// What the code under test says.
    #[cfg_attr(feature = "serde", serde(with = "crate::check::number::one"))]
    pub analytic: f64,
    /// What the differences say.
    #[cfg_attr(feature = "serde", serde(with = "crate::check::number::one"))]
    pub numeric: f64,
    /// By how much the numeric derivative may be off.
    #[cfg_attr(feature = "serde", serde(with = "crate::check::number::one"))]
    pub error_bar: f64,
    /// What was allowed.
    #[cfg_attr(feature = "serde", serde(with = "crate::check::number::one"))]
    pub tolerance: f64,
    /// The step of the best difference.
    #[cfg_attr(feature = "serde", serde(with = "crate::check::number::one"))]
    pub step: f64,
}

impl Mismatch {
    /// `|analytic - numeric|`.
    #[must_use]
    pub fn error(&self) -> f64 {
        (self.analytic - self.numeric).abs()
    }

    /// By how many tolerances it is off; infinite for what is not finite. By it mismatches are sorted.
    #[must_use]
    pub fn severity(&self) -> f64 {
        let severity = self.error() / (self.tolerance + self.error_bar);
        if severity.is_nan() { f64::INFINITY } else { severity }
    }
}

/// What probably happened.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Cause {
    /// All are the negative of what they should be.
    Sign,
    /// All are `ratio` times what they should be.
    Factor {
        /// Analytic divided by numeric.
        ratio: f64,
    },
    /// All are `count` times too large (sum for mean), or too small (mean for sum).
    MeanOrSum {
        /// How many there are of what is summed.
        count: usize,
        /// Whether the analytic one is the larger.
        too_large: bool,
    },
    /// It is the derivative for the transposed input.
    Transposed,
    /// It was not summed over the rows or columns along which the input was broadcast.
    NotSummed,
    /// Right numbers in wrong places.
    Permuted {
        /// All are this many places too far on, if it is the same for all.
        shift: Option<isize>,
    },
    /// All are 0: the input was detached, or its contribution is missing.
    Zero,
    /// Some are 0, and the others right.
    SomeZero {
        /// How many are 0 and should not be.
        count: usize,
    },
    /// Some are NaN or infinite.
    NonFinite {
        /// How many.
        count: usize,
    },
    /// One is wrong, and all others are right.
    OneElement,
    /// A term is missing, counted twice or wrong: no factor, sign or order explains the error.
    Term {
        /// Analytic less numeric, if that is the same for all.
        offset: Option<f64>,
        /// Analytic less numeric in parts of the input, if that is the same for all.
        of_input: Option<f64>,
    },
    /// Too few or too many.
    Length {
        /// How many there should be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// It does not change with the point: computed from values of an earlier call.
    Stale,
    /// It changes from call to call at the same point.
    Flaky,
    /// It panicked, or returned an error.
    Missing,
    /// The formula is right, the computation loses digits.
    Precision,
    /// The rules of all operations are right, but contributions are not added up as they should be.
    Accumulation,
}

/// An operation whose derivative rule is wrong.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Blame {
    /// Its place in the graph.
    pub node: usize,
    /// Its name.
    pub op: String,
    /// The user's line that recorded it.
    pub site: Option<Site>,
    /// Which operand, counted from 0.
    pub operand: usize,
    /// Rows and columns of that operand.
    pub shape: [usize; 2],
    /// What is wrong.
    pub kind: BlameKind,
    /// Where it is most wrong.
    pub worst: Mismatch,
    /// What probably happened.
    pub cause: Option<Cause>,
    /// Why the gradient as a whole does not show it at the point, if it does not.
    pub hidden: Option<Hidden>,
}

/// Why a wrong rule does not show in the gradient at the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Hidden {
    /// The cotangent of the operation is 0 there.
    Cotangent,
    /// What it contributes is too small there, or cancels.
    Whole,
    /// The rule is right there, and wrong at a point near by: a factor of it may be 0.
    Nearby,
}

/// What is wrong with an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum BlameKind {
    /// Its product of a cotangent with the Jacobian.
    Vjp,
    /// Its product of the Jacobian with a tangent.
    Jvp,
    /// The derivative of its derivative.
    Second,
    /// The contributions of its users are not added up.
    Accumulation,
    /// A contribution has not the shape of the operand.
    Shape,
    /// Its formula is right, and loses digits.
    Precision,
    /// It gives another result when it is run again.
    Flaky,
}

/// A point at which the function is not differentiable, at or near where it was checked.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Kink {
    /// The operation, where it is known.
    pub op: Option<String>,
    /// The line that recorded it, where it is known.
    pub site: Option<Site>,
    /// Along which input or direction, or which element of the operation.
    pub element: Element,
    /// How far away it is: 0 at the point itself.
    #[cfg_attr(feature = "serde", serde(with = "crate::check::number::one"))]
    pub margin: f64,
    /// The slopes on the left and on the right, where they were measured.
    #[cfg_attr(feature = "serde", serde(with = "crate::check::number::pair"))]
    pub slopes: Option<[f64; 2]>,
}

/// How many comparisons of one kind there were, and what they gave.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Part {
    /// What was compared.
    pub name: String,
    /// How many passed.
    pub passed: usize,
    /// How many failed.
    pub failed: usize,
    /// How many could not be judged.
    pub undecided: usize,
    /// The largest error, relative to the scale of what was compared.
    #[cfg_attr(feature = "serde", serde(with = "crate::check::number::one"))]
    pub largest_error: f64,
    /// The largest error bar, in the same measure.
    #[cfg_attr(feature = "serde", serde(with = "crate::check::number::one"))]
    pub largest_bar: f64,
    /// What failures in it probably come from.
    pub cause: Option<Cause>,
}

impl Part {
    /// A part in which nothing was compared yet.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            passed: 0,
            failed: 0,
            undecided: 0,
            largest_error: 0.0,
            largest_bar: 0.0,
            cause: None,
        }
    }
}

/// What a check found.
///
/// It prints as a table that fits 100 columns, and is an error that `?` can carry.
///
/// # Examples
/// ```
/// use autograd::check::Check;
/// let report = Check::new().gradient(|x: &[f64]| x[0] * x[1], |x: &[f64]| vec![x[1], -x[0]], &[2.0, 3.0]);
/// assert!(!report.is_pass());
/// assert_eq!(report.mismatches[0].input.to_string(), "x[1]");
/// ```
#[derive(Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[must_use = "a report that nobody looks at finds nothing"]
pub struct Report {
    /// The worst of all.
    pub verdict: Verdict,
    /// What was checked.
    pub subject: String,
    /// The line that asked for it.
    pub site: Option<Site>,
    /// What was compared, in order.
    pub parts: Vec<Part>,
    /// What did not pass, the worst first: at most [`Report::KEPT`] of them.
    pub mismatches: Vec<Mismatch>,
    /// The operations at fault, the worst first.
    pub blame: Vec<Blame>,
    /// Where the function is not differentiable.
    pub kinks: Vec<Kink>,
    /// What else the reader should know.
    pub notes: Vec<String>,
    /// From which random directions are drawn.
    pub seed: u64,
    /// How often the function was evaluated.
    pub evaluations: usize,
    /// Whether the settings accept what is inconclusive.
    pub lenient: bool,
}

impl Report {
    /// So many mismatches are kept; the others are counted.
    pub const KEPT: usize = 32;

    /// A report of nothing yet: inconclusive until something passes.
    pub fn new(subject: impl Into<String>, seed: u64) -> Self {
        Self {
            verdict: Verdict::Inconclusive(Reason::Nothing),
            subject: subject.into(),
            site: None,
            parts: Vec::new(),
            mismatches: Vec::new(),
            blame: Vec::new(),
            kinks: Vec::new(),
            notes: Vec::new(),
            seed,
            evaluations: 0,
            lenient: false,
        }
    }

    /// Whether all that was compared passed, and something was.
    #[must_use]
    pub fn is_pass(&self) -> bool {
        self.verdict.is_pass()
    }

    /// Whether it passed, or is inconclusive and the settings accept that.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.is_pass() || (self.lenient && !self.is_fail())
    }

    /// Whether something is wrong for certain.
    #[must_use]
    pub fn is_fail(&self) -> bool {
        self.verdict == Verdict::Fail
    }

    /// How many comparisons passed, failed, and could not be judged.
    #[must_use]
    pub fn counts(&self) -> [usize; 3] {
        let sum = |count: fn(&Part) -> usize| self.parts.iter().map(count).sum();
        [sum(|part| part.passed), sum(|part| part.failed), sum(|part| part.undecided)]
    }

    /// The first cause that was recognised.
    #[must_use]
    pub fn cause(&self) -> Option<&Cause> {
        let blamed = self.blame.iter().find_map(|blame| blame.cause.as_ref());
        blamed.or_else(|| self.parts.iter().find_map(|part| part.cause.as_ref()))
    }

    /// Takes in the outcome of one comparison, in the part named last. `scale` is what the tolerance was relative to.
    pub fn add(&mut self, part: &mut Part, mismatch: Mismatch, scale: f64) {
        let relative = |error: f64| if scale > 0.0 { error / scale } else { error };
        let worse = |old: f64, new: f64| if new <= old { old } else { new };
        match mismatch.verdict {
            Verdict::Pass => part.passed += 1,
            Verdict::Fail => part.failed += 1,
            Verdict::Inconclusive(_) => part.undecided += 1,
        }
        part.largest_error = worse(part.largest_error, relative(mismatch.error()));
        part.largest_bar = worse(part.largest_bar, relative(mismatch.error_bar));
        self.note_verdict(mismatch.verdict);
        if !mismatch.verdict.is_pass() {
            self.keep(mismatch);
        }
    }

    /// Makes the verdict the worse of what it is and `verdict`.
    pub fn note_verdict(&mut self, verdict: Verdict) {
        let nothing = self.verdict == Verdict::Inconclusive(Reason::Nothing);
        self.verdict = if nothing { verdict } else { self.verdict.and(verdict) };
    }

    /// Keeps a mismatch, sorted, if it is among the worst.
    pub fn keep(&mut self, mismatch: Mismatch) {
        let rank = |m: &Mismatch| if m.verdict == Verdict::Fail { 1 } else { 0 };
        let new = (rank(&mismatch), mismatch.severity());
        let at = self.mismatches.partition_point(|old| (rank(old), old.severity()) >= new);
        if at < Self::KEPT {
            self.mismatches.insert(at, mismatch);
            self.mismatches.truncate(Self::KEPT);
        }
    }

    /// Joins the findings of another check to this one.
    pub fn merge(&mut self, other: Self) {
        self.note_verdict(other.verdict);
        self.parts.extend(other.parts);
        other.mismatches.into_iter().for_each(|mismatch| self.keep(mismatch));
        self.blame.extend(other.blame);
        self.kinks.extend(other.kinks);
        for note in other.notes {
            if !self.notes.contains(&note) {
                self.notes.push(note);
            }
        }
        self.evaluations += other.evaluations;
    }

    /// Does nothing if the report is accepted.
    ///
    /// # Panics
    /// With the report as text if it did not.
    #[track_caller]
    pub fn assert_pass(&self) {
        assert!(self.is_accepted(), "{self}");
    }

    /// The report as an error, unless it is accepted: for `?`.
    ///
    /// # Errors
    /// The report itself, boxed because it is large.
    ///
    /// # Examples
    /// ```
    /// use autograd::check::Check;
    /// Check::new().gradient(|x: &[f64]| x[0] * x[0], |x: &[f64]| vec![2.0 * x[0]], &[3.0]).into_result()?;
    /// # Ok::<(), Box<autograd::check::Report>>(())
    /// ```
    pub fn into_result(self) -> Result<(), Box<Self>> {
        if self.is_accepted() { Ok(()) } else { Err(Box::new(self)) }
    }

    /// The outcome for a property test, which then shrinks the point to a short one: a pass passes, a failure fails,
    /// and what is inconclusive is rejected, so that another case is drawn.
    ///
    /// # Errors
    /// `Fail` with the report as text, or `Reject` with the reason.
    #[cfg(feature = "proptest")]
    pub fn into_test_case(self) -> Result<(), proptest::test_runner::TestCaseError> {
        use proptest::test_runner::TestCaseError;
        match self.verdict {
            Verdict::Pass => Ok(()),
            Verdict::Fail => Err(TestCaseError::fail(self.to_string())),
            Verdict::Inconclusive(reason) => Err(TestCaseError::reject(reason.to_string())),
        }
    }
}

/// The text of [`Display`](fmt::Display), so that `unwrap` and `expect` show the table.
impl fmt::Debug for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl core::error::Error for Report {}
