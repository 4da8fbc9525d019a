//! Turns figures into what the default policy promises, and whether it keeps it.

use std::fmt;

use kmpkit_tests::machines::ReferenceMachine;

use crate::Figures;

/// Packages the default policy may make of a distribution's kernel.
const PACKAGES: [f64; 2] = [150.0, 600.0];

/// Shares of the whole kernel's module bytes that the machines install at most; the server is
/// shown and not bound, for its devices are those of many buses.
const MODULES: [(&str, f64); 3] = [
    ("virtio-guest", 0.05),
    ("laptop-intel", 0.15),
    ("laptop-amd", 0.15),
];

/// The machine whose download is bound, and the share of the whole kernel's one package. What an
/// image without modules weighs, which no policy changes, is left out on both sides.
const DOWNLOAD: (&str, f64) = ("virtio-guest", 0.15);

/// Bytes of all packages, as a share of the whole kernel's one.
const REPOSITORY: f64 = 1.15;

/// A figure and between what it must be.
#[derive(Debug)]
pub struct Bound {
    what: String,
    value: f64,
    least: f64,
    most: f64,
}

impl Bound {
    /// Whether the figure is within.
    pub fn holds(&self) -> bool {
        (self.least..=self.most).contains(&self.value)
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if self.holds() { "holds" } else { "BROKEN" };
        let digits = if self.least > 1.0 { 0 } else { 3 };
        write!(f, "{}: {:.digits$}, ", self.what, self.value)?;
        match self.least > 0.0 {
            true => write!(f, "bound {}–{}", self.least, self.most)?,
            false => write!(f, "bound {}", self.most)?,
        }
        write!(f, ": {word}")
    }
}

/// All bounds on the default policy.
pub fn bounds(figures: &Figures) -> Vec<Bound> {
    let [whole, default] = [&figures.repositories.whole, &figures.repositories.default];
    let [least, most] = PACKAGES;
    let mut all = vec![
        Bound {
            what: "kernel module packages".to_owned(),
            value: default.kmps().count() as f64,
            least,
            most,
        },
        at_most(
            "all rpms",
            share(default.bytes(), whole.bytes()),
            REPOSITORY,
        ),
    ];
    for figures in &figures.machines {
        let of = |bounds: &[(&str, f64)]| {
            let is = |(name, _): &&(&str, f64)| *name == figures.machine.name;
            bounds.iter().find(is).map(|(_, most)| *most)
        };
        let installed = &figures.installed;
        if let Some(most) = of(&MODULES) {
            let value = share(installed.default.modules, installed.whole.modules);
            all.push(at_most(&on(&figures.machine, "modules"), value, most));
        }
        if let Some(most) = of(&[DOWNLOAD]) {
            let image = default.image_bytes();
            let value = share(
                installed.default.rpms + installed.default.metadata - image,
                installed.whole.rpms - image,
            );
            let with_image = share(
                installed.default.rpms + installed.default.metadata,
                installed.whole.rpms + installed.whole.metadata,
            );
            let what =
                format!("download with metadata ({with_image:.3} with the image) without it");
            let what = on(&figures.machine, &what);
            all.push(at_most(&what, value, most));
        }
    }
    all
}

fn on(machine: &ReferenceMachine, what: &str) -> String {
    format!("{what}, {}", machine.description)
}

fn at_most(what: &str, value: f64, most: f64) -> Bound {
    Bound {
        what: format!("{what}, as a share of the whole kernel"),
        value,
        least: 0.0,
        most,
    }
}

/// One number of bytes as a share of another.
pub fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
