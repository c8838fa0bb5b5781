//! One operation and its rule in a single difference: along a random direction of all operands and of the cotangent.
//!
//! Cheap enough to be made of every operation, also where the whole gradient is right, since it may be right by chance: a
//! cotangent may be 0 at the point, or the derivative itself. What does not clearly agree is looked at element by element.

use smallvec::SmallVec;

use super::function::{isolated, matrix, through};
use super::{Local, catch};
use crate::check::difference::Derivative;
use crate::check::probe::{Compared, Weighted, largest, slopes_along};
use crate::check::replay::{Replay, numbers};
use crate::check::report::{BlameKind, Element, Mismatch, Verdict};
use crate::graph::Graph;
use crate::node::{Node, NodeId};
use crate::op::{Applied, Op};
use crate::scalar::Real;
use crate::var::Var;

/// Of operations with more numbers the second derivative, and what a point near by shows, is left to the whole function.
const LARGE: usize = 1 << 16;
/// So many times what roundings of the operands do to a derivative is no fault of it.
const NOISE: f64 = 16.0;
/// How far away a point near by is, in parts of the size of each number, or of 1.
const NEAR: f64 = 1.0 / 32.0;
/// Numbers below so many roundings of 1 are a hair from a kink at 0, and so are those next to them.
const HAIR: f64 = 4096.0;

/// One operation with its rule, as a function of the operands to which derivatives flow, and of the cotangent.
pub(super) struct Trial<U: Real> {
    /// The values are the result, the contributions, then, unless it is large, their derivatives and the tangent of the
    /// result along the direction.
    replay: Replay<U>,
    /// For each contribution the source that it belongs to. The cotangent is the last source.
    owners: Vec<usize>,
    direction: Vec<Vec<f64>>,
    /// Whether the derivative of the rule is known along the direction.
    second: bool,
    /// Whether the tangent of the result is.
    forward: bool,
    /// Weights of the elements of each contribution.
    weights: Vec<Vec<f64>>,
    /// Whether all decisions in it are held, so that it means the same elsewhere.
    pub(super) movable: bool,
}

/// What a trial showed.
pub(super) enum Shown {
    Agrees,
    /// Nothing: it has no finite value there.
    Nothing,
    /// It disagrees, or does not tell.
    Doubt(BlameKind, Box<Mismatch>),
}

impl<U: Real> Trial<U> {
    /// Of a node of `graph`, with derivatives that flow to `slots`; `None` if it cannot be evaluated.
    ///
    /// # Errors
    /// The message of a rule that cannot be recorded.
    pub(super) fn new(
        local: &mut Local,
        graph: &Graph<U>,
        id: NodeId,
        node: Node<'_>,
        slots: &[usize],
    ) -> Result<Option<Self>, String> {
        if through(node) {
            return Self::of(local, graph, &graph.applied(id).0, node, slots);
        }
        let alone = Graph::new();
        let Some(at) = isolated(graph, &alone, node) else { return Ok(None) };
        Self::of(local, &alone, &at, node, slots)
    }

    fn of<'a>(
        local: &mut Local,
        graph: &'a Graph<U>,
        at: &Applied<'a, U>,
        node: Node<'_>,
        slots: &[usize],
    ) -> Result<Option<Self>, String> {
        let mut sources: Vec<NodeId> = Vec::new();
        let mut owners = Vec::new();
        for slot in slots {
            let id = at.inputs[*slot].id();
            let known = sources.iter().position(|source| *source == id);
            owners.push(known.unwrap_or(sources.len()));
            if known.is_none() {
                sources.push(id);
            }
        }
        // Of several operands of a derivative of the user's, one may be computed from another.
        let apart = !through(node) || sources.len() == 1;
        let g = graph.variable(matrix::<U>(node.shape, &local.draws.numbers(node.shape.len())));
        sources.push(g.id());
        let Ok(point) = sources.iter().map(|id| numbers(graph, *id)).collect::<Result<Vec<_>, _>>() else {
            return Ok(None);
        };
        let direction = local.draws.direction(&point);
        let parts = catch(|| graph.at(node.site, || graph.vjps_of(node.op, g, at, slots)))?;
        let mut targets: Vec<NodeId> =
            core::iter::once(at.output.id()).chain(parts.iter().map(|part| part.id())).collect();
        let small = point.iter().map(Vec::len).sum::<usize>() <= LARGE;
        let vars: Vec<Var<'_, U>> = sources.iter().map(|id| Var::new(graph, *id)).collect();
        let along = || vars.iter().zip(&direction).map(|(x, u)| graph.constant(matrix::<U>(x.shape(), u)));
        let mut second = small && apart && local.second;
        if second {
            let tangents: Vec<Var<'_, U>> = along().collect();
            let pushed = catch(|| graph.push_forward(&parts, &vars, &tangents));
            let zero = |part: &Var<'_, U>| graph.fill(part.shape(), U::ZERO).id();
            match pushed {
                Ok(pushed) => {
                    targets
                        .extend(parts.iter().zip(pushed).map(|(part, dx)| dx.map_or_else(|| zero(part), |dx| dx.id())));
                }
                Err(_) => second = false,
            }
        }
        let mut forward = small && apart;
        if forward {
            let mut tangents: SmallVec<[Option<Var<'_, U>>; 2]> = SmallVec::from_elem(None, at.inputs.len());
            let u: Vec<Var<'_, U>> = along().collect();
            slots.iter().zip(&owners).for_each(|(slot, owner)| tangents[*slot] = Some(u[*owner]));
            match catch(|| graph.at(node.site, || graph.jvp_of(node.op, &tangents, at))) {
                Ok(pushed) => targets.push(pushed.id()),
                Err(_) => forward = false,
            }
        }
        let Ok(replay) = Replay::between(graph, &sources, &targets, local.held) else { return Ok(None) };
        let weights = parts.iter().map(|part| local.draws.numbers(part.shape().len())).collect();
        let movable = apart && (through(node) || !matches!(node.op, Op::Custom(_)));
        Ok(Some(Self { replay, owners, direction, second, forward, weights, movable }))
    }

    /// The values of output `k` at the point, with these numbers for the cotangent.
    fn at_point(&mut self, cotangent: Option<&[f64]>) -> Option<Vec<Vec<f64>>> {
        let last = self.direction.len() - 1;
        let own = self.replay.point()[last].clone();
        let g = cotangent.unwrap_or(&own);
        let defined = self.replay.substitute(last, g.iter().copied());
        defined.then(|| (0..self.replay.outputs()).map(|k| self.replay.output(k).collect()).collect())
    }

    /// What a few roundings of the operands and of the cotangent do to each value.
    fn roundings(&mut self, local: &mut Local, values: &[Vec<f64>]) -> Vec<Vec<f64>> {
        let (point, unit) = (self.replay.point(), 4.0 * U::EPSILON.to_f64());
        let mut draws = |x: &Vec<f64>| x.iter().zip(local.draws.numbers(x.len())).map(|(x, u)| x * u).collect();
        let rounded: Vec<Vec<f64>> = point.iter().map(&mut draws).collect();
        let defined = self.replay.move_along(&rounded, unit);
        let change = |k: usize| {
            let change = |(a, b): (f64, &f64)| if (a - b).is_finite() { NOISE * (a - b).abs() } else { 0.0 };
            self.replay.output(k).zip(&values[k]).map(change).collect()
        };
        let none = |values: &Vec<f64>| vec![0.0; values.len()];
        if defined { (0..values.len()).map(change).collect() } else { values.iter().map(none).collect() }
    }

    /// By how much derivatives may be off that are computed with roundings: the contributions for a cotangent of size 1, and
    /// their derivatives.
    pub(super) fn noise(&mut self, local: &mut Local) -> f64 {
        let Some(values) = self.at_point(None) else { return 0.0 };
        self.roundings(local, &values)[1..].iter().flatten().fold(0.0, |max: f64, x| max.max(*x))
    }

    /// `Σ ⟨cⱼ, uⱼ⟩` of the contributions among values, with the size of its terms.
    fn along(&self, values: &[Vec<f64>], noise: &[Vec<f64>], share: f64) -> Terms {
        let mut terms = Terms::default();
        for ((part, noise), owner) in values[1..].iter().zip(&noise[1..]).zip(&self.owners) {
            let each = part.iter().zip(noise).zip(&self.direction[*owner]);
            each.for_each(|((c, noise), u)| terms.add(c * u, share * noise * u));
        }
        terms
    }

    /// Compares the rule, for a random cotangent and for the `real` one, with a difference; its derivative with a difference
    /// of itself; and the tangent with the same.
    pub(super) fn judge(&mut self, local: &mut Local, real: Option<&[f64]>) -> Shown {
        let Some(values) = self.at_point(None) else { return Shown::Nothing };
        if !values.iter().flatten().all(|x| x.is_finite()) {
            return Shown::Nothing;
        }
        let noise = self.roundings(local, &values);
        let last = self.direction.len() - 1;
        let random = self.replay.point()[last].clone();
        let parts = self.owners.len();
        let mut goals = vec![(BlameKind::Vjp, 0, self.along(&values, &noise, 1.0))];
        let silent = |weights: Vec<f64>| {
            let mut all = vec![Vec::new(); self.replay.outputs()];
            all[0] = weights;
            all
        };
        let mut weights = vec![silent(random.clone())];
        if let Some(real) = real {
            weights.push(silent(real.to_vec()));
        }
        if self.second {
            let mut all = vec![Vec::new(); self.replay.outputs()];
            all[1..=parts].clone_from_slice(&self.weights);
            let mut terms = Terms::default();
            for ((dx, noise), v) in values[1 + parts..].iter().zip(&noise[1 + parts..]).zip(&self.weights) {
                dx.iter().zip(noise).zip(v).for_each(|((dx, noise), v)| terms.add(dx * v, noise * v));
            }
            terms.noise = terms.noise.max(goals[0].2.noise);
            goals.push((BlameKind::Second, weights.len(), terms));
            weights.push(all);
        }
        if self.forward {
            let mut terms = Terms::default();
            let tangent = values.last().into_iter().flatten().zip(noise.last().into_iter().flatten());
            tangent.zip(&random).for_each(|((dy, noise), w)| terms.add(dy * w, noise * w));
            goals.push((BlameKind::Jvp, 0, terms));
        }
        if let Some(real) = real {
            let Some(values) = self.at_point(Some(real)) else { return Shown::Nothing };
            goals.push((BlameKind::Vjp, 1, self.along(&values, &noise, largest(real))));
        }
        let sums: Option<Vec<Weighted>> =
            weights.into_iter().map(|weights| Weighted::new(&mut self.replay, weights)).collect();
        let Some(sums) = sums else { return Shown::Nothing };
        let (replay, direction) = (&mut self.replay, &self.direction);
        let moved = |t: f64| replay.move_along(direction, t).then(|| sums.iter().map(|sum| sum.of(replay)).collect());
        let numeric = slopes_along::<U>(&local.difference, moved);
        let judged = goals.into_iter().filter_map(|(kind, k, terms)| Some((kind, terms.judge(local, numeric.get(k)?))));
        let doubt = judged.filter(|(_, mismatch)| mismatch.verdict != Verdict::Pass);
        // What is wrong for certain before what does not tell.
        match doubt.max_by_key(|(_, mismatch)| mismatch.verdict == Verdict::Fail) {
            Some((kind, mismatch)) => Shown::Doubt(kind, Box::new(mismatch)),
            None => Shown::Agrees,
        }
    }

    /// Points near by, the farther first; the nearer has the signs of this one, for the sake of domains. Both are away from a hair
    /// beside 0.
    pub(super) fn nearby(&self, local: &mut Local) -> [Vec<Vec<f64>>; 2] {
        let (last, point) = (self.direction.len() - 1, self.replay.point());
        let random = local.draws.direction(point);
        [false, true].map(|relative| {
            let mut moved = point.to_vec();
            for (x, u) in moved.iter_mut().zip(&random).take(last) {
                for (x, u) in x.iter_mut().zip(u) {
                    let hair = *x != 0.0 && x.abs() < HAIR * U::EPSILON.to_f64();
                    *x += NEAR
                        * match relative {
                            true if hair => u.abs().copysign(*x),
                            true => *x * u.signum(),
                            false => *u,
                        };
                }
            }
            moved
        })
    }

    pub(super) fn point(&self) -> Vec<Vec<f64>> {
        self.replay.point().to_vec()
    }

    pub(super) fn move_to(&mut self, point: &[Vec<f64>]) {
        self.replay.set_point(point);
    }

    pub(super) fn is_small(&self) -> bool {
        self.replay.point().iter().map(Vec::len).sum::<usize>() <= LARGE
    }

    pub(super) fn evaluations(&self) -> usize {
        self.replay.evaluations
    }
}

/// A sum that a difference is compared with.
#[derive(Default)]
struct Terms {
    sum: f64,
    squares: f64,
    largest: f64,
    /// What rounding may have done to it.
    noise: f64,
}

impl Terms {
    fn add(&mut self, term: f64, noise: f64) {
        self.noise += noise.abs();
        self.sum += term;
        self.squares += term * term;
        self.largest = self.largest.max(term.abs());
    }

    fn judge(&self, local: &Local, numeric: &Derivative) -> Mismatch {
        let scale = self.squares.sqrt().max(numeric.value.abs());
        let tolerance = local.absolute * self.largest + local.relative * scale + self.noise;
        let input = Element::new("a random direction", &[]);
        Compared { part: "rule", output: None, input }.judge(self.sum, numeric, tolerance)
    }
}
