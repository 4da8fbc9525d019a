//! The reasons why a kernel does not load a module.

use std::fmt;

use kmodule::{Crc, Machine};

use crate::modules::ModuleId;
use crate::names::NameId;
use crate::scope::{Exporter, Scope};

/// Why a kernel does not load a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// modprobe.d denies it, so modprobe does not ask the kernel.
    Denied,
    /// It has no signature, and the kernel insists on one.
    Unsigned,
    /// Its signature is of a kind the kernel does not know, and the kernel insists on one.
    UnsupportedSignature,
    /// Its signature is by a key that the kernel does not have, and the kernel insists on one.
    UnknownKey,
    /// Its signature cannot be read. The kernel refuses that even where it insists on none.
    DamagedSignature,
    /// It was compiled for another machine.
    OtherMachine {
        /// What it was compiled for.
        module: Machine,
        /// What the kernel was compiled for.
        kernel: Machine,
    },
    /// Its `struct module` has not the size of the kernel's, or is missing.
    StructModuleSize {
        /// Its size.
        module: Option<u64>,
        /// That of the kernel's own modules.
        kernel: u64,
    },
    /// Its vermagic is not the kernel's.
    Vermagic {
        /// Without the first word, the release, which the kernel does not compare then.
        without_release: bool,
    },
    /// It has no vermagic.
    NoVermagic,
    /// It is a live patch, and the kernel supports none.
    Livepatch,
    /// It exports symbols without flags, which newer kernels ask for.
    ExportsWithoutFlags,
    /// It exports symbols without CRCs.
    ExportsWithoutCrcs,
    /// It imports a namespace that names the modules that may use it.
    ImportsModuleNamespace {
        /// The namespace.
        namespace: NameId,
    },
    /// Nothing exports a symbol it imports.
    MissingSymbol {
        /// The symbol.
        symbol: NameId,
    },
    /// Its licence is not compatible with the GPL, and it imports a GPL-only symbol.
    GplOnlySymbol {
        /// The symbol.
        symbol: NameId,
        /// Who exports it.
        exporter: Exporter,
    },
    /// It uses GPL-only symbols, and a symbol of a module that is proprietary.
    ProprietaryExporter {
        /// The symbol.
        symbol: NameId,
        /// Who exports it.
        exporter: Exporter,
    },
    /// It expects another CRC of a symbol than it has.
    CrcDiffers {
        /// The symbol; `None` for `module_layout`, by which the kernel knows whether it can read
        /// the module's structures.
        symbol: Option<NameId>,
        /// Who exports it.
        exporter: Exporter,
        /// What it expects.
        expected: Option<Crc>,
        /// What the symbol has.
        found: Option<Crc>,
    },
    /// It does not say which CRC it expects of a symbol.
    NoCrc {
        /// The symbol; `None` for `module_layout`.
        symbol: Option<NameId>,
        /// Who exports it.
        exporter: Exporter,
    },
    /// It uses a symbol of a namespace that it does not import, or that does not name it.
    NamespaceNotImported {
        /// The symbol.
        symbol: NameId,
        /// Who exports it.
        exporter: Exporter,
        /// The namespace.
        namespace: Box<[u8]>,
    },
    /// It exports a symbol that the kernel image exports.
    DuplicateExport {
        /// The symbol.
        symbol: NameId,
    },
    /// Its BTF was made with another kernel image.
    Btf,
}

impl Scope<'_> {
    /// Says in one line why a module does not load.
    pub fn describe(&self, module: ModuleId, reason: &Reason) -> String {
        Line {
            scope: self,
            module,
            reason,
        }
        .to_string()
    }
}

struct Line<'l> {
    scope: &'l Scope<'l>,
    module: ModuleId,
    reason: &'l Reason,
}

impl Line<'_> {
    fn name(&self, name: NameId) -> impl fmt::Display {
        Bytes(self.scope.modules.symbol(name))
    }

    fn symbol(&self, symbol: Option<NameId>) -> impl fmt::Display {
        Bytes(symbol.map_or(b"module_layout", |symbol| self.scope.modules.symbol(symbol)))
    }

    fn exporter(&self, exporter: Exporter) -> impl fmt::Display {
        Bytes(match exporter {
            Exporter::Kernel => b"the kernel",
            Exporter::Module(module) => self.scope.modules.name(module),
        })
    }

    fn vermagic(&self, without_release: bool, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let module = self.scope.modules.get(self.module);
        let (module, kernel) = (module.vermagic.as_deref(), self.scope.own.vermagic);
        let (module, kernel) = (
            Bytes(module.unwrap_or_default()),
            Bytes(kernel.unwrap_or_default()),
        );
        let what = match without_release {
            true => "vermagic differs in more than the release",
            false => "vermagic differs",
        };
        write!(f, "{what}: \"{module}\" is not \"{kernel}\"")
    }

    fn license(&self) -> impl fmt::Display {
        let license = self.scope.modules.get(self.module).license.as_deref();
        Bytes(license.unwrap_or(b"unspecified"))
    }
}

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason {
            Reason::Denied => f.write_str("modprobe.d denies it"),
            Reason::Unsigned => f.write_str("it has no signature"),
            Reason::UnsupportedSignature => {
                f.write_str("its signature is of a kind the kernel does not know")
            }
            Reason::UnknownKey => {
                f.write_str("it was signed by another key than the kernel's own modules")
            }
            Reason::DamagedSignature => f.write_str("its signature is damaged"),
            Reason::OtherMachine { module, kernel } => {
                write!(f, "it was compiled for {module}, the kernel for {kernel}")
            }
            Reason::StructModuleSize { module, kernel } => match module {
                Some(module) => write!(
                    f,
                    "its struct module has {module} bytes, that of the kernel {kernel}"
                ),
                None => f.write_str("it has no .gnu.linkonce.this_module section"),
            },
            Reason::Vermagic { without_release } => self.vermagic(*without_release, f),
            Reason::NoVermagic => f.write_str("it has no vermagic"),
            Reason::Livepatch => {
                f.write_str("it is a live patch, which the kernel does not support")
            }
            Reason::ExportsWithoutFlags => {
                f.write_str("it exports symbols without the flags in __kflagstab")
            }
            Reason::ExportsWithoutCrcs => f.write_str("it exports symbols without CRCs"),
            Reason::ImportsModuleNamespace { namespace } => write!(
                f,
                "it imports the namespace {}, which names its modules itself",
                self.name(*namespace)
            ),
            Reason::MissingSymbol { symbol } => {
                write!(f, "nothing exports {}", self.name(*symbol))
            }
            Reason::GplOnlySymbol { symbol, exporter } => write!(
                f,
                "{} of {} is GPL-only, and its licence is \"{}\"",
                self.name(*symbol),
                self.exporter(*exporter),
                self.license()
            ),
            Reason::ProprietaryExporter { symbol, exporter } => write!(
                f,
                "it uses GPL-only symbols, and {} of the proprietary module {}",
                self.name(*symbol),
                self.exporter(*exporter)
            ),
            Reason::CrcDiffers {
                symbol,
                exporter,
                expected,
                found,
            } => write!(
                f,
                "it expects {} of {} with the CRC {:08x}, not {:08x}",
                self.symbol(*symbol),
                self.exporter(*exporter),
                expected.unwrap_or(0),
                found.unwrap_or(0)
            ),
            Reason::NoCrc { symbol, exporter } => write!(
                f,
                "it expects no CRC of {} of {}",
                self.symbol(*symbol),
                self.exporter(*exporter)
            ),
            Reason::NamespaceNotImported {
                symbol,
                exporter,
                namespace,
            } => write!(
                f,
                "{} of {} is in the namespace {}, which it does not import",
                self.name(*symbol),
                self.exporter(*exporter),
                Bytes(namespace)
            ),
            Reason::DuplicateExport { symbol } => {
                write!(f, "it exports {}, as the kernel does", self.name(*symbol))
            }
            Reason::Btf => f.write_str("its BTF was made with another kernel image"),
        }
    }
}

struct Bytes<'b>(&'b [u8]);

impl fmt::Display for Bytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf8_lossy(self.0).escape_debug().fmt(f)
    }
}
