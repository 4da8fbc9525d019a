//! Turns measures into lines a reader understands.

use crate::measure::Comparison;

/// What the columns mean.
pub const LEGEND: &str = "
ratio   median of our times / median of the reference's; wall clock, caches warm
wanted  what the ratio should be at most
range   the ratios of single pairs of runs; of 20 pairs and more without the
        twentieth part on either side
pairs   runs of each side, taken in turn
peak    most memory one of our processes had resident";

/// Rows on one kernel.
pub struct Table {
    pub title: String,
    pub rows: Vec<Row>,
}

/// One measure.
pub struct Row([String; HEAD.len()]);

const HEAD: [&str; 9] = [
    "measured", "against", "ratio", "wanted", "range", "ours", "theirs", "pairs", "peak",
];

impl Row {
    /// Times, of which a ratio of `wanted` at most is wanted.
    pub fn of(comparison: &Comparison, wanted: impl Into<Option<f64>>) -> Self {
        let (ours, reference) = comparison.medians();
        let (least, most) = comparison.range();
        Self([
            comparison.ours.clone(),
            comparison.reference.clone(),
            ratio(comparison.ratio()),
            at_most(wanted.into()),
            format!("{}–{}", ratio(least), ratio(most)),
            time(ours),
            time(reference),
            comparison.pairs.len().to_string(),
            comparison.peak_kilobytes.map_or_else(none, mebibytes),
        ])
    }

    /// The memory of a job against `bytes` that are called `what`.
    pub fn memory(comparison: &Comparison, what: &str, bytes: u64, wanted: f64) -> Self {
        let peak = comparison.peak_kilobytes.unwrap_or_default();
        let kilobytes = bytes.div_ceil(1024);
        Self([
            format!("peak memory of {}", comparison.ours),
            what.to_owned(),
            ratio(peak as f64 / kilobytes as f64),
            at_most(Some(wanted)),
            none(),
            mebibytes(peak),
            mebibytes(kilobytes),
            none(),
            none(),
        ])
    }

    /// A number that is none of times.
    pub fn count(what: &str, against: &str, times: f64, wanted: f64, counted: usize) -> Self {
        let mut cells = [(); HEAD.len()].map(|()| none());
        let given = [
            what.to_owned(),
            against.to_owned(),
            ratio(times),
            at_most(Some(wanted)),
            none(),
            counted.to_string(),
        ];
        for (cell, given) in cells.iter_mut().zip(given) {
            *cell = given;
        }
        Self(cells)
    }
}

/// Small ones would all be nothing with two digits.
fn ratio(ratio: f64) -> String {
    match ratio < 0.1 {
        true => format!("{ratio:.3}"),
        false => format!("{ratio:.2}"),
    }
}

impl Table {
    pub fn print(&self) {
        let mut lines = vec![HEAD.map(str::to_owned)];
        lines.extend(self.rows.iter().map(|row| row.0.clone()));
        let mut widths = [0; HEAD.len()];
        for line in &lines {
            for (width, cell) in widths.iter_mut().zip(line) {
                *width = cell.chars().count().max(*width);
            }
        }
        println!("\n{}", self.title);
        for line in &lines {
            let mut text = String::new();
            for (column, (cell, width)) in line.iter().zip(widths).enumerate() {
                // Words to the left, numbers to the right.
                text += &match column {
                    0 | 1 => format!("{cell:<width$}  "),
                    _ => format!("{cell:>width$}  "),
                };
            }
            println!("{}", text.trim_end());
        }
    }
}

fn at_most(wanted: Option<f64>) -> String {
    wanted.map_or_else(none, |wanted| format!("≤ {wanted}"))
}

fn none() -> String {
    "–".to_owned()
}

fn mebibytes(kilobytes: u64) -> String {
    format!("{:.1} MiB", kilobytes as f64 / 1024.0)
}

fn time(seconds: f64) -> String {
    match seconds {
        ..0.001 => format!("{:.0} µs", seconds * 1e6),
        ..0.01 => format!("{:.2} ms", seconds * 1e3),
        ..1.0 => format!("{:.0} ms", seconds * 1e3),
        _ => format!("{seconds:.1} s"),
    }
}
