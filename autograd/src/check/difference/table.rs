//! Richardson's table with error bars.

use super::samples::{Pair, Samples};
use super::{Derivative, Difference, Side};
use crate::check::report::Reason;

/// The first step, in parts of `max(1, |x|)`. A number without a short period, so that the steps are not commensurate with
/// those of a periodic function.
pub(super) const FIRST: f64 = 0.237_113_402_061_855_7;
/// Each step in parts of the one before.
const RATIO: f64 = 0.5;
/// In the search for the domain, and how often.
const SEARCH: f64 = 0.125;
const SEARCHES: usize = 25;
/// So many rows at least, and at most.
const ROWS: usize = 7;
const MOST_ROWS: usize = 64;
/// On one side at least.
const ROWS_ONE_SIDED: usize = 24;
/// Columns of the table: central differences have an error in even powers of the step, one-sided ones in all.
const COLUMNS: usize = 6;
const COLUMNS_ONE_SIDED: usize = 8;
/// Noise up to so many times the expected one is taken for noise even if it has a pattern: values that cancel are
/// constant for the smallest steps.
const MODEST: f64 = 1024.0;
/// Noise up to so many times the expected one cannot be excluded if it has a pattern.
const CONCEIVABLE: f64 = 1e6;
/// What values may be the rest of after cancellation, in parts of the values at larger steps.
const FLOOR: f64 = 1e-6;
/// So many quotients in a row that are off by the same are a pattern, and not noise.
const PERSISTENT: usize = 2;
/// Errors that grow like this from one step to the next are of values that hardly change with the step.
const STUCK: f64 = 1.5;
/// Measured noise is the largest of a few; the next may be larger.
const SAFETY: f64 = 2.0;
/// Values that stay what they are at the point, while others near it differ by no more than this many roundings of 1, have
/// been rounded on the way to them: they cancelled, and their size does not tell how coarse they are. So have values that
/// all are whole multiples of a number that is not larger; of a larger one, steps of the function are.
const COARSE: f64 = 64.0;
/// What was rounded changes little at one step more: a single small change is that of a kink that a step just passes.
const ONE_BEFORE: f64 = 24.0;
/// No step is shorter than this, in parts of `|x|`: its ends would be few numbers apart.
const SHORTEST: f64 = 32.0;
/// A jump of the slope that does not shrink at so many steps in a row is of the function, whatever smaller steps show.
const LASTING: usize = 8;
/// Quotients that changed the same way so often in the end, each time hardly less than the time before, have no limit in sight: the
/// function changes within a distance below the smallest step.
const GROWING: usize = 8;
const GROWTH: f64 = 0.9;

/// All outputs from one sequence of pairs.
pub(super) fn adaptive(settings: &Difference, samples: &mut Samples<'_>) -> Vec<Derivative> {
    let scale = samples.x().abs();
    let mut step = settings.step.unwrap_or(FIRST * scale.max(1.0));
    let count = samples.center().len();
    let alive: Vec<bool> = samples.center().iter().map(|value| value.is_finite()).collect();
    // How many pairs an output took to settle: later ones are for the others, and only add noise to it.
    let mut done: Vec<Option<usize>> = alive.iter().map(|alive| (!alive).then_some(0)).collect();
    let mut tables: Vec<Central> = (0..count).map(|_| Central::new(settings)).collect();
    let mut pairs: Vec<Pair> = Vec::new();
    let mut searched: Vec<Pair> = Vec::new();
    while pairs.len() < MOST_ROWS && searched.len() < SEARCHES && done.iter().any(Option::is_none) {
        if step < SHORTEST * settings.arguments.epsilon() * scale {
            break;
        }
        let Some(pair) = samples.pair(step) else { break };
        let both = (0..count).any(|k| alive[k] && pair.left[k].is_finite() && pair.right[k].is_finite());
        if pairs.is_empty() && !both {
            // Nearly all edges of domains are at 0: try the scale of the point itself before smaller ones.
            let own = FIRST * scale;
            step = if searched.is_empty() && own > 0.0 && own < step { own } else { step * SEARCH };
            searched.push(pair);
            continue;
        }
        for (k, (table, done)) in tables.iter_mut().zip(&mut done).enumerate().filter(|(_, (_, done))| done.is_none()) {
            table.push(samples.center()[k], &pair, k);
            if table.settled() {
                *done = Some(pairs.len() + 1);
            }
        }
        pairs.push(pair);
        step *= RATIO;
    }
    let edge = one_sided_pairs(settings, samples, &pairs, &searched, &alive);
    let used = |k: usize| &pairs[..done[k].unwrap_or(pairs.len())];
    let of = |(k, table)| finish(settings, samples.center()[k], table, used(k), &edge, k);
    tables.into_iter().enumerate().map(of).collect()
}

/// Where an output is defined on one side only, the steps of the search were too far apart: halved ones from the largest
/// on which some value is finite.
fn one_sided_pairs(
    settings: &Difference,
    samples: &mut Samples<'_>,
    pairs: &[Pair],
    searched: &[Pair],
    alive: &[bool],
) -> Vec<Pair> {
    let finite = |pair: &Pair, k: usize| pair.left[k].is_finite() || pair.right[k].is_finite();
    let central = |k: usize| pairs.iter().filter(|pair| pair.left[k].is_finite() && pair.right[k].is_finite()).count();
    let wanting: Vec<usize> = (0..alive.len()).filter(|&k| alive[k] && central(k) < ROWS).collect();
    let Some(first) = searched.iter().find(|pair| wanting.iter().any(|&k| finite(pair, k))) else {
        return Vec::new();
    };
    let mut step = first.step;
    let mut edge = Vec::new();
    // The accuracy of one-sided differences is best near `epsilon^(1/9)` to `epsilon^(1/3)`; then rounding takes over, unless
    // the function has a feature that is finer.
    let center = samples.center().to_vec();
    let unsettled = |edge: &[Pair]| wanting.iter().any(|&k| !settled_on_a_side(settings, center[k], edge, k));
    while edge.len() < ROWS_ONE_SIDED || (edge.len() < MOST_ROWS && unsettled(&edge)) {
        let Some(pair) = samples.pair(step) else { break };
        edge.push(pair);
        step *= RATIO;
    }
    edge
}

/// Whether rounding exceeds the error of the slope on one side, so that smaller steps would not help.
fn settled_on_a_side(settings: &Difference, center: f64, edge: &[Pair], k: usize) -> bool {
    let Some(last) = edge.last() else { return false };
    [Side::Right, Side::Left].into_iter().any(|side| {
        let value = if side == Side::Right { last.right[k] } else { last.left[k] };
        let rounding = 2.0 * settings.epsilon * settings.noise * value.abs().max(center.abs()) / last.step;
        one_sided(settings, center, edge, k, side).is_some_and(|best| rounding >= 4.0 * best.error)
    })
}

fn finish(
    settings: &Difference,
    center: f64,
    mut central: Central,
    pairs: &[Pair],
    edge: &[Pair],
    k: usize,
) -> Derivative {
    if !center.is_finite() {
        return Derivative::unknown(Reason::NonFinite);
    }
    central.extrapolate();
    if central.rows.len() >= 4 {
        return central.derivative(settings, center, pairs, k);
    }
    let pairs = if edge.is_empty() { pairs } else { edge };
    let sides = [Side::Right, Side::Left].map(|side| (side, one_sided(settings, center, pairs, k, side)));
    let best = sides.into_iter().filter_map(|(side, found)| Some((side, found?)));
    let best = best.min_by(|(_, a), (_, b)| a.error.total_cmp(&b.error));
    match best {
        Some((side, best)) => Derivative {
            value: best.value,
            error_bar: best.error,
            step: best.step,
            side,
            slopes: None,
            jump_order: f64::NAN,
            doubt: Some(Reason::DomainEdge),
        },
        None => Derivative::unknown(Reason::DomainEdge),
    }
}

/// A quotient at one step, with what rounding of values of the size `magnitude` may do to it.
#[derive(Clone, Copy, Debug)]
struct Row {
    step: f64,
    quotient: f64,
    magnitude: f64,
}

/// An entry of the table.
#[derive(Clone, Copy, Debug)]
struct Entry {
    value: f64,
    error: f64,
    /// By how many times the noise exceeds the expected one if the entry is right.
    noise: f64,
    /// Whether that is noise for certain.
    credible: bool,
    step: f64,
}

/// Richardson's table: in line `k` and column `j` what the last `j + 1` quotients up to row `k` extrapolate to, and what
/// rounding may have done to it.
#[derive(Clone, Debug)]
struct Table {
    lines: Vec<[(f64, f64); COLUMNS_ONE_SIDED + 1]>,
    steps: Vec<f64>,
    power: i32,
    columns: usize,
    unit: f64,
    /// What rounding of the values costs at least: small ones may be what is left of large ones that cancelled.
    floor: f64,
}

impl Table {
    /// For quotients whose error is a series in `step^power`; `unit` is the relative error of a value.
    fn new(power: i32, columns: usize, unit: f64) -> Self {
        Self { lines: Vec::new(), steps: Vec::new(), power, columns, unit, floor: 0.0 }
    }

    /// Adds a line for a row.
    fn push(&mut self, row: &Row) {
        let k = self.lines.len();
        self.floor = self.floor.max(row.magnitude * FLOOR);
        let mut line = [(f64::NAN, f64::NAN); COLUMNS_ONE_SIDED + 1];
        line[0] = (row.quotient, 2.0 * self.unit * row.magnitude.max(self.floor) / row.step);
        for j in 1..=self.columns.min(k) {
            let (value, bar) = line[j - 1];
            let (before, bar_before) = self.lines[k - 1][j - 1];
            let q = (self.steps[k - j] / row.step).powi(self.power);
            line[j] = (value + (value - before) / (q - 1.0), (q * bar + bar_before) / (q - 1.0));
        }
        self.lines.push(line);
        self.steps.push(row.step);
    }

    fn clear(&mut self) {
        self.lines.clear();
        self.steps.clear();
        self.floor = 0.0;
    }

    /// The entry with the least error, each charged with the noise that the rows after it show if it is right.
    ///
    /// Values in which rounding errors follow a pattern have a slope of their own at the smallest steps. Where an entry at
    /// larger steps explains all after it by modest noise, it is the better one; where it takes more noise than that, either
    /// may be right, and the bar says so.
    fn best(&self) -> Option<Entry> {
        let places = || (1..self.lines.len()).flat_map(|k| (1..=self.columns.min(k)).map(move |j| (k, j)));
        // Noise only adds to an error: most entries need not be charged with it to lose.
        let least = |accept: &dyn Fn(&Entry) -> bool, bound: &dyn Fn(f64, f64) -> bool| {
            let mut least: Option<Entry> = None;
            for (k, j) in places() {
                let at_least = self.error_without_noise(k, j).1;
                if least.is_some_and(|least| at_least >= least.error) || !bound(self.lines[k][j].0, at_least) {
                    continue;
                }
                if let Some(entry) = self.entry(k, j).filter(accept)
                    && least.is_none_or(|least| entry.error < least.error)
                {
                    least = Some(entry);
                }
            }
            least
        };
        let best = least(&|entry| entry.credible, &|_, _| true)?;
        let apart = |value: f64, error: f64| 4.0 * error < (value - best.value).abs();
        let contradicts =
            |entry: &Entry| apart(entry.value, entry.error) && (entry.step > best.step || !entry.credible);
        if let Some(larger) = least(&|entry| contradicts(entry) && entry.noise <= MODEST, &apart) {
            return Some(larger);
        }
        let far = places().filter(|(k, j)| apart(self.lines[*k][*j].0, self.error_without_noise(*k, *j).1));
        let entries = far.filter_map(|(k, j)| self.entry(k, j)).filter(contradicts);
        let distances = entries.map(|entry| (entry.value - best.value).abs());
        Some(Entry { error: distances.fold(best.error, f64::max), ..best })
    }

    /// Whether `best` is not the limit of the quotients: in the end they change, clearly beyond rounding, by no less from step to step.
    fn grows_beyond(&self, best: &Entry) -> bool {
        let Some(first) = self.lines.len().checked_sub(GROWING + 1) else { return false };
        let growing = |lines: &[[(f64, f64); COLUMNS_ONE_SIDED + 1]]| {
            let [(a, _), (b, _), (c, rounding)] = [lines[0][0], lines[1][0], lines[2][0]];
            (c - b).abs() > 8.0 * rounding && (c - b) / (b - a) > GROWTH
        };
        let explained_by_noise = best.step > self.steps[first] && best.error <= best.value.abs() / 4.0;
        !explained_by_noise && self.lines[first..].windows(3).all(growing)
    }

    /// Whether the error of an entry may be as small as this.
    fn reaches(&self, error: f64) -> bool {
        let mut places = (1..self.lines.len()).flat_map(|k| (1..=self.columns.min(k)).map(move |j| (k, j)));
        places.any(|(k, j)| self.error_without_noise(k, j).1 <= error)
    }

    /// The error of truncation of an entry, and its whole error if noise is what is expected.
    fn error_without_noise(&self, k: usize, j: usize) -> (f64, f64) {
        let (value, rounding) = self.lines[k][j];
        let truncation = (value - self.lines[k][j - 1].0).abs().max((value - self.lines[k - 1][j - 1].0).abs());
        let truncation = truncation * self.tail(k, j);
        (truncation, truncation + rounding + 4.0 * self.unit * value.abs())
    }

    /// An entry with its error; `None` if later rows agree on something else.
    fn entry(&self, k: usize, j: usize) -> Option<Entry> {
        let (value, rounding) = self.lines[k][j];
        let (truncation, _) = self.error_without_noise(k, j);
        let error = truncation + rounding;
        if !error.is_finite() {
            return None;
        }
        let (noise, pattern) = self.noise_after(k, j, error);
        let credible = !pattern || noise <= MODEST;
        // A relative error that is the same in all values is one of the derivative, too.
        let error = truncation + rounding * noise + 4.0 * self.unit * value.abs();
        let entry = Entry { value, error, noise, credible, step: self.steps[k] };
        (credible || noise <= CONCEIVABLE).then_some(entry)
    }

    /// Columns whose entries converge slowly have most of their way before them: the sum of a geometric series.
    fn tail(&self, k: usize, j: usize) -> f64 {
        if self.power > 1 || k < j + 2 {
            return 1.0;
        }
        let [a, b, c] = [k - 2, k - 1, k].map(|k| self.lines[k][j].0);
        let ratio = ((c - b) / (b - a)).abs().min(0.9);
        (ratio / (1.0 - ratio)).max(1.0)
    }

    /// By how many times the noise must exceed the expected one to explain why the rows after an entry, extrapolated in the
    /// same way, differ from it by more than `error`; and whether they differ by a pattern.
    fn noise_after(&self, k: usize, j: usize, error: f64) -> (f64, bool) {
        let (value, own) = self.lines[k][j];
        let (mut noise, mut run, mut before, mut ratio) = (1.0_f64, 0, 0.0_f64, 0.0_f64);
        // By how much the present run, and the largest that persisted, exceed what is expected.
        let (mut height, mut pattern) = (0.0_f64, 0.0_f64);
        // By how much noise for certain exceeded it: what changed its sign.
        let mut random = 0.0_f64;
        for (line, step) in self.lines[k + 1..].iter().zip(&self.steps[k + 1..]) {
            let (later, bar) = line[j];
            let rest = later - value;
            let bar = bar.max(own * self.steps[k] / step);
            let excess = rest.abs() - error;
            noise = if excess <= noise * bar { noise } else { SAFETY * excess / bar };
            // Noise has neither a constant sign nor a constant ratio.
            let next = rest / before;
            let geometric = next > 0.6 && next < 1.25 * ratio && ratio < 1.25 * next;
            let credible = next < 0.0 && excess <= CONCEIVABLE * bar;
            random = if credible { random.max(excess / bar) } else { random };
            // Values that differ by the same at all steps, by no more than noise did before, have no slope of their own.
            let stuck = next > STUCK && excess <= SAFETY * random * bar;
            let goes_on = geometric && excess > 4.0 * bar && !stuck;
            (run, height) = if goes_on { (run + 1, height.max(excess / bar)) } else { (0, 0.0) };
            if run >= PERSISTENT {
                pattern = pattern.max(height);
            } else if credible && SAFETY * excess >= pattern * bar {
                // A pattern ends where noise hides it, and stood far above that where it began. Noise as large as the pattern
                // at smaller steps means that the pattern was a part of it: among many quotients some look like one.
                pattern = 0.0;
            }
            (before, ratio) = (rest, next);
        }
        (noise, pattern > 0.0 || !noise.is_finite())
    }
}

/// The power of the step with which a quotient goes from one row to another.
fn order(a: &Row, b: &Row) -> f64 {
    (a.quotient / b.quotient).abs().ln() / (a.step / b.step).ln()
}

/// Central differences of one output.
struct Central {
    rows: Vec<Row>,
    /// The jumps of the slope.
    jumps: Vec<Row>,
    table: Table,
    unit: f64,
    best: Option<Entry>,
    /// The two least differences to the value at the point that were seen, and how often there was none at smaller steps.
    least: [f64; 2],
    still: usize,
    /// Of what power of two all values are whole multiples.
    grain: f64,
}

/// The largest power of two that a number other than 0 is a whole multiple of.
fn lowest_bit(x: f64) -> f64 {
    let x = x.abs();
    let rest = f64::from_bits(x.to_bits() & x.to_bits().wrapping_sub(1));
    let exponent = |x: f64| x.to_bits() >> (f64::MANTISSA_DIGITS - 1);
    // Of a power of two, which has no bits but its first, the exponent has lost one.
    if exponent(rest) == exponent(x) { x - rest } else { x }
}

impl Central {
    fn new(settings: &Difference) -> Self {
        let unit = settings.epsilon * settings.noise;
        let table = Table::new(2, COLUMNS, unit);
        Self {
            rows: Vec::new(),
            jumps: Vec::new(),
            table,
            unit,
            best: None,
            least: [f64::INFINITY; 2],
            still: 0,
            grain: f64::INFINITY,
        }
    }

    /// Takes in a pair of points for output `k`, whose value between them is `center`.
    fn push(&mut self, center: f64, pair: &Pair, k: usize) {
        let (right, left, step) = (pair.right[k], pair.left[k], pair.step);
        if !right.is_finite() || !left.is_finite() {
            // What lies beyond an edge says nothing about this side of it.
            self.rows.clear();
            self.jumps.clear();
            self.table.clear();
            return;
        }
        let change = (right - center).abs().max((left - center).abs());
        if change > 0.0 {
            let [first, second] = self.least;
            self.least = [first.min(change), second.min(first.max(change))];
        } else if self.least[1] <= ONE_BEFORE * COARSE * self.unit {
            self.still += 1;
            return;
        }
        let before = self.cancelled();
        let bits = [center, left, right].into_iter().filter(|y| *y != 0.0).map(lowest_bit);
        self.grain = bits.fold(self.grain, f64::min);
        if self.cancelled().to_bits() != before.to_bits() {
            // What the few values before were multiples of was not their grain.
            let rows: Vec<Row> = self.rows.iter().map(|row| self.whole(row)).collect();
            self.table.clear();
            rows.iter().for_each(|row| self.table.push(row));
        }
        let magnitude = right.abs().max(left.abs());
        let row = Row { step, quotient: (right / 2.0 - left / 2.0) / step, magnitude };
        self.table.push(&self.whole(&row));
        self.rows.push(row);
        let magnitude = magnitude.max(center.abs());
        self.jumps.push(Row { step, quotient: ((right - center) + (left - center)) / step, magnitude });
    }

    /// The size of what the values are left of, if all so far show that they are as coarse as that.
    fn cancelled(&self) -> f64 {
        if self.grain <= COARSE * self.unit { self.grain / self.unit } else { 0.0 }
    }

    /// A row with the size of what its values are left of.
    fn whole(&self, row: &Row) -> Row {
        Row { magnitude: row.magnitude.max(self.cancelled()), ..*row }
    }

    fn extrapolate(&mut self) {
        self.best = self.table.best();
    }

    /// Whether smaller steps would not help.
    fn settled(&mut self) -> bool {
        let Some(last) = self.rows.last() else { return false };
        if self.rows.len() >= ROWS && self.still > 1 {
            return true;
        }
        let rounding = 2.0 * self.unit * self.whole(last).magnitude / last.step;
        if self.rows.len() < ROWS || !self.table.reaches(rounding / 4.0) {
            return false;
        }
        self.extrapolate();
        self.best.is_some_and(|best| rounding >= 4.0 * best.error) && !self.jump_may_vanish()
    }

    /// Whether the slopes on both sides differ clearly at the smallest steps, and at one of the last not much less than at
    /// larger ones: still smaller steps will show whether that is a kink.
    fn jump_may_vanish(&self) -> bool {
        let flat = |rows: &[Row]| {
            let (a, b) = (rows[0], rows[2]);
            self.clear(&b, 64.0) && (a.quotient / b.quotient).abs().ln() < 0.7 * (a.step / b.step).ln()
        };
        let clear = self.jumps.last().is_some_and(|row| self.clear(row, 64.0));
        clear && self.jumps.windows(3).rev().take(4).any(flat)
    }

    fn clear(&self, row: &Row, times: f64) -> bool {
        row.quotient.abs() > times * 2.0 * self.unit * self.whole(row).magnitude / row.step
    }

    /// The order of the jump at the smallest steps at which it is seen: the power of the step with which it shrinks.
    fn jump_order(seen: &[&Row]) -> f64 {
        let [.., a, _, b] = seen[..] else { return f64::NAN };
        order(a, b)
    }

    /// Whether jumps of the slope do not shrink with the step: they go like a power of it that is hardly above 0, and above `least`.
    fn persist(jumps: &[&Row], least: f64) -> bool {
        let same_sign = |a: &Row, b: &Row| a.quotient * b.quotient > 0.0;
        jumps.windows(2).all(|two| same_sign(two[0], two[1]) && (least..0.2).contains(&order(two[0], two[1])))
    }

    fn derivative(&self, settings: &Difference, center: f64, pairs: &[Pair], k: usize) -> Derivative {
        let Some(best) = self.best else { return Derivative::unknown(Reason::Noise) };
        let seen: Vec<&Row> = self.jumps.iter().filter(|row| self.clear(row, 8.0)).collect();
        let found = Derivative {
            value: best.value,
            error_bar: best.error,
            step: best.step,
            side: Side::Both,
            slopes: None,
            jump_order: Self::jump_order(&seen),
            doubt: Some(Reason::Noise),
        };
        // At the smallest steps: the point is on the kink.
        let on = seen.len().checked_sub(4).is_some_and(|first| Self::persist(&seen[first..], -0.2));
        // At many steps below that of the best entry: the kink is between its points.
        let beside = |rows: &[&Row]| rows[LASTING - 1].step < best.step && Self::persist(rows, -1.2);
        let beside = seen.windows(LASTING).any(beside);
        if on || beside {
            let slopes = [Side::Left, Side::Right].map(|side| one_sided(settings, center, pairs, k, side));
            if let [Some(left), Some(right)] = slopes {
                let (apart, errors) = ((left.value - right.value).abs(), left.error + right.error);
                if apart > 4.0 * errors {
                    let error_bar = left.error.max(right.error);
                    let slopes = Some([left.value, right.value]);
                    return Derivative { slopes, error_bar, doubt: Some(Reason::Kink), ..found };
                }
                if beside {
                    // Small steps do not reach the kink: there both sides are one.
                    let Entry { value, step, .. } = if left.error < right.error { left } else { right };
                    return Derivative { value, error_bar: apart + errors, step, doubt: Some(Reason::Kink), ..found };
                }
            } else if beside {
                return Derivative::unknown(Reason::Kink);
            }
        }
        if self.table.grows_beyond(&best) { Derivative::unknown(Reason::NonFinite) } else { found }
    }
}

/// The slope on one side; `None` if it is not resolved.
fn one_sided(settings: &Difference, center: f64, pairs: &[Pair], k: usize, side: Side) -> Option<Entry> {
    let mut table = Table::new(1, COLUMNS_ONE_SIDED, settings.epsilon * settings.noise);
    for pair in pairs {
        let value = if side == Side::Right { pair.right[k] } else { pair.left[k] };
        if !value.is_finite() {
            table.clear();
            continue;
        }
        let step = if side == Side::Right { pair.step } else { -pair.step };
        // What the values are left of, if they are, shows on the other side as well.
        let magnitude = pair.right[k].abs().max(pair.left[k].abs()).max(center.abs());
        table.push(&Row { step: pair.step, quotient: (value - center) / step, magnitude });
    }
    table.best().filter(|best| !table.grows_beyond(best))
}
