//! The table of dependency generators. A new kind of tags is a new row here.
//!
//! From the table come programs, command lines, manual pages, file attributes, what rpm's Lua knows
//! of generators, and what `make install` installs. Order counts: rpm's Lua runs generators in it.

use deptag::{Dialect, TagBuffer};
use policy::TagKind;

use crate::Error;
use crate::file_set::{FileSet, KERNELS};
use crate::generator::{
    Generator, GeneratorOutput, OutputOption, Prints, ReadModule, TagTypes, TagWriter,
};
use crate::kernel::kernel_tags;
use crate::softdeps::has_softdeps;

/// All dependency generators.
pub static GENERATORS: &[Generator] = &[
    Generator {
        name: "ksym-provides",
        summary: "Print what a kernel module or kernel provides",
        description: "\
For a module it prints kmod(), kmod-alias() for each alias that names no hardware and is no pattern \
and, for each symbol the module exports, ksym() with the symbol's CRC; in the redhat dialect kernel() \
for modules of the kernel's own tree. For a kernel image or symvers file it prints the kernel's \
release and flavor, kmod() and kmod-alias() for each module that is linked in, and ksym() or kernel() \
for each symbol that the kernel exports.",
        prints: Prints::Outputs(&[GeneratorOutput {
            option: OutputOption::Default,
            types: TagTypes::Same(TagKind::Provides),
            writers: &[
                TagWriter::Module(|file, tags| {
                    deptag::provided(file.name, file.rules, tags);
                    deptag::aliases(file.module, file.rules, tags);
                    Ok(deptag::exports(file.module, file.rules, tags)?)
                }),
                TagWriter::File(&KERNELS, kernel_tags),
            ],
        }]),
        replaces: &[
            ("kmp", TagKind::Provides),
            ("kernel", TagKind::Provides),
            ("provided_ksyms", TagKind::Provides),
            ("kabi", TagKind::Provides),
        ],
    },
    Generator {
        name: "ksym-requires",
        summary: "Print the symbols a kernel module requires",
        description: "\
For each symbol that a module imports it prints ksym() with the CRC the module was built against; in \
the redhat dialect kernel() if the kernel or a module of its tree exports the symbol with that CRC. \
A module of a kernel without modversions requires exactly the kernelrelease it was built for.",
        prints: Prints::Outputs(&[GeneratorOutput {
            option: OutputOption::Default,
            types: TagTypes::Same(TagKind::Requires),
            writers: &[TagWriter::Module(|file, tags| {
                let in_tree = match file.rules.dialect {
                    Dialect::Suse => None,
                    Dialect::RedHat => file.symvers.of_kernel(file.module, file.path)?,
                };
                let symbols = in_tree.as_ref().map(|kernel| &kernel.symbols);
                let made = deptag::imports(file.module, file.rules, symbols, tags);
                made.map_err(|error| {
                    file.symvers
                        .import_error(file.path, in_tree.as_deref(), error)
                })
            })],
        }]),
        replaces: REPLACED_REQUIRES,
    },
    Generator {
        name: "depmod-requires",
        summary: "Print the modules a kernel module depends on",
        description: "\
It prints kmod() for each module that the depends= of a module names. With --recommends it prints \
what its softdep= names instead, with --suggests what its weakdep= names: a module or an alias, as \
for modprobe. With --softdeps it knows all modules of a kernel. Then it prints kmod() of the module \
that such a name leads to, as Requires where modprobe loads that module first, and nothing for a name \
that leads nowhere.",
        prints: Prints::Outputs(&[
            GeneratorOutput {
                option: OutputOption::Default,
                types: TagTypes::Same(TagKind::Requires),
                writers: &[TagWriter::Module(|file, tags| {
                    deptag::depends(file.module, file.rules, tags);
                    softdeps(file, TagKind::Requires, tags).map(drop)
                })],
            },
            GeneratorOutput {
                option: OutputOption::Flag {
                    name: "recommends",
                    help: "Print soft dependencies (softdep=) instead",
                },
                types: TagTypes::Same(TagKind::Recommends),
                writers: &[TagWriter::Module(|file, tags| {
                    if !softdeps(file, TagKind::Recommends, tags)? {
                        deptag::recommends(file.module, file.rules, tags);
                    }
                    Ok(())
                })],
            },
            GeneratorOutput {
                option: OutputOption::Flag {
                    name: "suggests",
                    help: "Print weak dependencies (weakdep=) instead",
                },
                types: TagTypes::Same(TagKind::Suggests),
                writers: &[TagWriter::Module(|file, tags| {
                    if !softdeps(file, TagKind::Suggests, tags)? {
                        deptag::suggests(file.module, file.rules, tags);
                    }
                    Ok(())
                })],
            },
        ]),
        replaces: REPLACED_REQUIRES,
    },
    Generator {
        name: "modalias-supplements",
        summary: "Print the hardware a kernel module drives",
        description: "\
For each alias of a module that names hardware it prints modalias(). In the suse dialect that is a \
Supplements, by which zypper installs the driver where the hardware is; in the redhat dialect it is \
a Provides. Patterns that differ in one character are combined. It prints nothing for a module \
whose policy is hardware = false.",
        prints: Prints::Outputs(&[GeneratorOutput {
            option: OutputOption::Default,
            types: TagTypes::ByDialect {
                suse: TagKind::Supplements,
                redhat: TagKind::Provides,
            },
            writers: &[TagWriter::ModuleWithPolicy(|file, policy, tags| {
                if let Some((false, rule)) = policy.hardware {
                    let path = file.path.display();
                    log::debug!("{path}: no hardware tags, because of {rule}");
                    return Ok(());
                }
                Ok(deptag::hardware(file.module, file.rules, tags)?)
            })],
        }]),
        replaces: &[
            ("kmp", TagKind::Supplements),
            ("kernel", TagKind::Supplements),
            ("modalias", TagKind::Provides),
        ],
    },
    Generator {
        name: "policy-tags",
        summary: "Print the tags a policy adds to a kernel module",
        description: "\
It prints the tags of one type that the policy, kmp-policy(5), has for a module; with --type \
provides also kmod-initrd() if initrd is true there. It does not open the modules.",
        prints: Prints::AnyType(&[TagWriter::Policy(|module, policy, kind, tags| {
            let added = policy.tags.get(&kind).map(|(added, _)| *added);
            for tag in added.unwrap_or_default() {
                tags.add_text(tag);
            }
            if let (TagKind::Provides, Some((true, _))) = (kind, policy.initrd) {
                deptag::initrd(module.name, module.rules, tags);
            }
        })]),
        replaces: &[],
    },
];

/// Adds the tags of one type that a module's softdeps and weakdeps lead to. Returns whether that is
/// known.
fn softdeps(file: &ReadModule<'_, '_>, kind: TagKind, tags: &mut TagBuffer) -> Result<bool, Error> {
    // Without the file nothing has to be known of the module, which takes its time.
    if !file.softdeps.is_given() {
        return Ok(false);
    }
    if !has_softdeps(file.module) {
        return Ok(true);
    }
    let Some(softdeps) = file.softdeps.of(file.path, file.name)? else {
        return Ok(false);
    };
    for softdep in softdeps.iter().filter(|softdep| softdep.kind == kind) {
        deptag::provided(softdep.module.as_bytes(), file.rules, tags);
    }
    Ok(true)
}

/// SUSE and Red Hat have one generator each for symbols and modules that a module requires.
const REPLACED_REQUIRES: &[(&str, TagKind)] = &[
    ("kmp", TagKind::Requires),
    ("kernel", TagKind::Requires),
    ("required_ksyms", TagKind::Requires),
];

/// The outputs of all generators: all tags of a file.
pub fn all_outputs() -> Vec<GeneratorOutput> {
    GENERATORS.iter().flat_map(Generator::outputs).collect()
}

/// The files that rpm asks any generator about.
pub fn file_sets() -> Vec<&'static FileSet> {
    let mut sets: Vec<&'static FileSet> = Vec::new();
    for set in GENERATORS.iter().flat_map(Generator::file_sets) {
        if !sets.iter().any(|known| known.name == set.name) {
            sets.push(set);
        }
    }
    sets
}
