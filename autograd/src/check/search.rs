//! Which of very many derivatives are wrong, in few evaluations: halves of the inputs are moved together, each by a sign of
//! its own, and only a half whose slope differs from what the derivatives say is looked into.

use core::ops::Range;

use super::difference::{Derivative, Difference, Method};

/// How far what the derivatives say along a group is from the slope of the function, and what is granted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Residual {
    /// Analytic less numeric.
    pub(crate) value: f64,
    /// How accurate that is.
    pub(crate) bar: f64,
    /// What would be no mistake.
    pub(crate) tolerance: f64,
}

impl Residual {
    /// Whether something in the group is wrong for certain.
    #[expect(clippy::neg_cmp_op_on_partial_ord, reason = "NaN is wrong")]
    pub(crate) fn is_wrong(&self) -> bool {
        !(self.value.abs() <= self.tolerance + 4.0 * self.bar)
    }

    /// Whether it is so by a margin.
    fn is_clear(&self, times: f64) -> bool {
        self.value.abs() > times * (self.tolerance + 4.0 * self.bar)
    }
}

/// What a group is compared by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Goal {
    /// What the derivatives say along the group.
    pub(crate) analytic: f64,
    /// What would be no mistake.
    pub(crate) tolerance: f64,
    /// A bar below this tells one wrong place from none.
    pub(crate) resolution: f64,
}

/// How far a group is off: by five evaluations if they tell, by the difference of the settings if not.
///
/// `size` is the size of the steps, in units of which the direction is given.
pub(crate) fn residual(
    settings: &Difference,
    size: f64,
    goal: Goal,
    slope: &mut dyn FnMut(&Difference) -> Derivative,
) -> Residual {
    // The errors of truncation and of rounding balance at this step for a function of scale 1.
    let quick = Difference { method: Method::Fixed { step: size * settings.epsilon.cbrt() }, ..*settings };
    let mut found = Residual { value: 0.0, bar: f64::INFINITY, tolerance: goal.tolerance };
    for settings in [&quick, settings] {
        let numeric = slope(settings);
        found = Residual { value: goal.analytic - numeric.value, bar: numeric.error_bar, ..found };
        if found.bar <= goal.tolerance.max(goal.resolution) || found.is_clear(4.0) {
            break;
        }
    }
    found
}

/// The places among `count` that are wrong, at most `most` of them, the worst first.
///
/// `measure` gives the residual of a group, for which a bar of its second argument is enough. It is asked once for each
/// halving: what is not in one half is in the other.
pub(crate) fn wrong_places(
    count: usize,
    most: usize,
    measure: &mut dyn FnMut(Range<usize>, f64) -> Residual,
) -> Vec<usize> {
    let whole = measure(0..count, 0.0);
    let resolution = whole.value.abs() / 16.0;
    let mut found = Vec::new();
    let mut open = if count > 0 && whole.is_wrong() { vec![(0..count, whole)] } else { Vec::new() };
    // The group that is most wrong comes first, so that the worst place is found first.
    while let Some(at) = worst(&open) {
        let (group, residual) = open.swap_remove(at);
        if group.len() == 1 {
            found.push(group.start);
            if found.len() == most {
                break;
            }
            continue;
        }
        let middle = group.start + group.len() / 2;
        let (left, right) = (group.start..middle, middle..group.end);
        let first = measure(left.clone(), resolution);
        let rest = Residual { value: residual.value - first.value, bar: residual.bar + first.bar, ..first };
        let settled = rest.is_clear(2.0) || (first.is_wrong() && !rest.is_wrong());
        let second = if settled { rest } else { measure(right.clone(), resolution) };
        open.extend([(left, first), (right, second)].into_iter().filter(|(_, residual)| residual.is_wrong()));
    }
    found
}

fn worst(open: &[(Range<usize>, Residual)]) -> Option<usize> {
    let size = |k: usize| if open[k].1.value.is_nan() { f64::INFINITY } else { open[k].1.value.abs() };
    (0..open.len()).max_by(|&a, &b| size(a).total_cmp(&size(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_place_in_a_million_takes_a_measurement_for_each_halving() {
        let mut count = 0;
        let found = wrong_places(1 << 20, 8, &mut |group, _| {
            count += 1;
            let value = if group.contains(&777_777) { 1.0 } else { 0.0 };
            Residual { value, bar: 1e-6, tolerance: 1e-3 }
        });
        assert_eq!(found, [777_777]);
        assert!(count <= 21, "{count}");
    }

    #[test]
    fn several_wrong_places_are_found_the_worst_first() {
        let places = [(5, 1.0), (6, -3.0), (9_000, 2.0), (9_999, -0.5)];
        let found = wrong_places(10_000, 8, &mut |group, _| {
            let value = places.iter().filter(|(k, _)| group.contains(k)).map(|(_, error)| error).sum();
            Residual { value, bar: 0.0, tolerance: 1e-9 }
        });
        assert_eq!(found, [6, 9_000, 5, 9_999]);
    }
}
