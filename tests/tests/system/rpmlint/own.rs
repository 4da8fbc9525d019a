//! Turns the packages of `make rpm` into what rpmlint says of them.

use anyhow::Result;
use kmpkit_tests::system;

use crate::rpmlint::{Known, findings, gone};

const KNOWN: &Known = &[
    (
        "invalid-license",
        "Debian's rpmlint has an empty list of licences; GPL-2.0-or-later is SPDX",
    ),
    (
        "invalid-shell-in-%preun",
        "kmp-trigger is what runs triggers, in roots that have no shell",
    ),
    ("invalid-shell-in-%transfiletrigger", "the same"),
    (
        "manpage-not-compressed",
        "distributions compress manual pages, Debian's rpm does not",
    ),
    (
        "no-changelogname-tag",
        "who builds the packages writes their changelog",
    ),
    (
        "no-group-tag",
        "rpm does not ask for it any more, and no installer shows packages by it",
    ),
    (
        "no-manual-page-for-binary",
        "they are not looked for uncompressed; that of kmp-trigger is kmpkit-triggers(7)",
    ),
    (
        "no-packager-tag",
        "who builds the packages says who packages them, and signs them",
    ),
    ("no-signature", "the same"),
    ("no-url-tag", "there is no home page"),
    (
        "position-independent-executable-suggested",
        "generators run in builds alone, thousands of times, and relocations would take 5 % of a start",
    ),
    (
        "statically-linked-binary",
        "kmp runs in roots without a libc, and generators take a quarter less time so",
    ),
];

#[test]
fn packages_of_the_checkout() -> Result<()> {
    gone(&findings(system::packages()?, None, KNOWN)?, KNOWN)
}
