//! Reads modprobe.d(5): which modules modprobe refuses to load, runs commands for instead, or finds
//! by other names (kmod/libkmod/libkmod-config.c).

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::c_text::{is_space, split_word};
use crate::config_files::{directories, files, lines};
use crate::config_line::ConfigLine;
use crate::denial::{Denial, DenialReason, denying};
use crate::fnmatch::fnmatch;
use crate::kernel_command_line::{Parameter, parameters};

/// Something that is configured for modules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Configured<T> {
    /// The name of a module, or a shell pattern for names, with underscores.
    pub module: Vec<u8>,
    /// What is configured for it.
    pub value: T,
    /// Where.
    pub line: ConfigLine,
}

/// What modprobe is told to load before and after a module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SoftDependencies {
    /// Modules and aliases to load before it.
    pub pre: Vec<Vec<u8>>,
    /// Modules and aliases to load after it.
    pub post: Vec<Vec<u8>>,
}

/// What modprobe is told about modules. Each list has the lines in the order kmod goes through them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModprobeConfig {
    /// Aliases by which a module is found; the alias is the value, and may be a shell pattern.
    pub aliases: Vec<Configured<Vec<u8>>>,
    /// Modules whose own aliases do not load them.
    pub blacklist: Vec<Configured<()>>,
    /// Commands to run instead of loading a module.
    pub installs: Vec<Configured<Vec<u8>>>,
    /// Commands to run instead of removing a module.
    pub removes: Vec<Configured<Vec<u8>>>,
    /// Parameters of modules.
    pub options: Vec<Configured<Vec<u8>>>,
    /// Modules to load before and after others.
    pub softdeps: Vec<Configured<SoftDependencies>>,
    /// Modules and aliases that a module may load later.
    pub weakdeps: Vec<Configured<Vec<Vec<u8>>>>,
    /// Modules that the kernel itself refuses.
    pub kernel_blacklist: Vec<Configured<()>>,
}

impl ModprobeConfig {
    /// Reads the configuration of the system below a root.
    pub fn of_root(root: &Path) -> Self {
        let paths = directories(root, "modprobe.d");
        Self::load(paths.iter().map(PathBuf::as_path))
    }

    /// Reads these files, and the `.conf` files of these directories, sorted by name: of files with one
    /// name the first counts. What cannot be read or understood is passed over with a message.
    ///
    /// kmod reads modules.softdep and modules.weakdep of the kernel's directory with them, which may
    /// be among the paths.
    pub fn load<'p>(paths: impl IntoIterator<Item = &'p Path>) -> Self {
        let mut config = Self::default();
        for path in files(paths) {
            match fs::read(&path) {
                Ok(text) => config.add_text(&text, &path),
                Err(error) => log::error!("file parse {}: {error}", path.display()),
            }
        }
        config
    }

    /// Adds the text of a file; `path` is where its lines are said to be.
    pub fn add_text(&mut self, text: &[u8], path: &Path) {
        let path: Arc<Path> = path.into();
        for line in lines(text) {
            let place = ConfigLine::File {
                path: Arc::clone(&path),
                number: line.number,
            };
            if line.text.starts_with(b"#") {
                continue;
            }
            let Some((command, rest)) = split_word(&line.text) else {
                continue;
            };
            if matches!(command, b"include" | b"config") {
                log::error!(
                    "{}: command {} is deprecated and not parsed anymore",
                    path.display(),
                    String::from_utf8_lossy(command)
                );
                continue;
            }
            if self.add(command, rest, place).is_none() {
                log::error!(
                    "{} line {}: ignoring bad line starting with '{}'",
                    path.display(),
                    line.number,
                    String::from_utf8_lossy(command)
                );
            }
        }
    }

    /// Adds what a line says; `None` if it is wrong.
    fn add(&mut self, command: &[u8], rest: &[u8], line: ConfigLine) -> Option<()> {
        let (word, rest) = split_word(rest)?;
        let name = with_underscores(word)?;
        // What comes behind a name is taken as it is, without one blank.
        let behind = || (!rest.is_empty()).then(|| rest.to_vec());
        match command {
            b"alias" => {
                let module = with_underscores(split_word(rest)?.0)?;
                self.aliases.push(configured(module, name, line));
            }
            b"blacklist" => self.blacklist.push(configured(name, (), line)),
            b"options" => {
                let mut options = behind()?;
                for byte in &mut options {
                    if *byte == b'\t' {
                        *byte = b' ';
                    }
                }
                self.options.push(configured(name, options, line));
            }
            b"install" => self.installs.push(configured(name, behind()?, line)),
            b"remove" => self.removes.push(configured(name, behind()?, line)),
            b"softdep" => {
                let dependencies = SoftDependencies::parse(&behind()?);
                self.softdeps.push(configured(name, dependencies, line));
            }
            b"weakdep" => {
                let names = listed(&behind()?).into_iter().map(<[u8]>::to_vec).collect();
                self.weakdeps.push(configured(name, names, line));
            }
            _ => return None,
        }
        Some(())
    }

    /// Adds what the command line of the kernel says to modprobe (`modprobe.blacklist=` and parameters
    /// of modules) and to the kernel itself (`module_blacklist=`), as /proc/cmdline has it.
    pub fn add_kernel_command_line(&mut self, text: &[u8]) {
        for parameter in parameters(text) {
            let line = ConfigLine::KernelCommandLine;
            match parameter {
                Parameter::OfModule(module, setting) => {
                    if let (b"modprobe", Some(names)) =
                        (&module[..], setting.strip_prefix(b"blacklist="))
                    {
                        let names = names.split(|&byte| byte == b',');
                        let entry = |name: &[u8]| configured(name.to_vec(), (), line.clone());
                        self.blacklist.extend(names.map(entry));
                    } else if let Some(module) = with_underscores(&module) {
                        self.options.push(configured(module, setting, line));
                    } else {
                        log::error!(
                            "Ignoring bad option on kernel command line while parsing module name: '{}'",
                            String::from_utf8_lossy(&module)
                        );
                    }
                }
                Parameter::OfKernel(setting) => {
                    // linux/kernel/module/main.c, `blacklisted`: the last one counts.
                    if let Some(names) = setting.strip_prefix(b"module_blacklist=") {
                        let names = names.split(|&byte| byte == b',');
                        let entry = |name: &[u8]| configured(name.to_vec(), (), line.clone());
                        self.kernel_blacklist = names.map(entry).collect();
                    }
                }
            }
        }
    }

    /// Why a module is not loaded when somebody asks for it by name, and by which line. Its name has
    /// underscores; `is_known` says whether a name or an alias leads to a module.
    ///
    /// The first line for the module counts (kmod/libkmod/libkmod-module.c,
    /// `kmod_module_get_install_commands`). No `install` line counts for a module with soft
    /// dependencies (`__kmod_module_fill_softdep`). A blacklist denies nothing: it keeps the module's
    /// own aliases from loading it.
    pub fn denial(&self, module: &[u8], is_known: impl Fn(&[u8]) -> bool) -> Option<Denial<'_>> {
        let mut refused = self.kernel_blacklist.iter();
        if let Some(Configured { line, .. }) = refused.find(|refused| refused.module == module) {
            let reason = DenialReason::KernelBlacklist;
            return Some(Denial { reason, line });
        }
        let install = first(&self.installs, module)?;
        let softdeps = first(&self.softdeps, module).map(|softdep| &softdep.value);
        let has_softdeps = softdeps.is_some_and(|softdeps| {
            let mut names = softdeps.pre.iter().chain(&softdeps.post);
            names.any(|name| is_known(name))
        });
        let reason = denying(&install.value).filter(|_| !has_softdeps)?;
        let line = &install.line;
        Some(Denial { reason, line })
    }

    /// The line by which the aliases of a module do not load it.
    pub fn blacklisted(&self, module: &[u8]) -> Option<&ConfigLine> {
        let mut lines = self.blacklist.iter();
        lines
            .find(|line| line.module == module)
            .map(|line| &line.line)
    }

    /// The modules that a name, with underscores, is an alias of here.
    pub fn modules_of_alias<'c>(&'c self, name: &'c [u8]) -> impl Iterator<Item = &'c [u8]> {
        let aliases = self.aliases.iter();
        aliases
            .filter(|alias| fnmatch(&alias.value, name))
            .map(|alias| &alias.module[..])
    }
}

impl SoftDependencies {
    fn parse(text: &[u8]) -> Self {
        let mut dependencies = Self::default();
        let mut unlisted = Vec::new();
        let mut list = &mut unlisted;
        for word in listed(text) {
            match word {
                b"pre:" => list = &mut dependencies.pre,
                b"post:" => list = &mut dependencies.post,
                name => list.push(name.to_vec()),
            }
        }
        dependencies
    }
}

fn configured<T>(module: Vec<u8>, value: T, line: ConfigLine) -> Configured<T> {
    Configured {
        module,
        value,
        line,
    }
}

/// The first line whose pattern matches the name of a module.
fn first<'c, T>(lines: &'c [Configured<T>], module: &[u8]) -> Option<&'c Configured<T>> {
    lines.iter().find(|line| fnmatch(&line.module, module))
}

/// A name with dashes as underscores, but for those in brackets; `None` if brackets do not match
/// (kmod/shared/util.c, `underscores`).
fn with_underscores(name: &[u8]) -> Option<Vec<u8>> {
    let mut out = name.to_vec();
    let mut inside = false;
    for byte in &mut out {
        match (*byte, inside) {
            (b']', false) => return None,
            (b']', true) => inside = false,
            (b'[', false) => inside = true,
            (b'-', false) => *byte = b'_',
            _ => {}
        }
    }
    (!inside).then_some(out)
}

/// The words of a list of names as kmod takes it apart (libkmod-config.c,
/// `kmod_config_add_softdep`): between blanks, but a single blank at the start becomes part of the
/// first word.
fn listed(text: &[u8]) -> Vec<&[u8]> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut was_blank = false;
    for (at, &byte) in text.iter().enumerate() {
        match (is_space(byte), was_blank) {
            (false, _) => was_blank = false,
            (true, true) => start = at + 1,
            (true, false) => {
                was_blank = true;
                if start < at {
                    words.extend(text.get(start..at));
                    start = at + 1;
                }
            }
        }
    }
    if !was_blank {
        words.extend(text.get(start..));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> ModprobeConfig {
        let mut config = ModprobeConfig::default();
        config.add_text(text.as_bytes(), Path::new("a.conf"));
        config
    }

    fn denial(text: &str, module: &str) -> Option<(DenialReason, usize)> {
        let config = config(text);
        let is_known = |name: &[u8]| name == b"known";
        let Denial { reason, line } = config.denial(module.as_bytes(), is_known)?;
        match line {
            ConfigLine::File { number, .. } => Some((reason, *number)),
            ConfigLine::KernelCommandLine => None,
        }
    }

    #[test]
    fn a_module_is_denied_by_a_command_that_does_nothing() {
        use DenialReason::{InstallDoesNothing, InstallFails};
        let cases = [
            ("install a-b /bin/false", Some((InstallFails, 1))),
            (
                "# x\n\ninstall a_b   /usr/bin/false ",
                Some((InstallFails, 3)),
            ),
            ("install a_b false $CMDLINE_OPTS", Some((InstallFails, 1))),
            ("install a_b exit 1 # why", Some((InstallFails, 1))),
            ("install a_* /bin/true", Some((InstallDoesNothing, 1))),
            ("install a_b :", Some((InstallDoesNothing, 1))),
            ("install a_b exit # why", Some((InstallDoesNothing, 1))),
            ("install a_b /sbin/modprobe c; /bin/false", None),
            ("install a_b /bin/false || modprobe a_b", None),
            ("install a_b /sbin/modprobe -i a_b $CMDLINE_OPTS", None),
            ("install other /bin/false", None),
            ("blacklist a_b", None),
            ("remove a_b /bin/false", None),
            // The first line counts.
            ("install a_b /bin/echo\ninstall a_b /bin/false", None),
            // Soft dependencies come before commands, if there are any.
            ("install a_b /bin/false\nsoftdep a_b pre: known", None),
            (
                "install a_b /bin/false\nsoftdep a_b pre: unknown",
                Some((InstallFails, 1)),
            ),
        ];
        for (text, wanted) in cases {
            assert_eq!(denial(text, "a_b"), wanted, "{text}");
        }
    }

    #[test]
    fn the_kernel_refuses_by_its_last_parameter() {
        let mut config = ModprobeConfig::default();
        config.add_kernel_command_line(
            b"quiet module_blacklist=old root=/dev/sda module_blacklist=one,two_three panic=-1\n",
        );
        let denied = |module: &[u8]| config.denial(module, |_| false);
        let denial = denied(b"two_three").unwrap();
        assert_eq!(denial.reason, DenialReason::KernelBlacklist);
        assert_eq!(*denial.line, ConfigLine::KernelCommandLine);
        assert!(denied(b"one").is_some() && denied(b"old").is_none());
        assert!(config.blacklist.is_empty() && config.options.is_empty());
    }

    #[test]
    fn parameters_of_modules_are_on_the_command_line_too() {
        let mut config = ModprobeConfig::default();
        config.add_kernel_command_line(
            b"modprobe.blacklist=a,b-c usb-core.x=1 p.q.r=2 \"par-port.d=file a.c +p\" x.y=\"1 2\" z.on \"q\n",
        );
        let names: Vec<_> = config
            .blacklist
            .iter()
            .map(|entry| &entry.module[..])
            .collect();
        assert_eq!(names, [&b"a"[..], b"b-c"]);
        let options = config.options.iter();
        let options: Vec<_> = options
            .map(|entry| [&entry.module[..], b" ", &entry.value].concat())
            .map(|text| String::from_utf8(text).unwrap())
            .collect();
        assert_eq!(
            options,
            [
                "usb_core x=1",
                "par_port d=\"file a.c +p\"",
                "x y=\"1 2\"",
                "z on"
            ]
        );
        assert!(config.blacklisted(b"a").is_some());
    }

    #[test]
    fn aliases_are_patterns() {
        let config = config("alias usb:v1* dri-ver\nalias my-mod other\nalias x\nalias a[ b");
        let of = |name: &'static str| {
            let modules = config.modules_of_alias(name.as_bytes());
            modules.map(String::from_utf8_lossy).collect::<Vec<_>>()
        };
        assert_eq!(of("usb:v12"), ["dri_ver"]);
        assert_eq!(of("my_mod"), ["other"]);
        assert!(of("usb").is_empty());
    }
}
