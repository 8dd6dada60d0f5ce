//! Choices from bytes: what one part of a generated organization is like.
//!
//! Invariant: a zero byte, and the end of the tape, is the plainest choice; so shrinking towards zero makes an
//! organization plainer.

/// Reads one part's choices in order.
#[derive(Clone, Debug)]
pub(crate) struct Tape<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Tape<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn byte(&mut self) -> u8 {
        let byte = self.bytes.get(self.at).copied().unwrap_or_default();
        self.at += 1;
        byte
    }

    /// True in about so many of a hundred cases.
    pub(crate) fn chance(&mut self, percent: u32) -> bool {
        u32::from(self.byte()) * 100 / 256 >= 100 - percent
    }

    /// One of the options; the first is the plainest.
    pub(crate) fn one<T: Clone>(&mut self, options: &[T]) -> T {
        let index = usize::from(self.byte()) * options.len() / 256;
        options[index].clone()
    }

    /// One of the options, each with its weight; the first is the plainest.
    pub(crate) fn weighted<T: Clone>(&mut self, options: &[(u32, T)]) -> T {
        let total: u32 = options.iter().map(|(weight, _)| weight).sum();
        let mut left = u32::from(self.byte()) * total / 256;
        for (weight, option) in options {
            if left < *weight {
                return option.clone();
            }
            left -= weight;
        }
        unreachable!("the weights add up to the total")
    }

    /// The rest of the tape as one of its own, `length` bytes long.
    pub(crate) fn split(&mut self, length: usize) -> Tape<'a> {
        let start = self.at.min(self.bytes.len());
        let end = (start + length).min(self.bytes.len());
        self.at += length;
        Tape::new(&self.bytes[start..end])
    }
}
