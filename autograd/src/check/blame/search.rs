//! Which element of a large contribution is wrong, if one is.

use core::ops::Range;

use super::function::Function;
use super::{Contribution, Local};
use crate::check::difference::{Derivative, Difference};
use crate::check::probe::{Weighted, in_type, largest, slopes_along};
use crate::check::search::{Goal, Residual, residual, wrong_places};
use crate::node::Node;
use crate::scalar::Real;

/// So many directions are tried.
const DIRECTIONS: usize = 2;

/// A part of a direction of one operand.
struct Part<'a, U: Real> {
    node: Node<'a>,
    function: &'a mut Function<U>,
    source: usize,
    sums: &'a [Weighted; 2],
    weights: &'a [Vec<f64>; 2],
    /// One list for each source; all but those of the operand are 0.
    direction: Vec<Vec<f64>>,
}

impl<U: Real> Part<'_, U> {
    /// The derivative along it of the sum with the weights of number `k`.
    fn slope(&mut self, settings: &Difference, k: usize) -> Derivative {
        let (function, sum) = (&mut *self.function, &self.sums[k]);
        let own = &self.direction[self.source];
        if function.affine(self.node, self.source) {
            let exact = function.linear::<U>(self.source, own, self.weights);
            return exact.map_or(Derivative::unknown(crate::check::Reason::NonFinite), |all| all[k]);
        }
        let replay = &mut function.replay;
        let along = |t: f64| replay.move_along(&self.direction, t).then(|| vec![sum.of(replay)]);
        crate::check::probe::first(&slopes_along::<U>(settings, along))
    }
}

impl Local {
    /// A wrong element of a large contribution, if there is one: by the random cotangent first, for the real one may have
    /// few elements that are not 0.
    pub(super) fn search<U: Real>(
        &mut self,
        node: Node<'_>,
        function: &mut Function<U>,
        source: usize,
        given: &Contribution,
        weights: &[Vec<f64>; 2],
    ) -> Option<usize> {
        let sums = function.sums(weights)?;
        let point = function.replay.point();
        let mut direction: Vec<Vec<f64>> = point.iter().map(|x| vec![0.0; x.len()]).collect();
        for _ in 0..DIRECTIONS {
            let full = self.draws.scaled(&function.replay.point()[source]);
            direction[source].clone_from(&full);
            let mut part = Part { node, function, source, sums: &sums, weights, direction };
            let mut find = |k: usize| {
                let mut measure = |range, goal| self.group(&mut part, given, &full, k, range, goal);
                wrong_places(full.len(), 1, &mut measure).first().copied()
            };
            if let Some(place) = find(1).or_else(|| find(0)) {
                return Some(place);
            }
            direction = part.direction;
        }
        None
    }

    /// How far the contribution for the cotangent of number `k` is off along a range of a direction.
    fn group<U: Real>(
        &self,
        part: &mut Part<'_, U>,
        given: &Contribution,
        full: &[f64],
        k: usize,
        range: Range<usize>,
        resolution: f64,
    ) -> Residual {
        let analytic = &given.analytic[k];
        let own = &mut part.direction[part.source];
        own.fill(0.0);
        own[range.clone()].copy_from_slice(&full[range.clone()]);
        let terms = range.map(|place| analytic[place] * full[place]);
        let (sum, squares) = terms.fold((0.0, 0.0), |(sum, squares), term| (sum + term, squares + term * term));
        let tolerance = self.absolute * largest(analytic) + self.relative * f64::sqrt(squares);
        let goal = Goal { analytic: sum, tolerance, resolution };
        residual(&in_type::<U>(&self.difference), 1.0, goal, &mut |settings| part.slope(settings, k))
    }
}
