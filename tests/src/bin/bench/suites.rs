//! Turns each kernel into the comparisons that are made on it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use kmpkit_tests::{Kernel, cache_dir};

use crate::measure::{Bench, Comparison, spinner};
use crate::table::Table;
use crate::task::{Job, Task};

const GENERATORS: [&str; 4] = [
    "ksym-provides",
    "ksym-requires",
    "modalias-supplements",
    "depmod-requires",
];

/// The generators in all their forms: what rpmbuild runs when it wants everything.
const CALLS: [&str; 6] = [
    "ksym-provides",
    "ksym-requires",
    "modalias-supplements",
    "depmod-requires",
    "depmod-requires --recommends",
    "depmod-requires --suggests",
];

const FOUR: &str = "four generators";
const SIX: &str = "six calls (also --recommends, --suggests)";

/// A driver of every distribution's kernel, of average size.
const ONE_MODULE: &str = "e1000e.ko";

/// Pairs of starts: a millisecond each, and as noisy as short.
const STARTS: u32 = 400;

/// All modules, uncompressed.
pub fn plain(bench: &Bench) -> Result<Table> {
    let target = Target::new(bench, "bookworm")?;
    let cat = Job::new("cat", vec![Task::tool("cat")?.args(&target.modules)]);
    let mut jobs = vec![target.calls(bench, FOUR, &GENERATORS)];
    jobs.push(target.calls(bench, SIX, &CALLS));
    jobs.extend(CALLS.map(|call| target.calls(bench, call, &[call])));
    let rows = jobs.iter().map(|job| bench.compare(job, &cat, 15));
    let rows = rows.collect::<Result<_>>()?;
    Ok(Table {
        title: target.title("uncompressed; calls one after another"),
        rows,
    })
}

/// All modules, compressed.
pub fn xz(bench: &Bench) -> Result<Table> {
    let target = Target::new(bench, "trixie")?;
    // Few files at a time, so that both lanes end together.
    let tasks = target.modules.chunks(50).map(|files| {
        let xz = Task::tool("xz")?.args(["-dc", "-T1"]);
        Ok(xz.args(files))
    });
    let one = Job::new("xz -dc, one", tasks.collect::<Result<_>>()?);
    let two = Job {
        name: "xz -dc, two at a time".into(),
        ..one.clone().two_at_a_time()
    };
    let compare = |ours: Job, reference| bench.compare(&ours, reference, 5);
    let four = target.calls(bench, &format!("{FOUR}, two at a time"), &GENERATORS);
    let rows = vec![
        compare(four.two_at_a_time(), &two)?,
        compare(
            target.calls(bench, "ksym-requires", &["ksym-requires"]),
            &one,
        )?,
    ];
    Ok(Table {
        title: target.title("xz"),
        rows,
    })
}

/// One run on one module.
pub fn start(bench: &Bench) -> Result<Table> {
    let plain = Target::new(bench, "bookworm")?.only(bench)?;
    let packed = Target::new(bench, "trixie")?.only(bench)?;
    let true_ = Job::new("true", vec![Task::tool("true")?]);
    let xz = Task::tool("xz")?.args(["-dc"]).args(&packed.modules);
    let xz = Job::new("xz -dc", vec![xz]);

    let nothing = bench.generator("ksym-requires", Path::new("/dev/null"));
    let mut rows = vec![bench.compare(
        &Job::new("ksym-requires, no file", vec![nothing]),
        &true_,
        STARTS,
    )?];
    let on = |target: &Target, form: &str, reference: &Job| -> Result<Vec<Comparison>> {
        let job = |call: &str| {
            let task = bench.generator(call, &target.list);
            Job::new(format!("{call}, {form}"), vec![task])
        };
        let rows = GENERATORS.map(|call| bench.compare(&job(call), reference, STARTS));
        rows.into_iter().collect()
    };
    rows.extend(on(&plain, ONE_MODULE, &true_)?);
    rows.extend(on(&packed, &format!("{ONE_MODULE}.xz"), &xz)?);
    Ok(Table {
        title: format!(
            "One start; {ONE_MODULE} of Linux {} and {}",
            plain.kernel.release, packed.kernel.release
        ),
        rows,
    })
}

/// A kernel, those of its modules that are measured, and a file with their paths.
struct Target {
    kernel: Kernel,
    modules: Vec<PathBuf>,
    list: PathBuf,
    bytes: u64,
}

impl Target {
    fn new(bench: &Bench, suite: &str) -> Result<Self> {
        let bar = spinner(&format!("{suite}'s kernel from the archive"), None)?;
        let kernel = Kernel::from_archive(suite, "amd64", &cache_dir())?;
        bar.finish_and_clear();
        let modules = kernel.modules()?;
        Self::of(bench, kernel, modules)
    }

    fn of(bench: &Bench, kernel: Kernel, modules: Vec<PathBuf>) -> Result<Self> {
        let list = bench.scratch(&format!("{}-{}", kernel.release, modules.len()));
        let paths = modules.iter().map(|path| format!("{}\n", path.display()));
        fs::write(&list, paths.collect::<String>()).context("list of modules")?;
        let mut bytes = 0;
        for module in &modules {
            bytes += module
                .metadata()
                .with_context(|| module.display().to_string())?
                .len();
        }
        Ok(Self {
            kernel,
            modules,
            list,
            bytes,
        })
    }

    /// The same kernel with one module.
    fn only(self, bench: &Bench) -> Result<Self> {
        let is_it = |path: &PathBuf| {
            let name = path.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with(ONE_MODULE))
        };
        let module = self.modules.into_iter().find(is_it);
        let module = module.with_context(|| format!("{}: no {ONE_MODULE}", self.kernel.release))?;
        Self::of(bench, self.kernel, vec![module])
    }

    fn calls(&self, bench: &Bench, name: &str, calls: &[&str]) -> Job {
        let task = |call: &&str| bench.generator(call, &self.list).args(["--multifile"]);
        Job::new(name, calls.iter().map(task).collect())
    }

    fn title(&self, form: &str) -> String {
        format!(
            "All {} modules of Linux {}, {:.0} MB, {form}",
            self.modules.len(),
            self.kernel.release,
            self.bytes as f64 / 1e6
        )
    }
}
