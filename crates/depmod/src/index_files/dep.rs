//! modules.dep: the path of each module and of everything it needs, users before what they use.

use id_table::Table;

use super::module_texts::ModuleTexts;
use crate::dependencies::Dependencies;
use crate::module::ModuleNumber;
use crate::module_path::ModulePath;

/// A line for each module, with its line feed.
pub(super) fn lines(
    modules: &Table<ModuleNumber, ModulePath>,
    dependencies: &Dependencies,
) -> ModuleTexts {
    let mut lines = ModuleTexts::default();
    let mut closures = dependencies.closures();
    for (number, module) in modules.iter() {
        let needs = closures.of(number);
        lines.push_with(number, |line| {
            line.extend_from_slice(module.in_indexes());
            line.push(b':');
            for &needed in needs {
                line.push(b' ');
                line.extend_from_slice(modules[needed].in_indexes());
            }
            line.push(b'\n');
            Some(())
        });
    }
    lines
}
