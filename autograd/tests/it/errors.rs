//! What panics say, and at whose line. In the texts here `+2` is the second line after `let base = line!();`.

use autograd::op::{self, Direction, Frame, SortOrder, Triangular};
use autograd::{Axis, Graph, Matrix, Var};

use crate::support::panic_of;

mod apply;
mod messages;

/// Lines of this file, and of those in its folder, relative to `base`, without columns.
fn relative(base: u32, message: &str) -> String {
    let message = message.replace("errors/apply.rs:", "errors.rs:").replace("errors/messages.rs:", "errors.rs:");
    let mut parts = message.split(concat!(file!(), ":"));
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = |s: &str| s.find(|c: char| !c.is_ascii_digit()).unwrap_or(s.len());
        let (line, rest) = part.split_at(end(part));
        let rest = rest.strip_prefix(':').expect("a column");
        let line: u32 = line.parse().expect("a line");
        text += &format!("+{}{}", line - base, &rest[end(rest)..]);
    }
    text
}

/// The line and the text of a panic.
#[track_caller]
fn said<R>(base: u32, f: impl FnOnce() -> R) -> String {
    let caught = panic_of(f);
    let place = format!("{}:{}:0", caught.file, caught.line);
    format!("{}: {}", relative(base, &place), relative(base, &caught.message))
}

fn zeros(rows: usize, cols: usize) -> Matrix<f64> {
    Matrix::zeros(rows, cols)
}

#[test]
fn operands_that_do_not_broadcast_are_named_with_their_lines() {
    let graph = Graph::new();
    let base = line!();
    let a = graph.variable(zeros(2, 3));
    let b = graph.variable(zeros(3, 2));
    let text = said(base, || a + b);
    assert_eq!(
        text,
        "+3: add: 2x3 by 3x2: each side must be equal, or 1 in one of them; left made at +1; right made at +2"
    );
}

#[test]
fn every_binary_method_panics_at_the_line_of_its_caller() {
    let graph = Graph::new();
    let (a, b) = (graph.variable(zeros(2, 3)), graph.variable(zeros(4, 3)));
    let place = |f: fn(Var<'_, f64>, Var<'_, f64>)| {
        let caught = panic_of(|| f(a, b));
        assert_eq!(caught.file, file!(), "{}", caught.message);
        (caught.line, caught.message.split(':').next().unwrap().to_owned())
    };
    let base = line!();
    let found = [
        place(|a, b| _ = a + b),
        place(|a, b| _ = a - b),
        place(|a, b| _ = a * b),
        place(|a, b| _ = a / b),
        place(|a, b| _ = a.maximum(b)),
        place(|a, b| _ = a.minimum(b)),
        place(|a, b| _ = a.strong_mul(b)),
        place(|a, b| _ = a.lt(b)),
        place(|a, b| _ = a.le(b)),
        place(|a, b| _ = a.gt(b)),
        place(|a, b| _ = a.ge(b)),
        place(|a, b| _ = a.equal(b)),
        place(|a, b| _ = a.select(a, b)),
        place(|a, b| _ = a.matmul(b)),
        place(|a, b| _ = a.pick(b)),
        place(|a, b| _ = a.gather_rows(b)),
        place(|a, b| _ = a.segment_sum(b, 3)),
        place(|a, b| _ = a.scatter_rows(b, b)),
        place(|a, b| _ = a.sqdist(b.transpose())),
        place(|a, b| _ = a.pick_axis(Axis::Columns, b)),
        place(|a, b| _ = a.outer(b.transpose())),
    ];
    let names = [
        "add",
        "sub",
        "mul",
        "div",
        "maximum",
        "minimum",
        "strong_mul",
        "compare",
        "compare",
        "compare",
        "compare",
        "compare",
        "select",
        "matmul",
        "pick",
        "gather_rows",
        "segment_sum",
        "scatter_rows",
        "sqdist",
        "pick",
        "matmul",
    ];
    for (i, ((line, name), expected)) in (2..).zip(found.into_iter().zip(names)) {
        assert_eq!((line, name.as_str()), (base + i, expected));
    }
}

#[test]
fn every_method_records_the_line_of_its_caller() {
    let graph = Graph::new();
    let x = graph.variable([[0.5, 1.0], [1.5, 2.0]]);
    let k = graph.constant([[0.0], [1.0]]);
    let base = line!();
    let recorded = [
        graph.variable(zeros(2, 2)),
        graph.input(2, 2),
        graph.constant(zeros(2, 2)),
        graph.filled(2, 2, 1.0),
        x.scalar(2.0),
        x + 1.0,
        2.0 - x,
        x * x,
        1.0 / x,
        -x,
        x.square(),
        x.powi(3),
        x.powf(1.5),
        x.sqrt(),
        x.abs(),
        x.sign(),
        x.exp(),
        x.ln(),
        x.tanh(),
        x.sigmoid(),
        x.relu(),
        x.softplus(),
        x.log_sigmoid(),
        x.gt(k),
        x.ge(k),
        x.sum(),
        x.sum_axis(Axis::Rows),
        x.mean(),
        x.mean_axis(Axis::Columns),
        x.max(),
        x.max_axis(Axis::Columns),
        x.max_axis(Axis::Rows),
        x.min(),
        x.min_axis(Axis::Columns),
        x.min_axis(Axis::Rows),
        x.arg_max(Axis::Columns),
        x.arg_max(Axis::Rows),
        x.log_sum_exp(),
        x.log_sum_exp_axis(Axis::Columns),
        x.log_sum_exp_axis(Axis::Rows),
        x.softmax(Axis::Columns),
        x.softmax(Axis::Rows),
        x.log_softmax(Axis::Columns),
        x.log_softmax(Axis::Rows),
        x.transpose(),
        x.reshape(1, 4),
        k.broadcast((2, 3)),
        x.slice(0..1, 0..2),
        Var::concat(&[x, k], Axis::Columns),
        x.detach(),
        x.gather_rows(k),
        x.segment_sum(k, 4),
        x.scatter_rows(k, x),
        x.scatter_add_rows(k, x),
        x.gather_cols(k),
        x.pick(k),
        x.pick_axis(Axis::Rows, k.transpose()),
        x.prod(),
        x.prod_axis(Axis::Rows),
        x.cumsum(Axis::Rows),
        x.cumprod(Axis::Rows),
        x.cumprod(Axis::Columns),
        x.linear_scan(x, Direction::Backward),
        x.cummax(Axis::Rows),
        x.log_cum_sum_exp(Axis::Columns),
        x.arg_sort(Axis::Rows, SortOrder::Ascending),
        x.sort(Axis::Rows, SortOrder::Ascending).0,
        x.top_k(Axis::Columns, 1).1,
        x.median(),
        x.median_axis(Axis::Rows),
        x.arg_min(Axis::Rows),
        x.center(Axis::Rows),
        x.var(1),
        x.std(1),
        x.standardize(Axis::Columns, 1.0),
        x.log_mean_exp(),
        x.norm(2.0),
        x.norm(1.5),
        x.norm_axis(Axis::Rows, 0.0),
        x.normalize(Axis::Rows, 2.0, 0.5),
        x.rms_norm(0.5),
        x.softmin(Axis::Rows),
        x.slice_step(0..2, 2, 0..1, 1),
        x.flip(Axis::Rows),
        x.roll(Axis::Columns, 1),
        x.tile(2, 3),
        x.pad(Frame { top: 1, ..Frame::default() }, 1.0),
        x.diag_part(0),
        k.diag_matrix(1),
        x.trace(),
        x.tril(0),
        x.triu(0),
        k.outer(k),
        x.dot(x),
        x.kron(k),
        x.addmm(1.0, 2.0, x, x),
        k.quadratic_form(x),
        x.matrix_power(3),
        x.matrix_power(0),
        x.matrix_power(-2),
        x.inverse(),
        x.transpose().solve(k),
        x.solve_triangular(k, Triangular::LOWER),
        x.cholesky_solve(k),
        x.cholesky(),
        x.log_determinant_spd(),
        x.determinant(),
        x.log_abs_determinant().0,
        x.eigenvalues_symmetric(),
        x.eigenvectors_symmetric(),
        x.cosine_similarity(x, 0.5),
        x.sqdist(x),
        x.cdist(x, 2.0),
        x.cdist(x, 1.0),
        k.one_hot(2),
        x.matmul(x),
        graph.try_apply(op::Exp, &[x]).unwrap(),
        x.sum().gradient_or_zero(k),
    ];
    for (i, var) in (2..).zip(recorded) {
        let site = var.site();
        assert_eq!((site.file(), site.line()), (file!(), base + i), "{var:?}");
    }
}

/// A derivative belongs to the line of the operation that was differentiated, not to that of `gradient`.
#[test]
fn derivatives_are_recorded_at_the_line_of_their_operation() {
    let graph = Graph::new();
    let x = graph.variable([[0.5, 1.0], [1.5, 2.0]]);
    let base = line!();
    let y = x.softmax(Axis::Rows);
    let z = y.square().sum();
    let gradient = z.gradient(x);
    let tangent = z.jvp(x, graph.constant(zeros(2, 2)));
    assert_eq!((gradient.site().file(), gradient.site().line()), (file!(), base + 1));
    assert_eq!((tangent.site().file(), tangent.site().line()), (file!(), base + 2));
}

#[test]
fn a_choice_between_values_names_all_three_operands() {
    let graph = Graph::new();
    let base = line!();
    let flag = graph.variable(zeros(1, 3));
    let x = graph.variable(zeros(2, 3));
    let y = graph.variable(zeros(2, 2));
    let text = said(base, || flag.select(x, y));
    assert_eq!(
        text,
        "+4: select: 1x3 by 2x3 by 2x2: each side must be equal, or 1 in one of them; first made at +1; \
         second made at +2; third made at +3"
    );
}

#[test]
fn matrices_that_cannot_be_multiplied_are_named() {
    let graph = Graph::new();
    let base = line!();
    let a = graph.variable(zeros(2, 3));
    let b = graph.variable(zeros(2, 3));
    let text = said(base, || a.matmul(b));
    assert_eq!(
        text,
        "+3: matmul: 2x3 by 2x3: left columns (3) must equal right rows (2); left made at +1; right made at +2"
    );
}

#[test]
fn a_reshape_that_does_not_fit_counts_the_elements() {
    let graph = Graph::new();
    let base = line!();
    let x = graph.variable(zeros(2, 3));
    let text = said(base, || x.reshape(4, 2));
    assert_eq!(text, "+2: reshape: 2x3: 6 elements cannot become 4x2, which has 8; operand made at +1");
}

#[test]
fn a_broadcast_to_a_shape_that_does_not_fit_says_which() {
    let graph = Graph::new();
    let base = line!();
    let x = graph.variable(zeros(2, 3));
    let text = said(base, || x.broadcast((4, 3)));
    assert_eq!(text, "+2: broadcast: 2x3: each side must equal that of 4x3, or be 1; operand made at +1");
}

#[test]
fn a_slice_that_reaches_outside_says_where() {
    let graph = Graph::new();
    let base = line!();
    let x = graph.variable(zeros(2, 3));
    let text = said(base, || x.slice(1..3, 0..2));
    assert_eq!(text, "+2: slice: 2x3: the 2x2 block at row 1, column 0 reaches outside; operand made at +1");
}

#[test]
fn matrices_that_do_not_stand_beside_each_other_are_named() {
    let graph = Graph::new();
    let base = line!();
    let x = graph.variable(zeros(2, 3));
    let y = graph.variable(zeros(1, 2));
    let beside = said(base, || Var::concat(&[x, y], Axis::Columns));
    let below = said(base, || Var::concat(&[x, y], Axis::Rows));
    let none = said(base, || Var::<f64>::concat(&[], Axis::Rows));
    let made = "left made at +1; right made at +2";
    assert_eq!(beside, format!("+3: concat: 2x3 by 1x2: all must have the same number of rows; {made}"));
    assert_eq!(below, format!("+4: concat: 2x3 by 1x2: all must have the same number of columns; {made}"));
    assert_eq!(none, "+5: concat: takes at least one operand");
}

#[test]
fn sums_of_products_that_are_none_of_numbers_are_refused() {
    let graph = Graph::new();
    let base = line!();
    let x = graph.variable(zeros(2, 3));
    let matrix = said(base, || Var::sum_of_products([(x, x)]));
    let none = said(base, || Var::<f64>::sum_of_products([]));
    let made = "left made at +1; right made at +1";
    assert_eq!(matrix, format!("+2: sum_of_products: 2x3 by 2x3: each operand must be 1x1; {made}"));
    assert_eq!(none, "+3: sum_of_products: takes at least one pair of operands");
}

#[test]
fn indices_of_another_shape_are_refused() {
    let graph = Graph::new();
    let base = line!();
    let x = graph.variable(zeros(4, 3));
    let k = graph.variable(zeros(1, 2));
    let gather = said(base, || x.gather_rows(k));
    let sum = said(base, || x.segment_sum(k, 5));
    let pick = said(base, || x.pick(k));
    let several = said(base, || x.pick_axis(Axis::Columns, k));
    let one_hot = said(base, || k.one_hot(3));
    let made = "left made at +1; right made at +2";
    assert_eq!(gather, format!("+3: gather_rows: 4x3 by 1x2: the indices must be a column; {made}"));
    assert_eq!(sum, format!("+4: segment_sum: 4x3 by 1x2: the indices must be a column of 4; {made}"));
    assert_eq!(pick, format!("+5: pick: 4x3 by 1x2: the indices must be a column of 4; {made}"));
    assert_eq!(several, format!("+6: pick: 4x3 by 1x2: the indices must be 4x2; {made}"));
    let rule = "the indices must be a column of 1; left made at +7; right made at +2";
    assert_eq!(one_hot, format!("+7: place: 1x1 by 1x2: {rule}"));
}

#[test]
fn rows_to_be_replaced_are_as_many_as_their_indices_and_as_wide_as_the_base() {
    let graph = Graph::new();
    let base = line!();
    let x = graph.variable(zeros(4, 3));
    let k = graph.variable(zeros(2, 1));
    let y = graph.variable(zeros(2, 2));
    let few = said(base, || x.scatter_rows(k, x));
    let narrow = said(base, || x.scatter_rows(k, y));
    let rule = "the indices must be a column of 4; first made at +1; second made at +2; third made at +1";
    assert_eq!(few, format!("+4: scatter_rows: 4x3 by 2x1 by 4x3: {rule}"));
    let rule = "both must have the same number of columns; first made at +1; second made at +2; third made at +3";
    assert_eq!(narrow, format!("+5: scatter_rows: 4x3 by 2x1 by 2x2: {rule}"));
}

#[test]
fn a_row_that_is_replaced_twice_is_named_with_its_place() {
    let graph = Graph::new();
    let base = line!();
    let x = graph.variable(zeros(4, 3));
    let k = graph.constant([[2.0], [0.0], [2.0]]);
    let y = x.scatter_rows(k, graph.constant(zeros(3, 3)));
    let text = said(base, || y.value());
    assert_eq!(text, "+4: value: scatter_rows at +3: index 2 is 2, which stands there before");
    let error = graph.compile(&[], &[], &[y]).unwrap().run(&[]).unwrap_err().to_string();
    assert_eq!(relative(base, &error), "scatter_rows at +3: index 2 is 2, which stands there before");
}

#[test]
fn scans_and_distances_name_the_sides_that_differ() {
    let graph = Graph::new();
    let base = line!();
    let x = graph.variable(zeros(4, 3));
    let y = graph.variable(zeros(4, 2));
    let scan = said(base, || x.linear_scan(y, Direction::Forward));
    let sqdist = said(base, || x.sqdist(y));
    let raw = graph.try_apply(op::LinearScan(Direction::Forward), &[x, y]).unwrap_err().rule;
    let made = "left made at +1; right made at +2";
    assert_eq!(scan, "+3: broadcast: 4x2: each side must equal that of 4x3, or be 1; operand made at +2");
    assert_eq!(sqdist, format!("+4: sqdist: 4x3 by 4x2: both must have the same number of columns; {made}"));
    assert_eq!(raw, "both must have the same shape");
}

#[test]
fn slices_in_steps_say_where_they_reach_outside() {
    let graph = Graph::new();
    let base = line!();
    let x = graph.variable(zeros(4, 3));
    let outside = said(base, || x.slice_step(0..6, 2, 0..3, 1));
    let none = said(base, || x.slice_step(0..4, 0, 0..3, 1));
    let many = said(base, || x.top_k(Axis::Columns, 4));
    let square = said(base, || x.matrix_power(2));
    let vector = said(base, || x.diag_matrix(0));
    let median = said(base, || x.slice(0..0, 0..3).median());
    let made = "operand made at +1";
    let rule = "the 3x3 block at row 0, column 0 in steps of 2 and 1 reaches outside";
    assert_eq!(outside, format!("+2: slice: 4x3: {rule}; {made}"));
    assert_eq!(none, format!("+3: slice: 4x3: steps must not be 0; {made}"));
    let rule = "the 4x4 block at row 0, column 0 reaches outside";
    assert_eq!(many, format!("+4: slice: 4x3: {rule}; operand made at +4"));
    assert_eq!(square, format!("+5: matrix_power: 4x3: the operand must be square; {made}"));
    assert_eq!(vector, format!("+6: diag_matrix: 4x3: the operand must be a row or a column; {made}"));
    assert_eq!(median, "+7: median: 1x0: there is no element to choose from; operand made at +7");
}

#[test]
fn there_is_no_extreme_of_nothing() {
    let graph = Graph::new();
    let base = line!();
    let x = graph.variable(zeros(3, 0));
    let max = said(base, || x.max_axis(Axis::Columns));
    let min = said(base, || x.min_axis(Axis::Columns));
    let arg_max = said(base, || x.arg_max(Axis::Columns));
    assert_eq!(max, "+2: max: 3x0: there is no element to choose from; operand made at +1");
    assert_eq!(min, "+3: min: 3x0: there is no element to choose from; operand made at +1");
    assert_eq!(arg_max, "+4: arg_max: 3x0: there is no element to choose from; operand made at +1");
}

#[test]
fn the_gradient_of_what_is_no_scalar_is_refused() {
    let graph = Graph::new();
    let base = line!();
    let x = graph.variable(zeros(2, 3));
    let y = x.square();
    let strict = said(base, || y.gradient(x));
    let lenient = said(base, || y.gradient_or_zero(x));
    let rest = "gradient: the 2x3 value made at +2 is no scalar: sum it, or give a cotangent to vjp";
    assert_eq!(strict, format!("+3: {rest}"));
    assert_eq!(lenient, format!("+4: {rest}"));
}

#[test]
fn a_cotangent_of_another_shape_is_refused() {
    let graph = Graph::new();
    let base = line!();
    let x = graph.variable(zeros(2, 3));
    let y = x.square();
    let g = graph.constant(zeros(3, 2));
    let text = said(base, || y.vjp(g, x));
    assert_eq!(text, "+4: vjp: 2x3 by 3x2: the cotangent must have the shape of the value; made at +2 and +3");
}

#[test]
fn a_tangent_of_another_shape_or_number_is_refused() {
    let graph = Graph::new();
    let base = line!();
    let x = graph.variable(zeros(2, 3));
    let dx = graph.constant(zeros(1, 3));
    let shape = said(base, || x.square().jvp(x, dx));
    let count = said(base, || x.square().jvp(vec![x], vec![dx, dx]));
    let none = said(base, || x.square().jvp(Vec::new(), Vec::new()));
    assert_eq!(shape, "+3: jvp: 2x3 by 1x3: a tangent must have the shape of its source; made at +1 and +2");
    assert_eq!(count, "+4: jvp: 1 sources, 2 tangents: each source needs one tangent");
    assert_eq!(none, "+5: jvp: there is no source");
}

const HINT: &str = "gradient_or_zero takes such a derivative to be zero";

#[test]
fn a_source_that_the_value_does_not_depend_on_is_an_error() {
    let graph = Graph::new();
    let base = line!();
    let x = graph.variable(zeros(2, 3));
    let y = graph.variable(2.0);
    let z = y.square();
    let gradient = said(base, || z.gradient(x));
    let one_of_two = said(base, || z.gradient([y, x]));
    let vjp = said(base, || z.vjp(y, x));
    let jvp = said(base, || z.jvp(x, x));
    let later = said(base, || y.gradient(z));
    let path = "no derivative flows from the 1x1 square made at +3 to the 2x3 variable made at +1: \
                it does not depend on it";
    assert_eq!(gradient, format!("+4: gradient: {path}; {HINT}"));
    assert_eq!(one_of_two, format!("+5: gradient: {path}; {HINT}"));
    assert_eq!(vjp, format!("+6: vjp: {path}; {HINT}"));
    assert_eq!(jvp, format!("+7: jvp: {path}; {HINT}"));
    assert_eq!(
        later,
        format!(
            "+8: gradient: no derivative flows from the 1x1 variable made at +2 to the 1x1 square made at +3: \
             it does not depend on it; {HINT}"
        )
    );
}

#[test]
fn a_path_that_is_cut_is_shown_with_the_cut() {
    let graph = Graph::new();
    let base = line!();
    let x = graph.variable([[1.0, 2.0]]);
    let detached = x.exp().detach().sum();
    let compared = (x.gt(x.scalar(1.0)) * 2.0).sum();
    let indexed = x.arg_max(Axis::Columns);
    let both = detached + indexed;
    let cut = |y: Var<'_, f64>| said(base, || y.gradient(x));
    let path = |op, at| {
        format!("+6: gradient: no derivative flows from the 1x1 {op} made at {at} to the 1x2 variable made at +1")
    };
    let at = |op, place| format!("the path is cut by the {op} at {place}");
    assert_eq!(cut(detached), format!("{}: {}; {HINT}", path("sum", "+2"), at("detach", "+2")));
    assert_eq!(cut(compared), format!("{}: {}; {HINT}", path("sum", "+3"), at("compare", "+3")));
    assert_eq!(cut(indexed), format!("{}: {}; {HINT}", path("arg_max", "+4"), at("arg_max", "+4")));
    assert_eq!(cut(both), format!("{}: {} and the arg_max at +4; {HINT}", path("add", "+5"), at("detach", "+2")));
}

#[test]
fn a_cut_beside_another_path_is_no_error() {
    let graph = Graph::new();
    let x = graph.variable(3.0);
    let y = x * x.detach() + x.gt(x.scalar(1.0));
    assert_eq!(y.gradient(x).item(), 3.0);
}

#[test]
fn an_input_has_no_value_while_recording() {
    let graph = Graph::<f64>::new();
    let base = line!();
    let x = graph.input(1, 1);
    let y = x.square();
    let value = said(base, || y.value());
    let item = said(base, || y.item());
    let peek = said(base, || y.peek());
    let rest = "value: it depends on the 1x1 input made at +1, which has a value only while a program runs";
    assert_eq!(value, format!("+3: {rest}"));
    assert_eq!(item, format!("+4: {rest}"));
    assert_eq!(peek, format!("+5: {rest}"));
}

#[test]
fn an_index_out_of_range_is_named_with_its_place() {
    let names = ["gather_rows", "segment_sum", "scatter_rows", "pick", "place"];
    for (index, shown) in [(3.0, "3"), (-1.0, "-1"), (0.5, "0.5"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let graph = Graph::new();
        let base = line!();
        let x = graph.variable(zeros(3, 3));
        let k = graph.constant([[0.0], [index], [2.0]]);
        let recorded = [x.gather_rows(k), x.segment_sum(k, 3), x.scatter_rows(k, x), x.pick(k), k.one_hot(3)];
        for (name, y) in names.into_iter().zip(recorded) {
            let text = said(base, || y.value());
            let rule = format!("index 1 is {shown}, not a whole number in 0..3");
            assert_eq!(text, format!("+5: value: {name} at +3: {rule}"));
        }
    }
}

#[test]
fn an_item_is_taken_of_a_scalar_only() {
    let graph = Graph::new();
    let base = line!();
    let x = graph.variable(zeros(2, 3));
    let text = said(base, || x.item());
    assert_eq!(text, "+2: item: the value is 2x3, not 1x1; made at +1");
    let base = line!();
    let text = said(base, || zeros(2, 3).item());
    assert_eq!(text, "+1: item: the matrix is 2x3, not 1x1");
}

#[test]
fn operands_of_different_graphs_are_refused() {
    let (graph, other) = (Graph::new(), Graph::new());
    let base = line!();
    let x = graph.variable(1.0);
    let y = other.variable(1.0);
    let rest = "the operands belong to different graphs; one was made at +2";
    let found = [
        said(base, || x + y),
        said(base, || x.gt(x).select(x, y)),
        said(base, || Var::concat(&[x, y], Axis::Rows)),
        said(base, || graph.try_apply(op::Exp, &[y])),
        said(base, || x.gradient(y)),
        said(base, || x.gradient_or_zero([x, y])),
        said(base, || x.vjp(y, x)),
        said(base, || x.jvp(y, x)),
        said(base, || x.jvp(x, y)),
    ];
    for (i, text) in (5..).zip(found) {
        assert_eq!(text, format!("+{i}: {rest}"));
    }
}

#[test]
fn matrices_say_what_they_do_not_hold() {
    let base = line!();
    let new = said(base, || Matrix::new(2, 3, vec![0.0; 5]));
    let index = said(base, || zeros(2, 3)[(2, 0)]);
    let row = said(base, || zeros(2, 3).row(2).len());
    assert_eq!(new, "+1: Matrix::new: 2x3 holds 6 elements, the data has 5");
    assert_eq!(index, "+2: element (2, 0) of a 2x3 matrix");
    assert_eq!(row, "+3: row 2 of a 2x3 matrix");
}

#[test]
fn a_graph_has_no_node_that_was_not_recorded() {
    let (graph, other) = (Graph::<f64>::new(), Graph::<f64>::new());
    let base = line!();
    let id = graph.variable(1.0).id();
    let text = said(base, || other.var(id));
    assert_eq!(text, "+2: node #0 of a graph with 0 nodes");
}
