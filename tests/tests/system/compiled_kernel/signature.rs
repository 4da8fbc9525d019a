//! Turns a signed module into its content and the signature at its end, and asks OpenSSL whether
//! one belongs to the other.
//!
//! The end of a module is the signature in PKCS#7, `struct module_signature` and [`MAGIC`]: see
//! include/linux/module_signature.h and scripts/sign-file.c in the kernel sources.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use kmpkit_tests::tools::{run, tool};

const MAGIC: &[u8] = b"~Module signature appended~\n";
/// Eight bytes about kind and names, then the length of the signature, big-endian.
const TRAILER: usize = 12;
/// `PKEY_ID_PKCS7`, the third byte.
const PKCS7: u8 = 2;

/// A module taken apart.
pub(super) struct Signed {
    /// What was signed.
    pub(super) content: Vec<u8>,
    signature: Vec<u8>,
}

impl Signed {
    /// Takes apart a module in xz compression.
    pub(super) fn read(module: &Path) -> Result<Signed> {
        let output = tool("xz")?.arg("-dc").arg(module).output()?;
        ensure!(output.status.success(), "{}: no xz", module.display());
        Signed::split(&output.stdout).with_context(|| module.display().to_string())
    }

    fn split(bytes: &[u8]) -> Result<Signed> {
        let bytes = bytes.strip_suffix(MAGIC).context("not signed")?;
        let (bytes, trailer) = bytes
            .split_last_chunk::<TRAILER>()
            .context("too short for a signature")?;
        let [_, _, kind, _, _, _, _, _, length @ ..] = *trailer;
        ensure!(kind == PKCS7, "a signature of kind {kind}");
        let length = usize::try_from(u32::from_be_bytes(length))?;
        let (content, signature) = bytes
            .len()
            .checked_sub(length)
            .and_then(|end| bytes.split_at_checked(end))
            .context("a signature longer than the module")?;
        Ok(Signed {
            content: content.to_vec(),
            signature: signature.to_vec(),
        })
    }

    /// Fails unless the key of this certificate, in DER, signed the content.
    pub(super) fn verify(&self, certificate: &Path) -> Result<()> {
        let directory = tempfile::tempdir()?;
        let (content, signature) = (directory.path().join("ko"), directory.path().join("p7s"));
        fs::write(&content, &self.content)?;
        fs::write(&signature, &self.signature)?;
        // The certificate signs itself and is for nothing but modules, so what is verified is the
        // signature alone (-noverify).
        let mut openssl = tool("openssl")?;
        openssl.args(["cms", "-verify", "-binary", "-noverify", "-nointern"]);
        openssl.args(["-inform", "DER", "-in"]).arg(signature);
        openssl.arg("-content").arg(content);
        openssl.arg("-certfile").arg(certificate);
        run(openssl.args(["-out", "/dev/null"])).map(drop)
    }
}
