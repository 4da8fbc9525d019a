//! Seeds of what is text: symbols, lists of the kernel, configuration, policies, plans.

use anyhow::{Context, Result};
use kmpkit_fixtures::pack::{Packing, pack};

use super::{LINES, Seeds, SmallTree, first, read};
use crate::directories::project;
use crate::kernel::{Kernel, walk};

/// A line of each kind.
const DEPMOD_D: &str = "# comment\nsearch updates extra \\\n\tbuilt-in external\n\
    override a * extra\noverride b-c ^6\\.[0-9]+ weak-updates\nexternal 6.1 /opt/one\n\
    exclude old tmp\ninclude foo\nmake_map_files no\nnonsense";

/// The same for modprobe.d(5).
const MODPROBE_D: &str = "# comment\nalias usb* other\nblacklist pcspkr\n\
    options snd-hda-intel model=\"a b\" \\\n\tpower_save=1\ninstall foo /bin/true\n\
    remove foo /sbin/rmmod foo\nsoftdep xfs pre: crc32c post: b\nweakdep a b c\nnonsense";

/// As kernel-source writes it.
const SUPPORTED_CONF: &str = "# head\n+cluster-md-kmp\tdrivers/md/md-cluster\t# fate#319339\n\
    +base\t\tlib/a\n-\t\tdrivers/atm/*\n+external\tlib/c # by others\n\
    - +kselftests-kmp\tlib/test\n-\t\\\n\tlib/d lib/e\n\tfs/xfs/xfs\n";

/// As Fedora's kernel writes it.
const MODULES_LIST: &str = "# extra\naer_inject.ko\n\n  cfg80211-tests # test\n\
    kernel/fs/ufs/ufs.ko.xz\nsnd-*\n";

/// What rpm makes of a trigger, and what the phases read from stdin.
const TRIGGERS: [&str; 3] = [
    "in\n/lib/modules\n/usr/lib/modules\n/etc/depmod.d\n",
    "/lib/modules/6.1.0-50-amd64/kernel/a.ko\n/lib/modules/5.10-x/updates\n/usr/lib/modules/6.3/x\n",
    "# a comment\nxhci-pci\n\n  nvme \nkernel/a.ko\n",
];

impl Seeds<'_> {
    /// Lists of exported symbols.
    pub(super) fn symbols(&self, kernel: &Kernel) -> Result<()> {
        let symvers = kernel
            .symvers
            .as_ref()
            .context("the kernel has no Module.symvers")?;
        let lines = first(symvers, b'\n', LINES)?;
        self.add("symvers", "Module.symvers", &lines)?;
        self.add("symvers", "Module.symvers.xz", &pack(Packing::Xz, &lines))?;
        let namespaces = read(symvers)?;
        let namespaces = namespaces.split_inclusive(|&byte| byte == b'\n');
        let namespaces = namespaces.filter(|line| {
            !line.ends_with(b"\t\n") && line.iter().filter(|&&byte| byte == b'\t').count() == 4
        });
        let namespaces: Vec<_> = namespaces.take(LINES).collect();
        self.add("symvers", "namespaces", &namespaces.concat())?;
        let map = read(&kernel.system_map)?;
        let exports = map.split_inclusive(|&byte| byte == b'\n');
        let is_export = |line: &&[u8]| line.windows(10).any(|part| part == b"__ksymtab_");
        let exports: Vec<_> = exports.filter(is_export).take(LINES).collect();
        self.add("system_map", "exports", &exports.concat())?;
        self.add(
            "system_map",
            "System.map",
            &first(&kernel.system_map, b'\n', LINES)?,
        )
    }

    /// The lists kbuild writes beside modules.
    pub(super) fn kernel_lists(&self, small: &SmallTree) -> Result<()> {
        for name in [
            "modules.builtin",
            "modules.builtin.modinfo",
            "modules.order",
            "modules.dep",
            "modules.devname",
        ] {
            self.add_file("kernel_lists", &small.directory.join(name))?;
        }
        Ok(())
    }

    pub(super) fn configuration(&self) -> Result<()> {
        self.add("depmod_d", "all.conf", DEPMOD_D.as_bytes())?;
        self.add("modprobe_d", "all.conf", MODPROBE_D.as_bytes())?;
        for (at, text) in TRIGGERS.iter().enumerate() {
            self.add("trigger", &at.to_string(), text.as_bytes())?;
        }
        let mut machines = Vec::new();
        walk(&project().join("machines"), &mut machines)?;
        for path in machines
            .iter()
            .filter(|path| path.extension().is_some_and(|end| end == "modalias"))
        {
            self.add_file("machine", path)?;
        }
        Ok(())
    }

    /// Policies, the lists they import, and the plan that one makes.
    pub(super) fn policies(&self) -> Result<()> {
        let mut files = Vec::new();
        for directory in ["policy", "tests/policies"] {
            walk(&project().join(directory), &mut files)?;
        }
        for path in files {
            self.add_file("policy", &path)?;
        }
        let plan = kmpkit_fuzz::default_plan_document();
        self.add("plan_document", "default.json", plan.as_bytes())?;
        self.add("imported_list", "supported.conf", SUPPORTED_CONF.as_bytes())?;
        self.add("imported_list", "mod-extra.list", MODULES_LIST.as_bytes())
    }
}
