//! A kernel and the modules that may be loaded into it: who exports what there.

use std::collections::BTreeSet;

use id_table::{Id, Table};
use kmodule::Crc;

use crate::kernel::{Kernel, Rules};
use crate::kernel_exports::KernelExport;
use crate::modules::{Export, Import, ModuleId, Modules};
use crate::names::NameId;
use crate::own::OwnModules;
use crate::proprietary;
use crate::symbol_list::Version;

/// A kernel and any set of modules, whichever kernel they were built for.
pub struct Scope<'s> {
    pub(crate) modules: &'s Modules,
    pub(crate) kernel: &'s Kernel,
    pub(crate) own: OwnModules<'s>,
    pub(crate) rules: Rules,
    /// Names of modules that modprobe.d denies, with `-` as `_`.
    denied: BTreeSet<Box<[u8]>>,
    of_kernel: Table<NameId, Option<&'s KernelExport>>,
    /// Whether a namespace of the kernel names modules.
    pub(crate) knows_module_namespaces: bool,
    /// Where the exporters of each symbol begin in `exporters`; one more entry ends the last.
    starts: Vec<u32>,
    exporters: Vec<(ModuleId, &'s Export)>,
    /// The modules whose symbols make their users proprietary.
    pub(crate) proprietary: BTreeSet<ModuleId>,
}

/// Who exports a symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exporter {
    /// The kernel image.
    Kernel,
    /// A module.
    Module(ModuleId),
}

/// A symbol and what its exporter says of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Offer<'s> {
    pub(crate) exporter: Exporter,
    pub(crate) crc: Option<Crc>,
    pub(crate) namespace: Option<&'s [u8]>,
    pub(crate) gpl_only: bool,
    /// The exporter has a table of CRCs.
    pub(crate) has_crcs: bool,
}

impl<'s> Scope<'s> {
    /// A kernel with these modules.
    pub fn new(
        modules: &'s Modules,
        kernel: &'s Kernel,
        members: impl IntoIterator<Item = ModuleId>,
    ) -> Self {
        let members: Vec<ModuleId> = members.into_iter().collect();
        let exports = kernel.exports.as_ref();
        let mut of_kernel: Table<NameId, Option<&KernelExport>> =
            (0..modules.names.len()).map(|_| None).collect();
        let mut knows_module_namespaces = false;
        for (name, export) in exports.into_iter().flat_map(|exports| exports.iter()) {
            let namespace = export.namespace.as_deref();
            knows_module_namespaces |= namespace.is_some_and(crate::namespace::names_modules);
            if let Some(id) = modules.names.find(name) {
                of_kernel[id] = Some(export);
            }
        }
        let (starts, exporters) = exporters(modules, &members);
        let own = OwnModules::of(modules, &members, &kernel.release);
        let mut scope = Self {
            modules,
            kernel,
            rules: Rules::of(kernel, &own),
            own,
            denied: BTreeSet::new(),
            of_kernel,
            knows_module_namespaces,
            starts,
            exporters,
            proprietary: BTreeSet::new(),
        };
        scope.proprietary = proprietary::modules(modules, &members, |user, import| {
            match scope.exporter(user, import, |_| false)? {
                Exporter::Module(module) => Some(module),
                Exporter::Kernel => None,
            }
        });
        scope
    }

    /// The same, where modprobe.d denies modules of these names.
    #[must_use]
    pub fn denying<'n>(mut self, names: impl IntoIterator<Item = &'n [u8]>) -> Self {
        let names = names
            .into_iter()
            .map(|name| kmodule::normalized(name).into());
        self.denied = names.collect();
        self
    }

    /// The modules of all scopes.
    pub fn modules(&self) -> &'s Modules {
        self.modules
    }

    /// Whose symbol an import gets: the kernel's, else that of a module.
    ///
    /// Where several modules export it, any of them may be loaded. Then one whose CRC fits is
    /// chosen, and of those the first that `prefers` accepts.
    pub fn exporter(
        &self,
        user: ModuleId,
        import: &Import,
        prefers: impl Fn(ModuleId) -> bool,
    ) -> Option<Exporter> {
        if self.of_kernel[import.symbol].is_some() {
            return Some(Exporter::Kernel);
        }
        let exporters = || self.exporters(user, import.symbol);
        let fitting = || exporters().filter(|(_, export)| export.may_have_crc_of(import));
        let chosen = fitting()
            .find(|(module, _)| prefers(*module))
            .or_else(|| fitting().next())
            .or_else(|| exporters().next());
        match chosen {
            Some(&(module, _)) => Some(Exporter::Module(module)),
            None => self.kernel.exports.is_none().then_some(Exporter::Kernel),
        }
    }

    pub(crate) fn denies(&self, name: &[u8]) -> bool {
        self.denied.contains(name)
    }

    /// What the kernel image offers under a name.
    pub(crate) fn kernel_offer(&self, symbol: NameId) -> Option<Offer<'s>> {
        let export = self.of_kernel[symbol]?;
        Some(Offer {
            exporter: Exporter::Kernel,
            crc: export.crc,
            namespace: export.namespace.as_deref(),
            gpl_only: export.gpl_only,
            has_crcs: self.rules.knows_crcs,
        })
    }

    /// What modules other than `user` offer under a name.
    pub(crate) fn module_offers(
        &self,
        user: ModuleId,
        symbol: NameId,
    ) -> impl Iterator<Item = Offer<'s>> {
        let modules = self.modules;
        self.exporters(user, symbol)
            .map(move |&(module, export)| Offer {
                exporter: Exporter::Module(module),
                crc: export.crc,
                namespace: export.namespace.map(|space| modules.symbol(space)),
                gpl_only: export.gpl_only,
                has_crcs: modules.get(module).export_tables.crcs,
            })
    }

    fn exporters(
        &self,
        user: ModuleId,
        symbol: NameId,
    ) -> impl Iterator<Item = &(ModuleId, &'s Export)> {
        let index = symbol.index();
        let start = self.starts.get(index).map_or(0, |&start| start as usize);
        let end = self.starts.get(index + 1).map_or(0, |&end| end as usize);
        let exporters = self.exporters.get(start..end).unwrap_or_default();
        exporters.iter().filter(move |(module, _)| *module != user)
    }
}

impl Export {
    /// Whether its CRC does not speak against an import.
    fn may_have_crc_of(&self, import: &Import) -> bool {
        match (self.crc, import.version) {
            (Some(crc), Version::Listed(Some(expected))) => crc == expected,
            _ => true,
        }
    }
}

/// The exports of all members by symbol, those of one symbol in the order of the members.
fn exporters<'s>(
    modules: &'s Modules,
    members: &[ModuleId],
) -> (Vec<u32>, Vec<(ModuleId, &'s Export)>) {
    let exports = || {
        members.iter().flat_map(|&module| {
            let exports = modules.exports(module).iter();
            exports.map(move |export| (module, export))
        })
    };
    let mut all: Vec<(ModuleId, &Export)> = exports().collect();
    // A stable sort keeps the order of the members.
    all.sort_by_key(|(_, export)| export.symbol);
    let mut starts = Vec::with_capacity(modules.names.len() + 1);
    let mut rest = all.iter().peekable();
    let mut start = 0;
    for index in 0..modules.names.len() {
        starts.push(start);
        while rest
            .next_if(|(_, export)| export.symbol.index() == index)
            .is_some()
        {
            start += 1;
        }
    }
    starts.push(start);
    (starts, all)
}
