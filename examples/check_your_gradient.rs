//! Is the gradient that you wrote by hand right? A checker finds out, for any code.
//!
//! First a logistic regression with weight decay, in plain Rust, without a graph of ours:
//!
//! ```text
//!   L(w) = 1/n Σᵢ ln(1 + exp(-tᵢ ⟨w, xᵢ⟩)) + λ/2 Σⱼ wⱼ²        tᵢ = ±1
//!   ∂L/∂w = -1/n Σᵢ tᵢ σ(-tᵢ ⟨w, xᵢ⟩) xᵢ + λ w
//! ```
//!
//! Whoever wrote its gradient forgot `λ w`. The fit converges nevertheless, to slightly wrong weights: nothing but a check
//! tells. The report says which numbers are wrong, and that they are off by -λ times the input.
//!
//! Then a closure over the variables of a graph, with an operation whose derivative was given by hand, too: a smooth step
//! `s = 3u² - 2u³` whose derivative should be `6u - 6u²`, and is not. The report says on which line the wrong rule is.
//!
//! Differences of values give the truth, with a bar for how far they can be off. So there is no step and no tolerance to
//! choose, and "wrong" means wrong.
//!
//! ```text
//! cargo run --release --example check_your_gradient
//! ```
#![allow(clippy::print_stdout, reason = "an example talks to a person")]

use autograd::check::{Check, Report};
use autograd::{Matrix, Var};

fn main() {
    let w = [0.5, -1.25, 0.75];
    println!("The weight decay is missing in the gradient:\n\n{}\n", logistic(gradient_without_decay, &w));
    println!("With it:\n\n{}\n", logistic(gradient, &w));
    println!("A rule of one's own is wrong:\n\n{}\n", smooth_steps(|u| 6.0 * u - 6.0));
    println!("Mended:\n\n{}", smooth_steps(|u| u * 6.0 * (1.0 - u)));
}

const LAMBDA: f64 = 0.125;
const SAMPLES: [([f64; 3], f64); 5] = [
    ([1.0, 0.5, -1.5], 1.0),
    ([1.0, -0.25, 2.0], -1.0),
    ([1.0, 1.5, 0.25], 1.0),
    ([1.0, -2.0, -0.5], -1.0),
    ([1.0, 0.75, 1.0], -1.0),
];

fn dot(w: &[f64], x: &[f64; 3]) -> f64 {
    w.iter().zip(x).map(|(w, x)| w * x).sum()
}

/// The mean loss of all samples, and the weight decay.
fn loss(w: &[f64]) -> f64 {
    let fit: f64 = SAMPLES.iter().map(|(x, t)| (-t * dot(w, x)).exp().ln_1p()).sum();
    fit / SAMPLES.len() as f64 + LAMBDA / 2.0 * w.iter().map(|w| w * w).sum::<f64>()
}

/// Its gradient, as somebody wrote it.
fn gradient_without_decay(w: &[f64]) -> Vec<f64> {
    let mut gradient = vec![0.0; w.len()];
    for (x, t) in &SAMPLES {
        let share = -t / (1.0 + (t * dot(w, x)).exp()) / SAMPLES.len() as f64;
        gradient.iter_mut().zip(x).for_each(|(g, x)| *g += share * x);
    }
    gradient
}

/// Its gradient.
fn gradient(w: &[f64]) -> Vec<f64> {
    gradient_without_decay(w).iter().zip(w).map(|(g, w)| g + LAMBDA * w).collect()
}

/// Checks a gradient of the loss. In a test that would be one line: `assert_gradient!(loss, gradient, &w)`.
fn logistic(gradient: impl Fn(&[f64]) -> Vec<f64>, w: &[f64]) -> Report {
    Check::new().input("w", 3, 1).gradient(loss, gradient, w)
}

/// Checks a function of two matrices that uses a smooth step with the derivative `slope`.
fn smooth_steps(slope: impl for<'g> Fn(Var<'g, f64>) -> Var<'g, f64> + Copy + Send + Sync + 'static) -> Report {
    let x = Matrix::from([[0.25, 0.5], [0.125, 0.75]]);
    let w = Matrix::from([[0.5], [0.75]]);
    Check::new().function(
        |[x, w]| {
            let u = x.matmul(w);
            let step = u.square() * 3.0 - u.powi(3) * 2.0;
            let step = step.with_gradient(&[u], move |g, u, _| vec![g * slope(u[0])]);
            (step * 5.0).exp().sum()
        },
        [x, w],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_errors_are_found_where_they_are_and_both_repairs_pass() {
        let w = [0.5, -1.25, 0.75];
        let wrong = logistic(gradient_without_decay, &w);
        assert!(wrong.is_fail());
        assert_eq!(wrong.counts(), [0, 3, 0]);
        let named: Vec<String> = wrong.mismatches.iter().map(|one| one.input.to_string()).collect();
        assert_eq!(named, ["w[0,0]", "w[1,0]", "w[2,0]"]);
        assert!(wrong.to_string().contains("off by -0.125 times the input"), "{wrong}");
        assert!(logistic(gradient, &w).is_pass());

        let wrong = smooth_steps(|u| 6.0 * u - 6.0);
        assert!(wrong.is_fail());
        let blame = wrong.culprit().unwrap();
        let site = blame.site.as_ref().unwrap();
        let source = include_str!("check_your_gradient.rs");
        let line = source.lines().nth(site.line as usize - 1).unwrap();
        assert!(blame.op == "with_gradient" && line.contains("step.with_gradient(&[u]"), "{wrong}");
        assert!(smooth_steps(|u| u * 6.0 * (1.0 - u)).is_pass());
    }
}
