//! Functions: closed forms, branches on values, what is kept, what is refused.

use std::sync::atomic::{AtomicUsize, Ordering};

use approx::assert_relative_eq;
use autograd::{Axis, Function, Graph, Matrix, RunError, Shape, Var};

use crate::support;

mod oracles;

/// The text of a panic and the line of this file that it names.
fn panic_of<R>(f: impl FnOnce() -> R) -> (String, u32) {
    let caught = support::panic_of(f);
    assert_eq!(caught.file, file!(), "{}", caught.message);
    (caught.message, caught.line)
}

fn rosenbrock<'g>([x, y]: [Var<'g, f64>; 2]) -> Var<'g, f64> {
    (1.0 - x).square() + 100.0 * (y - x.square()).square()
}

#[test]
fn derivatives_of_the_rosenbrock_function_are_those_of_the_closed_form() {
    let f = Function::new(rosenbrock);
    for (x, y) in [(1.0, 1.0), (-1.25, 1.0), (0.5, -2.0), (0.0, 0.0)] {
        let gradient = [-2.0 * (1.0 - x) - 400.0 * x * (y - x * x), 200.0 * (y - x * x)];
        let hessian = [[2.0 - 400.0 * y + 1200.0 * x * x, -400.0 * x], [-400.0 * x, 200.0]];
        let (value, found) = f.value_and_gradient([x, y]).unwrap();
        assert_eq!(value, (1.0 - x) * (1.0 - x) + 100.0 * (y - x * x) * (y - x * x));
        assert_eq!(f.value([x, y]).unwrap().item(), value);
        assert_eq!(found.map(|dx| dx.item()), gradient);
        assert_eq!(f.gradient([x, y]).unwrap().map(|dx| dx.item()), gradient);
        assert_eq!(f.jacobian([x, y]).unwrap().map(|j| j.item()), gradient);
        assert_eq!(f.hessian([x, y]).unwrap(), Matrix::from(hessian));
        let along = f.hessian_vector([x, y], [3.0, -1.0]).unwrap().map(|part| part.item());
        assert_eq!(along, hessian.map(|row| 3.0 * row[0] - row[1]));
        assert_eq!(f.jvp([x, y], [3.0, -1.0]).unwrap().item(), 3.0 * gradient[0] - gradient[1]);
        assert_eq!(f.vjp([x, y], 2.0).unwrap().map(|dx| dx.item()), gradient.map(|dx| 2.0 * dx));
    }
}

#[test]
fn the_hessian_of_a_quadratic_form_is_the_symmetric_part_of_its_matrix() {
    let a = Matrix::from([[2.0, -1.0, 0.5], [3.0, 4.0, 0.0], [-2.0, 1.0, 1.0]]);
    let b = Matrix::from([[1.0], [-2.0], [0.25]]);
    let f = Function::new(|[x]| {
        let (a, b) = (x.graph().constant(&a), x.graph().constant(&b));
        x.transpose().matmul(a).matmul(x) * 0.5 - b.transpose().matmul(x)
    });
    let x = Matrix::from([[1.0], [2.0], [-3.0]]);
    let symmetric = Matrix::from_fn(3, 3, |i, j| (a[(i, j)] + a[(j, i)]) / 2.0);
    let product: Vec<f64> = (0..3).map(|i| (0..3).map(|j| symmetric[(i, j)] * x[(j, 0)]).sum()).collect();
    let gradient = Matrix::from_fn(3, 1, |i, _| product[i] - b[(i, 0)]);
    assert_relative_eq!(f.gradient([&x]).unwrap()[0], gradient, max_relative = 1e-14);
    assert_eq!(f.hessian([&x]).unwrap(), symmetric);
    let along = f.hessian_vector([&x], [&x]).unwrap();
    assert_relative_eq!(along[0], Matrix::column_vector(&product), max_relative = 1e-14);
}

#[test]
fn the_jacobian_of_softmax_is_the_diagonal_of_its_value_less_the_outer_product() {
    let f = Function::new(|[x]| x.softmax(Axis::Columns));
    let x = Matrix::from([[1.0, -0.5, 2.0], [0.0, 0.25, -3.0]]);
    let y = f.value([&x]).unwrap();
    let [jacobian] = f.jacobian([&x]).unwrap();
    let expected = Matrix::from_fn(6, 6, |i, j| {
        let (row, other) = (i / 3, j / 3);
        let diagonal = if i == j { y[(row, i % 3)] } else { 0.0 };
        let outer = if row == other { y[(row, i % 3)] * y[(row, j % 3)] } else { 0.0 };
        diagonal - outer
    });
    assert_relative_eq!(jacobian, expected, epsilon = 1e-16, max_relative = 1e-14);
}

#[test]
fn jacobians_by_rows_and_by_columns_are_the_matrix_of_a_linear_map() {
    for (outputs, inputs) in [(3, 5), (5, 3), (4, 4), (1, 6), (6, 1), (1, 1)] {
        let a = Matrix::from_fn(outputs, inputs, |i, j| f64::from(u8::try_from(i * 7 + j * 3).unwrap()));
        let f = Function::new(|[x]| x.graph().constant(&a).matmul(x));
        let [jacobian] = f.jacobian([Matrix::ones(inputs, 1)]).unwrap();
        assert_eq!(jacobian, a);
    }
}

#[test]
fn the_jacobian_counts_rows_of_both_values_first() {
    let f = Function::new(|[x]| x.transpose());
    let [jacobian] = f.jacobian([Matrix::zeros(2, 3)]).unwrap();
    assert_eq!(jacobian, Matrix::from_fn(6, 6, |i, j| f64::from(u8::from(i == j % 3 * 2 + j / 3))));
}

#[test]
fn second_derivatives_that_vanish_are_zeros() {
    let linear = Function::new(|[x, y]| (2.0 * x).sum() - y);
    let (x, y) = (Matrix::ones(1, 2), Matrix::ones(1, 1));
    assert_eq!(linear.hessian([&x, &y]).unwrap(), Matrix::zeros(3, 3));
    assert_eq!(linear.hessian_vector([&x, &y], [&x, &y]).unwrap(), [Matrix::zeros(1, 2), Matrix::zeros(1, 1)]);
    let mixed = Function::new(|[x, y]| x.square().sum() + y);
    let expected = Matrix::from([[2.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 0.0]]);
    assert_eq!(mixed.hessian([&x, &y]).unwrap(), expected);
    let graph = Graph::new();
    let x = graph.variable([[1.0, 2.0]]);
    assert_eq!(x.sum().hessian_diagonal(x).value(), Matrix::zeros(1, 2));
}

#[test]
fn the_hessian_diagonal_is_that_of_the_hessian() {
    let graph = Graph::new();
    let (x, y) = (graph.variable([[0.5, -1.5], [2.0, 1.0]]), graph.variable([[0.25, 3.0]]));
    let f = ((x * y).tanh() * x.exp()).sum() + y.powi(3).sum();
    let hessian = f.hessian([x, y]).value();
    let [dx, dy] = f.hessian_diagonal([x, y]).map(Var::value);
    assert_eq!((dx.shape(), dy.shape()), (x.shape(), y.shape()));
    for (i, d) in dx.as_slice().iter().chain(dy.as_slice()).enumerate() {
        assert_relative_eq!(*d, hessian[(i, i)], max_relative = 1e-13);
    }
}

#[test]
fn higher_derivatives_can_be_differentiated_again() {
    let graph = Graph::new();
    let x = graph.variable([[1.0, 2.0]]);
    let hessian = x.powi(4).sum().hessian(x);
    assert_eq!(hessian.sum().gradient(x).value().as_slice(), [24.0, 48.0]);
    assert_eq!(hessian.jacobian(x).value().row(3), [0.0, 48.0]);
}

#[test]
fn matrices_without_elements_have_jacobians_without_elements() {
    let f = Function::new(|[x]| x * 2.0);
    assert_eq!(f.jacobian([Matrix::zeros(0, 3)]).unwrap()[0].shape(), Shape::new(0, 0));
    let f = Function::new(|[x]| x.sum());
    assert_eq!(f.jacobian([Matrix::zeros(0, 3)]).unwrap()[0].shape(), Shape::new(1, 0));
    assert_eq!(f.hessian([Matrix::zeros(0, 3)]).unwrap().shape(), Shape::new(0, 0));
}

#[test]
fn a_branch_on_a_value_is_taken_anew_at_every_call() {
    let f = Function::new(|[x]| if x.item() > 0.0 { x.powi(3) } else { x * -2.0 });
    for _ in 0..2 {
        for (x, value, first, second) in [(2.0, 8.0, 12.0, 12.0), (-1.0, 2.0, -2.0, 0.0), (3.0, 27.0, 27.0, 18.0)] {
            assert_eq!(f.value([x]).unwrap().item(), value);
            assert_eq!(f.gradient([x]).unwrap()[0].item(), first);
            assert_eq!(f.jvp([x], [10.0]).unwrap().item(), 10.0 * first);
            assert_eq!(f.vjp([x], 10.0).unwrap()[0].item(), 10.0 * first);
            assert_eq!(f.hessian([x]).unwrap().item(), second);
        }
    }
}

#[test]
fn a_loop_runs_as_often_as_each_call_needs() {
    let steps = AtomicUsize::new(0);
    let root = Function::new(|[a]| {
        let mut y = a;
        while (y.square() - a).abs().item() > 1e-14 * a.item() {
            y = (y + a / y) * 0.5;
            steps.fetch_add(1, Ordering::Relaxed);
        }
        y
    });
    let mut counts = Vec::new();
    for a in [2.0, 1e6, 1.0, 2.0] {
        steps.store(0, Ordering::Relaxed);
        let (value, [da]) = root.value_and_gradient([a]).unwrap();
        counts.push(steps.load(Ordering::Relaxed));
        assert_relative_eq!(value, f64::sqrt(a), max_relative = 1e-13);
        let expected = if counts.last() == Some(&0) { 1.0 } else { 0.5 / f64::sqrt(a) };
        assert_relative_eq!(da.item(), expected, max_relative = 1e-6);
    }
    assert!(counts[1] > counts[0] && counts[2] == 0 && counts[3] == counts[0], "{counts:?}");
}

#[test]
fn a_branch_on_a_derivative_is_taken_anew_too() {
    let f = Function::new(|[x]| {
        let y = x.powi(3) - 3.0 * x;
        if y.gradient(x).item() > 0.0 { y } else { -y }
    });
    assert_eq!(f.gradient([2.0]).unwrap()[0].item(), 9.0);
    assert_eq!(f.gradient([0.0]).unwrap()[0].item(), 3.0);
    assert_eq!(f.gradient([2.0]).unwrap()[0].item(), 9.0);
}

#[test]
fn a_closure_is_traced_once_for_each_shape_and_kind_of_result() {
    let calls = AtomicUsize::new(0);
    let f = Function::new(|[x, y]| {
        calls.fetch_add(1, Ordering::Relaxed);
        (x * y).sum()
    });
    let count = || calls.load(Ordering::Relaxed);
    assert_eq!(count(), 0);
    for i in 0..5 {
        let x = f64::from(i);
        assert_eq!(f.gradient([x, 3.0]).unwrap().map(|g| g.item()), [3.0, x]);
    }
    assert_eq!(count(), 1);
    let (row, column) = (Matrix::from([[1.0, 2.0]]), Matrix::from([[3.0], [4.0]]));
    for _ in 0..3 {
        assert_eq!(f.gradient([&row, &column]).unwrap(), [Matrix::filled(1, 2, 7.0), Matrix::filled(2, 1, 3.0)]);
    }
    assert_eq!(count(), 2);
    assert_eq!(f.gradient([&column, &row]).unwrap()[1], Matrix::filled(1, 2, 7.0));
    assert_eq!(count(), 3, "the shapes count in order");
    for _ in 0..3 {
        assert_eq!(f.value([&row, &column]).unwrap().item(), 21.0);
    }
    assert_eq!(count(), 4, "another kind of result");
    assert_eq!(f.gradient([1.0, 2.0]).unwrap()[0].item(), 2.0);
    assert_eq!(count(), 4);
    assert_eq!(format!("{f:?}"), "Function<f64> of 2 inputs, 4 programs");
}

#[test]
fn a_closure_that_reads_is_traced_at_every_call() {
    let calls = AtomicUsize::new(0);
    let f = Function::new(|[x, y]| {
        calls.fetch_add(1, Ordering::Relaxed);
        if y.value().as_slice()[0] > 0.0 { x * y } else { x + y }
    });
    for (i, y) in [1.0, -1.0, 1.0, 1.0].into_iter().enumerate() {
        assert_eq!(f.gradient([3.0, y]).unwrap().map(|g| g.item()), if y > 0.0 { [y, 3.0] } else { [1.0, 1.0] });
        assert_eq!(calls.load(Ordering::Relaxed), i + 1);
    }
    assert_eq!(format!("{f:?}"), "Function<f64> of 2 inputs, 0 programs");
}

#[test]
fn reading_what_does_not_depend_on_the_inputs_keeps_the_program() {
    let calls = AtomicUsize::new(0);
    let f = Function::new(|[x]| {
        calls.fetch_add(1, Ordering::Relaxed);
        let scale = x.scalar(2.0).square();
        if scale.item() > 1.0 { x * scale } else { x }
    });
    for _ in 0..3 {
        assert_eq!(f.gradient([1.0]).unwrap()[0].item(), 4.0);
    }
    assert_eq!(calls.load(Ordering::Relaxed), 1);
}

#[test]
fn peeking_keeps_the_program() {
    let seen = AtomicUsize::new(0);
    let f = Function::new(|[x]| {
        let y = x.square() + 1.0;
        seen.fetch_add(y.peek().len(), Ordering::Relaxed);
        y
    });
    assert_eq!(f.value([0.0]).unwrap().item(), 1.0);
    assert_eq!(f.value([2.0]).unwrap().item(), 5.0);
    assert_eq!(seen.load(Ordering::Relaxed), 1);
}

#[test]
fn the_program_used_longest_ago_makes_room() {
    let calls = AtomicUsize::new(0);
    let f = Function::new(|[x]| {
        calls.fetch_add(1, Ordering::Relaxed);
        x.sum()
    });
    let call = |n: usize| f.value([Matrix::ones(1, n)]).unwrap().item();
    for n in 1..=32 {
        call(n);
    }
    call(1);
    assert_eq!(calls.load(Ordering::Relaxed), 32);
    call(33);
    call(1);
    assert_eq!(calls.load(Ordering::Relaxed), 33, "1 was used, so 2 made room");
    call(2);
    assert_eq!(calls.load(Ordering::Relaxed), 34);
}

#[test]
fn derivatives_may_be_taken_within_the_closure() {
    let derivative = Function::new(|[x]| x.powi(4).gradient(x));
    assert_eq!(derivative.value([2.0]).unwrap().item(), 32.0);
    assert_eq!(derivative.gradient([2.0]).unwrap()[0].item(), 48.0);
    assert_eq!(derivative.hessian([2.0]).unwrap().item(), 48.0);
    let newton = Function::new(|[x]| {
        let y = x.square().sum() + x.powi(4).sum();
        x - y.gradient(x) / y.hessian_diagonal(x)
    });
    let step = newton.value([[[1.0, -2.0]]]).unwrap();
    assert_eq!(step.as_slice(), [1.0 - 6.0 / 14.0, -2.0 + 36.0 / 50.0]);
}

#[test]
fn types_of_all_kinds_of_closures_are_found() {
    let annotated = Function::new(|[x, y]: [Var<'_, f64>; 2]| x * y);
    let plain = Function::new(|[x, y]| 2.0 * x * (1.0 - y).exp());
    let single = Function::of(|[x]: [Var<'_, f32>; 1]| (1.0 - x).square());
    let typed: Function<_, 1, f32> = Function::of(|[x]: [Var<'_, f32>; 1]| x * x);
    type Boxed = Box<dyn for<'g> Fn([Var<'g, f64>; 1]) -> Var<'g, f64> + Send + Sync>;
    let boxed: Vec<Function<Boxed, 1>> =
        vec![Function::new(Box::new(|[x]| x.exp())), Function::new(Box::new(|[x]| x * x))];
    assert_eq!(annotated.value([2.0, 3.0]).unwrap().item(), 6.0);
    assert_eq!(plain.value([2.0, 1.0]).unwrap().item(), 4.0);
    assert_eq!(single.gradient([3.0]).unwrap()[0].item(), 4.0_f32);
    assert_eq!(typed.gradient([3.0]).unwrap()[0].item(), 6.0_f32);
    assert_eq!(boxed[1].gradient([3.0]).unwrap()[0].item(), 6.0);
    let identity = Function::new(|[x]| x);
    assert_eq!(identity.value([3.0]).unwrap().item(), 3.0);
    assert_eq!(identity.gradient([3.0]).unwrap()[0].item(), 1.0);
    assert_eq!(identity.jacobian([Matrix::zeros(2, 1)]).unwrap()[0], Matrix::identity(2));
}

#[test]
fn a_function_is_recorded_within_a_graph() {
    let f = Function::new(rosenbrock);
    let graph = Graph::new();
    let (x, y) = (graph.variable(0.5), graph.input(1, 1));
    let loss = f.record([x, y]);
    let mut program = graph.compile(&[y], &[], &[loss.gradient(x)]).unwrap();
    program.run(&[&2.0.into()]).unwrap();
    assert_eq!(program.item(0), f.gradient([0.5, 2.0]).unwrap()[0].item());
}

#[test]
fn threads_share_a_function() {
    fn check<S: Send + Sync>(_: &S) {}
    let calls = AtomicUsize::new(0);
    let smooth = Function::new(|[x, y]| {
        calls.fetch_add(1, Ordering::Relaxed);
        (x.square() * y).sum()
    });
    let branching = Function::new(|[x]| if x.item() > 0.0 { x * x } else { -x });
    check(&smooth);
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (smooth, branching) = (&smooth, &branching);
            scope.spawn(move || {
                for i in 1..200 {
                    let x = f64::from(thread * 1000 + i);
                    let [dx, dy] = smooth.gradient([x, 0.5]).unwrap();
                    assert_eq!((dx.item(), dy.item()), (x, x * x));
                    assert_eq!(branching.gradient([x]).unwrap()[0].item(), 2.0 * x);
                    assert_eq!(branching.gradient([-x]).unwrap()[0].item(), -1.0);
                }
            });
        }
    });
    let traced = calls.load(Ordering::Relaxed);
    assert!((1..=4).contains(&traced), "{traced}: at most once for each thread that was first");
    assert_eq!(format!("{smooth:?}"), "Function<f64> of 2 inputs, 1 programs");
}

#[test]
fn a_function_whose_program_uses_threads_is_called_by_these_threads() {
    let f = Function::new(|[x]| ((x.tanh() + x.sigmoid()).square() * x.exp()).sum());
    let x = Matrix::from_fn(700, 700, |i, j| f64::from(u16::try_from(i * 31 % 97 + j).unwrap()) / 1000.0);
    let expected = f.gradient([&x]).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    pool.scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|_| assert_eq!(f.gradient([&x]).unwrap(), expected));
        }
    });
}

#[test]
fn an_index_out_of_range_is_an_error_with_and_without_a_program() {
    let data = Matrix::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    let compiled = Function::new(|[labels]| labels.graph().constant(&data).pick(labels).sum());
    let read = Function::new(|[labels]| {
        let picked = labels.graph().constant(&data).pick(labels);
        if labels.value().as_slice()[0] > 0.0 { picked.sum() } else { -picked.sum() }
    });
    let (good, bad) = (Matrix::from([[1.0], [2.0]]), Matrix::from([[1.0], [3.0]]));
    for _ in 0..2 {
        for error in [compiled.value([&bad]).unwrap_err(), read.value([&bad]).unwrap_err()] {
            let expected = matches!(error, RunError::Index { op: "pick", position: 1, bound: 3, .. });
            assert!(expected, "{error}");
        }
        assert_eq!(compiled.value([&good]).unwrap().item(), 8.0);
        assert_eq!(read.value([&good]).unwrap().item(), 8.0);
    }
}

#[test]
fn a_direction_of_another_shape_is_an_error_at_every_call() {
    let f = Function::new(|[x, y]| x.matmul(y));
    let (x, y) = (Matrix::ones(2, 3), Matrix::ones(3, 1));
    for _ in 0..2 {
        let error = f.jvp([&x, &y], [&x, &x]).unwrap_err();
        assert_eq!(error.to_string(), "tangent 1: it belongs to a value of shape 3x1, 2x3 was given");
        let error = f.hessian_vector([&x, &y], [&y, &y]).unwrap_err();
        assert_eq!(error.to_string(), "vector 0: it belongs to a value of shape 2x3, 3x1 was given");
        let error = f.vjp([&x, &y], &y).unwrap_err();
        let (expected, found) = (Shape::new(2, 1), Shape::new(3, 1));
        assert_eq!(error, RunError::DirectionShape { role: "cotangent", index: 0, expected, found });
        assert!(f.vjp([&x, &y], Matrix::ones(2, 1)).is_ok());
    }
}

#[test]
fn what_is_wrong_in_the_closure_panics_at_its_line() {
    let f = Function::new(|[x, y]| x.matmul(y));
    let line = line!() - 1;
    for _ in 0..2 {
        let (text, place) = panic_of(|| f.value([Matrix::ones(2, 3), Matrix::ones(2, 3)]));
        assert!(text.starts_with("matmul: 2x3 by 2x3: left columns (3) must equal right rows (2)"), "{text}");
        assert_eq!(place, line);
    }
    assert_eq!(f.value([2.0, 3.0]).unwrap().item(), 6.0, "a panic leaves the function as it was");
}

#[test]
fn derivatives_that_do_not_exist_panic_at_the_line_that_asks_for_them() {
    let cut = Function::new(|[x, y]| x.detach() + y);
    let (text, line) = panic_of(|| cut.gradient([1.0, 2.0]));
    assert_eq!(line, line!() - 1);
    let told = format!("the path is cut by the detach at {}:{}:", file!(), line - 1);
    assert!(text.starts_with("gradient: no derivative flows") && text.contains(&told), "{text}");
    let input = format!("to the 1x1 variable made at {}:{line}:", file!());
    assert!(text.contains(&input), "the input is made by the call: {text}");
    let ignored = Function::new(|[x, _y]| x.square());
    let here = line!() + 1;
    let calls: [(&str, (String, u32)); 4] = [
        ("gradient: ", panic_of(|| ignored.gradient([1.0, 2.0]))),
        ("vjp: ", panic_of(|| ignored.vjp([1.0, 2.0], 1.0))),
        ("jacobian: ", panic_of(|| ignored.jacobian([1.0, 2.0]))),
        ("gradient: ", panic_of(|| ignored.hessian([1.0, 2.0]))),
    ];
    for (i, (start, (text, line))) in calls.into_iter().enumerate() {
        assert!(text.starts_with(start) && text.contains("it does not depend on it"), "{text}");
        assert_eq!(line, here + 1 + u32::try_from(i).unwrap());
    }
    let wide = Function::new(|[x]| x * 2.0);
    let (text, _) = panic_of(|| wide.gradient([Matrix::ones(1, 2)]));
    assert!(text.starts_with("gradient: the 1x2 value made at"), "{text}");
}

#[test]
fn derivatives_of_variables_panic_at_the_line_that_asks_for_them() {
    let graph = Graph::new();
    let (x, y) = (graph.variable(1.0), graph.variable(2.0));
    let z = x * x;
    let here = line!() + 1;
    let calls = [
        panic_of(|| z.gradient(y)),
        panic_of(|| z.gradient([x, y])[0]),
        panic_of(|| z.vjp(z, y)),
        panic_of(|| z.jvp(y, x)),
        panic_of(|| z.jacobian(y)),
        panic_of(|| z.hessian([x, y])),
        panic_of(|| z.hessian_vector([x, y], [x, x])[0]),
        panic_of(|| z.hessian_diagonal([y, x])[0]),
        panic_of(|| z.hessian_vector(x, graph.filled(1, 2, 0.0))),
    ];
    for (i, (text, line)) in calls.into_iter().enumerate() {
        assert_eq!(line, here + 1 + u32::try_from(i).unwrap(), "{text}");
    }
}

#[test]
fn operations_along_an_axis_belong_to_the_line_that_records_them() {
    let graph = Graph::new();
    let x = graph.variable([[1.0, 2.0], [3.0, 4.0]]);
    for a in [Axis::Rows, Axis::Columns] {
        let made = [x.max_axis(a), x.min_axis(a), x.arg_max(a), x.log_sum_exp_axis(a), x.softmax(a)];
        assert_eq!(made.map(|y| y.site().line()), [line!() - 1; 5]);
    }
    let total: Var<'_, f64> = [x, x.exp()].into_iter().sum();
    assert_eq!(total.site(), x.site());
}

#[test]
fn a_value_that_could_not_be_computed_is_not_remembered() {
    let graph = Graph::new();
    let x = graph.variable([[1.0, 2.0]]);
    let picked = x.pick(graph.constant([[5.0]]).transpose());
    for _ in 0..2 {
        let (text, _) = panic_of(|| picked.value());
        assert!(text.contains("index 0 is 5, not a whole number in 0..2"), "{text}");
    }
}
