//! Writes the synopsis of a command, with the values of its options.

use clap::{Arg, ArgAction, Command};

use crate::page::escaped;

/// The command with its options and arguments, in roff.
pub fn synopsis(command: &Command) -> String {
    let called = command.get_bin_name().unwrap_or_else(|| command.get_name());
    let mut words = vec![format!("\\fB{}\\fR", escaped(called))];
    let shown = |arg: &&Arg| {
        !arg.is_hide_set()
            && !matches!(
                arg.get_action(),
                ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
            )
    };
    words.extend(command.get_opts().filter(shown).map(option));
    let flags = command.get_arguments().filter(|arg| !arg.is_positional());
    let flags = flags.filter(|arg| !arg.get_action().takes_values());
    words.extend(flags.filter(shown).map(option));
    words.extend(command.get_positionals().filter(shown).map(positional));
    if command.get_subcommands().any(|one| !one.is_hide_set()) {
        words.push("\\fISUBCOMMAND\\fR".to_owned());
        words.push("[\\fIARGUMENT\\fR ...]".to_owned());
    }
    words.join("\n")
}

fn option(arg: &Arg) -> String {
    let long = arg
        .get_long()
        .map(|long| format!("\\fB\\-\\-{}\\fR", escaped(long)));
    let short = arg.get_short().map(|short| format!("\\fB\\-{short}\\fR"));
    let mut text = long.or(short).unwrap_or_default();
    if arg.get_action().takes_values() {
        text += &format!("\u{a0}{}", values(arg)).replace('\u{a0}', "\\ ");
    }
    let repeated = match arg.get_action() {
        ArgAction::Append | ArgAction::Count => " ...",
        _ => "",
    };
    match arg.is_required_set() {
        true => text + repeated,
        false => format!("[{text}]{repeated}"),
    }
}

fn positional(arg: &Arg) -> String {
    let many = arg
        .get_num_args()
        .is_some_and(|range| range.max_values() > 1);
    let many = many || matches!(arg.get_action(), ArgAction::Append);
    let text = values(arg) + if many { " ..." } else { "" };
    match arg.is_required_set() {
        true => text,
        false => format!("[{text}]"),
    }
}

fn values(arg: &Arg) -> String {
    let names = arg.get_value_names().unwrap_or_default();
    let names: Vec<_> = names
        .iter()
        .map(|name| format!("\\fI{}\\fR", escaped(name)))
        .collect();
    match names.is_empty() {
        true => format!("\\fI{}\\fR", escaped(&arg.get_id().as_str().to_uppercase())),
        false => names.join(" "),
    }
}
