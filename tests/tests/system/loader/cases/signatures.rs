//! What signatures do, without and with a kernel that insists on them.

use anyhow::{Context, Result};
use kmpkit_fixtures::patch::Patched;

use super::samples::Samples;
use super::{Case, LOADS, case, enforced, refused};
use crate::loader::signing;

pub(super) fn of(samples: &Samples) -> Result<Vec<Case>> {
    let signed = samples.plain_signed.bytes();
    // 28 bytes of mark, and before them `struct module_signature`: 12 bytes, the third of which is
    // the kind, and the last four the length of the signature.
    let trailer = signed.len() - 28 - 12;
    let length = signed
        .get(trailer + 8..trailer + 12)
        .context("no signature")?;
    let length = usize::try_from(u32::from_be_bytes(length.try_into()?))?;
    let with = |at: usize, byte: u8| {
        let mut bytes = signed.to_vec();
        bytes.splice(at..=at, [byte]);
        Patched::signed(&bytes)
    };
    // No sequence any more, and no PKCS#7.
    let (damaged, unsupported) = (with(trailer - length, 0x31), with(trailer + 2, 1));
    let other_key = Patched::signed(&signing::signed(samples.plain.bytes(), None)?);
    Ok(vec![
        case(
            "damaged_signature",
            &[&damaged],
            refused("DamagedSignature", ""),
        ),
        case("unsupported_signature", &[&unsupported], LOADS),
        case("other_key", &[&other_key], LOADS),
        enforced(case("enforced", &[&samples.plain_signed], LOADS)),
        enforced(case(
            "enforced_unsigned",
            &[&samples.plain],
            refused("Unsigned", "Loading of unsigned module is rejected"),
        )),
        enforced(case(
            "enforced_unsupported",
            &[&unsupported],
            refused(
                "UnsupportedSignature",
                "Loading of module with unsupported crypto is rejected",
            ),
        )),
        enforced(case(
            "enforced_other_key",
            &[&other_key],
            refused(
                "UnknownKey",
                "Loading of module with unavailable key is rejected",
            ),
        )),
    ])
}
