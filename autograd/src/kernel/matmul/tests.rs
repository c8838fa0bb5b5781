use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use pulp::{Scalar, Simd};

use super::bands::is_halved;
use super::zeros::{CopyListed, GROUP, ListSteps};
use super::*;
use crate::scalar::Real;

const ORDERS: [(Order, Order); 4] = [
    (Order::Plain, Order::Plain),
    (Order::Transposed, Order::Plain),
    (Order::Plain, Order::Transposed),
    (Order::Transposed, Order::Transposed),
];

/// Numbers in `-1..1`, always the same for the same seed.
fn numbers<T: Real>(len: usize, seed: u64) -> Vec<T> {
    let mut state = seed;
    let step = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        T::from_f64(f64::from((state >> 40) as u32) / f64::from(1 << 23) - 1.0)
    };
    (0..len).map(step).collect()
}

/// Small whole numbers with infinities and NaN between them: sums do not depend on the order.
fn specials<T: Real>(len: usize, seed: u64) -> Vec<T> {
    let special = |x: T| match x.to_f64() {
        x if x > 0.98 => T::NAN,
        x if x > 0.95 => T::INFINITY,
        x if x > 0.92 => T::NEG_INFINITY,
        x if x > 0.3 => T::ZERO,
        x => (T::from_f64(x) * T::from_usize(4)).floor(),
    };
    numbers::<T>(len, seed).into_iter().map(special).collect()
}

fn stored(rows: usize, cols: usize, order: Order) -> Shape {
    match order {
        Order::Plain => Shape::new(rows, cols),
        Order::Transposed => Shape::new(cols, rows),
    }
}

/// The numbers of two factors and of the old result.
struct Case<T> {
    shape: [usize; 3],
    orders: (Order, Order),
    update: Update,
    a: Vec<T>,
    b: Vec<T>,
    old: Vec<T>,
}

impl<T: Lanes> Case<T> {
    fn new(shape: [usize; 3], orders: (Order, Order), update: Update, numbers: fn(usize, u64) -> Vec<T>) -> Self {
        let [m, k, n] = shape;
        Self { shape, orders, update, a: numbers(m * k, 1), b: numbers(k * n, 2), old: numbers(m * n, 3) }
    }

    fn operands(&self) -> (Operand<'_, T>, Operand<'_, T>) {
        let ([m, k, n], (a, b)) = (self.shape, self.orders);
        (Operand::new(&self.a, stored(m, k, a), a), Operand::new(&self.b, stored(k, n, b), b))
    }

    fn product(&self, threads: Threads) -> Vec<T> {
        let (a, b) = self.operands();
        let mut out = self.old.clone();
        product(&mut out, a, b, self.update, threads);
        out
    }

    /// The product under the given instructions, however small it is.
    fn product_with<S: Simd>(&self, simd: S) -> Vec<T> {
        let ([m, k, n], (a, b)) = (self.shape, self.operands());
        let mut out = self.old.clone();
        if m * k * n > 0 {
            let plan = Plan::new(m, k, n, b.order, Threads::One);
            simd.vectorize(Product { out: &mut out, a: &a, b: &b, update: self.update, plan });
        } else {
            product(&mut out, a, b, self.update, Threads::One);
        }
        out
    }

    /// The three loops, and the sum of the magnitudes of all terms.
    fn naive(&self) -> Vec<(T, T)> {
        let [m, k, n] = self.shape;
        let (a, b) = self.operands();
        let at = |i: usize, j: usize| {
            let old = match self.update {
                Update::Overwrite => T::ZERO,
                Update::Accumulate => self.old[i * n + j],
            };
            (0..k).map(|p| a.at(i, p) * b.at(p, j)).fold((old, old.abs()), |(s, t), x| (s + x, t + x.abs()))
        };
        (0..m).flat_map(|i| (0..n).map(move |j| (i, j))).map(|(i, j)| at(i, j)).collect()
    }

    /// Both results round `k + 1` times at most on the way from every term to the sum.
    fn check(&self, got: &[T]) {
        let bound = T::from_usize(2 * (self.shape[1] + 1)) * T::EPSILON;
        for (i, (&x, (want, magnitude))) in got.iter().zip(self.naive()).enumerate() {
            assert!((x - want).abs() <= bound * magnitude, "{:?} {i}: {x} {want}", self.shape);
        }
    }

    fn check_specials(&self, got: &[T]) {
        for (i, (&x, (want, _))) in got.iter().zip(self.naive()).enumerate() {
            assert!(x == want || (x.is_nan() && want.is_nan()), "{:?} {i}: {x} {want}", self.shape);
        }
    }

    fn check_everywhere(shape: [usize; 3], orders: (Order, Order), update: Update) {
        let case = Self::new(shape, orders, update, numbers);
        case.check(&case.product(Threads::Pool));
        case.check(&case.product_with(Scalar));
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = pulp::x86::V3::try_new() {
            case.check(&case.product_with(simd));
        }
        let case = Self::new(shape, orders, update, specials);
        case.check_specials(&case.product(Threads::Pool));
        case.check_specials(&case.product_with(Scalar));
    }
}

/// Lengths up to 70, the smallest ones often.
fn length() -> impl Strategy<Value = usize> {
    prop_oneof![0..=2_usize, 0..=70_usize]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        rng_seed: RngSeed::Fixed(1),
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn product_equals_the_three_loops(m in length(), k in length(), n in length()) {
        for orders in ORDERS {
            for update in [Update::Overwrite, Update::Accumulate] {
                Case::<f32>::check_everywhere([m, k, n], orders, update);
                Case::<f64>::check_everywhere([m, k, n], orders, update);
            }
        }
    }
}

#[test]
fn product_equals_the_three_loops_across_blocks() {
    for shape in [[300, 300, 20], [130, 600, 50], [9, 2100, 400], [1, 700, 200], [200, 700, 1]] {
        for orders in ORDERS {
            let case = Case::<f32>::new(shape, orders, Update::Accumulate, numbers);
            case.check(&case.product(Threads::Pool));
        }
    }
    for orders in ORDERS {
        let shape @ [m, k, n] = [64, 1101, 67];
        assert!(is_halved(m, k, n), "{shape:?} is not computed in halves");
        let case = Case::<f32>::new(shape, orders, Update::Overwrite, numbers);
        case.check(&case.product(Threads::Pool));
    }
}

#[test]
fn products_of_few_steps_and_columns_equal_the_three_loops() {
    for k in 1..=9 {
        for (m, n) in [(1, 8), (3, 8), (4, 2), (7, 7), (21, 4), (21, 16), (22, 8), (23, 3), (33, 15)] {
            for orders in [ORDERS[0], ORDERS[2]] {
                for update in [Update::Overwrite, Update::Accumulate] {
                    Case::<f32>::check_everywhere([m, k, n], orders, update);
                    Case::<f64>::check_everywhere([m, k, n], orders, update);
                }
            }
        }
    }
    for shape @ [m, k, n] in [[24, 200, 8], [24, 63, 8], [48, 70, 16], [48, 300, 16]] {
        let swapped = [is_swapped::<f32>(m, k, n), is_swapped::<f64>(m, k, n)];
        assert_eq!(swapped, [true, shape == [24, 200, 8]], "{shape:?}");
        Case::<f32>::check_everywhere(shape, (Order::Transposed, Order::Plain), Update::Overwrite);
        Case::<f64>::check_everywhere(shape, (Order::Transposed, Order::Plain), Update::Overwrite);
    }
}

#[test]
fn products_of_few_rows_equal_the_three_loops() {
    for shape in
        [[2, 200, 8], [1, 64, 16], [2, 65, 3], [2, 67, 16], [1, 1030, 1], [2, 66, 17], [8, 203, 2], [70, 90, 1]]
    {
        for update in [Update::Overwrite, Update::Accumulate] {
            Case::<f32>::check_everywhere(shape, (Order::Transposed, Order::Plain), update);
            Case::<f64>::check_everywhere(shape, (Order::Transposed, Order::Plain), update);
        }
    }
}

#[test]
fn number_of_threads_does_not_change_a_bit() {
    let pool = |n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
    let pools = [1, 2, 3, 5].map(pool);
    let shapes = [
        [128, 784, 512],
        [300, 129, 131],
        [67, 1100, 67],
        [1, 3000, 1500],
        [4300, 1000, 1],
        [128, 512, 10],
        [512, 128, 10],
    ];
    for shape in shapes {
        let awake = if shape.iter().product::<usize>() >= PARALLEL { Threads::Pool } else { Threads::Awake };
        assert!(shape.iter().product::<usize>() >= PARALLEL_AWAKE, "{shape:?} is left to one thread");
        for orders in ORDERS {
            let case = Case::<f32>::new(shape, orders, Update::Overwrite, numbers);
            let one = case.product(Threads::One);
            for pool in &pools {
                let many = pool.install(|| case.product(awake));
                let same = one.iter().zip(&many).all(|(x, y)| x.to_bits() == y.to_bits());
                assert!(same, "{shape:?} {orders:?} {pool:?}");
            }
        }
    }
}

#[test]
fn a_left_operand_that_is_copied_gives_the_bits_of_one_that_is_not() {
    fn check<T: Lanes>(shape @ [m, k, _]: [usize; 3], update: Update) {
        let case = Case::<T>::new(shape, (Order::Transposed, Order::Plain), update, numbers);
        let a = (0..m).flat_map(|i| (0..k).map(move |p| (i, p))).map(|(i, p)| case.a[p * m + i]).collect();
        let plain = Case { a, orders: (Order::Plain, Order::Plain), old: case.old.clone(), b: case.b.clone(), ..case };
        let bits = |x: Vec<T>| x.into_iter().map(|x| x.to_f64().to_bits()).collect::<Vec<_>>();
        assert_eq!(bits(case.product(Threads::One)), bits(plain.product(Threads::One)), "{shape:?}");
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = pulp::x86::V3::try_new() {
            assert_eq!(bits(case.product_with(simd)), bits(plain.product_with(simd)), "{shape:?}");
        }
    }
    // More steps than are done at once, rows that fill no tile, columns that fill no vector.
    for shape in [[300, 300, 150], [283, 7, 131], [256, 514, 129]] {
        for update in [Update::Overwrite, Update::Accumulate] {
            check::<f32>(shape, update);
            check::<f64>(shape, update);
        }
    }
}

/// Whole numbers, of which sums are exact.
fn whole<T: Real>(len: usize, seed: u64) -> Vec<T> {
    numbers::<T>(len, seed).into_iter().map(|x| (x * T::from_usize(4)).floor()).collect()
}

/// Which elements of the left operand are zero, by stored row, column and number of columns.
const BLANK: [fn(usize, usize, usize) -> bool; 9] = [
    |_, _, _| false,
    |_, _, _| true,
    |_, j, all| j < all / 3,
    |_, j, all| j + 100 > all,
    |_, j, all| j < 5 || j % 28 < 7 || j + 40 > all,
    |_, j, _| j % 3 != 1,
    |_, j, all| j != all / 2,
    // What is left out differs from tile to tile; some tiles leave out nothing, some all.
    |i, j, _| (i / 4 + j / 4) % 3 != 0,
    |i, j, all| i < 40 && (i / 3) % 2 == 0 || i >= 40 && (i * 7 + j * 3) % all < all / 2,
];

/// A product in which some of the left operand is zero.
fn with_zeros<T: Lanes>(
    shape: [usize; 3],
    orders: (Order, Order),
    blank: fn(usize, usize, usize) -> bool,
    numbers: fn(usize, u64) -> Vec<T>,
) -> Case<T> {
    let mut case = Case::new(shape, orders, Update::Overwrite, numbers);
    let cols = stored(shape[0], shape[1], orders.0).cols;
    for (i, row) in case.a.chunks_exact_mut(cols).enumerate() {
        row.iter_mut().enumerate().filter(|(j, _)| blank(i, *j, cols)).for_each(|(_, x)| *x = -T::ZERO);
    }
    case
}

#[test]
fn what_is_left_out_for_zeros_changes_no_product() {
    fn check<T: Lanes>(shape @ [m, k, n]: [usize; 3], orders: (Order, Order)) {
        assert!(m * n * k >= PARALLEL, "{shape:?}: nobody looks for zeros");
        let pools = [1, 2, 5].map(|n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap());
        for blank in BLANK {
            let computed = |case: &Case<T>, pool: &rayon::ThreadPool| {
                let mut out = case.old.clone();
                let (a, b) = case.operands();
                pool.install(|| {
                    with_bands(a, b, Threads::Pool, &mut |rows| {
                        out.chunks_mut(50 * n).enumerate().for_each(|(i, out)| rows(i * 50, out));
                    });
                });
                out
            };
            let product = |case: &Case<T>, pool: &rayon::ThreadPool| case.check_specials(&computed(case, pool));
            let case = with_zeros(shape, orders, blank, numbers);
            let one = case.product(Threads::One);
            for pool in &pools {
                assert_eq!(computed(&case, pool), one, "{shape:?}: the bits depend on threads or bands");
            }
            pools.iter().for_each(|pool| product(&with_zeros(shape, orders, blank, whole), pool));
            // Infinities and NaN that a zero meets are seen, too.
            for (at, x) in [(0, T::INFINITY), (k / 2, T::NAN), (k - 1, T::NEG_INFINITY)] {
                let mut case = with_zeros(shape, orders, blank, whole);
                case.b[at * n + at % n] = x;
                product(&case, &pools[1]);
            }
            let mut case = with_zeros(shape, orders, blank, whole);
            let cols = stored(m, k, orders.0).cols;
            case.a[cols / 2] = T::NAN;
            product(&case, &pools[1]);
        }
    }
    for shape in [[128, 784, 64], [67, 1101, 67], [256, 600, 48], [300, 150, 97]] {
        check::<f32>(shape, ORDERS[0]);
        check::<f64>(shape, ORDERS[0]);
    }
    for shape in [[784, 40, 144], [531, 64, 150], [300, 300, 131]] {
        check::<f32>(shape, ORDERS[1]);
        check::<f64>(shape, ORDERS[1]);
    }
    check::<f32>([128, 784, 64], ORDERS[2]);
    // Halves of a product whose left operand is copied.
    check::<f32>([67, 1101, 150], ORDERS[3]);
}

#[test]
fn zeros_are_left_out_where_there_are_many() {
    let zeros = |[m, k, n]: [usize; 3], order, blank, x: f32| {
        let mut case = with_zeros::<f32>([m, k, n], (order, Order::Plain), blank, numbers);
        case.b[k * n / 2] = x;
        let (a, b) = case.operands();
        [false, true].map(|parallel| Zeros::of(a, b, parallel))
    };
    for order in [Order::Plain, Order::Transposed] {
        let shape @ [_, k, _] = [160, 640, 40];
        assert_eq!(zeros(shape, order, |_, _, _| false, 1.0), [(Zeros::Multiplied, k / 2); 2]);
        assert_eq!(zeros(shape, order, |i, j, _| (i + j) % 4 != 0, 1.0), [(Zeros::Multiplied, k / 2); 2]);
        for x in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(zeros(shape, order, BLANK[2], x), [(Zeros::Multiplied, k / 2); 2]);
        }
        assert_eq!(zeros(shape, order, BLANK[7], 1.0), [(Zeros::LeftOut, k / 2); 2]);
        if order == Order::Transposed {
            let none = zeros([40, 640, 40], order, BLANK[1], 1.0);
            assert_eq!(none, [(Zeros::Multiplied, 320); 2], "too few columns to look at");
        }
        // Half of the work is behind the step at two thirds, if what comes before the first third is left out.
        let middle = if order == Order::Plain { (2 * k / 3).next_multiple_of(8) } else { k / 2 };
        assert_eq!(zeros(shape, order, BLANK[2], 1.0), [(Zeros::LeftOut, middle); 2]);
    }
}

/// Whether a group of rows needs a step, looked up one by one.
fn is_needed<T: Lanes>(a: Operand<'_, T>, rows: Range<usize>, p: usize) -> bool {
    rows.into_iter().any(|i| a.at(i, p) != T::ZERO)
}

#[test]
fn steps_that_are_not_zero_are_listed() {
    fn check<T: Lanes>() {
        for (rows, cols) in [(9, 63), (8, 64), (3, 65), (21, 130), (50, 784)] {
            for blank in BLANK {
                let case = with_zeros::<T>([rows, cols, 1], ORDERS[0], blank, whole);
                let (a, _) = case.operands();
                for steps in [0..cols, cols / 3..cols - 1] {
                    let mut lists = zeros::scratch().take();
                    let list = ListSteps { rows: &case.a, stride: cols, steps: steps.clone(), lists: &mut lists };
                    Arch::new().dispatch(list);
                    assert_eq!(lists.groups().count(), rows.div_ceil(GROUP));
                    for (group, list) in lists.groups().enumerate() {
                        let rows = group * GROUP..rows.min((group + 1) * GROUP);
                        let right: Vec<usize> = steps.clone().filter(|&p| is_needed(a, rows.clone(), p)).collect();
                        let list: Vec<usize> = list.iter().map(|&p| p as usize + steps.start).collect();
                        assert_eq!(list, right, "{rows:?} of {cols}");
                    }
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn steps_that_are_not_zero_are_copied() {
    fn check<T: Lanes>() {
        for (rows, k) in [(TOGETHER, 9), (TOGETHER, STEPS), (TOGETHER - GROUP, 70), (TOGETHER + 1, 70)] {
            for blank in BLANK {
                let case = with_zeros::<T>([rows, k, 1], ORDERS[1], blank, whole);
                let (a, _) = case.operands();
                let mut lists = zeros::scratch().take();
                let groups = rows.min(TOGETHER) / GROUP;
                let mut copy = vec![[T::NAN; GROUP]; groups * k];
                Arch::new().dispatch(CopyListed {
                    columns: &case.a,
                    stride: rows,
                    k,
                    copy: &mut copy,
                    lists: &mut lists,
                });
                assert_eq!(lists.groups().count(), groups);
                for ((group, list), copy) in lists.groups().enumerate().zip(copy.chunks_exact(k)) {
                    let rows = group * GROUP..(group + 1) * GROUP;
                    let needed: Vec<usize> = (0..k).filter(|&p| is_needed(a, rows.clone(), p)).collect();
                    let list: Vec<usize> = list.iter().map(|&p| p as usize).collect();
                    assert_eq!(list, needed, "{rows:?}");
                    for (numbers, &p) in copy.iter().zip(&needed) {
                        assert_eq!(*numbers, core::array::from_fn(|i| a.at(rows.start + i, p)));
                    }
                }
            }
        }
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn every_instruction_set_leaves_out_the_same() {
    fn check<T: Lanes, S: Simd>(simd: S) {
        let shapes = [([40, 90, 144], Order::Plain), ([39, 90, 67], Order::Plain), ([70, 50, 144], Order::Transposed)];
        for (shape @ [m, k, n], order) in shapes {
            for blank in BLANK {
                let case = with_zeros::<T>(shape, (order, Order::Plain), blank, whole);
                let (a, b) = case.operands();
                let (zeros, update) = (Zeros::LeftOut, Update::Overwrite);
                let plan = Plan { pack: order == Order::Transposed, band: m, parallel: false };
                let (in_place, padded, width) = plan.panels::<S, T>(n, zeros);
                let mut packed = vec![T::ZERO; padded * k];
                for (i, to) in packed.chunks_mut(width * k).enumerate() {
                    simd.vectorize(Pack { to, from: &b, p: 0, k, column: in_place + i * width });
                }
                let right = Right { data: b.data, packed: &packed, in_place, n, k, width };
                let mut out = case.old.clone();
                Band { out: &mut out, a: &a, right: &right, row: 0, p: 0, steps: 0..k, zeros, update }.compute(simd);
                case.check_specials(&out);
            }
        }
    }
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(simd) = pulp::x86::V3::try_new() {
            check::<f32, _>(simd);
            check::<f64, _>(simd);
        }
        if let Some(simd) = pulp::x86::V4::try_new() {
            check::<f32, _>(simd);
            check::<f64, _>(simd);
        }
    }
    check::<f32, _>(Scalar);
}

#[test]
fn zero_times_infinity_is_nan() {
    let case = Case {
        a: vec![0.0; 64],
        b: vec![f32::INFINITY; 64],
        ..Case::<f32>::new([8; 3], ORDERS[0], Update::Overwrite, numbers)
    };
    assert!(case.product(Threads::One).iter().all(|x| x.is_nan()));
}

#[test]
fn product_over_nothing_is_zero() {
    let case = Case::<f64>::new([3, 0, 2], ORDERS[0], Update::Overwrite, numbers);
    assert_eq!(case.product(Threads::One), [0.0; 6]);
    let case = Case::<f64>::new([3, 0, 2], ORDERS[0], Update::Accumulate, numbers);
    assert_eq!(case.product(Threads::One), case.old);
}

#[test]
#[should_panic(expected = "left columns must equal right rows")]
fn shapes_that_do_not_fit_panic() {
    let x = [1.0_f32; 6];
    let a = Operand::new(&x, Shape::new(2, 3), Order::Plain);
    product(&mut [0.0; 4], a, a, Update::Overwrite, Threads::One);
}
