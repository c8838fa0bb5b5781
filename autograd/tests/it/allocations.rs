//! After its first run a program allocates nothing: every allocation of this test binary is counted, by thread.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use autograd::op::{self, Domain};
use autograd::{Axis, Graph, Matrix, Program, Real, Shape, Var};

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
}

struct Counting;

fn count() {
    // A thread that is ending has no counter any more.
    let _ = ALLOCATIONS.try_with(|allocations| allocations.set(allocations.get() + 1));
}

#[allow(unsafe_code, reason = "every call is passed on to the system's allocator as it came")]
// SAFETY: the system's allocator fulfils the contract; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(place, layout, size) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of three runs after the first, of a program that is told to use one thread.
fn allocations<T: Real>(program: &mut Program<T>, inputs: &[&Matrix<T>]) -> usize {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.install(|| {
        program.run(inputs).unwrap();
        let before = ALLOCATIONS.get();
        for _ in 0..3 {
            program.run(inputs).unwrap();
        }
        ALLOCATIONS.get() - before
    })
}

/// Numbers in -1..1 that look arbitrary.
fn numbers(rows: usize, cols: usize) -> Matrix<f32> {
    Matrix::from_fn(rows, cols, |i, j| {
        let k = u16::try_from((i * 7919 + j * 104_729 + i * j) % 2003).unwrap();
        f32::from(k) / 1001.0 - 1.0
    })
}

#[test]
fn allocations_are_counted() {
    let before = ALLOCATIONS.get();
    drop(std::hint::black_box(vec![0_u8; 100]));
    assert_eq!(ALLOCATIONS.get() - before, 1);
}

#[test]
fn a_scalar_program_allocates_nothing() {
    let graph = Graph::new();
    let (x, w) = (graph.input(1, 1), graph.variable(0.5));
    let loss = ((w * x).tanh() - x.exp() / (x.square() + 1.0)).square();
    let [dw, dx] = loss.gradient([w, x]);
    let outputs = [loss, dw, dx, dw.gradient(w)];
    let mut program = graph.compile(&[x], &[(w, w - dw * 0.1)], &outputs).unwrap();
    assert_eq!(allocations(&mut program, &[&2.0.into()]), 0);
}

#[test]
fn a_training_step_allocates_nothing() {
    let graph = Graph::<f32>::new();
    let (x, labels) = (graph.input(16, 784), graph.input(16, 1));
    let parameters = [(784, 32), (1, 32), (32, 10), (1, 10)]
        .map(|(rows, cols)| graph.variable(numbers(rows, cols).map(|w| w * 0.1)));
    let [w1, b1, w2, b2] = parameters;
    let logits = (x.matmul(w1) + b1).relu().matmul(w2) + b2;
    let loss = -logits.log_softmax(Axis::Columns).pick(labels).mean();
    let mut updates = Vec::new();
    for (w, g) in parameters.into_iter().zip(loss.gradient(parameters)) {
        let mean_square: Var<'_, f32> = graph.variable(Matrix::zeros(w.rows(), w.cols()));
        let next = 0.9 * mean_square + 0.1 * g.square();
        updates.extend([(mean_square, next), (w, w - 0.001 * g / (next.sqrt() + 1e-7))]);
    }
    let mut program = graph.compile(&[x, labels], &updates, &[loss]).unwrap();
    let batch = numbers(16, 784);
    let classes = Matrix::from_fn(16, 1, |i, _| f32::from(u8::try_from(i % 10).unwrap()));
    program.run(&[&batch, &classes]).unwrap();
    let first = program.item(0);
    assert_eq!(allocations(&mut program, &[&batch, &classes]), 0);
    assert!(program.item(0) < first, "it learns: {} after {first}", program.item(0));
}

#[test]
fn zeros_that_come_later_allocate_nothing() {
    let graph = Graph::<f32>::new();
    let (x, w) = (graph.input(64, 784), graph.variable(numbers(784, 144)));
    let loss = x.matmul(w).tanh().square().sum();
    let mut program = graph.compile(&[x], &[(w, w - loss.gradient(w) * 1e-3)], &[loss]).unwrap();
    let dense = numbers(64, 784);
    let blank = Matrix::from_fn(64, 784, |i, j| if (i / 8 + j / 8) % 3 == 0 { dense[(i, j)] } else { 0.0 });
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let allocations = pool.install(|| {
        program.run(&[&dense]).unwrap();
        let before = ALLOCATIONS.get();
        program.run(&[&blank]).unwrap();
        ALLOCATIONS.get() - before
    });
    assert_eq!(allocations, 0);
}

#[test]
fn many_parts_side_by_side_or_below_each_other_allocate_nothing() {
    for axis in [Axis::Rows, Axis::Columns] {
        let graph = Graph::<f64>::new();
        let x = graph.input(3, 3);
        let parts: Vec<Var<'_, f64>> = (0..12).map(|k| x.matmul(x * f64::from(k))).collect();
        let mut program = graph.compile(&[x], &[], &[Var::concat(&parts, axis)]).unwrap();
        assert_eq!(allocations(&mut program, &[&Matrix::ones(3, 3)]), 0, "{axis:?}");
    }
}

#[test]
fn a_kernel_of_many_operands_allocates_nothing() {
    let graph = Graph::<f64>::new();
    let x: Vec<Var<'_, f64>> = (0..20).map(|_| graph.variable(Matrix::ones(3, 3))).collect();
    let sum = x.iter().map(|x| x.square()).sum::<Var<'_, f64>>();
    let mut program = graph.compile(&[], &[], &[sum]).unwrap();
    assert_eq!(allocations(&mut program, &[]), 0);
}

#[test]
fn a_hessian_allocates_nothing() {
    let graph = Graph::<f64>::new();
    let x = graph.variable(Matrix::ones(1, 12));
    let f = (x.tanh() * x.square().sum()).sum();
    let mut program = graph.compile(&[x], &[], &[f.hessian(x)]).unwrap();
    assert_eq!(allocations(&mut program, &[&Matrix::filled(1, 12, 0.5)]), 0);
}

/// An operand of an example: numbers of its domain, in no order.
fn operand(domain: Domain, shape: Shape) -> Matrix<f64> {
    Matrix::from_fn(shape.rows, shape.cols, |i, j| {
        let k = u32::try_from(i * shape.cols + j).unwrap();
        match domain {
            Domain::Range { low, high, .. } => low + (high - low) * (f64::from(k) * 0.618).fract(),
            Domain::Lattice { phase } => (f64::from(k % 5) + phase) / 4.0,
            Domain::Distinct => f64::from(k * 7 % 11) / 8.0,
            Domain::Index { bound } => f64::from(k % u32::try_from(bound).unwrap()),
            Domain::Order => f64::from(k),
            Domain::Flag => f64::from(k % 2),
            Domain::Dominant => crate::operations::dominance(i, j) + f64::from(k % 3) / 4.0,
        }
    })
}

/// Operations with a workspace of their own, which their kernel allocates.
const FACTORISATIONS: [&str; 8] = [
    "inverse",
    "solve",
    "cholesky",
    "determinant",
    "cofactors",
    "log_abs_determinant",
    "eigenvalues_symmetric",
    "eigenvectors_symmetric",
];

#[test]
fn no_operation_and_no_derivative_of_one_allocates_unless_it_factorises() {
    for case in op::cases() {
        let graph = Graph::new();
        let shape = |slot: usize| case.shapes.get(slot).copied().unwrap_or(Shape::new(3, 40));
        let operands = case.domains.iter().enumerate().map(|(slot, domain)| operand(*domain, shape(slot)));
        let operands: Vec<Matrix<f64>> = operands.collect();
        let x: Vec<Var<'_, f64>> = operands.iter().map(|x| graph.input(x.rows(), x.cols())).collect();
        let y = graph.try_apply(case.op, &x).unwrap();
        let mut outputs = vec![y];
        outputs.extend(y.square().sum().gradient_or_zero(x.as_slice()));
        let mut program = graph.compile(&x, &[], &outputs).unwrap();
        let inputs: Vec<&Matrix<f64>> = operands.iter().collect();
        let allowed = FACTORISATIONS.contains(&case.op.name());
        assert_eq!(allocations(&mut program, &inputs) > 0, allowed, "{:?}", case.op);
    }
}
