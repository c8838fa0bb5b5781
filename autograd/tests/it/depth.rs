//! Nothing recurses over the depth of a graph: all of it runs on a stack of 256 KiB.

use autograd::{Graph, Var};

/// Runs `f` on a small stack.
fn on_a_small_stack(f: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(256 * 1024).spawn(f).unwrap();
    thread.join().unwrap();
}

/// Of `-2` the first step makes `2`, the others keep it.
fn chain<'g>(x: Var<'g, f64>, steps: usize) -> Var<'g, f64> {
    (0..steps).fold(x, |y, _| y.abs())
}

#[test]
fn a_chain_of_a_million_scalars_is_recorded_derived_computed_and_dropped() {
    on_a_small_stack(|| {
        let graph = Graph::new();
        let x = graph.variable(-2.0);
        let y = chain(x, 1_000_000);
        let gradient = y.gradient(x);
        assert!(graph.len() > 2_000_000);
        assert_eq!((y.item(), gradient.item()), (2.0, -1.0));
        drop(graph);
    });
}

#[test]
fn a_tangent_passes_through_a_chain_of_a_million_scalars() {
    on_a_small_stack(|| {
        let graph = Graph::new();
        let x = graph.variable(-2.0);
        let tangent = chain(x, 1_000_000).jvp(x, graph.constant(0.5));
        assert_eq!(tangent.item(), -0.5);
    });
}

/// `y₀ = x, yₖ₊₁ = yₖ x`: the value is a power, of which both derivatives are known.
#[test]
fn a_chain_of_ten_thousand_scalars_has_a_second_derivative() {
    on_a_small_stack(|| {
        const N: u32 = 10_000;
        let graph = Graph::new();
        let x = graph.variable(1.0);
        let power = (1..N).fold(x, |y, _| y * x);
        let first = power.gradient(x);
        let second = first.gradient(x);
        let n = f64::from(N);
        assert_eq!((power.item(), first.item(), second.item()), (1.0, n, n * (n - 1.0)));
    });
}

/// The same node a million times as an operand, and a sum as deep as it is wide.
#[test]
fn a_node_with_a_million_users_gathers_all_their_cotangents() {
    on_a_small_stack(|| {
        let graph = Graph::new();
        let x = graph.variable(3.0);
        let sum: Var<'_, f64> = (0..1_000_000).map(|_| x).sum();
        assert_eq!(sum.gradient(x).item(), 1_000_000.0);
    });
}

/// What is not connected is found without recursion, too.
#[test]
fn a_cut_at_the_end_of_a_long_chain_is_found() {
    on_a_small_stack(|| {
        let graph = Graph::new();
        let x = graph.variable(3.0);
        let y = chain(x, 100_000).detach();
        let caught = crate::support::panic_of(|| y.gradient(x));
        assert!(caught.message.contains("the path is cut by the detach"), "{}", caught.message);
    });
}

/// Compiles a chain of a million steps with its gradient, and runs it.
fn compile_chain(step: impl for<'g> Fn(Var<'g, f64>) -> Var<'g, f64>) {
    let graph = Graph::new();
    let x = graph.variable(2.0);
    let y = (0..1_000_000).fold(x, |y, _| step(y));
    let mut program = graph.compile(&[x], &[], &[y, y.gradient(x)]).unwrap();
    program.run(&[&3.0.into()]).unwrap();
    assert_eq!((program.item(0), program.item(1)), (3.0, 1.0));
}

#[test]
fn a_chain_that_becomes_one_kernel_of_a_million_operations_is_compiled_and_run() {
    on_a_small_stack(|| compile_chain(|y| y.abs()));
}

#[test]
fn a_chain_of_a_million_kernels_is_compiled_and_run() {
    on_a_small_stack(|| compile_chain(|y| y.sum()));
}
