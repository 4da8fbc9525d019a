//! Walks values in DER, the encoding of signatures and certificates (ITU-T X.690).
//!
//! It knows what a signature in PKCS#7 is made of and no more: tags of one byte, definite lengths
//! of at most four bytes. A crate for all of CMS would bring some 20 crates with it.

/// A value and its tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value<'d> {
    pub(crate) tag: u8,
    pub(crate) content: &'d [u8],
    /// Tag and length included.
    pub(crate) whole: &'d [u8],
}

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// `[number]`, constructed.
pub(crate) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// `[number]`, primitive.
pub(crate) const fn primitive_context(number: u8) -> u8 {
    0x80 | number
}

/// Values that follow each other.
#[derive(Clone, Copy)]
pub(crate) struct Values<'d>(&'d [u8]);

impl<'d> Values<'d> {
    pub(crate) fn new(bytes: &'d [u8]) -> Self {
        Self(bytes)
    }

    /// The next value; `None` if there is none, or its length exceeds what is left.
    pub(crate) fn next(&mut self) -> Option<Value<'d>> {
        let (&[tag, first], rest) = self.0.split_first_chunk()?;
        let (len, head) = match first {
            0..=0x7f => (usize::from(first), 2),
            0x81..=0x84 => {
                let count = usize::from(first & 0x7f);
                let digits = rest.get(..count)?;
                let len = digits
                    .iter()
                    .fold(0, |len, &digit| len << 8 | u64::from(digit));
                (usize::try_from(len).ok()?, 2 + count)
            }
            _ => return None,
        };
        let (whole, rest) = self.0.split_at_checked(head.checked_add(len)?)?;
        self.0 = rest;
        let content = whole.get(head..)?;
        Some(Value {
            tag,
            content,
            whole,
        })
    }

    /// The next value, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Option<Value<'d>> {
        self.next().filter(|value| value.tag == tag)
    }

    /// Passes over the next value if it has this tag.
    pub(crate) fn skip(&mut self, tag: u8) {
        let mut ahead = *self;
        if ahead.expect(tag).is_some() {
            *self = ahead;
        }
    }

    /// Whether no value is left.
    pub(crate) fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl<'d> Value<'d> {
    /// The values that it is made of.
    pub(crate) fn parts(self) -> Values<'d> {
        Values(self.content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_both_forms() {
        let bytes = [
            &[0x30, 0x81, 3, 0x02, 1, 5, 0x31, 0][..],
            &[0x04, 0x82, 0, 2, 1, 2],
        ]
        .concat();
        let mut values = Values::new(&bytes);
        let sequence = values.expect(SEQUENCE).unwrap();
        assert_eq!(sequence.whole.len(), 6);
        assert_eq!(sequence.parts().expect(INTEGER).unwrap().content, [5]);
        values.skip(context(0));
        assert!(values.expect(SET).unwrap().parts().is_empty());
        assert_eq!(values.next().unwrap().content, [1, 2]);
        assert!(values.next().is_none() && values.is_empty());
    }

    #[test]
    fn lengths_that_lie_end_the_walk() {
        for bytes in [
            &[0x30][..],
            &[0x30, 1],
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            &[0x30, 0x85, 0, 0, 0, 0, 0],
            &[0x30, 0x82, 0],
        ] {
            assert_eq!(Values::new(bytes).next(), None);
        }
    }
}
