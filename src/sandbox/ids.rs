//! Identifiers and random draws that look like the API's and repeat from one seed to the next run.
//!
//! Invariant: the same seed and the same sequence of calls give the same ids; an object of a seed file gets its id
//! from its own name, so adding one object moves no other id.

use std::fmt::Write as _;

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// A seeded source of ids and draws.
#[derive(Clone, Debug)]
pub(crate) struct Ids {
    seed: u64,
    next: u64,
}

impl Ids {
    /// Starts at `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Self { seed, next: 0 }
    }

    /// The seed it started from.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// A fresh id, such as `user_01JwQvzr7rXLA5AGx3HKfFUJ`.
    pub(crate) fn fresh(&mut self, prefix: &str) -> String {
        self.next += 1;
        spell(prefix, mix(self.seed ^ mix(self.next)))
    }

    /// The id of a named object of a seed file; `nth` tells namesakes apart.
    pub(crate) fn named(&self, prefix: &str, name: &str, nth: usize) -> String {
        spell(prefix, hash(name) ^ mix(self.seed ^ mix(nth as u64 ^ 0x5eed)))
    }

    /// A UUID made from a name.
    pub(crate) fn uuid(&self, name: &str) -> String {
        let (high, low) = (mix(hash(name) ^ self.seed), mix(hash(name).rotate_left(17)));
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xfff,
            0x8000 | (low >> 48 & 0x3fff),
            low & 0xffff_ffff_ffff
        )
    }

    /// A draw in `0.0..1.0`.
    pub(crate) fn chance(&mut self) -> f64 {
        self.next += 1;
        // 53 bits are what an f64 holds exactly.
        #[allow(clippy::cast_precision_loss)]
        let draw = (mix(self.seed.rotate_left(32) ^ self.next) >> 11) as f64;
        draw / 9_007_199_254_740_992.0
    }
}

/// Turns a row number into an opaque cursor and back.
pub(crate) fn cursor(row: u64) -> String {
    let mut out = String::from("wsmem_01");
    // Unlike any user id, so that a client which builds cursors from items is refused.
    let _ = write!(out, "{:016x}", row.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29));
    out
}

/// The row number of a cursor that [`cursor`] made.
pub(crate) fn row_of(cursor: &str) -> Option<u64> {
    let hex = cursor.strip_prefix("wsmem_01").filter(|hex| hex.len() == 16)?;
    // The multiplier's inverse modulo 2^64.
    let row = u64::from_str_radix(hex, 16).ok()?.rotate_right(29);
    Some(row.wrapping_mul(0xf1de_83e1_9937_733d))
}

fn spell(prefix: &str, number: u64) -> String {
    let mut out = String::with_capacity(prefix.len() + 24);
    out.push_str(prefix);
    out.push_str("01");
    let mut state = number;
    for _ in 0..22 {
        state = mix(state);
        out.push(char::from(ALPHABET[(state % 58) as usize]));
    }
    out
}

/// The finalizer of `SplitMix64`: spreads every input bit over the output.
fn mix(input: u64) -> u64 {
    let mut z = input.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_row() {
        for row in [0, 1, 2, 19_999, u64::MAX] {
            assert_eq!(row_of(&cursor(row)), Some(row));
        }
        assert_eq!(row_of("user_01JwQvzr7rXLA5AGx3HKfFUJ"), None);
    }

    #[test]
    fn ids_look_real_repeat_and_differ() {
        let (mut one, mut two) = (Ids::new(7), Ids::new(7));
        let first = one.fresh("user_");
        assert_eq!(first, two.fresh("user_"));
        assert_eq!(first.len(), "user_01JwQvzr7rXLA5AGx3HKfFUJ".len());
        assert_ne!(first, one.fresh("user_"));
        assert_ne!(one.named("wrkspc_", "A", 0), one.named("wrkspc_", "A", 1));
    }
}
