//! Computes the place of a name in kmod's hash tables.
//!
//! kmod keeps modules and symbols in hash tables and writes some indexes in the order of their
//! buckets (kmod/shared/hash.c). The function is Paul Hsieh's SuperFastHash,
//! <http://www.azillionmonkeys.com/qed/hash.html>; it reads pairs of bytes as the machine does,
//! and signed ones where it reads single bytes.

/// The key to sort names by that gives the order of a table with `buckets`, a power of two.
pub(crate) fn table_order(name: &[u8], buckets: u32) -> (u32, &[u8]) {
    (hash(name) & buckets.wrapping_sub(1), name)
}

fn hash(key: &[u8]) -> u32 {
    let pair = |a: u8, b: u8| u32::from(u16::from_ne_bytes([a, b]));
    let single = |byte: u8| i32::from(byte as std::ffi::c_char) as u32;
    let mut hash = key.len() as u32;
    let blocks = key.chunks_exact(4);
    let rest = blocks.remainder();
    for &[a, b, c, d] in blocks.filter_map(<[u8]>::first_chunk) {
        hash = hash.wrapping_add(pair(a, b));
        let mixed = (pair(c, d) << 11) ^ hash;
        hash = (hash << 16) ^ mixed;
        hash = hash.wrapping_add(hash >> 11);
    }
    match *rest {
        [a, b, c] => {
            hash = hash.wrapping_add(pair(a, b));
            hash ^= hash << 16;
            hash ^= single(c) << 18;
            hash = hash.wrapping_add(hash >> 11);
        }
        [a, b] => {
            hash = hash.wrapping_add(pair(a, b));
            hash ^= hash << 11;
            hash = hash.wrapping_add(hash >> 17);
        }
        [a] => {
            hash = hash.wrapping_add(single(a));
            hash ^= hash << 10;
            hash = hash.wrapping_add(hash >> 1);
        }
        _ => {}
    }
    for (left, right) in [(3, 5), (4, 17), (25, 6)] {
        hash ^= hash << left;
        hash = hash.wrapping_add(hash >> right);
    }
    hash
}
