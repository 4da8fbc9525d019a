//! SUSE's weak-modules2 and Red Hat's weak-modules: a vendor's module for one kernel gets a link in
//! another kernel, stock or split into packages, if it fits by kmod's depmod or ours.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use kmpkit_tests::cases::Cases;
use kmpkit_tests::tools::tail;

use crate::symbol_warnings;
use crate::two_kernels::{NEW, Two};

/// How a program in the place of depmod is called.
const DEPMODS: [(&str, &str); 3] = [
    ("depmod -m", "/usr/sbin/depmod -m /usr/lib/modules"),
    ("kmp-depmod -m", "/usr/sbin/kmp-depmod -m /usr/lib/modules"),
    ("kmp-depmod", "/usr/sbin/kmp-depmod"),
];

/// A kernel that the vendor's module comes to.
struct Case<'t> {
    kernel: &'t str,
    two: &'t Two,
    /// Whether the module fits it.
    fits: bool,
}

impl Case<'_> {
    /// Adds the new kernel by SUSE's script, with each program in the place of depmod.
    fn suse(&self, cases: &mut Cases) -> Result<()> {
        for (depmod, program) in DEPMODS {
            let script = format!("exec {program} \"$@\"");
            let system = &self.two.system;
            system.script("usr/local/sbin/depmod", &script)?;
            let command = format!(
                "export DEPMOD=/usr/local/sbin/depmod\n\
                 bash /usr/lib/module-init-tools/weak-modules2 --verbose --add-kernel {NEW}"
            );
            let name = format!("weak-modules2, {} kernel, {depmod}", self.kernel);
            cases.add(&name, self.add_kernel(&command, "extra/dummy.ko.xz"));
        }
        Ok(())
    }

    /// Adds the new kernel by Red Hat's script, which calls /sbin/depmod, whatever the path is.
    fn red_hat(&self, cases: &mut Cases) -> Result<()> {
        let depmod = self.two.system.path("usr/sbin/depmod");
        let kmods = fs::read_link(&depmod)?;
        for (name, program) in [
            ("depmod", kmods.as_path()),
            ("kmp-depmod", Path::new("kmp-depmod")),
        ] {
            fs::remove_file(&depmod)?;
            symlink(program, &depmod)?;
            let command =
                format!("bash /usr/sbin/weak-modules --verbose --no-initramfs --add-kernel {NEW}");
            let name = format!("weak-modules, {} kernel, {name}", self.kernel);
            cases.add(&name, self.add_kernel(&command, "dummy.ko.xz"));
        }
        fs::remove_file(&depmod)?;
        Ok(symlink(kmods, &depmod)?)
    }

    /// Runs the command; fails unless the vendor's module is linked into the kernel if it fits, and not
    /// linked if it does not.
    fn add_kernel(&self, command: &str, link: &str) -> Result<()> {
        let new = self.two.system.path(&format!("usr/lib/modules/{NEW}"));
        let (weak, index) = (new.join("weak-updates"), new.join("modules.dep"));
        if weak.exists() {
            fs::remove_dir_all(&weak)?;
        }
        if index.exists() {
            fs::remove_file(&index)?;
        }
        let said = in_short(&self.two.system.run(command)?);
        let target = fs::read_link(weak.join(link));
        if !self.fits {
            ensure!(target.is_err(), "linked:\n{said}");
            return Ok(());
        }
        let target = target.with_context(|| format!("no link {link}:\n{said}"))?;
        let wanted = format!("lib/modules/{}/extra/dummy.ko.xz", self.two.old);
        ensure!(target.ends_with(&wanted), "linked to {}", target.display());
        let index =
            fs::read_to_string(&index).with_context(|| format!("no modules.dep:\n{said}"))?;
        ensure!(
            index.contains("weak-updates/"),
            "not in modules.dep:\n{said}"
        );
        Ok(())
    }
}

/// The end of what was said, depmod's warnings of symbols counted.
fn in_short(said: &str) -> String {
    let (symbols, others): (Vec<&str>, Vec<&str>) =
        said.lines().partition(|line| line.contains(" symbol "));
    let few = symbols.iter().take(2).copied();
    let few = few.collect::<Vec<_>>().join("\n");
    let others = tail(&others.join("\n"), 10);
    format!("{} lines about symbols:\n{few}\n{others}", symbols.len())
}

#[test]
fn a_vendors_module_is_linked_into_kernels_that_it_fits() -> Result<()> {
    let mut cases = Cases::new(&[]);
    let mut add = |kernel, two: &Two, fits| -> Result<()> {
        let case = Case { kernel, two, fits };
        case.suse(&mut cases)?;
        case.red_hat(&mut cases)
    };
    add("split", &Two::new(true)?, true)?;
    let two = Two::new(false)?;
    add("stock", &two, true)?;
    two.change_symvers()?;
    add("other", &two, false)?;
    symbol_warnings::compare(&two, &mut cases)?;
    cases.finish()
}
