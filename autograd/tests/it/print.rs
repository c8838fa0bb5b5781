//! Formulas as a textbook writes them.

use autograd::{Graph, Matrix, Picture};

/// Squared error of a perceptron with two layers: the four equations of backpropagation, after M. Nielsen, "Neural
/// networks and deep learning", 2015, chapter 2, with samples as rows.
#[test]
fn the_gradient_of_a_perceptron_prints_as_backpropagation() {
    let graph = Graph::<f64>::new();
    let x = graph.input(4, 2).named("x");
    let t = graph.input(4, 1).named("t");
    let w1 = graph.variable(Matrix::ones(2, 3)).named("W1");
    let b1 = graph.variable(Matrix::zeros(1, 3)).named("b1");
    let w2 = graph.variable(Matrix::ones(3, 1)).named("W2");
    let b2 = graph.variable(Matrix::zeros(1, 1)).named("b2");
    let z1 = (x.matmul(w1) + b1).named("z1");
    let a1 = z1.sigmoid().named("a1");
    let z2 = (a1.matmul(w2) + b2).named("z2");
    let y = z2.sigmoid().named("y");
    let cost = ((y - t).square().sum() * 0.5).named("C");
    assert_eq!(
        cost.to_string(),
        "z1 = x W1 + b1\n\
         a1 = σ(z1)\n\
         z2 = a1 W2 + b2\n\
         y = σ(z2)\n\
         C = 0.5 · sum((y - t)²)"
    );
    let layers = "z1 = x W1 + b1\na1 = σ(z1)\nz2 = a1 W2 + b2\ny = σ(z2)\n";
    let delta2 = "(y - t) ⊙ σ′(z2)";
    let delta1 = format!("(({delta2}) W2ᵀ) ⊙ σ′(z1)");
    let [dw1, db1, dw2, db2] = cost.gradient([w1, b1, w2, b2]);
    assert_eq!(dw2.to_string(), format!("{layers}a1ᵀ ({delta2})"));
    assert_eq!(db2.to_string(), format!("{layers}sum({delta2})"));
    assert_eq!(dw1.to_string(), format!("{layers}xᵀ ({delta1})"));
    assert_eq!(db1.to_string(), format!("{layers}sum_rows({delta1})"));
}

#[test]
fn formulas_have_the_parentheses_that_they_need_and_no_others() {
    let graph = Graph::<f64>::new();
    let [x, y, z] = ["x", "y", "z"].map(|name| graph.variable(Matrix::ones(2, 2)).named(name));
    for (formula, expected) in [
        (x + y - z, "x + y - z"),
        (x - (y - z), "x - (y - z)"),
        ((x + y) * z, "(x + y) ⊙ z"),
        (x * y / z, "x ⊙ y / z"),
        (x / (y * z), "x / (y ⊙ z)"),
        (-(x + y), "-(x + y)"),
        ((x + y).transpose(), "(x + y)ᵀ"),
        (x.transpose().matmul(y), "xᵀ y"),
        (x.matmul(y) + z, "x y + z"),
        (x.matmul(y) * z, "(x y) ⊙ z"),
        (x.powi(-3), "x⁻³"),
        ((x + y).square(), "(x + y)²"),
        ((x * 2.0).exp(), "exp(2 · x)"),
        (x.lt(y).select(x, z), "where([x < y], x, z)"),
        (x.relu().sum().gradient(x), "1 ⊙ [0 < x]"),
        (x.sqrt().abs(), "|√x|"),
    ] {
        assert_eq!(formula.to_string(), expected);
    }
}

#[test]
fn what_is_used_twice_gets_a_line_of_its_own() {
    let graph = Graph::<f64>::new();
    let x = graph.variable(2.0).named("x");
    let y = x.exp();
    assert_eq!((y * y + y).to_string(), "t1 = exp(x)\nt1 · t1 + t1");
}

#[test]
fn the_formula_of_a_chain_of_a_million_is_cut_into_lines() {
    let graph = Graph::<f64>::new();
    let x = graph.variable(2.0).named("x");
    let y = (0..1_000_000).fold(x, |y, _| y.abs());
    let text = y.to_string();
    assert!(text.lines().all(|line| line.len() < 100));
}

#[test]
fn a_picture_shows_shapes_values_and_gradients() {
    let graph = Graph::<f64>::new();
    let x = graph.variable([[1.0, 2.0]]).named("x");
    let w = graph.variable([[3.0], [4.0]]).named("w");
    let y = x.matmul(w).named("y \"hat\"");
    let picture = Picture::of(&[y]).values().gradients(y);
    assert_eq!(
        picture.to_dot(),
        "digraph {\n  rankdir=LR;\n  node [shape=box, fontname=monospace];\n  \
         n0 [label=\"x\\nvariable 1x2\\nvalue 1 2\\ngradient 3 4\", style=rounded];\n  \
         n1 [label=\"w\\nvariable 2x1\\nvalue 3 4\\ngradient 1 2\", style=rounded];\n  \
         n2 [label=\"y \\\"hat\\\"\\nmatmul 1x1\\nvalue 11\\ngradient 1\"];\n  \
         n0 -> n2;\n  n1 -> n2;\n}\n"
    );
    assert_eq!(
        Picture::of(&[y]).to_mermaid(),
        "flowchart LR\n  n0([\"x<br>variable 1x2\"])\n  n1([\"w<br>variable 2x1\"])\n  \
         n2[\"y #quot;hat#quot;<br>matmul 1x1\"]\n  n0 --> n2\n  n1 --> n2\n"
    );
}
