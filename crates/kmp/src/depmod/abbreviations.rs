//! Completes abbreviated long options as getopt does for kmod, so that an option of ours makes none
//! ambiguous that kmod understands.

use std::ffi::OsString;

use depmod::Compat;

/// The long options of either version (kmod/tools/depmod.c, `cmdopts`).
const OF_BOTH: [&str; 14] = [
    "all",
    "basedir",
    "config",
    "dry-run",
    "errsyms",
    "filesyms",
    "help",
    "quick",
    "show",
    "symbol-prefix",
    "symvers",
    "verbose",
    "version",
    "warn",
];
const OF_34: [&str; 2] = ["moduledir", "outdir"];
const OF_30: [&str; 4] = ["map", "quiet", "root", "unresolved-error"];
/// Ours.
const OWN: [&str; 4] = ["changed", "compat", "full", "store"];

/// The command line with whole names of options, and whose options they are.
pub(super) fn complete(args: Vec<OsString>) -> (Vec<OsString>, Compat) {
    let compat = match is_compat_30(&args) {
        true => Compat::Kmod30,
        false => Compat::Kmod34,
    };
    let mut is_option = true;
    let args = args.into_iter().map(|arg| {
        is_option &= arg != "--";
        match is_option.then(|| completed(&arg, compat)).flatten() {
            Some(whole) => whole,
            None => arg,
        }
    });
    (args.collect(), compat)
}

/// An argument with a whole name instead of an abbreviated one.
fn completed(arg: &OsString, compat: Compat) -> Option<OsString> {
    let text = arg.to_str()?.strip_prefix("--")?;
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    let whole = whole(name, compat)?;
    Some(match value {
        Some(value) => format!("--{whole}={value}").into(),
        None => format!("--{whole}").into(),
    })
}

/// The option that a name stands for; one of ours only if it can be none of kmod's.
fn whole(name: &str, compat: Compat) -> Option<&'static str> {
    let of_one: &[&str] = match compat {
        Compat::Kmod34 => &OF_34,
        Compat::Kmod30 => &OF_30,
    };
    let theirs = || OF_BOTH.iter().chain(of_one).copied();
    if let Some(exact) = theirs().chain(OWN).find(|option| *option == name) {
        return Some(exact);
    }
    let begin = |option: &&str| option.starts_with(name);
    match theirs().any(|option| begin(&option)) {
        true => only(theirs().filter(begin)),
        false => only(OWN.into_iter().filter(begin)),
    }
}

fn only<T>(mut found: impl Iterator<Item = T>) -> Option<T> {
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// Whether --compat 30 is among the options, which decides what other options there are.
fn is_compat_30(args: &[OsString]) -> bool {
    let options = args.iter().take_while(|arg| *arg != "--");
    let mut before = None;
    let mut compat = false;
    for arg in options {
        let arg = completed(arg, Compat::Kmod34).unwrap_or_else(|| arg.clone());
        match before {
            Some(name) if name == "--compat" => compat = arg == "30",
            _ if arg == "--compat=30" => compat = true,
            _ if arg == "--compat=34" => compat = false,
            _ => {}
        }
        before = Some(arg);
    }
    compat
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(words: &str) -> (String, Compat) {
        let words = words.split(' ').map(OsString::from).collect();
        let (words, compat) = complete(words);
        let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
        (words.join(" "), compat)
    }

    #[test]
    fn names_are_completed_as_if_ours_were_not_there() {
        for (given, whole) in [
            (
                "depmod --f x --c=y --sh",
                "depmod --filesyms x --config=y --show",
            ),
            ("depmod --co x --comp 34", "depmod --config x --compat 34"),
            (
                "depmod --full --fu --st=d --ch",
                "depmod --full --full --store=d --changed",
            ),
            ("depmod --q -- --q", "depmod --quick -- --q"),
            // getopt refuses these, and so does clap.
            ("depmod --s --ver --sy", "depmod --s --ver --sy"),
            ("depmod --nonsense -b --", "depmod --nonsense -b --"),
        ] {
            assert_eq!(line(given), (whole.to_owned(), Compat::Kmod34), "{given}");
        }
    }

    #[test]
    fn the_version_decides_which_options_there_are() {
        for given in ["depmod --comp 30 --m --un", "depmod --m --com=30 --un"] {
            let (whole, compat) = line(given);
            assert!(
                whole.contains(" --map ") && whole.ends_with("--unresolved-error"),
                "{whole}"
            );
            assert_eq!(compat, Compat::Kmod30);
        }
        assert_eq!(
            line("depmod --m x --compat 30 --compat 34").1,
            Compat::Kmod34
        );
    }
}
