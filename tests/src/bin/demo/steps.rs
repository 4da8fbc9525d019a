//! Shows the steps of the demonstration: what is at work, how far it is, and how long it took.

use std::cell::Cell;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};

/// Where stdout is no terminal, a step says how far it is no more often than this.
const PAUSE: Duration = Duration::from_secs(15);

/// Times of the steps so far.
#[derive(Default)]
pub struct Steps {
    done: Vec<(String, Duration)>,
}

/// How far a step is.
pub struct Progress {
    bar: ProgressBar,
    said: Cell<Instant>,
}

impl Progress {
    fn new(name: &str) -> Result<Progress> {
        let style = ProgressStyle::with_template("{spinner} {elapsed:>4}  {prefix} {msg}")?;
        let bar = ProgressBar::new_spinner()
            .with_style(style)
            .with_prefix(name.to_owned());
        bar.enable_steady_tick(Duration::from_millis(200));
        if bar.is_hidden() {
            println!("          … {name}");
        }
        Ok(Progress {
            bar,
            said: Cell::new(Instant::now()),
        })
    }

    /// Shows a few words behind the step's name.
    pub fn say(&self, words: &str) {
        self.bar.set_message(format!("({words})"));
        if self.bar.is_hidden() && self.said.get().elapsed() > PAUSE {
            println!("            {words}");
            self.said.set(Instant::now());
        }
    }
}

impl Steps {
    /// Runs one step.
    pub fn run<T>(&mut self, name: &str, work: impl FnOnce(&Progress) -> Result<T>) -> Result<T> {
        let progress = Progress::new(name)?;
        let start = Instant::now();
        let result = work(&progress).with_context(|| name.to_owned());
        progress.bar.finish_and_clear();
        let took = start.elapsed();
        println!(
            "{:>7.1} s  {name}{}",
            took.as_secs_f64(),
            if result.is_ok() { "" } else { ": failed" }
        );
        self.done.push((name.to_owned(), took));
        result
    }

    /// Prints the times of all steps.
    pub fn print(&self) {
        println!("\nTime");
        for (name, took) in &self.done {
            println!("{:>9.1} s  {name}", took.as_secs_f64());
        }
        let sum: Duration = self.done.iter().map(|(_, took)| *took).sum();
        println!("{:>9.1} s  together", sum.as_secs_f64());
    }
}
