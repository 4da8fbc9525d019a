//! Turns work into steps with a spinner while they run and a time when they are done.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};

/// Times of the steps so far.
#[derive(Default)]
pub struct Steps {
    done: Vec<(String, Duration)>,
}

impl Steps {
    /// Runs one step; it may give the bar a length and a position.
    pub fn run<T>(
        &mut self,
        name: &str,
        work: impl FnOnce(&ProgressBar) -> Result<T>,
    ) -> Result<T> {
        let style = ProgressStyle::with_template("{spinner} {elapsed:>4} {prefix} {msg}")?;
        let bar = ProgressBar::new_spinner()
            .with_style(style)
            .with_prefix(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        if bar.is_hidden() {
            println!("          … {name}");
        }
        let start = Instant::now();
        let result = work(&bar).with_context(|| name.to_owned());
        bar.finish_and_clear();
        let took = start.elapsed();
        println!(
            "{:>7.1} s  {name}{}",
            took.as_secs_f64(),
            if result.is_ok() { "" } else { ": failed" }
        );
        self.done.push((name.to_owned(), took));
        result
    }

    /// The table of times.
    pub fn print(&self) {
        println!("\nTime");
        for (name, took) in &self.done {
            println!("{:>9.1} s  {name}", took.as_secs_f64());
        }
        let sum: Duration = self.done.iter().map(|(_, took)| *took).sum();
        println!("{:>9.1} s  together", sum.as_secs_f64());
    }
}
