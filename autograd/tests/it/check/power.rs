//! How often one wrong component among many is seen: our rule and those of others.

use autograd::check::Check;

use super::rivals::{self, Random};

/// A function whose gradient is known and normal: `Σ (gₖ yₖ + yₖ²/4)` of `y = x - x₀`.
#[test]
fn one_wrong_component_is_seen_whatever_its_error() {
    const TRIALS: u64 = 40;
    println!("| rule | n = 100: δ = 1 / 0.1 / 0.01 / 0.001 | n = 3000: δ = 1 / 0.1 / 0.01 / 0.001 |\n|---|---|---|");
    let mut seen = [[[0_u32; 4]; 2]; 7];
    for (i, n) in [100_usize, 3000].into_iter().enumerate() {
        for (j, delta) in [1.0, 0.1, 0.01, 0.001].into_iter().enumerate() {
            for trial in 0..TRIALS {
                let mut random = Random::new(1000 * trial + j as u64);
                let g: Vec<f64> = (0..n).map(|_| random.normal()).collect();
                let x: Vec<f64> = (0..n).map(|_| random.normal()).collect();
                let f = |y: &[f64]| -> f64 {
                    let terms = y.iter().zip(&x).zip(&g);
                    terms.map(|((y, x), g)| (y - x) * g + (y - x) * (y - x) / 4.0).sum()
                };
                let mut wrong = g.clone();
                wrong[random.below(n)] *= 1.0 + delta;
                let check = Check::new().directions(1).elements(0).seed(trial);
                let report = check.gradient(|y: &[f64]| f(y), |_: &[f64]| wrong.clone(), &x);
                let found = [
                    !rivals::torch_fast(&f, &wrong, &x, &mut random),
                    n == 100 && !rivals::torch_slow(&f, &wrong, &x),
                    !rivals::jax(&f, &wrong, &x, 2e-3, &mut random),
                    !rivals::jax(&f, &wrong, &x, 1e-5, &mut random),
                    !rivals::hips(&f, &wrong, &x, &mut random),
                    !rivals::chainer(&f, &wrong, &x, &mut random),
                    report.is_fail(),
                ];
                found.iter().enumerate().for_each(|(k, &found)| seen[k][i][j] += u32::from(found));
            }
        }
    }
    let names = ["PyTorch fast", "PyTorch slow", "JAX 2e-3", "JAX 1e-5", "HIPS", "Chainer", "ours, one direction"];
    let share = |count: u32| f64::from(count) / f64::from(u32::try_from(TRIALS).unwrap());
    for (name, [small, large]) in names.iter().zip(&seen) {
        let text = |counts: &[u32; 4]| counts.map(|count| format!("{:.2}", share(count))).join(" / ");
        let large = if *name == "PyTorch slow" { "as for 100".to_owned() } else { text(large) };
        println!("| {name} | {} | {large} |", text(small));
    }
    assert!(seen[6].iter().flatten().all(|&count| share(count) >= 0.97), "{:?}", seen[6]);
    assert!(share(seen[0][1][1]) < 0.9 && share(seen[0][1][3]) < 0.1, "PyTorch's fast mode is better than claimed");
}
