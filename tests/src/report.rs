//! Turns the lines the virtual machine prints into devices, drivers and modules.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};

/// A device the kernel would load a module for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Modalias {
    /// Path below `/sys/devices`, without that prefix.
    pub path: String,
    /// What its `modalias` file says.
    pub modalias: String,
}

/// A device on a bus.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Device {
    /// The bus, as below `/sys/bus`.
    pub bus: String,
    /// The name on that bus.
    pub name: String,
    /// The driver bound to it.
    pub driver: Option<String>,
    /// Path below `/sys/devices`, without that prefix.
    pub path: String,
    /// What its `modalias` file says, if it has one.
    pub modalias: Option<String>,
}

/// What a booted machine says about itself.
#[derive(Debug, Clone, Default)]
pub struct BootReport {
    /// The running kernel's release.
    pub release: String,
    /// All devices on all buses, sorted.
    pub devices: Vec<Device>,
    /// All devices with a modalias, on a bus or not, also those that went away again, sorted.
    pub aliases: Vec<Modalias>,
    /// Loaded modules, sorted.
    pub modules: Vec<String>,
    /// What the kernel and init printed on the console.
    pub console: String,
}

impl BootReport {
    /// Reads the report; one without its last line is an error.
    pub fn parse(text: &str, console: &str) -> Result<BootReport> {
        let mut lines = text
            .lines()
            .map(|l| l.trim_end_matches('\r'))
            .skip_while(|l| *l != "begin")
            .skip(1);
        let mut report = BootReport {
            console: console.to_owned(),
            ..BootReport::default()
        };
        loop {
            let line = lines
                .next()
                .context("the machine stopped in the middle of its report")?;
            let fields: Vec<&str> = line.split('\t').collect();
            match fields.as_slice() {
                ["end"] => break,
                ["kernel", release] => (*release).clone_into(&mut report.release),
                ["module", name] => report.modules.push((*name).to_owned()),
                ["alias", path, alias] => {
                    report.aliases.push(Modalias {
                        path: below_devices(path),
                        modalias: (*alias).to_owned(),
                    });
                }
                ["device", bus, name, driver, path, alias] => report.devices.push(Device {
                    bus: (*bus).to_owned(),
                    name: (*name).to_owned(),
                    driver: some(driver),
                    path: below_devices(path),
                    modalias: some(alias),
                }),
                _ => bail!("line of the report not understood: {line:?}"),
            }
        }
        report.devices.sort();
        report.aliases.sort();
        report.aliases.dedup();
        report.modules.sort();
        Ok(report)
    }

    /// Devices with a driver, as (bus, place, driver): what two boots are compared by.
    pub fn bound(&self) -> BTreeSet<(String, String, String)> {
        let bound = |d: &Device| Some((d.bus.clone(), d.place(), d.driver.clone()?));
        self.devices.iter().filter_map(bound).collect()
    }

    /// For each bus with a modalias on it: devices with a modalias, and how many have a driver.
    pub fn by_bus(&self) -> BTreeMap<&str, (usize, usize)> {
        let mut buses = BTreeMap::new();
        for device in self.devices.iter().filter(|d| d.modalias.is_some()) {
            let (all, bound) = buses.entry(device.bus.as_str()).or_insert((0, 0));
            *all += 1;
            *bound += usize::from(device.driver.is_some());
        }
        buses
    }
}

impl Device {
    /// The path without the numbers the kernel hands out in the order devices turn up, so that
    /// the same device has the same place in every boot.
    pub fn place(&self) -> String {
        let parts: Vec<String> = self.path.split('/').map(steady).collect();
        parts.join("/")
    }
}

fn steady(part: &str) -> String {
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    for counted in ["host", "target", "virtio", "input", "hdaudioC", "i2c-"] {
        if let Some(number) = part
            .strip_prefix(counted)
            .filter(|n| n.starts_with(|c: char| c.is_ascii_digit()))
        {
            let rest = number.trim_start_matches(|c: char| c.is_ascii_digit());
            return format!("{counted}*{rest}");
        }
    }
    match part.split_once(':') {
        Some((host, rest))
            if digits(host) && rest.split(':').count() == 3 && rest.split(':').all(digits) =>
        {
            format!("*:{rest}")
        }
        Some((_, rest)) if rest.matches(':').count() == 1 => match part.split_once('.') {
            Some((hid, count)) if count.len() == 4 => format!("{hid}.*"),
            _ => part.to_owned(),
        },
        _ => part.to_owned(),
    }
}

fn below_devices(path: &str) -> String {
    path.strip_prefix("/sys/devices/")
        .unwrap_or(path)
        .to_owned()
}

fn some(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_are_no_part_of_a_place() {
        let path = "pci0000:00/0000:00:1f.2/ata1/host3/target3:0:0/3:0:0:0";
        let steady: Vec<String> = path.split('/').map(steady).collect();
        assert_eq!(
            steady.join("/"),
            "pci0000:00/0000:00:1f.2/ata1/host*/target*:0:0/*:0:0:0"
        );
        assert_eq!(super::steady("0003:0627:0001.0002"), "0003:0627:0001.*");
        assert_eq!(super::steady("0000:00:01.0"), "0000:00:01.0");
        assert_eq!(super::steady("1-1:1.0"), "1-1:1.0");
        assert_eq!(super::steady("hdaudioC0D0"), "hdaudioC*D0");
    }

    #[test]
    fn a_report_and_a_torn_one() -> Result<()> {
        let text = "noise\r\nbegin\r\nkernel\t9.1\r\nalias\t/sys/devices/a\tpci:x\r\n\
                    device\tpci\t0\te1000\t/sys/devices/a\tpci:x\r\ndevice\tacpi\t1\t\t/sys/devices/b\t\r\n\
                    module\te1000\r\nend\r\n";
        let report = BootReport::parse(text, "")?;
        assert_eq!(report.release, "9.1");
        assert_eq!(report.modules, ["e1000"]);
        assert_eq!(
            report.aliases,
            [Modalias {
                path: "a".into(),
                modalias: "pci:x".into()
            }]
        );
        assert_eq!(report.bound().len(), 1);
        assert_eq!(report.by_bus().get("pci"), Some(&(1, 1)));
        assert!(BootReport::parse(text.trim_end_matches("end\r\n"), "").is_err());
        Ok(())
    }
}
