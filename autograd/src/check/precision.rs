//! The shadow: what was computed in `f32`, beside the same computed in `f64`. What differs there is not the formula, but
//! digits that were lost; the operation that lost them is named.

use std::cell::LazyCell;

use super::Check;
use super::difference::Derivative;
use super::probe::{Compared, element, largest};
use super::replay::{Held, numbers};
use super::report::{Blame, BlameKind, Cause, Part, Reason, Report, Site, Verdict};
use super::rounding::Stretch;
use crate::graph::Graph;
use crate::matrix::Matrix;
use crate::node::{NodeId, Nodes};
use crate::scalar::Real;

/// A node that multiplies the relative error of its operands by more than this, and leaves fewer than four digits, is named.
const GROWTH: f64 = 32.0;
/// In parts of what a gradient in `f32` may be off by.
const LOST: f64 = 1e-2;
/// At most so many are.
const NAMED: usize = 4;
/// An error that is no more than so many times what random rounding did in so many draws is one of rounding.
const EXPLAINED: f64 = 4.0;
const DRAWS: u64 = 16;

/// Compares the gradient that `graph` gives with that of its `shadow`, and says where digits were lost.
pub(super) fn compare<T: Real, U: Real>(
    check: &Check,
    graph: &Graph<T>,
    shadow: &Graph<U>,
    sources: &[NodeId],
    target: NodeId,
    cotangent: &Matrix<f64>,
    report: &mut Report,
) {
    let (seed, wide) = (graph.constant(cotangent.cast::<T>()), shadow.constant(cotangent.cast::<U>()));
    let catch = super::quiet::catch;
    let pulled = catch(|| (graph.cotangents(target, seed, sources), shadow.cotangents(target, wide, sources)));
    let Ok((own, wide)) = pulled else { return };
    let mut part = Part::new(format!("{} against {}", T::NAME, U::NAME));
    let mut worst = 0.0_f64;
    // What rounding to the narrow type at every operation does to the gradient, if that is asked.
    let own_rounding = |id: NodeId| {
        let held = Held { decisions: false, detached: true };
        let stretch = Stretch { graph: shadow, sources, targets: &[id], held };
        stretch.moved_by(T::EPSILON.to_f64(), DRAWS).remove(0)
    };
    for source in sources {
        let (Some(Some(own)), Some(Some(wide))) = (own.get(source.index()), wide.get(source.index())) else { continue };
        let (Ok(short), Ok(long)) = (numbers(graph, own.id()), numbers(shadow, wide.id())) else { continue };
        let rounding = LazyCell::new(|| own_rounding(wide.id()));
        let var = graph.var(*source);
        let name = var.name().unwrap_or_else(|| source.to_string());
        let floor = 64.0 * T::EPSILON.to_f64() * largest(long.iter().filter(|g| g.is_finite()));
        // What is not finite in either has no digits to lose.
        let known = short.iter().zip(&long).enumerate().filter(|(_, (a, b))| a.is_finite() || b.is_finite());
        worst = worst.max(Error::between(&short, &long).whole());
        for (place, (short, long)) in known {
            let tolerance = floor * T::EPSILON.to_f64() + check.rtol_f32 * long.abs();
            let numeric = Derivative::known(*long, floor);
            let input = element(&name, var.shape(), place);
            let mut mismatch = Compared { part: "precision", output: None, input }.judge(*short, &numeric, tolerance);
            if let Verdict::Inconclusive(_) = mismatch.verdict {
                mismatch.verdict = Verdict::Pass; // Within what rounding of the other elements explains.
            } else if mismatch.verdict == Verdict::Fail && mismatch.error() <= EXPLAINED * rounding[place] {
                mismatch.verdict = Verdict::Inconclusive(Reason::LostDigits);
            }
            report.add(&mut part, mismatch, long.abs());
        }
    }
    let failed = part.failed + part.undecided > 0;
    if failed {
        part.cause = Some(Cause::Precision);
    }
    report.parts.push(part);
    let nodes = graph.nodes.borrow().up_to(target);
    let reach = super::replay::Reach::new(&nodes, sources, target);
    let on = (0..nodes.len()).map(NodeId::new).filter(|id| reach.of(*id));
    let errors = Errors::new(graph, shadow, on);
    let lost = LOST * check.rtol_f32;
    // One element near 0 beside others that are not has few digits, and harms nobody: only where the value or a gradient
    // is off as a whole, or an element of the gradient by more than is allowed, an operation is to blame.
    let harm = failed || worst > lost || errors.of(target, Error::whole) > lost;
    if harm {
        name_losses(&nodes, &errors, lost, failed, report);
    }
}

/// How far a value in `f32` is from the same in `f64`.
#[derive(Clone, Copy, Debug, Default)]
struct Error {
    /// The largest relative error of an element.
    relative: f64,
    /// Where that is, and the two numbers.
    place: usize,
    numbers: [f64; 2],
    /// The largest error, and the largest number.
    absolute: f64,
    size: f64,
}

impl Error {
    fn between(short: &[f64], long: &[f64]) -> Self {
        let mut error = Self::default();
        for (place, (short, long)) in short.iter().zip(long).enumerate().filter(|(_, (s, l))| (**s - **l).is_finite()) {
            let absolute = (short - long).abs();
            let relative = absolute / long.abs();
            if relative > error.relative && relative.is_finite() {
                (error.relative, error.place, error.numbers) = (relative, place, [*short, *long]);
            }
            error.absolute = error.absolute.max(absolute);
            error.size = error.size.max(long.abs());
        }
        error
    }

    fn elementwise(self) -> f64 {
        self.relative
    }

    /// The error relative to the largest element.
    fn whole(self) -> f64 {
        if self.size > 0.0 { self.absolute / self.size } else { 0.0 }
    }
}

/// The errors of all values.
struct Errors(Vec<Option<Error>>);

impl Errors {
    fn new<T: Real, U: Real>(graph: &Graph<T>, shadow: &Graph<U>, on: impl Iterator<Item = NodeId>) -> Self {
        let mut errors = Vec::new();
        for id in on {
            let (Ok(short), Ok(long)) = (numbers(graph, id), numbers(shadow, id)) else { continue };
            errors.resize(errors.len().max(id.index() + 1), None);
            errors[id.index()] = Some(Error::between(&short, &long));
        }
        Self(errors)
    }

    fn of(&self, id: NodeId, measure: fn(Error) -> f64) -> f64 {
        self.0.get(id.index()).copied().flatten().map_or(0.0, measure)
    }
}

/// Names the operations that lost digits: of single elements if those are missed in the gradient, else of a whole value.
fn name_losses(nodes: &Nodes, errors: &Errors, lost: f64, elements: bool, report: &mut Report) {
    let measure = if elements { Error::elementwise } else { Error::whole };
    let mut found = Vec::new();
    for (i, node) in nodes.iter().enumerate().filter(|(_, node)| !node.op.is_leaf()) {
        let id = NodeId::new(i);
        let error = errors.of(id, measure);
        let given = node.inputs.iter().map(|input| errors.of(*input, measure)).fold(f64::from(f32::EPSILON), f64::max);
        if error > lost && error > GROWTH * given {
            found.push((error, id, node, errors.0[i].unwrap_or_default()));
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (error, id, node, Error { place, numbers: [short, long], .. }) in found.into_iter().take(NAMED) {
        let digits = (error / f64::from(f32::EPSILON)).log10();
        report.notes.push(format!(
            "catastrophic cancellation at node {id} {} ({}): {error:.1e} relative, {digits:.0} digits lost",
            node.op.name(),
            Site::from(node.site)
        ));
        let input = element(&id.to_string(), node.shape, place);
        let worst =
            Compared { part: "precision", output: None, input }.judge(short, &Derivative::known(long, 0.0), 0.0);
        report.blame.push(Blame {
            node: id.index(),
            op: node.op.name().to_owned(),
            site: Some(Site::from(node.site)),
            operand: 0,
            shape: [node.shape.rows, node.shape.cols],
            kind: BlameKind::Precision,
            worst,
            cause: Some(Cause::Precision),
            hidden: None,
        });
    }
}
