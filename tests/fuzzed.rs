//! The entries of the fuzz targets with the corpus, and with a bounded number of mutations of it.
//!
//! Invariant: `fuzz/entries.rs` says what must hold; here it only gets bytes.

#![expect(clippy::unwrap_used, reason = "a corpus that cannot be read has failed")]

use std::{fs, path::Path};

use proptest::{prelude::*, sample::Index};

#[path = "../fuzz/entries.rs"]
mod entries;

/// Says whether it could read the bytes.
type Entry = fn(&[u8]) -> bool;

/// The committed inputs of a target.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let inputs: Vec<_> = paths.iter().map(|path| fs::read(path).unwrap()).collect();
    assert!(inputs.len() >= 3, "{target} has a corpus");
    inputs
}

/// An input with some bytes flipped, cut out, doubled, or taken from another input.
fn mutated(target: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let inputs = corpus(target);
    let edit = (any::<Index>(), any::<Index>(), 0..24_usize, 0..5_u8, any::<u8>());
    (any::<Index>(), any::<Index>(), prop::collection::vec(edit, 0..8)).prop_map(
        move |(one, other, edits)| {
            let mut bytes = inputs[one.index(inputs.len())].clone();
            let other = &inputs[other.index(inputs.len())];
            for (at, from, length, how, byte) in edits {
                let start = at.index(bytes.len() + 1);
                let end = bytes.len().min(start + length);
                match how {
                    0 => bytes.truncate(start),
                    1 => drop(bytes.drain(start..end)),
                    2 => {
                        let part = bytes[start..end].to_vec();
                        bytes.splice(start..start, part);
                    }
                    3 => {
                        let begin = from.index(other.len() + 1);
                        let part = other[begin..other.len().min(begin + length)].to_vec();
                        bytes.splice(start..end, part);
                    }
                    _ => bytes.splice(start..end.min(start + 1), [byte]).for_each(drop),
                }
            }
            bytes
        },
    )
}

#[test]
fn the_corpus_holds() {
    let targets: [(&str, Entry); 3] =
        [("loader", entries::loader), ("wire", entries::wire), ("plan", entries::plan)];
    for (target, entry) in targets {
        let read = corpus(target).iter().filter(|input| entry(input)).count();
        assert!(read >= 2, "{target}: {read} inputs were read, so nothing behind reading is tried");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(400)
    ))]

    #[test]
    fn files_are_read_or_refused(bytes in mutated("loader")) {
        entries::loader(&bytes);
    }

    #[test]
    fn answers_are_read_or_refused(bytes in mutated("wire")) {
        entries::wire(&bytes);
    }

    #[test]
    fn saved_plans_are_read_or_refused(bytes in mutated("plan")) {
        entries::plan(&bytes);
    }
}
