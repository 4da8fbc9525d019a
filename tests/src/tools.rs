//! Turns a command that must succeed into its output, or into an error that says what to do.

use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow, bail};

/// Tools the tests call, with the Debian package that brings each.
const PACKAGES: &[(&str, &str)] = &[
    ("apt-cache", "apt"),
    ("apt-get", "apt"),
    ("busybox", "busybox-static"),
    ("bzip2", "bzip2"),
    ("chromium", "chromium"),
    ("chroot", "coreutils"),
    ("cpio", "cpio"),
    ("createrepo_c", "createrepo-c"),
    ("depmod", "kmod"),
    ("dnf", "dnf"),
    ("dpkg-deb", "dpkg"),
    ("gcc", "gcc"),
    ("ld", "binutils"),
    ("ldd", "libc-bin"),
    ("make", "make"),
    ("mmdebstrap", "mmdebstrap"),
    ("modinfo", "kmod"),
    ("modprobe", "kmod"),
    ("nm", "binutils"),
    ("objcopy", "binutils"),
    ("openssl", "openssl"),
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("prlimit", "util-linux"),
    ("readelf", "binutils"),
    ("strip", "binutils"),
    ("tar", "tar"),
    ("rpm", "rpm"),
    ("rpm2cpio", "rpm2cpio"),
    ("rpmbuild", "rpm"),
    ("rpmlint", "rpmlint"),
    ("rpmspec", "rpm"),
    ("strace", "strace"),
    ("unshare", "util-linux"),
    ("xz", "xz-utils"),
    ("zstd", "zstd"),
    ("zypper", "zypper"),
];

const SYSTEM_DIRS: &str = "/usr/local/sbin:/usr/sbin:/sbin";

/// Fails unless every tool is installed; the error has the command that installs what is missing.
pub fn need(tools: &[&str]) -> Result<()> {
    let missing: Vec<&str> = tools
        .iter()
        .copied()
        .filter(|t| find(t).is_none())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let mut packages: Vec<&str> = missing.iter().map(|t| package_of(t)).collect();
    packages.sort_unstable();
    packages.dedup();
    bail!(
        "missing: {}; install with: apt-get install -y {}",
        missing.join(", "),
        packages.join(" ")
    )
}

/// Fails unless the process runs as root; `why` ends the sentence "… needs root".
pub fn need_root(why: &str) -> Result<()> {
    let uid = Path::new("/proc/self")
        .metadata()
        .context("/proc/self")?
        .uid();
    if uid != 0 {
        bail!("{why} needs root; this runs as uid {uid}");
    }
    Ok(())
}

/// Fails unless the process may mount, in a mount namespace that nobody else sees; `why` as for
/// [`need_root`].
pub fn need_mounts(why: &str) -> Result<()> {
    need_root(why)?;
    static ALLOWED: OnceLock<Result<(), String>> = OnceLock::new();
    let try_it = || {
        let mut unshare = tool("unshare")?;
        run(unshare.args(["--mount", "--propagation", "private", "true"])).map(drop)
    };
    ALLOWED
        .get_or_init(|| try_it().map_err(|error| format!("{error:#}")))
        .as_ref()
        .map_err(|error| {
            anyhow!(
                "{why} needs mounts of its own, which are not possible here: run the tests with \
                 `make test` or below `tests/isolated`\n{error}"
            )
        })
        .copied()
}

/// Where a tool is, searched in PATH and then in the system administrator's directories.
pub fn find(tool: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':')
        .chain(SYSTEM_DIRS.split(':'))
        .filter(|dir| !dir.is_empty())
        .map(|dir| Path::new(dir).join(tool))
        .find(|file| {
            file.metadata()
                .is_ok_and(|m| m.is_file() && m.mode() & 0o111 != 0)
        })
}

/// A command for a tool that [`need`] accepts, also when PATH has no sbin directories.
pub fn tool(name: &str) -> Result<Command> {
    need(&[name])?;
    Ok(Command::new(find(name).unwrap_or_else(|| name.into())))
}

/// Runs a command to its end and gives its standard output.
///
/// The error carries the command line, the status and the end of what was printed.
pub fn run(command: &mut Command) -> Result<String> {
    let line = command_line(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start: {line}"))?;
    let stdout = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let stderr = String::from_utf8_lossy(&output.stderr);
        let mut said = tail(&stderr, 25);
        if stdout.len() < 20_000 || stderr.trim().is_empty() {
            said = format!("{}\n{said}", tail(&stdout, 25));
        }
        bail!("{} from: {line}\n{}", output.status, said.trim());
    }
    Ok(stdout.into_owned())
}

/// The last `lines` lines of a text.
pub fn tail(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().collect();
    let from = all.len().saturating_sub(lines);
    all.get(from..).unwrap_or_default().join("\n")
}

/// The command as one would type it, directory and variables included.
pub fn command_line(command: &Command) -> String {
    let mut line = String::new();
    if let Some(dir) = command.get_current_dir() {
        let _ = write!(line, "cd {} && ", dir.display());
    }
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            let _ = write!(
                line,
                "{}={} ",
                name.to_string_lossy(),
                quote(&value.to_string_lossy())
            );
        }
    }
    line.push_str(&quote(&command.get_program().to_string_lossy()));
    for arg in command.get_args() {
        line.push(' ');
        line.push_str(&quote(&arg.to_string_lossy()));
    }
    line
}

fn package_of(tool: &str) -> &str {
    PACKAGES
        .iter()
        .find(|(name, _)| *name == tool)
        .map_or(tool, |(_, package)| *package)
}

fn quote(word: &str) -> String {
    if let Some((first, _)) = word.split_once('\n') {
        return format!("'{first} …'");
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_names_its_package() -> Result<()> {
        need(&["sh"])?;
        let error = need(&["sh", "no-such-tool"])
            .err()
            .context("a tool that does not exist was found")?;
        assert!(
            error
                .to_string()
                .ends_with("apt-get install -y no-such-tool"),
            "{error}"
        );
        assert_eq!(package_of("qemu-system-x86_64"), "qemu-system-x86");
        Ok(())
    }

    #[test]
    fn a_failed_command_says_which_and_why() -> Result<()> {
        let error = run(Command::new("sh").args(["-c", "echo reason >&2; exit 3"]))
            .err()
            .context("exit 3 passed as success")?
            .to_string();
        assert!(
            error.contains("exit status: 3") && error.contains("reason") && error.contains("sh -c"),
            "{error}"
        );
        Ok(())
    }
}
