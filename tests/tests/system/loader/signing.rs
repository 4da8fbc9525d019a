//! Signs modules by a key that no kernel knows.

use std::fs;

use anyhow::Result;
use kmpkit_tests::tools::{run, tool};

/// The module with a signature behind it, as scripts/sign-file.c of the kernel makes it.
pub(super) fn signed(module: &[u8]) -> Result<Vec<u8>> {
    let directory = tempfile::tempdir()?;
    let path = |name: &str| directory.path().join(name);
    fs::write(path("module"), module)?;
    run(tool("openssl")?
        .args(["req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes"])
        .args(["-subj", "/CN=a key of nobody/", "-days", "1"])
        .args(["-keyout", "key", "-out", "certificate"])
        .current_dir(directory.path()))?;
    run(tool("openssl")?
        .args([
            "cms",
            "-sign",
            "-binary",
            "-noattr",
            "-nosmimecap",
            "-nocerts",
        ])
        .args(["-md", "sha256", "-signer", "certificate", "-inkey", "key"])
        .args(["-in", "module", "-outform", "DER", "-out", "signature"])
        .current_dir(directory.path()))?;
    let signature = fs::read(path("signature"))?;
    let size = u32::try_from(signature.len())?.to_be_bytes();
    let kind = [0, 0, 2, 0, 0, 0, 0, 0];
    let mark = b"~Module signature appended~\n";
    Ok([module, &signature, &kind, &size, mark].concat())
}
