//! The first value that is not finite is named with its line, element and operands.

use autograd::{Graph, Matrix, RunError};

#[test]
fn the_first_infinity_is_found_before_what_follows_from_it() {
    let graph = Graph::<f64>::new();
    let x = graph.variable([[1.0, 0.0], [2.0, 3.0]]);
    let line = line!() + 1;
    let y = x.ln();
    let z = (y * 0.0).sum();
    let found = graph.trace_non_finite(&[z]).unwrap().unwrap();
    assert_eq!((found.op, found.site.line(), found.element), ("ln", line, (0, 1)));
    assert_eq!(found.value, f64::NEG_INFINITY);
    let file = found.site.file();
    let (there, made) = (found.site.column(), x.site());
    assert_eq!(
        found.to_string(),
        format!(
            "ln recorded at {file}:{line}:{there}: element (0, 1) of 2x2 is -inf; computed from the 2x2 variable of \
             {made}: 0 there"
        )
    );
}

#[test]
fn an_infinite_derivative_is_found_at_the_line_of_its_operation() {
    let graph = Graph::<f64>::new();
    let x = graph.variable([[4.0, 0.0]]);
    let line = line!() + 1;
    let root = x.sqrt();
    let dx = root.sum().gradient(x);
    assert_eq!(graph.trace_non_finite(&[root]).unwrap(), None);
    let found = graph.trace_non_finite(&[dx]).unwrap().unwrap();
    assert!(found.in_derivative);
    assert_eq!((found.site.line(), found.element, found.value), (line, (0, 1), f64::INFINITY));
    assert!(found.to_string().contains(" in the derivative of the line "), "{found}");
}

#[test]
fn a_leaf_that_is_not_finite_is_named_itself() {
    let graph = Graph::<f64>::new();
    let x = graph.variable([[f64::NAN]]);
    let found = graph.trace_non_finite(&[x.exp()]).unwrap().unwrap();
    assert_eq!((found.op, found.operands.len()), ("variable", 0));
}

#[test]
fn a_program_is_traced_with_the_inputs_and_states_that_it_has() {
    let graph = Graph::<f64>::new();
    let x = graph.input(2, 2);
    let w = graph.variable([[1e200, 1.0], [1.0, 1.0]]);
    let product = x.matmul(w).square();
    let mut program = graph.compile(&[x], &[(w, w * 2.0)], &[product]).unwrap();
    program.run(&[&Matrix::zeros(2, 2)]).unwrap();
    assert_eq!(program.trace_non_finite().unwrap(), None);
    program.run(&[&Matrix::ones(2, 2)]).unwrap();
    let found = program.trace_non_finite().unwrap().unwrap();
    assert_eq!((found.op, found.site), ("square", product.site()));
    assert_eq!(found.operands[0].op, "matmul");
    assert!(!program.output(0).as_slice()[0].is_finite());
}

#[test]
fn broadcast_operands_are_named_by_the_element_that_counts() {
    let graph = Graph::<f64>::new();
    let x = graph.variable([[1.0, 2.0], [3.0, 4.0]]);
    let row = graph.variable([[1.0, 0.0]]);
    let found = graph.trace_non_finite(&[x / row]).unwrap().unwrap();
    assert_eq!(found.element, (0, 1));
    assert_eq!(found.operands.iter().map(|operand| operand.value).collect::<Vec<_>>(), [Some(2.0), Some(0.0)]);
}

#[test]
fn an_index_out_of_range_is_an_error_of_the_trace() {
    let graph = Graph::<f64>::new();
    let x = graph.variable([[1.0, 2.0]]);
    let picked = x.pick(graph.constant([[7.0]]).detach());
    assert!(matches!(graph.trace_non_finite(&[picked]), Err(RunError::Index { value: 7.0, .. })));
}
