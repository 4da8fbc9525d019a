//! Reads who signed a module from the signature behind it.
//!
//! It is SignedData of PKCS#7 (RFC 5652) without certificates: each signer names its key by issuer
//! and serial number of a certificate, or by the key's identifier. Whether the signature is right is
//! not looked at.

use crate::appended::Trailer;
use crate::bytes::Ahead;
use crate::der::{INTEGER, OBJECT_IDENTIFIER, SEQUENCE, SET, Values, context, primitive_context};
use crate::error::{Problem, Result};

/// `PKEY_ID_PKCS7`.
const PKCS7: u8 = 2;

/// 1.2.840.113549.1.7.2.
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];

/// The signature behind a module, as far as the kernel could read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signature {
    /// Of a kind the kernel knows; who signed.
    Pkcs7(Vec<SignerId>),
    /// Of a kind the kernel does not know.
    Unsupported,
}

/// The key that signed a module, as the signature names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SignerId {
    /// By its certificate: the issuer in DER, and the bytes of the serial number.
    Certificate {
        /// The distinguished name of the issuer, in DER.
        issuer: Box<[u8]>,
        /// The serial number.
        serial: Box<[u8]>,
    },
    /// By the subject key identifier.
    Key(Box<[u8]>),
}

pub(crate) fn is_appended(bytes: Ahead<'_>) -> Result<bool> {
    Ok(Trailer::before(bytes, bytes.size())?.is_some())
}

/// The signature; `None` for a module without.
///
/// # Errors
/// The kernel would take the file for damaged (linux/kernel/module_signature.c, `mod_check_sig`,
/// and linux/crypto/asymmetric_keys/pkcs7_parser.c).
pub(crate) fn signature(bytes: Ahead<'_>) -> Result<Option<Signature>> {
    let Some(trailer) = Trailer::before(bytes, bytes.size())? else {
        return Ok(None);
    };
    if trailer.kind != PKCS7 {
        return Ok(Some(Signature::Unsupported));
    }
    let others = [trailer.algorithm, trailer.hash, trailer.signer, trailer.key];
    if others != [0; 4] {
        return Err(bad("fields of other kinds of signatures are set"));
    }
    let size = trailer.size.into();
    let at = trailer.at.checked_sub(size).ok_or_else(|| bad(CUT))?;
    let signers = signers(bytes.range(at, size)?);
    let signers = signers.ok_or_else(|| bad("it is no signed data in PKCS#7"))?;
    Ok(Some(Signature::Pkcs7(signers)))
}

const CUT: &str = "it is longer than the file";

fn bad(reason: &'static str) -> Problem {
    Problem::BadSignature(reason)
}

/// All signers of SignedData.
fn signers(der: &[u8]) -> Option<Vec<SignerId>> {
    let mut content_info = Values::new(der).expect(SEQUENCE)?.parts();
    let kind = content_info.expect(OBJECT_IDENTIFIER)?;
    if kind.content != SIGNED_DATA {
        return None;
    }
    let content = content_info.expect(context(0))?;
    let mut signed_data = content.parts().expect(SEQUENCE)?.parts();
    // The version, the algorithms, and the content that was signed.
    signed_data.expect(INTEGER)?;
    signed_data.expect(SET)?;
    signed_data.expect(SEQUENCE)?;
    // Certificates and revocations.
    signed_data.skip(context(0));
    signed_data.skip(context(1));
    let mut infos = signed_data.expect(SET)?.parts();
    let mut signers = Vec::new();
    while !infos.is_empty() {
        signers.push(signer(infos.expect(SEQUENCE)?.parts())?);
    }
    Some(signers).filter(|signers| !signers.is_empty())
}

/// The signer that a SignerInfo names.
fn signer(mut info: Values<'_>) -> Option<SignerId> {
    info.expect(INTEGER)?;
    let id = info.next()?;
    if id.tag == primitive_context(0) {
        return Some(SignerId::Key(id.content.into()));
    }
    let mut certificate = (id.tag == SEQUENCE).then(|| id.parts())?;
    let issuer = certificate.expect(SEQUENCE)?.whole.into();
    let serial = certificate.expect(INTEGER)?.content.into();
    Some(SignerId::Certificate { issuer, serial })
}
