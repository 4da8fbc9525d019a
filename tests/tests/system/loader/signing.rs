//! Signs modules, by the key of a kernel or by one that no kernel knows.

use std::fs;
use std::path::Path;

use anyhow::Result;
use kmpkit_tests::tools::{run, tool};

/// The module with a signature behind it, as scripts/sign-file.c of the kernel makes it, by the key
/// and certificate in a file or by new ones.
pub(super) fn signed(module: &[u8], key: Option<&Path>) -> Result<Vec<u8>> {
    let directory = tempfile::tempdir()?;
    let path = |name: &str| directory.path().join(name);
    fs::write(path("module"), module)?;
    match key {
        Some(key) => drop(fs::copy(key, path("key"))?),
        None => new_key(directory.path())?,
    }
    run(tool("openssl")?
        .args([
            "cms",
            "-sign",
            "-binary",
            "-noattr",
            "-nosmimecap",
            "-nocerts",
        ])
        .args(["-md", "sha256", "-signer", "key", "-inkey", "key"])
        .args(["-in", "module", "-outform", "DER", "-out", "signature"])
        .current_dir(directory.path()))?;
    let signature = fs::read(path("signature"))?;
    let size = u32::try_from(signature.len())?.to_be_bytes();
    let kind = [0, 0, 2, 0, 0, 0, 0, 0];
    let mark = b"~Module signature appended~\n";
    Ok([module, &signature, &kind, &size, mark].concat())
}

/// A key and a certificate for it, in one file.
fn new_key(directory: &Path) -> Result<()> {
    run(tool("openssl")?
        .args(["req", "-new", "-x509", "-newkey", "rsa:2048", "-nodes"])
        .args(["-subj", "/CN=a key of nobody/", "-days", "1"])
        .args(["-keyout", "key", "-out", "certificate"])
        .current_dir(directory))?;
    let certificate = fs::read(directory.join("certificate"))?;
    let key = fs::read(directory.join("key"))?;
    Ok(fs::write(
        directory.join("key"),
        [key, certificate].concat(),
    )?)
}
