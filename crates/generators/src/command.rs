//! Makes the command line of a generator from its row of the table.

use std::str::FromStr;

use clap::{Arg, ArgAction, ArgMatches, Args, Command};
use policy::TagKind;
use tagging::{Generator, GeneratorOutput, OutputOption, Prints};

use crate::options::{CommonOptions, ERRORS};

/// The option of a generator that prints tags of any type.
const TYPE: &str = "type";

/// The command line of a generator.
pub fn command(generator: &Generator) -> Command {
    let about = format!(
        "{}\n\nReads paths on stdin, one a line. {}",
        generator.summary, generator.description
    );
    // The options come first, for their own description would replace that of the generator.
    let command = CommonOptions::augment_args(Command::new(generator.name))
        .version(env!("CARGO_PKG_VERSION"))
        .about(generator.summary)
        .long_about(about)
        .after_long_help(ERRORS);
    match generator.prints {
        Prints::Outputs(outputs) => command.args(flags(outputs)),
        Prints::AnyType(_) => command.arg(type_option()),
    }
}

/// The output that a command line asks for. It is the default one without an option.
pub(crate) fn output(generator: &Generator, matches: &ArgMatches) -> Option<GeneratorOutput> {
    let is_asked_for = |output: &GeneratorOutput| match output.option {
        OutputOption::Default => false,
        OutputOption::Flag { name, .. } => matches.get_flag(name),
        OutputOption::Type(kind) => matches.get_one(TYPE) == Some(&kind),
    };
    let outputs = generator.outputs();
    let asked_for = outputs.iter().copied().find(is_asked_for);
    asked_for.or_else(|| outputs.first().copied())
}

fn flags(outputs: &'static [GeneratorOutput]) -> Vec<Arg> {
    let flag = |output: &GeneratorOutput| match output.option {
        OutputOption::Flag { name, help } => Some((name, help)),
        OutputOption::Default | OutputOption::Type(_) => None,
    };
    let flags: Vec<_> = outputs.iter().filter_map(flag).collect();
    let others = |name: &str| -> Vec<_> {
        let names = flags.iter().map(|(name, _)| *name);
        names.filter(|other| *other != name).collect()
    };
    let arg = |&(name, help): &(&'static str, &'static str)| {
        let arg = Arg::new(name).long(name).help(help);
        arg.action(ArgAction::SetTrue)
            .conflicts_with_all(others(name))
    };
    flags.iter().map(arg).collect()
}

fn type_option() -> Arg {
    let names = TagKind::ALL.map(|kind| kind.as_str().to_ascii_lowercase());
    Arg::new(TYPE)
        .long(TYPE)
        .value_name("TYPE")
        .required(true)
        .value_parser(TagKind::from_str)
        .help(format!("The type of the tags: {}", names.join(", ")))
}
