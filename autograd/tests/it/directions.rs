//! Data flows downwards: what each part of the crate may know of the others.

use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// No file whose path (from `src` on) starts with one of `parts` names one of `forbidden`.
fn assert_ignorant(krate: &str, parts: &[&str], forbidden: &[&str]) {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(krate).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut looked_at = 0;
    for file in &files {
        let name = file.strip_prefix(&src).unwrap().to_string_lossy().replace('\\', "/");
        if !parts.iter().any(|part| name.starts_with(part)) {
            continue;
        }
        looked_at += 1;
        let text = fs::read_to_string(file).unwrap();
        for word in forbidden {
            assert!(!text.contains(word), "{krate}/src/{name} must not know {word}");
        }
    }
    assert!(looked_at > 0, "{parts:?} is nowhere in {krate}");
}

/// They take the parameters of operations (an order, a direction), not operations.
#[test]
fn kernels_know_no_graph() {
    let graph =
        ["crate::graph", "crate::var", "crate::node", "crate::derive", "crate::program", "crate::op::Op", "Applied"];
    assert_ignorant("autograd", &["kernel.rs", "kernel/"], &graph);
}

#[test]
fn matrices_know_nothing_but_numbers() {
    let others = ["crate::graph", "crate::var", "crate::op", "crate::kernel::View", "crate::program"];
    assert_ignorant("autograd", &["matrix.rs", "shape.rs"], &others);
}

#[test]
fn operations_know_no_compiler() {
    assert_ignorant("autograd", &["op.rs", "op/"], &["crate::program", "crate::derive", "crate::function"]);
}

#[test]
fn derivatives_know_no_compiler_and_no_kernel() {
    assert_ignorant("autograd", &["derive.rs", "derive/"], &["crate::program", "crate::kernel", "crate::function"]);
}

#[test]
fn no_crate_has_unsafe_code() {
    for krate in ["autograd", "nn"] {
        assert_ignorant(krate, &[""], &["unsafe {", "unsafe fn", "unsafe impl"]);
    }
}
