//! The shadow: what was computed in `f32`, beside the same computed in `f64`. What differs there is not the formula, but
//! digits that were lost; the operation that lost them is named.

use super::Check;
use super::difference::Derivative;
use super::probe::{Compared, element, largest};
use super::replay::numbers;
use super::report::{Blame, BlameKind, Cause, Part, Report, Site, Verdict};
use crate::graph::Graph;
use crate::matrix::Matrix;
use crate::node::{Node, NodeId};
use crate::scalar::Real;

/// A node that multiplies the relative error of its operands by more than this, and leaves fewer than four digits, is named.
const GROWTH: f64 = 32.0;
const LOST: f64 = 1e-4;
/// At most so many are.
const NAMED: usize = 4;

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
    let catch = super::blame::catch;
    let pulled = catch(|| (graph.cotangents(target, seed, sources), shadow.cotangents(target, wide, sources)));
    let Ok((own, wide)) = pulled else { return };
    let mut part = Part::new(format!("{} against {}", T::NAME, U::NAME));
    for source in sources {
        let (Some(Some(own)), Some(Some(wide))) = (own.get(source.index()), wide.get(source.index())) else { continue };
        let (Ok(short), Ok(long)) = (numbers(graph, own.id()), numbers(shadow, wide.id())) else { continue };
        let var = graph.var(*source);
        let name = var.name().unwrap_or_else(|| source.to_string());
        let floor = 64.0 * T::EPSILON.to_f64() * largest(long.iter().filter(|g| g.is_finite()));
        // What is not finite in either has no digits to lose.
        let known = short.iter().zip(&long).enumerate().filter(|(_, (a, b))| a.is_finite() || b.is_finite());
        for (place, (short, long)) in known {
            let tolerance = floor * T::EPSILON.to_f64() + check.rtol_f32 * long.abs();
            let numeric = Derivative::known(*long, floor);
            let input = element(&name, var.shape(), place);
            let mut mismatch = Compared { part: "precision", output: None, input }.judge(*short, &numeric, tolerance);
            if let Verdict::Inconclusive(_) = mismatch.verdict {
                mismatch.verdict = Verdict::Pass; // Within what rounding of the other elements explains.
            }
            report.add(&mut part, mismatch, long.abs());
        }
    }
    if part.failed > 0 {
        part.cause = Some(Cause::Precision);
    }
    report.parts.push(part);
    let nodes = graph.nodes.borrow()[..=target.index()].to_vec();
    let reach = super::replay::Reach::new(&nodes, sources, target);
    let on = (0..nodes.len()).map(NodeId::new).filter(|id| reach.of(*id));
    let errors = Errors::new(graph, shadow, on);
    name_losses(&nodes, &errors, report);
}

/// The relative error of every value, and where it is largest.
struct Errors(Vec<Option<(f64, usize, f64, f64)>>);

impl Errors {
    fn new<T: Real, U: Real>(graph: &Graph<T>, shadow: &Graph<U>, on: impl Iterator<Item = NodeId>) -> Self {
        let mut errors = Vec::new();
        for id in on {
            let (Ok(short), Ok(long)) = (numbers(graph, id), numbers(shadow, id)) else { continue };
            let relative = |(short, long): (&f64, &f64)| {
                let error = (short - long).abs() / long.abs();
                if error.is_finite() { error } else { 0.0 }
            };
            let each = short.iter().zip(&long).map(relative).enumerate();
            let worst = each.fold((0, 0.0), |worst, (k, error)| if error > worst.1 { (k, error) } else { worst });
            errors.resize(errors.len().max(id.index() + 1), None);
            let at = worst.0;
            errors[id.index()] = short.get(at).map(|short| (worst.1, at, *short, long[at]));
        }
        Self(errors)
    }

    fn of(&self, id: NodeId) -> f64 {
        self.0.get(id.index()).copied().flatten().map_or(0.0, |error| error.0)
    }
}

fn name_losses(nodes: &[Node], errors: &Errors, report: &mut Report) {
    let mut found = Vec::new();
    for (i, node) in nodes.iter().enumerate().filter(|(_, node)| !node.op.is_leaf()) {
        let id = NodeId::new(i);
        let Some((error, place, short, long)) = errors.0.get(i).copied().flatten() else { continue };
        let given = node.inputs.iter().map(|input| errors.of(*input)).fold(f64::from(f32::EPSILON), f64::max);
        if error > LOST && error > GROWTH * given {
            found.push((error, id, node, place, short, long));
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (error, id, node, place, short, long) in found.into_iter().take(NAMED) {
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
