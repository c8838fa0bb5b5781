//! What holds after each pass: checked in debug builds and tests.

use crate::op::Op;
use crate::program::fuse::{Group, Space, Tail};
use crate::program::plan::Span;
use crate::program::schedule::Step;
use crate::program::simplify::{Simplified, Term};
use crate::shape::Shape;

/// Inputs stand before their users; every term has the shape that its operation's rule gives (a pointwise one may
/// also be larger: what broadcast its operands was dropped); every term is used.
pub(crate) fn simplified(simplified: &Simplified) -> Result<(), String> {
    let terms = &simplified.terms;
    let mut used = vec![false; terms.len()];
    simplified.roots.iter().for_each(|&root| used[root] = true);
    for (i, term) in terms.iter().enumerate().rev() {
        if !used[i] {
            return Err(format!("term {i}, {}, has no user", term.op.name()));
        }
        for &input in &term.inputs {
            if input >= i {
                return Err(format!("term {i}, {}: input {input} does not stand before it", term.op.name()));
            }
            used[input] = true;
        }
        shape(terms, term).map_err(|error| format!("term {i}, {}: {error}", term.op.name()))?;
    }
    Ok(())
}

fn shape(terms: &[Term], term: &Term) -> Result<(), String> {
    if term.op.is_leaf() || matches!(term.op, Op::Custom(_)) {
        return Ok(());
    }
    let inputs: Vec<Shape> = term.inputs.iter().map(|&input| terms[input].shape).collect();
    let given = term.op.shape(&inputs)?;
    let fits =
        if term.op.is_pointwise() { given.broadcast(term.shape) == Some(term.shape) } else { given == term.shape };
    if fits { Ok(()) } else { Err(format!("shape {}, its rule gives {given}", term.shape)) }
}

/// Every term but leaves stands in one group, after all that it reads; terms that share one run over the same rows; what
/// the head reads is not of its own kernel, and nothing there reads a tail.
pub(crate) fn groups(terms: &[Term], groups: &[Group]) -> Result<(), String> {
    let mut done: Vec<bool> = terms.iter().map(|term| term.op.is_leaf()).collect();
    for group in groups {
        let mut space = None;
        let several = group.members().count() > 1;
        for member in group.head.iter().chain(&group.body).copied() {
            let own = Space::of(terms, member);
            if several && (own.is_none() || space.is_some_and(|space| Some(space) != own)) {
                return Err(format!("term {member}, {}, cannot share a kernel", terms[member].op.name()));
            }
            space = own;
            finish(terms, member, &mut done)?;
        }
        for &tail in &group.tails {
            if Tail::of(terms, tail).is_none() {
                return Err(format!("term {tail}, {}, is no sum", terms[tail].op.name()));
            }
            if terms[tail].inputs.iter().any(|input| group.tails.contains(input)) {
                return Err(format!("term {tail} reads a sum of its own kernel"));
            }
            finish(terms, tail, &mut done)?;
        }
    }
    match done.iter().position(|done| !done) {
        Some(missing) => Err(format!("term {missing} stands in no group")),
        None => Ok(()),
    }
}

fn finish(terms: &[Term], member: usize, done: &mut [bool]) -> Result<(), String> {
    if done[member] {
        return Err(format!("term {member} stands in two groups"));
    }
    if let Some(input) = terms[member].inputs.iter().find(|&&input| !done[input]) {
        return Err(format!("term {member} runs before its input {input}"));
    }
    done[member] = true;
    Ok(())
}

/// Operands of a step lie within the arena and do not overlap; fused code reads and writes registers and slots that
/// exist, and writes only to slots marked so.
pub(crate) fn steps(steps: &[Step], arena: usize) -> Result<(), String> {
    for (i, step) in steps.iter().enumerate() {
        let (slots, code): (&[Span], Result<(), String>) = match step {
            Step::Fused(kernel) => (&kernel.slots, kernel.verify()),
            Step::Single(single) => (&single.slots, single_operation(single.op)),
            Step::Scalars(code) => (&[], code.verify(arena)),
            Step::Copy(from, to) => (&[], disjoint(*from, *to)),
        };
        code.map_err(|error| format!("step {i}: {error}"))?;
        let mut end = 0;
        for slot in slots {
            if slot.start < end {
                return Err(format!("step {i}: operands overlap at {}", slot.start));
            }
            end = slot.start + slot.len;
        }
        if end > arena {
            return Err(format!("step {i}: {end} is beyond the arena of {arena}"));
        }
    }
    Ok(())
}

fn single_operation(op: Op) -> Result<(), String> {
    if op.is_pointwise() || op.is_leaf() { Err(format!("{} is no single operation", op.name())) } else { Ok(()) }
}

fn disjoint(from: Span, to: Span) -> Result<(), String> {
    let apart = from.start + from.len <= to.start || to.start + to.len <= from.start;
    if apart && from.len == to.len { Ok(()) } else { Err(format!("a copy from {from:?} to {to:?}")) }
}
