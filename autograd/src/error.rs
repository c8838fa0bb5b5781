//! What can go wrong, said so that it can be mended.

use core::fmt;
use core::panic::Location;

use crate::shape::Shape;

/// An operation was applied to shapes that it does not take.
///
/// While recording this is a bug in the program being written, and panics at the user's line with this
/// text; [`Graph::try_apply`](crate::Graph::try_apply) returns it instead.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ShapeError {
    /// The operation's name.
    pub op: &'static str,
    /// The shapes it was given.
    pub shapes: Vec<Shape>,
    /// The rule that they break.
    pub rule: String,
    /// The lines on which the operands were recorded.
    pub origins: Vec<&'static Location<'static>>,
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.op)?;
        for (i, shape) in self.shapes.iter().enumerate() {
            write!(f, "{}{shape}", if i == 0 { "" } else { " by " })?;
        }
        write!(f, ": {}", self.rule)?;
        let names: &[&str] = match self.origins.len() {
            1 => &["operand"],
            2 => &["left", "right"],
            _ => &["first", "second", "third", "fourth"],
        };
        for (name, origin) in names.iter().zip(&self.origins) {
            write!(f, "; {name} made at {origin}")?;
        }
        Ok(())
    }
}

impl core::error::Error for ShapeError {}

/// A run of a [`Program`](crate::Program) or [`Function`](crate::Function) was given what it cannot use.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum RunError {
    /// Not as many inputs as the program was compiled for.
    InputCount {
        /// How many it was compiled for.
        expected: usize,
        /// How many it was given.
        found: usize,
    },
    /// An input of another shape than the program was compiled for.
    InputShape {
        /// Which input, from 0.
        input: usize,
        /// The shape it was compiled for.
        expected: Shape,
        /// The shape it was given.
        found: Shape,
    },
    /// A tangent, cotangent or vector of another shape than what it belongs to.
    DirectionShape {
        /// `"tangent"`, `"cotangent"` or `"vector"`.
        role: &'static str,
        /// Which of them, from 0.
        index: usize,
        /// The shape of what it belongs to.
        expected: Shape,
        /// The shape it has.
        found: Shape,
    },
    /// A number that serves as an index is not a whole number in `0..bound`.
    Index {
        /// The operation that uses it.
        op: &'static str,
        /// Where that operation was recorded.
        site: &'static Location<'static>,
        /// Position of the number among the indices.
        position: usize,
        /// The number.
        value: f64,
        /// Indices must be below this.
        bound: usize,
    },
    /// An index stands twice where each may stand once.
    Duplicate {
        /// The operation that uses it.
        op: &'static str,
        /// Where that operation was recorded.
        site: &'static Location<'static>,
        /// Position of the second among the indices.
        position: usize,
        /// The number.
        value: f64,
    },
    /// A matrix that is to be factorised has an element that is infinite or NaN.
    NotFinite {
        /// The operation that factorises it.
        op: &'static str,
        /// Where that operation was recorded.
        site: &'static Location<'static>,
        /// Which element, row by row.
        position: usize,
        /// The element.
        value: f64,
    },
    /// A matrix that is to be inverted has no inverse.
    Singular {
        /// The operation that needs the inverse.
        op: &'static str,
        /// Where that operation was recorded.
        site: &'static Location<'static>,
        /// The first pivot of the elimination that is 0, from 0.
        pivot: usize,
    },
    /// A matrix whose symmetric part is to be positive definite is not.
    NotPositiveDefinite {
        /// The operation that factorises it.
        op: &'static str,
        /// Where that operation was recorded.
        site: &'static Location<'static>,
        /// The order of the smallest leading block that is not positive definite.
        minor: usize,
    },
    /// An iteration for eigenvalues did not end: of a finite matrix this has not been seen.
    NoConvergence {
        /// The operation.
        op: &'static str,
        /// Where it was recorded.
        site: &'static Location<'static>,
    },
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InputCount { expected, found } => {
                write!(f, "the program takes {expected} inputs, {found} were given")
            }
            Self::InputShape { input, expected, found } => {
                write!(f, "input {input}: the program was compiled for {expected}, {found} was given")
            }
            Self::DirectionShape { role, index, expected, found } => {
                write!(f, "{role} {index}: it belongs to a value of shape {expected}, {found} was given")
            }
            Self::Index { op, site, position, value, bound } => {
                write!(f, "{op} at {site}: index {position} is {value}, not a whole number in 0..{bound}")
            }
            Self::Duplicate { op, site, position, value } => {
                write!(f, "{op} at {site}: index {position} is {value}, which stands there before")
            }
            Self::NotFinite { op, site, position, value } => {
                write!(f, "{op} at {site}: element {position} of the matrix is {value}: it must be finite")
            }
            Self::Singular { op, site, pivot } => {
                write!(f, "{op} at {site}: the matrix is singular: pivot {pivot} is 0")
            }
            Self::NotPositiveDefinite { op, site, minor } => {
                write!(
                    f,
                    "{op} at {site}: the matrix is not positive definite: its leading {minor}x{minor} block is not"
                )
            }
            Self::NoConvergence { op, site } => write!(f, "{op} at {site}: the iteration for eigenvalues did not end"),
        }
    }
}

impl core::error::Error for RunError {}

/// A graph cannot become a program that is right at every run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CompileError {
    /// A number was read while recording, which may have decided what was recorded, and it depends on a
    /// variable that changes between runs.
    StaleBranch {
        /// Where the number was read.
        read: &'static Location<'static>,
        /// Where the variable was made.
        variable: &'static Location<'static>,
    },
    /// What is fed or assigned is not a leaf ([`Graph::input`](crate::Graph::input) or
    /// [`Graph::variable`](crate::Graph::variable)).
    NotALeaf {
        /// The operation that computes it.
        op: &'static str,
        /// Where it was recorded.
        site: &'static Location<'static>,
    },
    /// An input of the graph is needed but not in the list of inputs.
    UnfedInput {
        /// Where it was made.
        site: &'static Location<'static>,
    },
    /// The same leaf is fed or assigned twice.
    Twice {
        /// Where it was made.
        site: &'static Location<'static>,
    },
    /// A state is assigned a value of another shape.
    UpdateShape {
        /// The shape of the state.
        state: Shape,
        /// The shape of the value.
        value: Shape,
        /// Where the value was recorded.
        site: &'static Location<'static>,
    },
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StaleBranch { read, variable } => write!(
                f,
                "compile: the value read at {read} depends on the variable made at {variable}, which changes \
                 between runs: what was recorded after that read may be right for one value only; use a \
                 Function, which records anew, or peek() if nothing was decided by it"
            ),
            Self::NotALeaf { op, site } => {
                write!(f, "compile: the {op} at {site} is computed; only inputs and variables are fed or assigned")
            }
            Self::UnfedInput { site } => {
                write!(f, "compile: the input made at {site} is needed but not in the list of inputs")
            }
            Self::Twice { site } => write!(f, "compile: the leaf made at {site} is fed or assigned twice"),
            Self::UpdateShape { state, value, site } => {
                write!(f, "compile: a {state} state is assigned the {value} value recorded at {site}")
            }
        }
    }
}

impl core::error::Error for CompileError {}
