//! Tells whether an `install` line of modprobe.d keeps a module from being loaded.

use crate::config_line::ConfigLine;

/// That a module is not loaded when somebody asks for it by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Denial<'c> {
    /// Why it is not loaded.
    pub reason: DenialReason,
    /// The line that says so.
    pub line: &'c ConfigLine,
}

/// Why a module is not loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DenialReason {
    /// modprobe runs a command for it that does nothing and fails, such as /bin/false.
    InstallFails,
    /// modprobe runs a command for it that does nothing and succeeds, such as /bin/true.
    InstallDoesNothing,
    /// The kernel refuses it because of `module_blacklist=`.
    KernelBlacklist,
}

/// Why a module is not loaded if this command is run for it; `None` if the command may load it.
///
/// modprobe hands the command to a shell. Only commands of one program that ends at once are known
/// for what they do.
pub(crate) fn denying(command: &[u8]) -> Option<DenialReason> {
    // Stands for what comes behind the module's name on modprobe's own command line.
    let command = String::from_utf8_lossy(command).replace("$CMDLINE_OPTS", "");
    if command.contains(|byte| ";&|<>()`$\n\"'\\".contains(byte)) {
        return None;
    }
    let mut words = command.split_whitespace();
    let program = words.next()?;
    let status = words.next().filter(|word| !word.starts_with('#'));
    match (program.rsplit('/').next()?, status) {
        ("false", _) => Some(DenialReason::InstallFails),
        ("true" | ":", _) => Some(DenialReason::InstallDoesNothing),
        ("exit", None | Some("0")) => Some(DenialReason::InstallDoesNothing),
        ("exit", Some(_)) => Some(DenialReason::InstallFails),
        _ => None,
    }
}
