//! Numbers that shrink to short ones.
//!
//! Whether a property fails does not follow the order of a list of numbers, so a binary search in it stops anywhere. Here the
//! numbers are tried that a person would: the simplest, those with fewer decimals just below and above, the negative.

use std::sync::Arc;

use proptest::strategy::{NewTree, Strategy, ValueTree};
use proptest::test_runner::TestRunner;

/// One of some numbers, the simplest of which is the first.
#[derive(Clone, Debug)]
pub(super) struct OneOf(pub(super) Arc<[f64]>);

impl Strategy for OneOf {
    type Tree = Shorter;
    type Value = f64;

    fn new_tree(&self, runner: &mut TestRunner) -> NewTree<Self> {
        let drawn = (0..self.0.len()).new_tree(runner)?.current();
        let mut tree = Shorter { numbers: self.0.clone(), current: drawn, failing: drawn, untried: Vec::new() };
        tree.untried = tree.simpler();
        Ok(tree)
    }
}

/// A number, and simpler ones that were not tried yet. Numbers are places in the list.
#[derive(Clone, Debug)]
pub(super) struct Shorter {
    numbers: Arc<[f64]>,
    current: usize,
    /// The simplest for which the property is known to fail.
    failing: usize,
    /// The simplest comes last.
    untried: Vec<usize>,
}

impl Shorter {
    /// Simpler numbers than the one that fails: of those nearby with fewer decimals, on either side of 0.
    fn simpler(&self) -> Vec<usize> {
        let x = self.numbers[self.failing];
        let size = x.abs();
        let rounded =
            [1.0, 10.0].into_iter().flat_map(|unit| [(size * unit).floor() / unit, (size * unit).ceil() / unit]);
        let near: Vec<f64> = rounded.chain([size]).flat_map(|x| [x, -x]).collect();
        let is_near = |number: f64| near.iter().any(|x| (x - number).abs() < 1e-9);
        let before = self.numbers[..self.failing].iter().enumerate().filter(|(k, x)| *k == 0 || is_near(**x));
        before.map(|(k, _)| k).rev().collect()
    }
}

impl ValueTree for Shorter {
    type Value = f64;

    fn current(&self) -> f64 {
        self.numbers[self.current]
    }

    fn simplify(&mut self) -> bool {
        if self.current != self.failing {
            self.failing = self.current;
            self.untried = self.simpler();
        }
        self.untried.pop().map(|next| self.current = next).is_some()
    }

    fn complicate(&mut self) -> bool {
        if self.current == self.failing {
            return false;
        }
        // Without another one it is the last that failed: it is run once more, and ends the search.
        self.current = self.untried.pop().unwrap_or(self.failing);
        true
    }
}
