//! Checks the symbols a module imports, as `simplify_symbols` and `resolve_symbol` do
//! (linux/kernel/module/main.c).

use kmodule::Crc;

use crate::modules::{Import, Module, ModuleId};
use crate::names::NameId;
use crate::namespace;
use crate::reason::Reason;
use crate::scope::{Exporter, Offer, Scope};
use crate::symbol_list::Version;

/// Adds what is wrong with each symbol, in the order of the symbols.
pub(crate) fn check(scope: &Scope<'_>, id: ModuleId, reasons: &mut Vec<Reason>) {
    let module = scope.modules.get(id);
    let mut state = State {
        is_proprietary: module.is_proprietary,
        uses_gpl_only: false,
    };
    for import in scope.modules.imports(id) {
        check_symbol(scope, id, import, &mut state, reasons);
    }
}

/// What the symbols so far say of the module.
#[derive(Clone, Copy)]
struct State {
    is_proprietary: bool,
    uses_gpl_only: bool,
}

fn check_symbol(
    scope: &Scope<'_>,
    id: ModuleId,
    import: &Import,
    state: &mut State,
    reasons: &mut Vec<Reason>,
) {
    // The kernel hides GPL-only symbols from proprietary modules (`find_symbol`).
    let is_hidden = |offer: &Offer<'_>| state.is_proprietary && offer.gpl_only;
    let of_kernel = scope.kernel_offer(import.symbol);
    if let Some(offer) = of_kernel.filter(|offer| !is_hidden(offer)) {
        state.uses_gpl_only |= offer.gpl_only;
        check_offer(scope, id, import, &offer, reasons);
        return;
    }
    let offers = || scope.module_offers(id, import.symbol);
    let seen = offers().filter(|offer| !is_hidden(offer));
    if let Some((offer, found)) = best(scope, id, import, *state, seen) {
        state.uses_gpl_only |= offer.gpl_only;
        state.is_proprietary |= !state.uses_gpl_only && is_proprietary(scope, offer.exporter);
        reasons.extend(found);
    } else if !import.weak {
        let symbol = import.symbol;
        let hidden = of_kernel.or_else(|| offers().next());
        reasons.extend(match hidden {
            Some(Offer { exporter, .. }) => Some(Reason::GplOnlySymbol { symbol, exporter }),
            None if scope.kernel.exports.is_none() => None,
            None => Some(Reason::MissingSymbol { symbol }),
        });
    }
}

/// The first of several modules with a symbol that nothing speaks against, for any of them may be
/// the one that is loaded; else the first, and what speaks against it.
fn best<'s>(
    scope: &Scope<'_>,
    id: ModuleId,
    import: &Import,
    state: State,
    offers: impl Iterator<Item = Offer<'s>>,
) -> Option<(Offer<'s>, Vec<Reason>)> {
    let mut first = None;
    for offer in offers {
        let mut found = Vec::new();
        match proprietary_exporter(scope, import, &offer, state) {
            // The kernel goes on as if nobody exported it (`resolve_symbol`).
            Some(reason) => found.extend(Some(reason).filter(|_| !import.weak)),
            None => check_offer(scope, id, import, &offer, &mut found),
        }
        if found.is_empty() {
            return Some((offer, found));
        }
        first.get_or_insert((offer, found));
    }
    first
}

fn is_proprietary(scope: &Scope<'_>, exporter: Exporter) -> bool {
    match exporter {
        Exporter::Kernel => false,
        Exporter::Module(module) => scope.proprietary.contains(&module),
    }
}

/// `inherit_taint`.
fn proprietary_exporter(
    scope: &Scope<'_>,
    import: &Import,
    offer: &Offer<'_>,
    state: State,
) -> Option<Reason> {
    let uses_gpl_only = state.uses_gpl_only || offer.gpl_only;
    (uses_gpl_only && is_proprietary(scope, offer.exporter)).then_some(
        Reason::ProprietaryExporter {
            symbol: import.symbol,
            exporter: offer.exporter,
        },
    )
}

fn check_offer(
    scope: &Scope<'_>,
    id: ModuleId,
    import: &Import,
    offer: &Offer<'_>,
    reasons: &mut Vec<Reason>,
) {
    let module = scope.modules.get(id);
    let symbol = import.symbol;
    if offer.has_crcs {
        let fault = check_version(scope, module, import.version, offer.crc);
        reasons.extend(fault.map(|fault| fault.reason(Some(symbol), offer.exporter)));
    }
    if let Some(namespace) = offer.namespace {
        if !may_use(scope, module, namespace) {
            reasons.push(Reason::NamespaceNotImported {
                symbol,
                exporter: offer.exporter,
                namespace: namespace.into(),
            });
        }
    }
}

/// `verify_namespace_is_imported`.
fn may_use(scope: &Scope<'_>, module: &Module, namespace: &[u8]) -> bool {
    let mut imported = module.import_ns.iter();
    namespace::names_module(namespace, &module.name)
        || imported.any(|space| scope.modules.symbol(*space) == namespace)
        || scope.rules.allows_missing_imports
}

/// What is wrong with the CRC that a module expects.
pub(crate) enum VersionFault {
    /// It is another.
    Differs {
        expected: Option<Crc>,
        found: Option<Crc>,
    },
    /// The module names none.
    Missing,
}

impl VersionFault {
    pub(crate) fn reason(self, symbol: Option<NameId>, exporter: Exporter) -> Reason {
        match self {
            Self::Differs { expected, found } => Reason::CrcDiffers {
                symbol,
                exporter,
                expected,
                found,
            },
            Self::Missing => Reason::NoCrc { symbol, exporter },
        }
    }
}

/// linux/kernel/module/version.c, `check_version`.
pub(crate) fn check_version(
    scope: &Scope<'_>,
    module: &Module,
    version: Version,
    found: Option<Crc>,
) -> Option<VersionFault> {
    if !scope.rules.modversions {
        return None;
    }
    let tables = module.version_tables;
    match version {
        Version::Listed(expected) if expected == found => None,
        Version::Listed(expected) => Some(VersionFault::Differs { expected, found }),
        // The kernel only warns where a name is missing in the extended sections.
        Version::Unlisted if tables.extended => None,
        Version::Unlisted if !tables.basic && scope.rules.forces => None,
        Version::Unlisted => Some(VersionFault::Missing),
    }
}
