//! Kinks, ties, singular points, strong zeros, NaN: what is recommended is what is computed.

use autograd::{Graph, Matrix};
use serde_json::Value;

use crate::named;
use crate::support::{Verdict, close, list, matrices, matrix, oracle, text};

/// Value and derivative are those recommended, to 1e-12.
fn holds(name: &str, case: &Value) -> Verdict {
    let graph = Graph::<f64>::new();
    let inputs: Vec<_> = matrices(&case["inputs"]).iter().map(|x| graph.variable(x)).collect();
    let Some(y) = named::apply(name, &case["params"], &inputs) else {
        return Err("it is neither computed nor listed as missing".to_owned());
    };
    let expected = &case["recommended"];
    close("value", &y.value(), &matrix(&expected["value"]), 1e-12)?;
    if expected["vjp"].is_null() {
        return Ok(());
    }
    let expected = matrices(&expected["vjp"]);
    let found = y.vjp(graph.constant(matrix(&case["cotangent"])), inputs);
    for (slot, (found, expected)) in found.iter().zip(&expected).enumerate() {
        close(&format!("vjp {slot}"), &found.value(), expected, 1e-12)?;
    }
    Ok(())
}

#[test]
fn every_convention_holds() {
    let file = oracle("conventions");
    let mut faults = Vec::new();
    for case in list(&file["cases"]) {
        for name in named::names(case).into_iter().filter(|name| !named::is_missing(name)) {
            if let Err(fault) = holds(name, case) {
                faults.push(format!("{} as {name}: {fault}", text(&case["id"])));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The zero of a cotangent wins over an infinite derivative also one order higher.
#[test]
fn a_masked_singularity_stays_masked_in_second_derivatives() {
    let graph = Graph::new();
    let x = graph.variable([[0.0, 4.0, -1.0]]);
    let zero = x.scalar(0.0);
    let roots = x.gt(zero).select(x.sqrt(), zero).sum();
    let first = roots.gradient(x);
    let second = first.sum().gradient(x).value();
    close("first", &first.value(), &Matrix::from([[0.0, 0.25, 0.0]]), 0.0).unwrap();
    close("second", &second, &Matrix::from([[0.0, -0.03125, 0.0]]), 0.0).unwrap();
}
