//! Turns comparisons into lines a reader understands.

use crate::measure::Comparison;

/// What the columns mean.
pub const LEGEND: &str = "
ratio   median of our times / median of the reference's; wall clock, caches warm
range   the ratios of single pairs of runs; of 20 pairs and more without the
        twentieth part on either side
pairs   runs of each side, taken in turn
peak    most memory one of our processes had resident";

/// Comparisons on one kernel.
pub struct Table {
    pub title: String,
    pub rows: Vec<Comparison>,
}

const HEAD: [&str; 8] = [
    "measured", "against", "ratio", "range", "ours", "theirs", "pairs", "peak",
];

impl Table {
    pub fn print(&self) {
        let mut lines = vec![HEAD.map(str::to_owned)];
        lines.extend(self.rows.iter().map(cells));
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

fn cells(row: &Comparison) -> [String; HEAD.len()] {
    let (ours, reference) = row.medians();
    let (least, most) = row.range();
    [
        row.ours.clone(),
        row.reference.clone(),
        format!("{:.2}", row.ratio()),
        format!("{least:.2}–{most:.2}"),
        time(ours),
        time(reference),
        row.pairs.len().to_string(),
        row.peak_kilobytes.map_or_else(|| "–".to_owned(), mebibytes),
    ]
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
