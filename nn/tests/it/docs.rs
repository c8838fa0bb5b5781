//! What the documentation of every public item must have, read from the source.

use std::path::Path;

use crate::source::{items, untested};

#[test]
fn every_public_item_says_what_it_does_and_every_function_and_type_is_shown() {
    let items = items(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(items.len() > 200, "the source was not understood: {} items", items.len());
    let mut gaps = Vec::new();
    for item in &items {
        let mut gap = |what: &str| gaps.push(format!("{} has no {what}", item.place()));
        item.missing().into_iter().for_each(&mut gap);
        let others = || items.iter().filter(|other| !item.owner.is_empty() && other.owner == item.owner);
        let function = item.owner.is_empty();
        let type_with_methods = item.name.is_empty() && others().any(|other| !other.name.is_empty());
        if !item.has_example() && (function || type_with_methods && !others().any(|other| other.has_example())) {
            gap("example");
        }
    }
    assert!(gaps.is_empty(), "{} gaps:\n{}", gaps.len(), gaps.join("\n"));
}

#[test]
fn every_message_is_in_a_test() {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut untested = untested(&crate_folder.join("src"), &crate_folder.join("tests"));
    // These pass on a `CompileError` of `autograd`, where its texts are tested.
    untested.retain(|message| {
        !message.ends_with("\"evaluate: {error}\"") && !message.ends_with("\"TrainingStep: {error}\"")
    });
    assert!(untested.is_empty(), "{} messages:\n{}", untested.len(), untested.join("\n"));
}
