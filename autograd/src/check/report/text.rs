//! Reports as text: at most 100 columns, so that they fit a terminal and a log.

use core::fmt;

use super::{Blame, BlameKind, Cause, Element, Hidden, Kink, Mismatch, Part, Reason, Report, Site, Verdict};

/// So many mismatches are shown.
const SHOWN: usize = 12;
/// So many of other lists.
const LISTED: usize = 6;
/// What checks of graphs call a random direction.
const DIRECTION: &str = "a random direction";

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pass => f.write_str("pass"),
            Self::Fail => f.write_str("WRONG"),
            Self::Inconclusive(reason) => write!(f, "unclear: {reason}"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Noise => "noise",
            Self::DomainEdge => "edge of the domain",
            Self::Kink => "kink",
            Self::NonFinite => "not finite",
            Self::Flaky => "differs from call to call",
            Self::LostDigits => "digits lost",
            Self::Nothing => "nothing compared",
        })
    }
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.index.is_empty() {
            return Ok(());
        }
        let index: Vec<String> = self.index.iter().map(ToString::to_string).collect();
        write!(f, "[{}]", index.join(","))
    }
}

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cotangent => "hidden at this point: its cotangent is 0 here",
            Self::Whole => "hidden at this point: its share does not show in the whole gradient here",
            Self::Nearby => "hidden at this point: its rule is right here, and wrong at a point near by",
        })
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sign => f.write_str("wrong sign"),
            Self::Factor { ratio } => factor(f, *ratio),
            Self::MeanOrSum { count, too_large: true } => {
                write!(f, "{count} times too large: sum in place of mean")
            }
            Self::MeanOrSum { count, too_large: false } => {
                write!(f, "{count} times too small: mean in place of sum")
            }
            Self::Transposed => f.write_str("transposed"),
            Self::NotSummed => f.write_str("not summed over the broadcast rows or columns"),
            Self::Permuted { shift: Some(shift) } => {
                write!(f, "right numbers in wrong places: shifted by {shift}")
            }
            Self::Permuted { shift: None } => f.write_str("right numbers in wrong places: check the order of indices"),
            Self::Zero => f.write_str("all zero: detached, or never added"),
            Self::SomeZero { count } => write!(f, "{count} are zero and should not be, the others are right"),
            Self::NonFinite { count } => write!(f, "{count} are NaN or infinite"),
            Self::OneElement => f.write_str("one element is wrong, the others are right"),
            Self::Term { offset: Some(offset), .. } => write!(f, "all are off by {}: a constant term", short(*offset)),
            Self::Term { of_input: Some(part), .. } => {
                write!(f, "all are off by {} times the input: a missing or wrong term", short(*part))
            }
            Self::Term { .. } => f.write_str("a term is missing or wrong: no factor, sign or order explains the error"),
            Self::Length { expected, found } => write!(f, "{found} numbers in place of {expected}"),
            Self::Stale => f.write_str("stale: the same numbers at another point, where the slope differs"),
            Self::Flaky => f.write_str("differs from call to call at the same point"),
            Self::Missing => f.write_str("no result: it panicked or returned an error"),
            Self::Precision => f.write_str("the formula is right, the computation loses digits"),
            Self::Accumulation => f.write_str("each rule is right, contributions are not added up"),
        }
    }
}

/// A ratio, with the factor that is missing or too much, if it is a simple one.
fn factor(f: &mut fmt::Formatter<'_>, ratio: f64) -> fmt::Result {
    let simple = |v: f64| (v - v.round()).abs() < 1e-4 * v.abs() && v.abs() < 1e6 && v.abs() > 1.5;
    if simple(1.0 / ratio) {
        write!(f, "missing factor {}", (1.0 / ratio).round())
    } else if simple(ratio) {
        write!(f, "factor {} too much", ratio.round())
    } else {
        write!(f, "off by the factor {}", short(ratio))
    }
}

/// A number in at most 13 characters.
fn short(value: f64) -> String {
    let size = value.abs();
    if size <= 0.0 {
        return "0".to_owned();
    }
    if !size.is_finite() {
        return format!("{value}");
    }
    if (1e-3..1e6).contains(&size) {
        let text = format!("{value:.8}");
        let cut: String = text.chars().take(if value < 0.0 { 10 } else { 9 }).collect();
        return cut.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    format!("{value:.4e}")
}

/// An error, in two digits.
fn rough(value: f64) -> String {
    if value.is_finite() && value > 0.0 { format!("{value:.0e}") } else { format!("{value}") }
}

/// At most `width` characters.
fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width - 1).collect();
    kept + "…"
}

/// A path and more, cut on the left: the end tells most.
fn cut_left(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().skip(length + 1 - width).collect();
    format!("…{kept}")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [passed, failed, undecided] = self.counts();
        let word = match self.verdict {
            Verdict::Pass => "passed".to_owned(),
            Verdict::Fail => "FAILED".to_owned(),
            Verdict::Inconclusive(reason) => format!("INCONCLUSIVE: {reason}"),
        };
        write!(f, "check of {} {word}", cut(&self.subject, 50))?;
        if let Some(site) = &self.site {
            write!(f, "\n  at {}", cut_left(&site.to_string(), 90))?;
        }
        write!(f, "\n  {failed} wrong, {undecided} unclear, {passed} right")?;
        write!(f, " ({} evaluations, seed {})", self.evaluations, self.seed)?;
        // Digits that one operation loses do no harm where the gradient has kept enough; a note tells of them.
        let lost = self.parts.iter().any(|part| part.cause == Some(Cause::Precision));
        let blame: Vec<&Blame> = self.blame.iter().filter(|one| lost || one.kind != BlameKind::Precision).collect();
        blame_lines(f, &blame)?;
        // What is known of an operation says more than what the whole looks like.
        if blame.iter().all(|one| one.cause.is_none()) {
            causes(f, &self.parts)?;
        }
        table(f, &self.mismatches)?;
        for kink in self.kinks.iter().take(LISTED) {
            kink_line(f, kink)?;
        }
        if self.kinks.len() > LISTED {
            write!(f, "\n  … and {} more kinks", self.kinks.len() - LISTED)?;
        }
        for note in self.notes.iter().take(LISTED) {
            broken(f, "note", note)?;
        }
        Ok(())
    }
}

/// A text under a head, broken between words: what it says last is often what helps most.
fn broken(f: &mut fmt::Formatter<'_>, head: &str, text: &str) -> fmt::Result {
    write!(f, "\n  {head}:")?;
    let mut column = 3 + head.chars().count();
    for word in text.split_whitespace() {
        let word = cut_left(word, 92);
        if column + 1 + word.chars().count() > 99 {
            write!(f, "\n       ")?;
            column = 7;
        }
        write!(f, " {word}")?;
        column += 1 + word.chars().count();
    }
    Ok(())
}

/// The likely causes, each once, with the parts that it explains.
fn causes(f: &mut fmt::Formatter<'_>, parts: &[Part]) -> fmt::Result {
    // As texts: factors differ in their last digits from part to part.
    let mut seen: Vec<(String, Vec<String>)> = Vec::new();
    for part in parts {
        let Some(cause) = &part.cause else { continue };
        let (cause, name) = (cause.to_string(), cut(&part.name, 32));
        match seen.iter_mut().find(|(known, _)| *known == cause) {
            Some((_, names)) => names.push(name),
            None => seen.push((cause, vec![name])),
        }
    }
    for (cause, names) in seen.iter().take(LISTED) {
        let more = if names.len() > LISTED { ", …" } else { "" };
        let names = names[..names.len().min(LISTED)].join(", ");
        broken(f, "likely cause", &format!("{cause} ({names}{more})"))?;
    }
    Ok(())
}

fn blame_lines(f: &mut fmt::Formatter<'_>, blame: &[&Blame]) -> fmt::Result {
    for one in blame.iter().take(LISTED) {
        let rule = match one.kind {
            BlameKind::Vjp => "wrong derivative rule (reverse mode)",
            BlameKind::Jvp => "wrong derivative rule (forward mode)",
            BlameKind::Second => "wrong second derivative",
            BlameKind::Accumulation => "contributions not added up",
            BlameKind::Shape => "contribution of another shape",
            BlameKind::Precision => "digits lost",
            BlameKind::Flaky => "differs from call to call",
        };
        let [rows, cols] = one.shape;
        let op = cut(&one.op, 24);
        write!(f, "\n  {rule}: {op} (node #{}, operand {}, {rows}x{cols})", one.node, one.operand)?;
        if let Some(site) = &one.site {
            write!(f, "\n    at {}", cut_left(&site.to_string(), 90))?;
        }
        if one.worst.numeric.is_finite() && one.kind != BlameKind::Precision {
            let Mismatch { analytic, numeric, error_bar, .. } = one.worst;
            let place = cut(&one.worst.output.as_ref().unwrap_or(&one.worst.input).to_string(), 24);
            let says = if one.kind == BlameKind::Accumulation { "the sum is" } else { "values say" };
            write!(f, "\n    worst: {place} is {}, {says} {} ±{}", short(analytic), short(numeric), rough(error_bar))?;
        }
        if let Some(cause) = &one.cause {
            write!(f, "\n    likely cause: {cause}")?;
        }
        if let Some(hidden) = &one.hidden {
            write!(f, "\n    {hidden}")?;
        }
    }
    if blame.len() > LISTED {
        write!(f, "\n  … and {} more operations", blame.len() - LISTED)?;
    }
    Ok(())
}

fn kink_line(f: &mut fmt::Formatter<'_>, kink: &Kink) -> fmt::Result {
    let op = kink.op.as_deref().map(|op| format!(" of {}", cut(op, 20))).unwrap_or_default();
    let element = cut(&kink.element.to_string(), 24);
    write!(f, "\n  kink{op}: {element}")?;
    if kink.margin > 0.0 {
        write!(f, ", {} away", rough(kink.margin))?;
    }
    if let Some([left, right]) = kink.slopes {
        write!(f, ": slope {} to the left, {} to the right", short(left), short(right))?;
    }
    if let Some(site) = &kink.site {
        write!(f, "\n    at {}", cut_left(&site.to_string(), 90))?;
    }
    Ok(())
}

/// Widths of the columns; with two spaces between and before them they are 98 together.
const WIDTHS: [usize; 5] = [26, 13, 22, 9, 16];

fn table(f: &mut fmt::Formatter<'_>, mismatches: &[Mismatch]) -> fmt::Result {
    if mismatches.is_empty() {
        return Ok(());
    }
    row(f, &["derivative by", "your code", "values say ± error", "allowed", ""].map(str::to_owned))?;
    // Elements first: they say where. The sort is stable, and the worst stay in front.
    let mut shown: Vec<&Mismatch> = mismatches.iter().collect();
    shown.sort_by_key(|one| one.input.name == DIRECTION);
    for one in shown.into_iter().take(SHOWN) {
        let name = named(one);
        let numeric = format!("{} ±{}", short(one.numeric), rough(one.error_bar));
        row(f, &[name, short(one.analytic), numeric, rough(one.tolerance), one.verdict.to_string()])?;
    }
    if mismatches.len() > SHOWN {
        write!(f, "\n  … and {} more", mismatches.len() - SHOWN)?;
    }
    Ok(())
}

/// Of what by what. A derivative along a random direction is told by what was compared: `jvp, random direction`.
fn named(one: &Mismatch) -> String {
    match (&one.output, one.input.name.as_str()) {
        (Some(output), DIRECTION) => format!("{} of {output}", one.part),
        (None, DIRECTION) => format!("{}, random direction", one.part),
        (Some(output), _) => format!("{output} by {}", one.input),
        (None, _) => one.input.to_string(),
    }
}

fn row(f: &mut fmt::Formatter<'_>, cells: &[String; 5]) -> fmt::Result {
    let [name, analytic, numeric, allowed, verdict] = cells;
    let [a, b, c, d, e] = WIDTHS;
    let line = format!(
        "  {:a$}  {:>b$}  {:>c$}  {:>d$}  {}",
        cut(name, a),
        cut(analytic, b),
        cut(numeric, c),
        allowed,
        cut(verdict, e)
    );
    write!(f, "\n{}", line.trim_end())
}
