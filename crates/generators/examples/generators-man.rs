//! Writes the manual pages of the generators into a directory: one of each, and kmpkit-generators(7).

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use command_docs::{PageParts, write_pages};
use deptag::Dialect;
use generators::command;
use tagging::{GENERATORS, Generator, OutputOption, Prints};

fn main() -> Result<()> {
    let directory = std::env::args_os().nth(1).map(PathBuf::from);
    let directory = directory.context("usage: generators-man DIRECTORY")?;
    for generator in GENERATORS {
        write_pages(command(generator), &|_| Some(PARTS), &directory)?;
    }
    let page = directory.join("kmpkit-generators.7");
    fs::write(&page, overview()).with_context(|| page.display().to_string())
}

/// What the pages of all generators have beside their options.
const PARTS: PageParts = PageParts {
    examples: &[
        (
            "The tags of a module:",
            "find /lib/modules/$(uname -r) -name \'e1000e.ko*\' | /usr/lib/rpm/modalias-supplements",
        ),
        (
            "The same, in the grammar of Red Hat:",
            "find /lib/modules/$(uname -r) -name \'e1000e.ko*\' | \\\n    /usr/lib/rpm/ksym-requires --dialect redhat",
        ),
    ],
    exit_status: "0 if all went well, 1 if a file cannot be read. Then stdout has a line that rpm refuses, \
                  because rpm does not look at the exit status.",
    environment: &[
        (
            "RPM_BUILD_ROOT",
            "The directory that is the root of the paths. rpm sets it.",
        ),
        (
            "RUST_LOG",
            "Which messages are shown: error, warn (the default), info or debug.",
        ),
    ],
    see_also: &["kmpkit-generators(7)", "kmpkit-macros(7)", "kmp-policy(5)"],
};

/// The page about all generators.
fn overview() -> String {
    let mut page = String::from(
        "'\\\" t\n.TH KMPKIT-GENERATORS 7 \"\" kmpkit\n\
         .SH NAME\nkmpkit-generators \\- dependency generators for kernel modules and kernels\n\
         .SH DESCRIPTION\n\
         rpmbuild runs these programs on the files of a package, and adds the tags they print.\n\
         .BR kmpkit-macros (7)\nhas the macros that set how tags look.\n\
         .TS\nl l l.\nprogram\tprints\tfiles\n_\n",
    );
    for generator in GENERATORS {
        for (option, types) in rows(generator) {
            let files = files(generator);
            let call = format!("{} {option}", generator.name);
            // Writing to a String cannot fail.
            let _ = writeln!(page, "{}\t{types}\t{files}", escaped(call.trim_end()));
        }
    }
    page.push_str(".TE\n.PP\n");
    for generator in GENERATORS {
        let (name, description) = (escaped(generator.name), escaped(generator.description));
        let _ = write!(page, ".TP\n.BR {name} (1)\n{description}\n");
    }
    page.push_str(
        ".SH FILES\nAll are hard links to one program in %{_rpmconfigdir}.\n.PP\n\
         %{_rpmconfigdir}/fileattrs has a file attribute for each, named like it with _ for \\-, that \
         says\nwhich files it is run on.\n\
         .SH SEE ALSO\n.BR kmpkit-macros (7),\n.BR kmp-policy (5),\n.BR rpm-dependency-generators (7)\n",
    );
    page
}

/// An option that asks for an output, and the types of its tags.
fn rows(generator: &Generator) -> Vec<(String, String)> {
    if let Prints::AnyType(_) = generator.prints {
        return vec![("--type TYPE".to_owned(), "any type".to_owned())];
    }
    let row = |output: &tagging::GeneratorOutput| {
        let option = match output.option {
            OutputOption::Flag { name, .. } => format!("--{name}"),
            OutputOption::Default | OutputOption::Type(_) => String::new(),
        };
        let [suse, redhat] =
            [Dialect::Suse, Dialect::RedHat].map(|dialect| output.types.of(dialect));
        let types = match suse == redhat {
            true => suse.as_str().to_owned(),
            false => format!("{}, {}", suse.as_str(), redhat.as_str()),
        };
        (option, types)
    };
    generator.outputs().iter().map(row).collect()
}

fn files(generator: &Generator) -> String {
    let names: Vec<_> = generator.file_sets().iter().map(|set| set.name).collect();
    names.join(", ")
}

fn escaped(text: &str) -> String {
    text.replace('-', "\\-")
}
