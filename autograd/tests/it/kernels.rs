//! What the compiler makes of graphs: kernels, their work, their memory, and the bits of their results.

use autograd::explain::Kernel;
use autograd::{Axis, Graph, Matrix, Program, Real, Var};

/// The operations of each kernel.
fn names<T: Real>(program: &Program<T>) -> Vec<String> {
    let names =
        |kernel: &Kernel| kernel.operations.iter().map(|operation| operation.name).collect::<Vec<_>>().join(" ");
    program.explain().kernels.iter().map(names).collect()
}

/// How many of the operations are matrix products.
fn products(kernels: &[String]) -> usize {
    kernels.iter().flat_map(|kernel| kernel.split(' ')).filter(|name| *name == "matmul").count()
}

/// Numbers in -1..1 that look arbitrary.
fn numbers<T: Real>(rows: usize, cols: usize) -> Matrix<T> {
    Matrix::from_fn(rows, cols, |i, j| {
        let k = u16::try_from((i * 7919 + j * 104_729 + i * j) % 2003).unwrap();
        T::from_f64(f64::from(k) / 1001.0 - 1.0)
    })
}

/// A training step of a perceptron with one hidden layer, cross-entropy and RMSprop: its graph's program.
fn training_step(batch: usize, sizes: [usize; 3]) -> Program<f32> {
    let graph = Graph::<f32>::new();
    let [inputs, hidden, classes] = sizes;
    let (x, labels) = (graph.input(batch, inputs), graph.input(batch, 1));
    let parameters = [(inputs, hidden), (1, hidden), (hidden, classes), (1, classes)]
        .map(|(rows, cols)| graph.variable(numbers::<f32>(rows, cols).map(|w| w * 0.1)));
    let [w1, b1, w2, b2] = parameters;
    let logits = (x.matmul(w1) + b1).relu().matmul(w2) + b2;
    let loss = (logits.log_sum_exp_axis(Axis::Columns) - logits.pick(labels)).mean();
    let mut updates = Vec::new();
    for (w, g) in parameters.into_iter().zip(loss.gradient(parameters)) {
        let old: Var<'_, f32> = graph.variable(Matrix::zeros(w.rows(), w.cols()));
        let new = (0.9 * old + 0.1 * g.square()).flush_subnormal();
        updates.extend([(old, new), (w, w - 0.001 * g / (new + 1e-7).sqrt())]);
    }
    graph.compile(&[x, labels], &updates, &[loss]).unwrap()
}

fn feed(program: &mut Program<f32>) {
    let shapes = [0, 1].map(|i| program.input_shape(i));
    program.input_mut(0).copy_from_slice(numbers::<f32>(shapes[0].rows, shapes[0].cols).as_slice());
    for (i, class) in program.input_mut(1).iter_mut().enumerate() {
        *class = f32::from(u8::try_from(i % 10).unwrap());
    }
}

const UPDATE: &str = "mul square mul add flush_subnormal mul add sqrt div sub";

#[test]
fn a_training_step_is_one_kernel_for_each_product_and_one_for_each_bias() {
    let kernels = names(&training_step(128, [784, 512, 10]));
    let backward = "log_sum_exp pick sub place softmax strong_mul strong_mul add flush_subnormal";
    assert_eq!(kernels[0], "matmul add relu");
    assert!(kernels[1].starts_with("matmul add ") && kernels[1].ends_with("sum sum"), "{}", kernels[1]);
    let sorted = |names: &str| {
        let mut names: Vec<String> = names.split(' ').map(str::to_owned).collect();
        names.sort();
        names.dedup();
        names
    };
    assert_eq!(sorted(&kernels[1]), sorted(&format!("matmul add sum {backward}")));
    assert_eq!(kernels.iter().filter(|kernel| kernel.contains(UPDATE)).count(), 4, "{kernels:#?}");
    assert_eq!(kernels.iter().filter(|kernel| kernel.starts_with("matmul ") && kernel.contains(UPDATE)).count(), 2);
    assert_eq!(kernels.len(), 8, "{kernels:#?}");
}

#[test]
fn the_input_of_the_first_layer_has_no_derivative() {
    let of_depth = |depth: usize| {
        let graph = Graph::<f32>::new();
        let x = graph.input(4, 3);
        let weights: Vec<Var<'_, f32>> = (0..depth).map(|_| graph.variable(numbers::<f32>(3, 3))).collect();
        let y = weights.iter().fold(x, |x, w| x.matmul(*w).tanh());
        let gradients = y.square().sum().gradient(weights.as_slice());
        let updates: Vec<_> = weights.iter().zip(gradients).map(|(w, g)| (*w, *w - g)).collect();
        let kernels = names(&graph.compile(&[x], &updates, &[]).unwrap());
        products(&kernels)
    };
    // Forward, weight gradient, and but for the first layer the cotangent of the input.
    assert_eq!([1, 2, 5].map(of_depth), [2, 5, 14]);
}

#[test]
fn a_derivative_that_nobody_reads_is_not_computed() {
    let graph = Graph::<f64>::new();
    let (x, w) = (graph.input(4, 3), graph.variable(numbers::<f64>(3, 2)));
    let y = x.matmul(w).tanh().sum();
    let [dx, dw] = y.gradient([x, w]);
    let _ = dx;
    let count = |outputs: &[Var<'_, f64>]| {
        let kernels = names(&graph.compile(&[x], &[], outputs).unwrap());
        products(&kernels)
    };
    assert_eq!((count(&[y]), count(&[y, dw]), count(&[y, dw, dx])), (1, 2, 3));
}

#[test]
fn a_program_of_tiny_values_is_one_kernel_that_says_how_many_instructions_it_has() {
    let graph = Graph::<f64>::new();
    let (x, w) = (graph.input(1, 3), graph.variable(numbers::<f64>(3, 2)));
    let y = x.matmul(w).tanh().transpose().reshape(1, 2).sum();
    let explanation = graph.compile(&[x], &[], &[y]).unwrap().explain();
    let [kernel] = explanation.kernels.as_slice() else { panic!("{explanation}") };
    let operations: Vec<_> = kernel.operations.iter().map(|operation| operation.name).collect();
    // Two scalar products, two tanh, one sum; moving numbers takes no instruction.
    assert_eq!((operations, kernel.instructions), (vec!["matmul", "tanh", "sum"], Some(5)));
    assert_eq!((kernel.flops, kernel.bytes), (2 * 6 + 2 + 2, u64::try_from(explanation.memory.total).unwrap()));
    assert!(explanation.to_string().contains("5 instructions on numbers; kernels.rs:"), "{explanation}");
    let larger = graph.compile(&[x], &[], &[y + graph.constant(numbers::<f64>(5, 5)).sum()]).unwrap().explain();
    assert!(larger.kernels.iter().all(|kernel| kernel.instructions.is_none()), "{larger}");
}

#[test]
fn a_loss_is_summed_where_it_is_computed() {
    let graph = Graph::<f64>::new();
    let (y, t) = (graph.input(300, 40), graph.input(300, 40));
    let program = graph.compile(&[y, t], &[], &[(y - t).square().sum(), (y * t).sum_axis(Axis::Rows)]).unwrap();
    assert_eq!(names(&program), ["sub square sum", "mul sum"]);
    assert!(program.memory() < 8 * 3 * 300 * 40, "the terms of the sums are not stored: {}", program.memory());
}

#[test]
fn what_only_a_later_kernel_reads_is_computed_there() {
    let graph = Graph::<f64>::new();
    let (x, w, a) = (graph.input(30, 20), graph.input(20, 20), graph.variable(numbers::<f64>(30, 20)));
    let program = graph.compile(&[x, w], &[], &[x.matmul(w) + (a * 3.0).tanh()]).unwrap();
    assert_eq!(names(&program), ["matmul mul tanh add"]);
}

#[test]
fn a_kernel_waits_for_what_its_product_needs() {
    // The second product reads what follows the first, and both are read at the end.
    let graph = Graph::<f64>::new();
    let (x, w) = (graph.variable(numbers::<f64>(20, 20)), graph.variable(numbers::<f64>(20, 20)));
    let y = x.matmul(w);
    let z = y.tanh().matmul(w);
    let end = y * z + y.exp();
    let mut program = graph.compile(&[], &[], &[end]).unwrap();
    program.run(&[]).unwrap();
    assert_eq!(program.output(0), end.peek());
    assert_eq!(names(&program), ["matmul tanh", "matmul mul exp add"]);
}

/// The same program on demand and compiled, on 1 to 3 threads.
fn assert_same_bits<T: Real>(build: impl for<'g> Fn(&'g Graph<T>) -> Vec<Var<'g, T>>) {
    let graph = Graph::<T>::new();
    let outputs = build(&graph);
    let mut program = graph.compile(&[], &[], &outputs).unwrap();
    for threads in [1, 2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| program.run(&[])).unwrap();
        for (i, output) in outputs.iter().enumerate() {
            let (compiled, on_demand) = (program.output(i), output.peek());
            let bits = |x: &Matrix<T>| x.as_slice().iter().map(|x| x.to_f64().to_bits()).collect::<Vec<_>>();
            assert!(bits(&compiled) == bits(&on_demand), "output {i} on {threads} threads");
        }
    }
}

/// Products that are computed whole and band by band, with what may follow them, at sides around those at which things change.
#[test]
fn what_follows_a_product_has_the_bits_of_values_on_demand() {
    for (m, k, n) in
        [(200, 300, 512), (300, 40, 513), (784, 128, 512), (70, 9, 300), (33, 5, 1), (8, 600, 700), (1, 3, 40)]
    {
        assert_same_bits::<f32>(|graph| {
            let (a, b) = (graph.constant(numbers::<f32>(m, k)), graph.constant(numbers::<f32>(k, n)));
            let (row, column) = (graph.constant(numbers::<f32>(1, n)), graph.constant(numbers::<f32>(m, 1)));
            let z = a.matmul(b) + row;
            let y = z.relu() * column;
            vec![y, z.gt(z.scalar(0.0)).select(y.tanh(), y.square()), y.sum(), (y * z).sum_axis(Axis::Rows)]
        });
        assert_same_bits::<f64>(|graph| {
            let (a, b) = (graph.constant(numbers::<f64>(k, m)), graph.constant(numbers::<f64>(n, k)));
            let z = a.transpose().matmul(b.transpose());
            vec![z.softmax(Axis::Columns) * 2.0, z.max_axis(Axis::Columns) + 1.0, z.square().sum_axis(Axis::Columns)]
        });
    }
}

#[test]
fn the_derivatives_of_tanh_and_of_the_sigmoid_are_computed_beside_them() {
    let graph = Graph::<f64>::new();
    let (x, w) = (graph.constant(numbers::<f64>(200, 24)), graph.variable(numbers::<f64>(24, 8)));
    let v = graph.variable(numbers::<f64>(8, 2));
    let loss = x.matmul(w).tanh().matmul(v).square().sum();
    let program = graph.compile(&[], &[], &[loss.gradient(w)]).unwrap();
    assert_eq!(names(&program)[0], "matmul tanh sech_squared");
    let loss = x.matmul(w).sigmoid().matmul(v).square().sum();
    let program = graph.compile(&[], &[], &[loss.gradient(w)]).unwrap();
    assert_eq!(names(&program)[0], "matmul sigmoid neg sigmoid");
}

/// Results of both in memory, in registers, or one of them; of operands in memory, in registers, or of which one row or one
/// number serves for all.
#[test]
fn tanh_and_its_derivative_have_the_bits_that_each_has_alone() {
    fn outputs<'g, T: Real>(graph: &'g Graph<T>, m: usize, n: usize) -> Vec<Var<'g, T>> {
        let (x, row) = (graph.constant(numbers::<T>(m, n)), graph.constant(numbers::<T>(1, n)));
        let v = graph.constant(numbers::<T>(n, 3));
        let z = x * T::from_f64(3.0) + row;
        let narrow = row + graph.constant(Matrix::scalar(T::from_f64(0.5)));
        let mut all =
            vec![z.tanh(), z.sech_squared(), x.tanh() - x.sech_squared(), z * narrow.tanh() + narrow.sech_squared()];
        let y = x.square().tanh();
        all.push(y.matmul(v) + (x.square().sech_squared() * y).sum());
        let loss = (z * T::from_f64(0.5)).tanh().matmul(v).tanh().square().sum();
        all.extend(loss.gradient([x, row, v]));
        all
    }
    for (m, n) in [(1, 1), (1, 40), (200, 8), (33, 1), (300, 7), (70, 300), (5, 1500), (2000, 3)] {
        assert_same_bits::<f32>(|graph| outputs(graph, m, n));
        assert_same_bits::<f64>(|graph| outputs(graph, m, n));
    }
}

/// Of operands that are a product, in memory, one row, or one number; of which the negative is wanted besides; added up.
#[test]
fn sigmoids_of_both_signs_have_the_bits_that_each_has_alone() {
    fn outputs<'g, T: Real>(graph: &'g Graph<T>, m: usize, n: usize) -> Vec<Var<'g, T>> {
        let (x, row) = (graph.constant(numbers::<T>(m, n)), graph.constant(numbers::<T>(1, n)));
        let v = graph.constant(numbers::<T>(n, 3));
        let z = x * T::from_f64(3.0) + row;
        let mut all = vec![z.sigmoid(), (-z).sigmoid(), x.sigmoid() - (-x).sigmoid(), -x];
        all.push(z * row.sigmoid() + (-row).sigmoid());
        all.push((-(-x.square()).sigmoid()).sigmoid() * (-x.square()).sigmoid().sigmoid());
        let y = x.matmul(v);
        all.extend([(y.sigmoid() * (-y).sigmoid()).sum(), (-y).sigmoid().sum_axis(Axis::Rows)]);
        let loss = (z * T::from_f64(0.5)).sigmoid().matmul(v).sigmoid().square().sum();
        all.extend(loss.gradient([x, row, v]));
        all
    }
    for (m, n) in [(1, 1), (1, 40), (200, 8), (33, 1), (300, 7), (70, 300), (5, 1500), (2000, 3)] {
        assert_same_bits::<f32>(|graph| outputs(graph, m, n));
        assert_same_bits::<f64>(|graph| outputs(graph, m, n));
    }
}

#[test]
fn numbers_that_are_repeated_after_an_operation_may_be_repeated_before() {
    assert_same_bits::<f64>(|graph| {
        let (x, y) = (graph.constant([[0.75]]).broadcast((3, 40)), graph.constant([[1.5]]).broadcast((3, 40)));
        vec![x.pow(y), x.tan(), x + y, x.lt(y).select(x, y), x.tanh()]
    });
}

#[test]
fn sums_at_the_end_of_a_kernel_have_the_bits_of_values_on_demand() {
    for (m, n) in [(1, 1), (1, 700), (31, 1), (5000, 1), (100, 7), (40_000, 3), (300, 512), (300, 513), (64, 2000)] {
        assert_same_bits::<f32>(|graph| {
            let x = graph.constant(numbers::<f32>(m, n));
            let y = x * 1.5 + 0.25;
            let row = graph.constant(numbers::<f32>(1, n));
            let z = (y * row).tanh();
            vec![y.sum(), z.sum(), z.sum_axis(Axis::Rows), (y * y).sum_axis(Axis::Columns), y.mean() * 2.0, z]
        });
    }
}

#[test]
fn an_index_out_of_range_is_found_in_whichever_block_it_stands() {
    let graph = Graph::<f32>::new();
    let (x, labels) = (graph.variable(numbers::<f32>(3000, 10)), graph.input(3000, 1));
    let loss = (x.exp().pick(labels) + 1.0).sum();
    let mut program = graph.compile(&[labels], &[], &[loss]).unwrap();
    program.input_mut(0)[2345] = 10.0;
    let error = program.execute().unwrap_err();
    assert!(error.to_string().ends_with("index 2345 is 10, not a whole number in 0..10"), "{error}");
    program.input_mut(0)[2345] = 9.0;
    program.execute().unwrap();
}

#[test]
fn the_memory_of_a_training_step_is_what_must_be_kept() {
    let sizes = [784, 512, 10];
    let program = training_step(128, sizes);
    let parameters = 784 * 512 + 512 + 512 * 10 + 10;
    let activations = 128 * 784 + 128 + 128 * 512 + 128 * 10;
    let needed = 4 * (3 * parameters + activations);
    assert!(program.memory() * 10 <= needed * 12, "{} for {needed}", program.memory());
}

#[test]
fn training_steps_are_the_same_to_the_bit_on_any_number_of_threads() {
    let run = |threads| {
        let mut program = training_step(128, [784, 512, 10]);
        feed(&mut program);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| (0..5).for_each(|_| program.execute().unwrap()));
        let states: Vec<Vec<f32>> =
            program.states().iter().filter_map(|id| Some(program.state_slice(*id)?.to_vec())).collect();
        (program.item(0), states)
    };
    let one = run(1);
    assert!(one == run(2) && one == run(3));
}

/// Threads that stand by for one run take part in others, and must not wait for what waits for them.
#[test]
fn runs_side_by_side_in_one_pool_come_to_an_end() {
    fn run_many(programs: &mut [Program<f32>]) {
        match programs {
            [program] => (0..5).for_each(|_| program.execute().unwrap()),
            _ => {
                let (left, right) = programs.split_at_mut(programs.len() / 2);
                rayon::join(|| run_many(left), || run_many(right));
            }
        }
    }
    let mut programs = vec![training_step(128, [784, 512, 10]); 8];
    programs.iter_mut().for_each(feed);
    let (one, rest) = programs.split_at_mut(1);
    run_many(one);
    for threads in [2, 16] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut programs = rest.to_vec();
        pool.install(|| run_many(&mut programs));
        assert!(programs.iter().all(|program| program.item(0) == one[0].item(0)));
    }
}

#[test]
fn a_program_explains_its_kernels() {
    let graph = Graph::<f32>::new();
    let (x, w) = (graph.input(16, 8), graph.variable(numbers::<f32>(8, 4)));
    let y = x.matmul(w).tanh();
    let program = graph.compile(&[x], &[], &[y, y.transpose()]).unwrap();
    let explanation = program.explain();
    let [product, transpose] = explanation.kernels.as_slice() else { panic!("{explanation}") };
    assert_eq!((product.flops, product.bytes), (2 * 16 * 8 * 4 + 16 * 4, 4 * (16 * 8 + 8 * 4 + 2 * 16 * 4)));
    assert_eq!((product.operations[1].name, product.operations[1].site), ("tanh", y.site()));
    assert_eq!((transpose.flops, transpose.bytes, transpose.seconds), (64, 4 * 2 * 64, None));
    let text = explanation.to_string();
    let line = y.site().line();
    let expected = format!(
        "          shape    flops    bytes parts  operations\n\
         \x20 0        16x4    1.1 k    1.2 k     1  kernels.rs:{line}: matmul tanh\n\
         \x20 1        4x16     64      512       1  kernels.rs:{}: transpose\n\
         memory: 1.2 kB (512 B inputs, 128 B states)",
        line + 1
    );
    assert_eq!(text, expected);
}

#[test]
fn a_profile_times_each_kernel_and_trains_meanwhile() {
    let mut program = training_step(32, [20, 30, 10]);
    feed(&mut program);
    program.execute().unwrap();
    let before = program.item(0);
    let profile = program.profile(50).unwrap();
    assert!(profile.kernels.iter().all(|kernel| kernel.seconds.is_some_and(|seconds| seconds > 0.0)));
    assert!(profile.seconds().is_some_and(|total| total > 0.0) && profile.runs == 50);
    assert!(profile.to_string().contains("GF/s") && program.item(0) < before);
}
