//! What the documentation of every public method must have, read from the source.

use std::path::{Path, PathBuf};

use crate::source::{Item, items, untested};

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The types whose every method has an example.
const WITH_EXAMPLES: &[&str] =
    &["Function", "Graph", "Matrix", "NodeId", "Picture", "Problem", "Program", "Shape", "Var", "View"];

/// Methods without an example of their own: that of `CustomOp` shows them.
const NO_EXAMPLE: &[&str] = &["Graph::custom", "View::as_slice", "View::rows", "View::shape"];

/// Files in which a value has the shape of the operands broadcast against each other.
const POINTWISE: &[&str] = &[
    "op/activation.rs",
    "op/arithmetic.rs",
    "op/compare.rs",
    "op/custom.rs",
    "op/exponential.rs",
    "op/extreme.rs",
    "op/flush.rs",
    "op/gate.rs",
    "op/hyperbolic.rs",
    "op/logarithm.rs",
    "op/power.rs",
    "op/rectifier.rs",
    "op/rounding.rs",
    "op/softsign.rs",
    "op/special.rs",
    "op/trigonometric.rs",
];

/// Methods elsewhere that keep the shape.
const KEEP_SHAPE: &[&str] = &["detach"];

/// All that is missing, with its place.
fn missing(item: &Item) -> Vec<String> {
    let mut missing = Vec::new();
    let mut demand = |holds: bool, what: &str| {
        if !holds {
            missing.push(format!("{} has no {what}", item.place()));
        }
    };
    item.missing().into_iter().for_each(|what| demand(false, what));
    let shown = item.owner.is_empty() || WITH_EXAMPLES.contains(&item.owner.as_str());
    let shown = shown && !item.name.is_empty();
    if shown && !NO_EXAMPLE.contains(&item.full_name().as_str()) {
        demand(item.has_example(), "example");
    }
    let records = item.owner == "Var" && item.file.starts_with("op/");
    if records {
        demand(item.has("# Derivative"), "`# Derivative`");
        demand(item.has("# Domain and edge cases"), "`# Domain and edge cases`");
        let unary = POINTWISE.contains(&item.file.as_str()) && item.signature.contains("(self) -> Self");
        let halves = item.has("# Shapes");
        let ends = item.docs.iter().any(|line| line.contains("t -∞, -0, 0, ∞, NaN: "));
        demand(!unary || halves || ends, "line of values and derivatives at the ends, which `edges` checks");
        let pointwise = POINTWISE.contains(&item.file.as_str()) || KEEP_SHAPE.contains(&item.name.as_str());
        demand(pointwise || item.has("# Shapes"), "`# Shapes`");
    }
    missing
}

#[test]
fn every_public_method_says_what_it_does_with_an_example() {
    let items = items(&source());
    assert!(items.len() > 250, "the source was not understood: {} methods", items.len());
    let missing: Vec<String> = items.iter().flat_map(missing).collect();
    assert!(missing.is_empty(), "{} gaps:\n{}", missing.len(), missing.join("\n"));
}

/// What no test can provoke from outside: a fault of our own, or more nodes than memory holds.
const NOT_PROVOKED: &[&str] = &[
    "/verify.rs:",
    "/program/fused.rs:",
    "a graph holds at most {} nodes",
    "{name}: too many operations",
    "applied by Graph::custom",
    // Without the feature `linalg`, with which tests are built.
    "enable the feature linalg",
    // The name of a part of a report, and the shape rule of what stands in for an operation and is never asked for it.
    "\"reverse over reverse mode\"",
    "\"it has no form for this element type\"",
];

#[test]
fn every_message_is_in_a_test() {
    let mut untested = untested(&source(), &Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"));
    untested.retain(|message| !NOT_PROVOKED.iter().any(|known| message.contains(known)));
    assert!(untested.is_empty(), "{} messages:\n{}", untested.len(), untested.join("\n"));
}

#[test]
fn exceptions_are_methods() {
    let items = items(&source());
    for name in NO_EXAMPLE {
        assert!(items.iter().any(|item| item.full_name() == *name), "{name}");
    }
    for file in POINTWISE {
        assert!(items.iter().any(|item| item.file == *file), "{file}");
    }
}

/// The documentation of a method of [`Var`](autograd::Var), in one line.
pub(crate) fn documentation(name: &str) -> String {
    let items = items(&source());
    let item = items.iter().find(|item| item.owner == "Var" && item.name == name);
    item.unwrap_or_else(|| panic!("Var has no method {name}")).docs.join(" ")
}
