//! Two byte strings in, how far they begin alike out.

/// The length of what both begin with.
pub(crate) fn common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}
