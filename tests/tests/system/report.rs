//! Turns a real kernel into the page of `kmp-split report`, and that into what a browser shows.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use kmpkit_tests::directories::project;
use kmpkit_tests::stage::Stage;
use kmpkit_tests::tools::{run, tool};
use kmpkit_tests::{Kernel, cache_dir};
use tempfile::TempDir;

const MACHINES: [&str; 4] = ["laptop-amd", "laptop-intel", "server", "virtio-guest"];
const MODULE: &str = "kernel/drivers/net/ethernet/intel/e1000e/e1000e.ko";
const HOSTILE: &str = "</script><img src=x onerror=alert(1)>";

/// A page in a directory of its own, beside the browser's profile.
struct Page {
    directory: TempDir,
}

impl Page {
    fn write(root: &Path, more: &[&str]) -> Result<Self> {
        let page = Self {
            directory: TempDir::new()?,
        };
        let mut report = kmp_split("report", root)?;
        report.arg("--html").arg(page.file()).args(more);
        run(&mut report)?;
        Ok(page)
    }

    fn of_kernel() -> Result<Self> {
        let machines = machines();
        let machines: Vec<_> = machines.iter().map(String::as_str).collect();
        Self::write(&kernel()?, &machines)
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("page.html")
    }

    fn html(&self) -> Result<String> {
        Ok(fs::read_to_string(self.file())?)
    }

    fn browser(&self, fragment: &str, options: &[&str]) -> Result<Command> {
        let mut browser = tool("chromium")?;
        browser.args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--enable-logging=stderr",
            "--virtual-time-budget=10000",
        ]);
        let profile = self.directory.path().join("profile");
        browser.arg(format!("--user-data-dir={}", profile.display()));
        browser.args(options);
        browser.arg(format!("file://{}{fragment}", self.file().display()));
        Ok(browser)
    }

    /// What the browser made of the page, and what it printed on its console.
    fn load(&self, fragment: &str) -> Result<(String, Vec<String>)> {
        let mut browser = self.browser(fragment, &["--dump-dom"])?;
        let output = browser.output()?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{fragment}: {stderr}");
        let console = stderr.lines().filter(|line| line.contains("CONSOLE"));
        let dom = String::from_utf8_lossy(&output.stdout).into_owned();
        Ok((dom, console.map(str::to_owned).collect()))
    }

    /// A view that must be drawn without a fault: no error, nothing on the console, nothing that
    /// the page wanted to load.
    fn view(&self, fragment: &str) -> Result<String> {
        let (dom, console) = self.load(fragment)?;
        ensure!(console.is_empty(), "{fragment}: {console:?}");
        let root = dom.split('>').nth(1).unwrap_or_default();
        ensure!(
            root.contains("data-ready=\"true\""),
            "{fragment}: not drawn: {root}"
        );
        ensure!(!root.contains("data-failed"), "{fragment}: {root}");
        let (_, view) = dom.split_once("<section id=\"view\"").context("no view")?;
        let (view, _) = view
            .split_once("<section id=\"all-packages\"")
            .context("no packages")?;
        Ok(view.to_owned())
    }

    fn screenshot(&self, options: &[&str]) -> Result<Vec<u8>> {
        let file = self.directory.path().join("screenshot.png");
        let shot = format!("--screenshot={}", file.display());
        let options = [options, &["--window-size=1280,800", &shot]].concat();
        run(&mut self.browser("", &options)?)?;
        Ok(fs::read(&file)?)
    }
}

fn kmp_split(command: &str, root: &Path) -> Result<Command> {
    let mut kmp_split = Stage::get()?.tool("kmp-split");
    kmp_split.arg(command).arg(root);
    Ok(kmp_split)
}

fn kernel() -> Result<PathBuf> {
    Ok(Kernel::from_archive("bookworm", "amd64", &cache_dir())?.root)
}

fn machines() -> Vec<String> {
    let directory = project().join("machines");
    let option = |name| format!("--machine={}/{name}.modalias", directory.display());
    MACHINES.map(option).to_vec()
}

/// The number before a word in a line of the plan's table.
fn number(line: &str, word: &str) -> Result<usize> {
    let (before, _) = line.split_once(word).with_context(|| line.to_owned())?;
    let number = before.trim_end().rsplit(' ').next().unwrap_or_default();
    number.parse().with_context(|| line.to_owned())
}

#[test]
fn a_kernel() -> Result<()> {
    let page = Page::of_kernel()?;
    let plan = run(kmp_split("plan", &kernel()?)?.args(machines()))?;
    let html = page.html()?;
    println!("{} bytes", html.len());
    assert!(html.len() < 3_000_000);
    assert_eq!(html, Page::of_kernel()?.html()?, "another run, other bytes");

    let sum = plan.lines().last().context("no sum")?;
    let image = number(sum, "in the image")?;
    let packages = number(sum, "packages")? + usize::from(image > 0);
    let map = page.view("")?;
    assert_eq!(map.matches("class=\"cell").count(), packages);
    assert_eq!(
        html.matches("<tr><td><a href=\"#package=").count(),
        packages
    );
    assert!(map.contains("href=\"#map=drivers/net\""));

    for name in MACHINES {
        let line = plan
            .lines()
            .find(|line| line.starts_with(&format!("{name}: ")));
        let installed = number(line.context(name)?, "packages")?;
        let machine = page.view(&format!("#machine={name}"))?;
        let rows = machine.matches("<tr").count();
        // Both tables have a head, and the first a row for each machine.
        assert_eq!(rows, installed + MACHINES.len() + 2, "{name}");
        let highlighted = page.view(&format!("#map&machine={name}"))?;
        let cells = highlighted.matches("class=\"cell\"").count();
        assert_eq!(cells, installed + usize::from(image > 0), "{name}");
    }

    let patterns = page.view("#patterns")?;
    for line in plan.lines().filter(|line| line.starts_with("patterns-")) {
        let (name, _) = line.split_once(':').context("no name")?;
        assert!(patterns.contains(name), "{name}");
    }
    assert!(page.view("#warnings")?.contains("Excluded"));
    assert!(
        page.view("#package=no-such-package")?
            .contains("There is no package")
    );
    Ok(())
}

#[test]
fn a_module_is_found_and_leads_to_its_package() -> Result<()> {
    let page = Page::of_kernel()?;
    for query in ["e1000e", "E1000E", MODULE, "ethernet%20e1000e"] {
        let found = page.view(&format!("#search={query}"))?;
        assert!(found.contains(&format!("<code>{MODULE}</code>")), "{query}");
    }
    assert!(page.view("#search=no-such-module")?.contains("Nothing has"));

    let package = page.view("#module=kernel/net/mac80211/mac80211.ko")?;
    assert!(package.contains("<tr class=\"chosen\">"));
    let root = kernel()?;
    let why = run(kmp_split("explain", &root)?.arg("mac80211"))?;
    let name = why
        .lines()
        .find_map(|line| line.trim().strip_prefix("package "));
    let name = name.context("no package")?.trim();
    assert!(package.contains(&format!("<h2>{name}<")), "{name}");

    let modules = Kernel::from_archive("bookworm", "amd64", &cache_dir())?.modules()?;
    let file = modules.iter().find(|path| path.ends_with("mac80211.ko"));
    let file = file.context("no mac80211.ko")?;
    let depends = run(tool("modinfo")?.args(["-F", "depends"]).arg(file))?;
    assert!(!depends.trim().is_empty());
    for needed in depends.trim().split(',') {
        assert!(package.contains(&format!(">{needed}</a>")), "{needed}");
    }
    let users = page.view(&format!("#package={name}&users=9&needs=0"))?;
    for (view, needs) in [(&package, true), (&users, false)] {
        assert_eq!(view.matches("class=\"node centre\"").count(), 1);
        let nodes = view.matches("class=\"node\"").count();
        assert!(view.matches("class=\"line\"").count() >= nodes && nodes > 0);
        assert_eq!(view.contains(">cfg80211</text>"), needs);
    }
    Ok(())
}

/// A modalias of a device leads to the module that drives it, a part of an alias to all that have it, and
/// a module shows its aliases.
#[test]
fn aliases_are_found_and_shown() -> Result<()> {
    let page = Page::of_kernel()?;
    let device = "pci:v00008086d000015B7sv000017AAsd00002248bc02sc00i00";
    for query in [device, "pci:v00008086d000015B7"] {
        let found = page.view(&format!("#search={query}"))?;
        assert!(found.contains(&format!("<code>{MODULE}</code>")), "{query}");
        assert!(!found.contains("/igb.ko"), "{query}");
    }
    assert!(page.view("#search=fs-xfs")?.contains("/xfs.ko</code>"));
    assert!(
        page.view("#search=pci:v0000FFFFd0000FFFFsv")?
            .contains("Nothing has")
    );
    let module = page.view(&format!("#module={MODULE}"))?;
    let file = Kernel::from_archive("bookworm", "amd64", &cache_dir())?.modules()?;
    let file = file.into_iter().find(|path| path.ends_with("e1000e.ko"));
    let aliases = run(tool("modinfo")?
        .args(["-F", "alias"])
        .arg(file.context("no e1000e.ko")?))?;
    assert!(aliases.lines().count() > 50);
    for alias in aliases.lines() {
        assert!(module.contains(&format!("<code>{alias}</code>")), "{alias}");
    }
    Ok(())
}

/// What does not fit is shortened to whole words at its end, and all of it is in the title.
#[test]
fn no_name_is_cut_at_the_head_of_a_word() -> Result<()> {
    let page = Page::of_kernel()?;
    let map = page.view("")?;
    let texts = map.split("<text ").skip(1).filter_map(|text| {
        let (_, text) = text.split_once('>')?;
        text.split_once("</text>").map(|(text, _)| text)
    });
    let html = page.html()?;
    let (_, names) = html.split_once("id=\"data\">").context("no data")?;
    let mut shortened = 0;
    for text in texts.filter_map(|text| text.strip_prefix('…')) {
        shortened += 1;
        let begins_a_word = ["-", "_", "/"].iter().any(|before| {
            names.contains(&format!("{before}{text}\""))
                || names.contains(&format!("{before}{text}-kmp"))
        });
        assert!(begins_a_word && text.len() >= 3, "…{text}");
    }
    assert!(shortened > 0, "no name is shortened");
    let cells = map.matches("class=\"cell").count();
    assert!(map.matches("<title>").count() >= cells);
    Ok(())
}

/// A warning leads to the line of the policy that it is about.
#[test]
fn a_warning_leads_to_its_rule() -> Result<()> {
    let directory = TempDir::new()?;
    let policy = directory.path().join("mine.toml");
    let rule = "members = [\"no-such-module\"]";
    fs::write(&policy, format!("[[set]]\nname = \"mine\"\n{rule}\n"))?;
    let policy = policy.display().to_string();
    let page = Page::write(&kernel()?, &[&format!("--policy={policy}")])?;
    let warnings = page.view("#warnings")?;
    let target = format!("#policy={policy}&amp;line=3");
    assert!(warnings.contains(&format!("href=\"{target}\"")), "{target}");
    let shown = page.view(&target.replace("&amp;", "&"))?;
    let (_, chosen) = shown
        .split_once("<tr class=\"chosen\">")
        .context("no line")?;
    assert!(
        chosen
            .split("</tr>")
            .next()
            .unwrap_or_default()
            .contains("no-such-module")
    );
    Ok(())
}

#[test]
fn light_and_dark() -> Result<()> {
    let page = Page::of_kernel()?;
    let light = page.screenshot(&[])?;
    let dark = page.screenshot(&["--force-dark-mode"])?;
    for picture in [&light, &dark] {
        assert!(picture.starts_with(b"\x89PNG") && picture.len() > 20_000);
    }
    assert!(light != dark, "dark looks like light");
    Ok(())
}

/// A module whose description and a policy whose summaries are markup.
#[test]
fn hostile_texts_stay_texts() -> Result<()> {
    let directory = TempDir::new()?;
    let modules = directory.path().join("lib/modules/6.1.0-hostile/kernel");
    fs::create_dir_all(&modules)?;
    let info = directory.path().join("modinfo");
    fs::write(
        &info,
        format!("description={HOSTILE}module\0alias=pci:v*\0"),
    )?;
    let original = Kernel::from_archive("bookworm", "amd64", &cache_dir())?;
    let mut originals = original.modules()?.into_iter();
    let original = originals.find(|path| path.ends_with("libarc4.ko"));
    let mut objcopy = tool("objcopy")?;
    objcopy.arg(format!("--update-section=.modinfo={}", info.display()));
    objcopy.arg(original.context("no libarc4.ko")?);
    run(objcopy.arg(modules.join("hostile.ko")))?;
    let policy = directory.path().join("policy.toml");
    let rules = format!(
        "[[set]]\nname = \"odd\"\nsummary = '{HOSTILE}set'\nmembers = [\"hostile\"]\n\
         [[pattern]]\nname = \"odd\"\nsummary = '{HOSTILE}pattern'\nmembers = [\"hostile\"]\n"
    );
    fs::write(&policy, rules)?;
    let policy = format!("--policy={}", policy.display());
    let page = Page::write(directory.path(), &[&policy])?;
    for (fragment, text) in [
        ("", "Packages by size"),
        ("#package=odd-kmp-hostile", "module"),
        ("#package=odd-kmp-hostile", "set"),
        ("#search=hostile", "module"),
        ("#patterns", "pattern"),
    ] {
        let view = page.view(fragment)?;
        let text = match fragment {
            "" => text.to_owned(),
            _ => HOSTILE.replace('<', "&lt;").replace('>', "&gt;") + text,
        };
        assert!(view.contains(&text), "{fragment}: no {text}");
        assert!(!view.contains("<img"), "{fragment}");
    }
    Ok(())
}

/// The page tells of its own faults, so that their absence means something.
#[test]
fn faults_are_told() -> Result<()> {
    let page = Page::of_kernel()?;
    let html = page.html()?;
    for (fault, told) in [
        ("<img src=\"http://127.0.0.1:9/x.png\">", "img-src"),
        (
            "<script>fetch(\"http://127.0.0.1:9/\")</script>",
            "connect-src",
        ),
        ("<script>noSuchFunction()</script>", "noSuchFunction"),
    ] {
        fs::write(
            page.file(),
            html.replace("</main>", &format!("</main>{fault}")),
        )?;
        let (dom, console) = page.load("")?;
        let root = dom.split('>').nth(1).unwrap_or_default();
        assert!(
            root.contains("data-failed") && root.contains(told),
            "{fault}: {root}"
        );
        assert!(!console.is_empty(), "{fault}");
        assert!(page.view("").is_err(), "{fault}");
    }
    Ok(())
}
