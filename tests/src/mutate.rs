//! Makes inputs from seeds by a fixed sequence of pseudo-random changes, for runs without libFuzzer.

#![allow(
    clippy::indexing_slicing,
    reason = "each position is drawn below a length"
)]

/// The numbers of SplitMix64, the same for the same seed on every machine.
pub struct Random(u64);

impl Random {
    /// Starts a sequence.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// A number below `end`; 0 if that is 0.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % (end.max(1) as u64)) as usize
    }

    /// A part of a text, mostly a short one.
    fn part(&mut self, length: usize) -> std::ops::Range<usize> {
        let longest = match self.below(4) {
            0 => length,
            _ => length.min(16),
        };
        let start = self.below(length);
        start..(start + 1 + self.below(longest)).min(length)
    }
}

/// Numbers at which parsers break: ends of ranges, signs, one more and one less.
const NUMBERS: [u64; 12] = [
    0,
    1,
    2,
    4,
    0x7f,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];

/// `seed` with one to four changes, each of which may take from `other`.
pub fn mutated(seed: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut input = seed.to_vec();
    for _ in 0..=random.below(4) {
        change(&mut input, other, random);
    }
    input
}

fn change(input: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let part = random.part(input.len());
    match random.below(8) {
        0 => set(input, part.start, &[random.next() as u8]),
        1 => {
            let bit = 1 << random.below(8);
            input[part.clone()]
                .iter_mut()
                .take(1)
                .for_each(|byte| *byte ^= bit);
        }
        2 => {
            let number = NUMBERS[random.below(NUMBERS.len())];
            let width = 1 << random.below(4);
            let start = part.start - part.start % width;
            match random.below(2) {
                0 => set(input, start, &number.to_le_bytes()[..width]),
                _ => set(input, start, &number.to_be_bytes()[8 - width..]),
            }
        }
        3 => drop(input.drain(part)),
        4 => input.truncate(part.start),
        5 => {
            let copy = input[part].to_vec();
            insert(input, &copy, random);
        }
        6 => {
            let copy = other[random.part(other.len())].to_vec();
            insert(input, &copy, random);
        }
        _ => {
            let copy = other[random.part(other.len())].to_vec();
            set(input, part.start, &copy);
        }
    }
}

fn set(input: &mut [u8], at: usize, bytes: &[u8]) {
    for (to, from) in input.iter_mut().skip(at).zip(bytes) {
        *to = *from;
    }
}

fn insert(input: &mut Vec<u8>, bytes: &[u8], random: &mut Random) {
    let at = random.below(input.len() + 1);
    input.splice(at..at, bytes.iter().copied());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_start_gives_the_same_inputs_and_they_differ() {
        let inputs = |start| {
            let mut random = Random::new(start);
            let inputs = (0..200).map(|_| mutated(b"0123456789", b"abc", &mut random));
            inputs.collect::<Vec<_>>()
        };
        assert_eq!(inputs(1), inputs(1));
        assert_ne!(inputs(1), inputs(2));
        let mut all = inputs(1);
        all.sort();
        all.dedup();
        assert!(all.len() > 150, "{}", all.len());
        let mut random = Random::new(1);
        for _ in 0..1000 {
            mutated(b"", b"", &mut random);
        }
    }
}
