//! What is said of parameters, sources, programs, the user's operations, and values that are not finite.

use autograd::op::{self, CustomOp};
use autograd::{Graph, Shape, Var, View, per_sample_gradients};

use crate::errors::{relative, said, zeros};
use crate::support::panic_of;

#[test]
fn parameters_that_are_out_of_range_are_named() {
    let graph = Graph::new();
    let base = line!();
    let x = graph.variable(zeros(2, 3));
    let clamp = said(base, || x.clamp(1.0, 0.0));
    let softplus = said(base, || x.softplus_with(0.0));
    let celu = said(base, || x.celu(-1.0));
    let squareplus = said(base, || x.squareplus(f64::NAN));
    let glu = said(base, || x.glu());
    let swiglu = said(base, || x.swiglu());
    let through = said(base, || x.straight_through(x.transpose()));
    assert_eq!(clamp, "+2: clamp: 1 to 0: the lower bound must not be above the upper");
    assert_eq!(softplus, "+3: softplus_with: beta is 0: it must be positive");
    assert_eq!(celu, "+4: celu: alpha is -1: it must be positive");
    assert_eq!(squareplus, "+5: squareplus: b is NaN: it must be positive");
    assert_eq!(glu, "+6: glu: 2x3: the number of columns must be even; made at +1");
    assert_eq!(swiglu, "+7: swiglu: 2x3: the number of columns must be even; made at +1");
    let rule = "the surrogate must have the shape of the value; made at +1 and +8";
    assert_eq!(through, format!("+8: straight_through: 2x3 by 3x2: {rule}"));
}

#[test]
fn derivatives_without_a_source_and_sums_without_a_term_are_refused() {
    let graph = Graph::new();
    let base = line!();
    let x = graph.variable(zeros(2, 3));
    let none: [Var<'_, f64>; 0] = [];
    let hessian = said(base, || x.sum().hessian(none));
    let samples = said(base, || per_sample_gradients(&[x, x.transpose()], |row| row[0].sum(), x));
    assert_eq!(hessian, "+3: hessian: there is no source");
    assert_eq!(samples, "+4: per_sample_gradients: each matrix needs one row for each sample");
    let sum = panic_of(|| none.into_iter().sum::<Var<'_, f64>>()).message;
    assert_eq!(sum, "sum: there is no term, and so no graph to put a zero in");
}

#[test]
fn programs_that_cannot_be_compiled_say_why_and_where() {
    let graph = Graph::new();
    let base = line!();
    let x = graph.input(1, 1);
    let w = graph.variable(2.0);
    let y = x * w;
    let big = if w.item() > 1.0 { w.square() } else { w };
    let text = |inputs: &[_], updates: &[_]| {
        relative(base, &graph.compile(inputs, updates, &[y + big]).unwrap_err().to_string())
    };
    assert_eq!(text(&[y], &[]), "compile: the mul at +3 is computed; only inputs and variables are fed or assigned");
    assert_eq!(text(&[], &[]), "compile: the input made at +1 is needed but not in the list of inputs");
    assert_eq!(text(&[x, x], &[]), "compile: the leaf made at +1 is fed or assigned twice");
    let assigned = "compile: a 1x1 state is assigned the 2x3 value recorded at +12";
    assert_eq!(text(&[x], &[(w, graph.constant(zeros(2, 3)))]), assigned);
    assert_eq!(
        text(&[x], &[(w, y)]),
        "compile: the value read at +4 depends on the variable made at +2, which changes between runs: what was \
         recorded after that read may be right for one value only; use a Function, which records anew, or peek() if \
         nothing was decided by it"
    );
}

#[test]
fn programs_say_what_they_cannot_run_or_give() {
    let graph = Graph::new();
    let x = graph.input(2, 3);
    let mut program = graph.compile(&[x], &[], &[x.exp()]).unwrap();
    let error = program.run(&[]).unwrap_err().to_string();
    assert_eq!(error, "the program takes 1 inputs, 0 were given");
    let error = program.run(&[&zeros(3, 2)]).unwrap_err().to_string();
    assert_eq!(error, "input 0: the program was compiled for 2x3, 3x2 was given");
    let base = line!();
    let item = said(base, || program.item(0));
    let twice = said(base, || program.inputs_mut(0, 0).0.len());
    assert_eq!(item, "+1: item: output 0 is 2x3, not 1x1");
    assert_eq!(twice, "+2: inputs_mut: 0 twice");
}

/// A sum of its operands whose tangent has the wrong shape.
struct Crooked;

impl CustomOp<f64> for Crooked {
    fn name(&self) -> &'static str {
        "crooked"
    }

    fn shape(&self, operands: &[Shape]) -> Result<Shape, String> {
        Ok(operands[0])
    }

    fn forward(&self, operands: &[View<'_, f64>], out: &mut [f64]) {
        out.copy_from_slice(operands[0].as_slice());
    }

    fn vjp<'g>(&self, g: Var<'g, f64>, x: &[Var<'g, f64>], _: Var<'g, f64>) -> Vec<Option<Var<'g, f64>>> {
        x.iter().map(|_| Some(g)).collect()
    }

    fn jvp<'g>(&self, dx: &[Option<Var<'g, f64>>], _: &[Var<'g, f64>], _: Var<'g, f64>) -> Option<Var<'g, f64>> {
        dx[0].map(Var::transpose)
    }
}

#[test]
fn operations_of_the_users_are_told_what_they_do_wrong() {
    let graph = Graph::new();
    let x = graph.variable(zeros(2, 3));
    let y = graph.custom(Crooked, &[x]);
    let base = line!();
    let many = said(base, || graph.custom(Crooked, &[x; 65]));
    assert_eq!(many, "+1: crooked: takes at most 64 operands");
    let tangent = panic_of(|| y.jvp(x, x)).message;
    assert_eq!(tangent, "crooked: jvp gives a 3x2 tangent, the value is 2x3");
    let place = graph.try_apply(op::Place { cols: 4 }, &[x, graph.constant(zeros(2, 1))]).unwrap_err().rule;
    assert_eq!(place, "there must be an index for each element");
}

#[test]
fn a_value_that_is_not_finite_is_told_with_its_operands() {
    let graph = Graph::new();
    let base = line!();
    let x = graph.variable([[1.0, -2.0]]);
    let roots = x.sqrt();
    let total = x.ln().sum_axis(autograd::Axis::Columns);
    let found = |y| relative(base, &graph.trace_non_finite(&[y]).unwrap().unwrap().to_string());
    assert_eq!(
        found(roots),
        "sqrt recorded at +2: element (0, 1) of 1x2 is NaN; computed from the 1x2 variable of +1: -2 there"
    );
    let row = graph.variable([[f64::MAX, f64::MAX]]);
    assert_eq!(
        found(row.sum()),
        "sum recorded at +11: element (0, 0) of 1x1 is inf; computed from the 1x2 variable of +9: numbers from \
         1.7976931348623157e308 to 1.7976931348623157e308"
    );
    assert!(found(total).starts_with("ln recorded at +3"));
    let input = graph.input(1, 1);
    let text = said(base, || graph.trace_non_finite(&[input]));
    assert_eq!(text, "+17: trace_non_finite: the input made at +16 has a value only while a program runs");
}
