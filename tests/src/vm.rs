//! Turns a kernel and a list of virtual devices into a report of what is there and what drives it.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::initramfs;
use crate::kernel::Kernel;
use crate::report::{BootReport, Modalias};
use crate::tools::{command_line, tail, tool};

/// Hardware for QEMU, without KVM.
#[derive(Debug, Clone)]
pub struct Machine {
    args: Vec<String>,
    timeout: Duration,
}

impl Machine {
    /// A board with PCI, ACPI and serial ports, and nothing plugged in.
    pub fn bare() -> Machine {
        let board = [
            "-M",
            "q35",
            "-accel",
            "tcg",
            "-nodefaults",
            "-no-user-config",
            "-vga",
            "none",
        ];
        Machine {
            args: board.map(str::to_owned).to_vec(),
            timeout: Duration::from_secs(240),
        }
    }

    /// Network, USB, SATA, SCSI, sound, virtio and a watchdog: devices on pci, usb, hid, scsi,
    /// virtio and the buses of the board. Every driver they need has their modalias or is
    /// required by one that has.
    pub fn full() -> Machine {
        Machine::bare()
            .device("e1000")
            .device("qemu-xhci,id=xhci")
            .device("usb-tablet,bus=xhci.0")
            .disk("stick", "usb-storage,bus=xhci.0")
            .disk("sata", "ide-hd,bus=ide.0")
            .option(&["-audiodev", "none,id=quiet"])
            .device("AC97,audiodev=quiet")
            .disk("block", "virtio-blk-pci")
            .device("virtio-net-pci")
            .device("virtio-rng-pci")
            .device("virtio-scsi-pci,id=vscsi")
            .disk("scsi", "scsi-hd,bus=vscsi.0")
            .device("i6300esb")
    }

    /// The machine, after [`Machine::full`], with HD audio too.
    ///
    /// No module has an alias for QEMU's codec; the kernel then asks for the generic driver by
    /// name (`codec_bind_generic` in sound/pci/hda/hda_bind.c), which no tag of a module tells.
    pub fn hd_audio(self) -> Machine {
        self.device("intel-hda").device("hda-duplex,audiodev=quiet")
    }

    /// The machine with one more `-device`.
    pub fn device(self, device: &str) -> Machine {
        self.option(&["-device", device])
    }

    /// The machine with one more disk, small and empty; `id` is any unused name.
    pub fn disk(self, id: &str, device: &str) -> Machine {
        let medium = format!("driver=null-co,node-name={id},size=16777216,read-zeroes=on");
        self.option(&["-blockdev", &medium])
            .device(&format!("{device},drive={id}"))
    }

    /// The machine with more QEMU options.
    pub fn option(mut self, options: &[&str]) -> Machine {
        self.args.extend(options.iter().map(|&o| o.to_owned()));
        self
    }

    /// The machine with another limit for one boot.
    pub fn timeout(mut self, timeout: Duration) -> Machine {
        self.timeout = timeout;
        self
    }

    /// Boots with no module at all and gives every device with a modalias, sorted.
    pub fn modaliases(&self, kernel: &Kernel) -> Result<Vec<Modalias>> {
        let report = self
            .start(kernel, false)
            .context("machine without modules")?;
        if !report.modules.is_empty() {
            bail!(
                "modules in a machine that has none: {}",
                report.modules.join(" ")
            );
        }
        Ok(report.aliases)
    }

    /// Boots the kernel in `root` with the modules in `root`, loaded by modalias until nothing
    /// new appears.
    pub fn boot(&self, root: &Path) -> Result<BootReport> {
        self.boot_kernel(&Kernel::from_tree(root)?)
    }

    /// [`Machine::boot`] for a root that holds several kernels.
    pub fn boot_kernel(&self, kernel: &Kernel) -> Result<BootReport> {
        self.start(kernel, true)
            .with_context(|| format!("machine with the modules of {}", kernel.root.display()))
    }

    /// Boots the kernel in `root`, and loads modules of `root` by name, not by modalias. What modprobe
    /// says is on the console.
    pub fn modprobe(&self, root: &Path, names: &[&str]) -> Result<BootReport> {
        let kernel = Kernel::from_tree(root)?;
        let append = format!("kmpkit.modprobe={}", names.join(","));
        self.boot_with(&kernel, true, &append)
            .with_context(|| format!("machine that loads {names:?} of {}", root.display()))
    }

    fn start(&self, kernel: &Kernel, modules: bool) -> Result<BootReport> {
        let append = format!("kmpkit.load={}", u8::from(modules));
        self.boot_with(kernel, modules, &append)
    }

    fn boot_with(&self, kernel: &Kernel, modules: bool, append: &str) -> Result<BootReport> {
        let write = |initrd: &Path| initramfs::write(kernel, modules, initrd);
        let (report, console) = self.run(&kernel.vmlinuz, write, append)?;
        BootReport::parse(&report, &console).with_context(|| tail(&console, 40))
    }

    /// Boots an image with the initramfs that `write` makes; gives what was printed on the second
    /// serial port and on the first, the console.
    pub(crate) fn run(
        &self,
        image: &Path,
        write: impl FnOnce(&Path) -> Result<()>,
        append: &str,
    ) -> Result<(String, String)> {
        let dir = tempfile::tempdir().context("temporary directory")?;
        let initrd = dir.path().join("initrd");
        write(&initrd)?;
        let initrd_mib = initrd
            .metadata()
            .with_context(|| format!("stat {}", initrd.display()))?
            .len()
            >> 20;
        let console = dir.path().join("console");
        let report = dir.path().join("report");
        let mut qemu = tool("qemu-system-x86_64")?;
        qemu.args(&self.args)
            .args(["-display", "none", "-monitor", "none", "-no-reboot"])
            .args(["-m", &(512 + 5 * initrd_mib / 2).to_string()])
            .arg("-serial")
            .arg(format!("file:{}", console.display()))
            .arg("-serial")
            .arg(format!("file:{}", report.display()))
            .arg("-kernel")
            .arg(image)
            .arg("-initrd")
            .arg(&initrd)
            // On a busy machine the kernel would take QEMU's timer for broken.
            .args([
                "-append",
                &format!("console=ttyS0 quiet panic=-1 no_timer_check {append}"),
            ])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(dir.path().join("stderr")).context("create stderr file")?);
        let line = command_line(&qemu);
        let child = qemu
            .spawn()
            .with_context(|| format!("cannot start: {line}"))?;
        let ended = wait(child, self.timeout).with_context(|| line.clone())?;
        let read =
            |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned();
        let (console, stderr) = (read(&console), read(&dir.path().join("stderr")));
        let said = || format!("{}\n{}", tail(&stderr, 10), tail(&console, 40));
        match ended {
            None => bail!(
                "no end after {} s: {line}\n{}",
                self.timeout.as_secs(),
                said()
            ),
            Some(status) if !status.success() => bail!("{status} from: {line}\n{}", said()),
            Some(_) => Ok((read(&report), console)),
        }
    }
}

/// The exit status, or none if the process had to be killed at the end of its time.
fn wait(mut child: Child, limit: Duration) -> Result<Option<std::process::ExitStatus>> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() > deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        sleep(Duration::from_millis(50));
    }
}
