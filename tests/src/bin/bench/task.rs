//! Turns a command line with its files into runs: timed, or with their peak memory.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use kmpkit_tests::tools::{command_line, tool};

const NULL: &str = "/dev/null";

/// One process, from start to end.
#[derive(Debug, Clone)]
pub struct Task {
    program: PathBuf,
    args: Vec<PathBuf>,
    stdin: PathBuf,
    stdout: PathBuf,
}

impl Task {
    /// A program that reads nothing and whose output is thrown away.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            stdin: NULL.into(),
            stdout: NULL.into(),
        }
    }

    /// A tool that lies in PATH.
    pub fn tool(name: &str) -> Result<Self> {
        Ok(Self::new(tool(name)?.get_program()))
    }

    pub fn args<P: Into<PathBuf>>(mut self, args: impl IntoIterator<Item = P>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    pub fn stdin(mut self, file: &Path) -> Self {
        self.stdin = file.to_owned();
        self
    }

    pub fn stdout(mut self, file: &Path) -> Self {
        self.stdout = file.to_owned();
        self
    }

    fn run(&self) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.args(&self.args);
        self.finish(command)
    }

    fn finish(&self, mut command: Command) -> Result<()> {
        let stdin = File::open(&self.stdin).with_context(|| self.stdin.display().to_string())?;
        let stdout =
            File::create(&self.stdout).with_context(|| self.stdout.display().to_string())?;
        let status = command
            .stdin(stdin)
            .stdout(stdout)
            .stderr(Stdio::inherit())
            .status()
            .with_context(|| self.program.display().to_string())?;
        ensure!(
            status.success(),
            "{status} from: {}",
            command_line(&command)
        );
        Ok(())
    }

    /// Kilobytes resident at most, as the `time` program tells.
    fn peak(&self, report: &Path) -> Result<u64> {
        let mut command = tool("time")?;
        command.args(["--format=%M", "--output"]).arg(report);
        command.arg(&self.program).args(&self.args);
        self.finish(command)?;
        let said = fs::read_to_string(report).with_context(|| report.display().to_string())?;
        said.trim()
            .parse()
            .with_context(|| format!("time said {said:?}"))
    }
}

/// Tasks that are measured as one, `lanes` of them running at a time.
#[derive(Debug, Clone)]
pub struct Job {
    pub name: String,
    pub tasks: Vec<Task>,
    pub lanes: usize,
}

impl Job {
    /// A job of tasks that run one after another.
    pub fn new(name: impl Into<String>, tasks: Vec<Task>) -> Self {
        Self {
            name: name.into(),
            tasks,
            lanes: 1,
        }
    }

    /// The time of one run.
    pub fn time(&self) -> Result<Duration> {
        let start = Instant::now();
        self.run()?;
        Ok(start.elapsed())
    }

    fn run(&self) -> Result<()> {
        if self.lanes == 1 {
            return self.tasks.iter().try_for_each(Task::run);
        }
        let queue = Mutex::new(self.tasks.iter());
        let next = || queue.lock().ok()?.next();
        let lane = || std::iter::from_fn(next).try_for_each(Task::run);
        std::thread::scope(|scope| {
            let lanes: Vec<_> = (0..self.lanes).map(|_| scope.spawn(lane)).collect();
            lanes
                .into_iter()
                .try_for_each(|lane| lane.join().map_err(|_| anyhow!("a lane failed"))?)
        })
    }

    /// Kilobytes of the task that takes most.
    pub fn peak(&self, report: &Path) -> Result<u64> {
        let mut peak = 0;
        for task in &self.tasks {
            peak = peak.max(task.peak(report)?);
        }
        Ok(peak)
    }
}
