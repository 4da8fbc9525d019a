//! Turns two jobs into the ratio of their times.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use kmpkit_tests::stage::Stage;
use tempfile::TempDir;

use crate::task::{Job, Task};

/// What all measures share: the installed generators and a place for their output.
pub struct Bench {
    stage: &'static Stage,
    scratch: TempDir,
    pairs: Option<u32>,
}

/// The times of two jobs that ran in turn.
pub struct Comparison {
    pub ours: String,
    pub reference: String,
    /// (ours, reference)
    pub pairs: Vec<(Duration, Duration)>,
    /// Not known of what runs in this process.
    pub peak_kilobytes: Option<u64>,
}

impl Bench {
    pub fn new(pairs: Option<u32>) -> Result<Self> {
        let bar = spinner("building and installing kmpkit", None)?;
        let stage = Stage::get()?;
        bar.finish_and_clear();
        Ok(Self {
            stage,
            scratch: tempfile::tempdir()?,
            pairs,
        })
    }

    /// A file that lives as long as the bench.
    pub fn scratch(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// An installed program.
    pub fn installed(&self, name: &str) -> PathBuf {
        self.stage.rpm_config().join(name)
    }

    /// A generator as rpmbuild runs it, with its output in a file of its own.
    pub fn generator(&self, call: &str, paths: &Path) -> Task {
        let mut words = call.split(' ');
        let program = words.next().unwrap_or_default();
        Task::new(self.installed(program))
            .args(words)
            .stdin(paths)
            .stdout(&self.scratch(&call.replace(' ', "")))
    }

    /// Runs both once, to warm the caches, and then in turn: `pairs` times, if
    /// the user does not say otherwise.
    pub fn compare(&self, ours: &Job, reference: &Job, pairs: u32) -> Result<Comparison> {
        let peak_kilobytes = ours.peak(&self.scratch("peak"))?;
        reference.time()?;
        let names = [&*ours.name, &*reference.name];
        let turns = self.in_turn(names, pairs, || ours.time(), || reference.time())?;
        Ok(Comparison {
            peak_kilobytes: Some(peak_kilobytes),
            ..turns
        })
    }

    /// Takes both times in turn, whatever they are the times of.
    pub fn in_turn(
        &self,
        [ours, reference]: [&str; 2],
        pairs: u32,
        our_time: impl Fn() -> Result<Duration>,
        reference_time: impl Fn() -> Result<Duration>,
    ) -> Result<Comparison> {
        let count = self.pairs.unwrap_or(pairs);
        let bar = spinner(&format!("{ours} : {reference}"), Some(count))?;
        let mut pairs = Vec::new();
        for _ in 0..count {
            pairs.push((our_time()?, reference_time()?));
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(Comparison::of([ours, reference], pairs))
    }
}

impl Comparison {
    /// Of times of ours and the reference's, taken in turn.
    pub fn of([ours, reference]: [&str; 2], pairs: Vec<(Duration, Duration)>) -> Self {
        Self {
            ours: ours.to_owned(),
            reference: reference.to_owned(),
            pairs,
            peak_kilobytes: None,
        }
    }

    /// Ratio of the medians.
    pub fn ratio(&self) -> f64 {
        let (ours, reference) = self.medians();
        ours / reference
    }

    /// Seconds, ours and the reference's.
    pub fn medians(&self) -> (f64, f64) {
        let seconds = |side: fn(&(Duration, Duration)) -> Duration| {
            median(self.pairs.iter().map(|pair| side(pair).as_secs_f64()))
        };
        (seconds(|pair| pair.0), seconds(|pair| pair.1))
    }

    /// Between which the ratios of single pairs lie: all of them where they are
    /// few, nine in ten where single outliers are certain.
    pub fn range(&self) -> (f64, f64) {
        let mut ratios: Vec<f64> = self
            .pairs
            .iter()
            .map(|(ours, reference)| ours.div_duration_f64(*reference))
            .collect();
        ratios.sort_unstable_by(f64::total_cmp);
        let outside = ratios.len() / 20;
        let inside = ratios.get(outside..ratios.len() - outside);
        match inside.unwrap_or_default() {
            [only] => (*only, *only),
            [least, .., most] => (*least, *most),
            _ => (f64::NAN, f64::NAN),
        }
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len().saturating_sub(1);
    // The same element twice where there is one in the middle.
    let around = [middle / 2, middle.div_ceil(2)];
    let sum: f64 = around.iter().filter_map(|&at| values.get(at)).sum();
    sum / 2.0
}

/// A line that shows that something goes on, and how far it is.
pub fn spinner(what: &str, steps: Option<u32>) -> Result<ProgressBar> {
    let (bar, position) = match steps {
        Some(steps) => (ProgressBar::new(steps.into()), " {pos}/{len}"),
        None => (ProgressBar::new_spinner(), ""),
    };
    let template = format!("{{spinner}} {{elapsed:>4}}{position} {{msg}}");
    let bar = bar
        .with_style(ProgressStyle::with_template(&template)?)
        .with_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    Ok(bar)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_of_odd_and_even_counts() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0, 2.0, 3.0].into_iter()), 2.5);
    }
}
