//! modules.dep: the path of each module and of everything it needs, users before what they use.

use super::texts::Texts;
use crate::dependencies::Dependencies;
use crate::module_file::ModuleFile;

/// A line for each module, with its line feed.
pub(crate) fn lines(files: &[ModuleFile], dependencies: &Dependencies) -> Texts {
    let mut lines = Texts::default();
    let mut closures = dependencies.closures();
    for (module, file) in files.iter().enumerate() {
        let needs = closures.of(module).iter();
        let needs = needs.filter_map(|&needed| files.get(needed));
        lines.push_with(|line| {
            line.extend_from_slice(file.shown());
            line.push(b':');
            for file in needs {
                line.push(b' ');
                line.extend_from_slice(file.shown());
            }
            line.push(b'\n');
            Some(())
        });
    }
    lines
}
