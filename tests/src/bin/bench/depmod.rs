//! Turns kernels into the time `kmp depmod` takes for all of their modules, for one that came and
//! for none, against kmod 34's depmod on the same tree.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kmpkit_tests::stage::Stage;
use kmpkit_tests::{Kernel, cache_dir, chroot::Chroot};

use crate::measure::{Bench, Comparison, spinner};
use crate::table::{Row, Table};
use crate::task::{Job, Task};
use crate::trees::{self, Tree};

/// What is wanted of one kernel.
struct Wanted {
    full: f64,
    told: f64,
    walk: Option<f64>,
    nothing: f64,
    memory: f64,
}

/// Longer than the clock of files needs to tell two moments apart.
const PAUSE: Duration = Duration::from_millis(30);

/// bookworm's kernel, uncompressed.
pub fn plain(bench: &Bench) -> Result<Table> {
    let wanted = Wanted {
        full: 0.3,
        told: 0.05,
        walk: Some(0.07),
        nothing: 0.03,
        memory: 0.5,
    };
    table(bench, "bookworm", "uncompressed", &wanted, 11)
}

/// trixie's kernel, compressed by xz.
pub fn xz(bench: &Bench) -> Result<Table> {
    let wanted = Wanted {
        full: 0.55,
        told: 0.01,
        walk: None,
        nothing: 0.005,
        memory: 1.0,
    };
    table(bench, "trixie", "xz", &wanted, 5)
}

fn table(bench: &Bench, suite: &str, form: &str, wanted: &Wanted, pairs: u32) -> Result<Table> {
    let bar = spinner(&format!("{suite}'s kernel and kmod 34"), None)?;
    let kernel = Kernel::from_archive(suite, "amd64", &cache_dir())?;
    let scene = Scene::new(bench, &kernel, kernel.modules()?.len())?;
    bar.finish_and_clear();
    let full = bench.compare(&scene.ours(&["--full"])?, &scene.theirs()?, pairs)?;
    let theirs = scene.theirs()?.peak(&bench.scratch("peak"))?;
    let mut rows = vec![
        Row::of(&full, wanted.full),
        Row::memory(&full, "depmod of kmod 34", theirs * 1024, wanted.memory),
        Row::of(&scene.added(bench, true, pairs)?, wanted.told),
        Row::of(&scene.added(bench, false, pairs)?, wanted.walk),
        Row::of(&scene.nothing(bench, pairs)?, wanted.nothing),
    ];
    if suite == "bookworm" {
        for times in [1, 4, 16] {
            rows.extend(growth(bench, &kernel, times)?);
        }
    }
    Ok(Table {
        title: format!("depmod of Linux {}, {form}", kernel.release),
        rows,
    })
}

/// The time for a module where there are ever more of them.
fn growth(bench: &Bench, kernel: &Kernel, times: usize) -> Result<Vec<Row>> {
    let count = kernel.modules()?.len() * times;
    // Indexes number modules by 16 bits.
    let count = count.min(usize::from(u16::MAX) - 1);
    let scene = Scene::new(bench, kernel, count)?;
    let each = |time: Duration| -> Result<Duration> {
        Ok(time / u32::try_from(count).context("number of modules")?)
    };
    let [ours, theirs] = [scene.ours(&["--full"])?, scene.theirs()?];
    let full = bench.in_turn(
        [
            &format!("one of {count} modules, full"),
            "one of kmod 34's depmod",
        ],
        3,
        || each(ours.time()?),
        || each(theirs.time()?),
    )?;
    let added = bench.in_turn(
        [
            &format!("one of {count} modules, one added, told"),
            "one of kmod 34's depmod",
        ],
        3,
        || each(scene.time_added(true)?),
        || each(theirs.time()?),
    )?;
    Ok(vec![Row::of(&full, None), Row::of(&added, None)])
}

/// A tree of hard links, in which a module can come and go.
struct Scene {
    tree: Tree,
    /// A module that is left out at times, and where it is meanwhile.
    module: PathBuf,
    aside: PathBuf,
    list: PathBuf,
    store: PathBuf,
    base: PathBuf,
    kmod: Chroot,
}

impl Scene {
    fn new(bench: &Bench, kernel: &Kernel, count: usize) -> Result<Self> {
        let tree = trees::of_size(kernel, count)?;
        let name = |path: &PathBuf| {
            let file = path.file_name().and_then(|name| name.to_str());
            file.is_some_and(|file| file.starts_with("e1000e.ko"))
        };
        let module = tree.kernel.modules()?.into_iter().find(name);
        let module = module.context("no e1000e")?;
        // kmod finds modules below /lib/modules; merged-usr trees have them in usr.
        let base = tree.kernel.modules_dir.ancestors().nth(3);
        let base = base.context("no root")?.to_owned();
        let list = bench.scratch(&format!("changed-{}-{count}", kernel.release));
        fs::write(&list, format!("{}\n", module.display()))?;
        let scene = Self {
            aside: tree.path().join("aside"),
            kmod: Chroot::get("trixie", &["kmod"], &cache_dir())?,
            tree,
            module,
            list,
            store: bench.scratch("facts"),
            base,
        };
        // Facts of files that were linked a moment ago are not kept.
        std::thread::sleep(PAUSE);
        scene.ours(&[])?.time()?;
        Ok(scene)
    }

    fn args(&self) -> [PathBuf; 5] {
        [
            "-b".into(),
            self.base.clone(),
            "-C".into(),
            "/nonexistent".into(),
            PathBuf::from(&self.tree.kernel.release),
        ]
    }

    fn ours(&self, options: &[&str]) -> Result<Job> {
        let program = Stage::get()?.system_tool("kmp-depmod");
        let task = Task::new(program.get_program())
            .args(options)
            .args([Path::new("--store"), &self.store])
            .args(self.args())
            .stdin(&self.list);
        Ok(Job::new(
            ["kmp-depmod", &options.join(" ")].join(" "),
            vec![task],
        ))
    }

    /// kmod 34 of the chroot by the chroot's own loader, so that no mount is measured.
    fn theirs(&self) -> Result<Job> {
        let root = self.kmod.root();
        let machine = std::env::consts::ARCH;
        let loader = format!("usr/lib64/ld-linux-{}.so.2", machine.replace('_', "-"));
        let libraries = root.join(format!("usr/lib/{machine}-linux-gnu"));
        let task = Task::new(root.join(loader))
            .args([Path::new("--library-path"), &libraries])
            .args(["--argv0", "depmod"])
            .args([root.join("usr/bin/kmod")])
            .args(self.args());
        Ok(Job::new("depmod of kmod 34", vec![task]))
    }

    /// The time of a run after a module came that the last one had not seen.
    fn time_added(&self, told: bool) -> Result<Duration> {
        let options: &[&str] = if told { &["--changed"] } else { &[] };
        fs::rename(&self.module, &self.aside).context("the module goes")?;
        self.ours(options)?.time()?;
        fs::rename(&self.aside, &self.module).context("the module comes")?;
        std::thread::sleep(PAUSE);
        let time = self.ours(options)?.time()?;
        let dep = self.tree.kernel.modules_dir.join("modules.dep");
        let text = fs::read_to_string(dep).context("modules.dep")?;
        ensure!(text.contains("/e1000e.ko"), "the module was not seen");
        Ok(time)
    }

    fn added(&self, bench: &Bench, told: bool, pairs: u32) -> Result<Comparison> {
        let theirs = self.theirs()?;
        let ours = match told {
            true => "one module added, paths given",
            false => "one module added, with a walk",
        };
        let time = || self.time_added(told);
        bench.in_turn([ours, &theirs.name], pairs, time, || theirs.time())
    }

    /// Each of our runs follows one of ours, for kmod's have replaced all indexes.
    fn nothing(&self, bench: &Bench, pairs: u32) -> Result<Comparison> {
        let (ours, theirs) = (self.ours(&[])?, self.theirs()?);
        let time = || {
            ours.time()?;
            std::thread::sleep(PAUSE);
            ours.time()
        };
        bench.in_turn(["nothing changed", &theirs.name], pairs, time, || {
            theirs.time()
        })
    }
}
