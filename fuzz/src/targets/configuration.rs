//! kmod's configuration: depmod.d, modprobe.d and the kernel's command line.

use std::path::{Path, PathBuf};

use kmod_conf::{DepmodConfig, ModprobeConfig};

use crate::{Memory, Target};

/// A file of depmod.d.
pub const DEPMOD_D: Target = Target {
    name: "depmod_d",
    check: depmod_d,
    memory: |_| Memory {
        fixed: 4 << 20,
        each: 256,
    },
};

/// A file of modprobe.d, and the same text as the kernel's command line.
pub const MODPROBE_D: Target = Target {
    name: "modprobe_d",
    check: modprobe_d,
    memory: |_| Memory {
        fixed: 64 << 10,
        each: 256,
    },
};

fn depmod_d(input: &[u8]) {
    let texts = [(PathBuf::from("fuzz.conf"), input.to_vec())];
    let config = DepmodConfig::of_texts(&texts, "6.1.0-50-amd64");
    assert!(!config.searches.is_empty(), "nothing is searched");
    let words = config.overrides.iter().chain(&config.externals);
    for word in words.chain(&config.excludes) {
        assert!(is_word(word), "{word:?}");
    }
}

fn modprobe_d(input: &[u8]) {
    let mut config = ModprobeConfig::default();
    config.add_text(input, Path::new("fuzz.conf"));
    for blacklisted in &config.blacklist {
        assert!(is_word(&blacklisted.module), "{blacklisted:?}");
    }
    config.add_kernel_command_line(input);
    // Each is looked for in all lines.
    for install in config.installs.iter().take(20) {
        config.denial(&install.module, |_| false);
        config.blacklisted(&install.module);
    }
    for alias in config.aliases.iter().take(20) {
        config.modules_of_alias(&alias.module).count();
    }
}

/// Whether a text is one that kmod's tools see as a word.
fn is_word(text: &[u8]) -> bool {
    !text.is_empty() && !text.iter().any(|byte| b" \t\n\0".contains(byte))
}
