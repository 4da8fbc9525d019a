//! Writes the manual pages of kmp-split into a directory, and its completions into another one.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::CommandFactory;
use command_docs::{PageParts, write_completions, write_pages};

fn main() -> Result<()> {
    let mut directories = std::env::args_os().skip(1).map(PathBuf::from);
    let usage = "usage: kmp-split-man PAGES COMPLETIONS";
    let pages = directories.next().context(usage)?;
    let completions = directories.next().context(usage)?;
    write_pages(kmp_split::Cli::command(), &parts, &pages)?;
    write_completions(kmp_split::Cli::command(), "kmp-split", &completions)
}

const EXIT_STATUS: &str =
    "0 if all went well, 1 if not. Then stderr says why, and stdout is empty.";
const INTO_SPEC: &str = "0 if all went well, 1 if not. Then stderr says why. If stdout is no terminal, it gets \
    a line that is an error anywhere in a spec, because rpm does not look at the exit status of %(...).";
const LOG: (&str, &str) = (
    "RUST_LOG",
    "Which messages are shown: error, warn (the default), info or debug.",
);
const ENVIRONMENT: &[(&str, &str)] = &[LOG];
const SEE_ALSO: &[&str] = &[
    "kmp-split(1)",
    "kmp-policy(5)",
    "kmp-plan(5)",
    "kmpkit-macros(7)",
];

fn parts(page: &str) -> Option<PageParts> {
    let of = |examples| PageParts {
        examples,
        exit_status: EXIT_STATUS,
        environment: ENVIRONMENT,
        see_also: SEE_ALSO,
    };
    Some(match page {
        "kmp-split" => PageParts {
            see_also: &[
                "kmp-split-plan(1)",
                "kmp-split-explain(1)",
                "kmp-split-diff(1)",
                "kmp-split-report(1)",
                "kmp-policy(5)",
                "kmpkit-macros(7)",
            ],
            ..of(&[(
                "Look at what the default policy makes of a kernel:",
                "kmp-split plan /path/to/tree",
            )])
        },
        "kmp-split-plan" => of(&[
            (
                "The packages, the largest first, and what a laptop installs:",
                "kmp-split plan /path/to/tree --sort size \\\n    --machine /usr/share/kmpkit/machines/laptop-amd.modalias",
            ),
            (
                "The plan with a policy of one\'s own, for the next build and for kmp-split diff:",
                "kmp-split plan /path/to/tree --policy my.toml --json > plan.json",
            ),
        ]),
        "kmp-split-explain" => of(&[
            (
                "A module, a package, and what a device asks for:",
                "kmp-split explain /path/to/tree e1000e usb-usbcore-kmp-default pci:v00008086d000015B7sv0sd0bc02sc00i00",
            ),
            (
                "Everything below a directory, for another program:",
                "kmp-split explain /path/to/tree kernel/net/netfilter/ --json",
            ),
        ]),
        "kmp-split-diff" => of(&[
            (
                "What an update of the kernel changes:",
                "kmp-split diff plan-of-last-build.json /path/to/new/tree",
            ),
            (
                "What another policy changes:",
                "kmp-split plan /path/to/tree --json > old.json\n\
                 kmp-split plan /path/to/tree --policy my.toml --json > new.json\n\
                 kmp-split diff old.json new.json",
            ),
        ]),
        "kmp-split-machine" => of(&[(
            "A list of this machine\'s hardware, for a plan on another one:",
            "kmp-split machine > this.modalias",
        )]),
        "kmp-split-report" => of(&[(
            "A page to look at, with two machines:",
            "kmp-split report /path/to/tree --html plan.html --machine laptop.modalias --machine server.modalias",
        )]),
        "kmp-split-tree" => PageParts {
            exit_status: INTO_SPEC,
            ..of(&[(
                "Which files of a tree would be packaged:",
                "kmp-split tree /path/to/tree",
            )])
        },
        "kmp-split-spec" => PageParts {
            exit_status: INTO_SPEC,
            ..of(&[(
                "The subpackages as a spec has them:",
                "kmp-split spec /path/to/tree --lists /path/to/lists",
            )])
        },
        "kmp-split-lists" => PageParts {
            environment: &[
                (
                    "RPM_BUILD_ROOT",
                    "The buildroot of the rpmbuild that runs. rpm sets it. Only this directory is changed \
                     without --force.",
                ),
                LOG,
            ],
            ..of(&[(
                "Try on a copy what %kmp_split does:",
                "cp -a /path/to/tree copy\n\
                 kmp-split lists /path/to/tree --buildroot copy --lists lists --force",
            )])
        },
        "kmp-split-tags" => of(&[(
            "All tags of a buildroot:",
            "kmp-split tags /path/to/buildroot --into tags",
        )]),
        _ => return None,
    })
}
