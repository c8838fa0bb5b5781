//! What holds of every recorded function, and needs no differences.

use super::quiet::catch;
use super::replay::{Held, Replay, numbers};
use super::report::{Part, Report, Verdict};
use crate::graph::Graph;
use crate::matrix::Matrix;
use crate::node::NodeId;
use crate::scalar::Real;
use crate::var::Var;

/// Checks, to the bit:
///
/// - recorded again, the function has the same value and the same gradient;
/// - a cotangent of zeros gives a gradient of zeros, and twice the cotangent twice the gradient;
/// - evaluated elsewhere as it was recorded here, it has the value that it has when it is recorded there, unless it read a
///   number to decide what to record.
pub(super) fn check<T: Real>(
    graph: &Graph<T>,
    inputs: &[(&str, &Matrix<T>)],
    f: &impl for<'g> Fn(&[Var<'g, T>]) -> Var<'g, T>,
    (x, y): (&[Var<'_, T>], Var<'_, T>),
    cotangent: &Matrix<f64>,
    report: &mut Report,
) {
    let mut part = Part::new("invariants");
    let sources: Vec<NodeId> = x.iter().map(|x| x.id()).collect();
    let gradient = |graph: &Graph<T>, target: NodeId, factor: f64| -> Option<Vec<Vec<u64>>> {
        let seed = graph.constant(cotangent.cast::<T>().map(|g| g * T::from_f64(factor)));
        let pulled = catch(|| graph.cotangents(target, seed, &sources)).ok()?;
        let own = |id: &NodeId| pulled.get(id.index()).copied().flatten();
        let all = sources.iter().filter_map(own).map(|own| numbers(graph, own.id()).ok().map(|own| bits(&own, 1.0)));
        all.collect()
    };
    let Some(once) = gradient(graph, y.id(), 1.0) else { return };
    let mut holds = |claim: &str, holds: bool| {
        if holds {
            part.passed += 1;
        } else {
            part.failed += 1;
            report.notes.push(format!("it does not hold that {claim}"));
        }
    };
    let again = Graph::new();
    let recorded = catch(|| {
        let x: Vec<Var<'_, T>> = inputs.iter().map(|(_, value)| again.variable(*value)).collect();
        f(&x).id()
    });
    let same = recorded.is_ok_and(|target| {
        target == y.id() && same(graph, &again, target) && gradient(&again, target, 1.0).as_ref() == Some(&once)
    });
    holds("the function gives the same when it is recorded again", same);
    let finite = once.iter().flatten().all(|bits| f64::from_bits(*bits).is_finite());
    if finite {
        let zero = gradient(graph, y.id(), 0.0).unwrap_or_default();
        let zero = zero.iter().flatten().all(|bits| f64::from_bits(*bits).abs() <= 0.0);
        holds("a cotangent of zeros gives a gradient of zeros", zero);
        let twice = gradient(graph, y.id(), 2.0).unwrap_or_default();
        let doubled: Vec<Vec<u64>> = once.iter().map(|own| own.iter().map(|x| twice_of::<T>(*x)).collect()).collect();
        holds("twice the cotangent gives twice the gradient", twice == doubled || small::<T>(&once));
    }
    if graph.reads.borrow().is_empty() {
        holds(
            "it gives elsewhere what it gives when it is recorded there",
            elsewhere(graph, inputs, f, &sources, y.id()),
        );
    }
    if part.failed > 0 {
        report.note_verdict(Verdict::Fail);
    } else {
        report.note_verdict(Verdict::Pass);
    }
    report.parts.push(part);
}

fn bits(x: &[f64], factor: f64) -> Vec<u64> {
    x.iter().map(|x| (x * factor).to_bits()).collect()
}

fn twice_of<T: Real>(bits: u64) -> u64 {
    T::from_f64(2.0 * f64::from_bits(bits)).to_f64().to_bits()
}

/// Whether numbers are so small, or so large, that doubling rounds.
fn small<T: Real>(all: &[Vec<u64>]) -> bool {
    let edge = T::MIN_POSITIVE.to_f64() / T::EPSILON.to_f64();
    all.iter().flatten().map(|bits| f64::from_bits(*bits).abs()).any(|x| x > 0.0 && (x < edge || x > edge.recip()))
}

fn same<T: Real>(one: &Graph<T>, other: &Graph<T>, id: NodeId) -> bool {
    match (numbers(one, id), numbers(other, id)) {
        (Ok(one), Ok(other)) => bits(&one, 1.0) == bits(&other, 1.0),
        _ => false,
    }
}

/// Whether the recorded graph, at other inputs, has the value of a graph that is recorded there.
fn elsewhere<T: Real>(
    graph: &Graph<T>,
    inputs: &[(&str, &Matrix<T>)],
    f: &impl for<'g> Fn(&[Var<'g, T>]) -> Var<'g, T>,
    sources: &[NodeId],
    target: NodeId,
) -> bool {
    let Ok(mut replay) = Replay::between(graph, sources, &[target], Held::NOTHING) else { return true };
    let moved: Vec<Matrix<T>> = inputs.iter().map(|(_, x)| x.map(|x| x * T::from_f64(1.0625))).collect();
    let direction: Vec<Vec<f64>> = moved.iter().map(|x| x.as_slice().iter().map(|x| x.to_f64()).collect()).collect();
    let still: Vec<Vec<f64>> = replay.point().to_vec();
    let step: Vec<Vec<f64>> = direction
        .iter()
        .zip(&still)
        .map(|(to, from)| to.iter().zip(from).map(|(to, from)| to - from).collect())
        .collect();
    let here = replay.move_along(&step, 1.0);
    let there = Graph::new();
    let recorded = catch(|| {
        let x: Vec<Var<'_, T>> = inputs
            .iter()
            .zip(&step)
            .map(|((_, value), step)| {
                let data = value.as_slice().iter().zip(step);
                let data = data.map(|(x, u)| T::from_f64(if *u == 0.0 { x.to_f64() } else { x.to_f64() + u }));
                there.variable(Matrix::new(value.rows(), value.cols(), data.collect()))
            })
            .collect();
        f(&x).id()
    });
    match recorded.map(|target| numbers(&there, target)) {
        Ok(Ok(value)) => here && bits(&value, 1.0) == bits(&replay.output(0).collect::<Vec<_>>(), 1.0),
        _ => true, // It has no value there: whether it should is not ours to say.
    }
}
