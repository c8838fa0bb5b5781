//! Which of very many derivatives are wrong, in few evaluations: halves of the inputs are moved together, each by a sign of
//! its own, and only a half whose slope differs from what the derivatives say is looked into.

use core::ops::Range;

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
}

/// The places that are wrong in `groups`, at most `most` of them, in the order of their residuals.
///
/// `measure` gives the residual of a group; it is asked about twice for each halving of a group with one wrong place in it.
pub(crate) fn wrong_places(
    groups: Vec<Range<usize>>,
    most: usize,
    measure: &mut dyn FnMut(Range<usize>) -> Residual,
) -> Vec<usize> {
    let mut found = Vec::new();
    let mut open: Vec<(Range<usize>, Residual)> = Vec::new();
    for group in groups.into_iter().filter(|group| !group.is_empty()) {
        let residual = measure(group.clone());
        if residual.is_wrong() {
            open.push((group, residual));
        }
    }
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
        let first = measure(left.clone());
        // What is not in one half is in the other: it is measured only if that does not settle it.
        let rest = Residual { value: residual.value - first.value, bar: residual.bar + first.bar, ..residual };
        let second = if rest.is_wrong() || !first.is_wrong() { measure(right.clone()) } else { rest };
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
    fn one_wrong_place_in_a_million_takes_forty_measurements() {
        let mut count = 0;
        let found = wrong_places(vec![0..1 << 19, 1 << 19..1 << 20], 8, &mut |group| {
            count += 1;
            let value = if group.contains(&777_777) { 1.0 } else { 0.0 };
            Residual { value, bar: 1e-6, tolerance: 1e-3 }
        });
        assert_eq!(found, [777_777]);
        assert!(count <= 41, "{count}");
    }

    #[test]
    fn several_wrong_places_are_found_the_worst_first() {
        let places = [(5, 1.0), (6, -3.0), (9_000, 2.0), (9_999, -0.5)];
        let found = wrong_places(vec![0..5000, 5000..10_000], 8, &mut |group| {
            let value = places.iter().filter(|(k, _)| group.contains(k)).map(|(_, error)| error).sum();
            Residual { value, bar: 0.0, tolerance: 1e-9 }
        });
        assert_eq!(found, [6, 9_000, 5, 9_999]);
    }
}
