//! E-mail addresses in the spellings that mean one person.
//!
//! Invariant: canonical addresses are written out here, not computed by the code under test.

use super::tape::Tape;

/// The most people, by name.
pub(super) const LOCALS: [&str; 7] = ["ada", "bob", "cy", "dana", "eve", "fay", "gus"];

/// An address in its spellings.
#[derive(Clone, Debug, Default)]
pub(super) struct Address {
    pub(super) canonical: String,
    /// The first is the plainest. All are the same address to charter; to the sandbox (which folds ASCII case
    /// only), those that differ beyond ASCII case are not.
    pub(super) spellings: Vec<String>,
}

/// The address of the person at a place in the list; `odd`: one that has spellings beyond ASCII case.
pub(super) fn address(tape: &mut Tape<'_>, index: usize, odd: bool) -> Address {
    let base = LOCALS[index];
    let shape = tape.weighted(&[(6, 0), (3, 1), (2, 2), (2, 3), (2, 4)]);
    let shape = if odd { 2 + shape % 2 } else { shape };
    match shape {
        0 => plain(base, "acme.com"),
        // Dots and plus-tags count, but not for the API's own filter.
        1 if index > 0 && tape.chance(50) => {
            plain(&format!("{}+{}", LOCALS[index - 1], index), "acme.com")
        }
        1 => plain(&format!("{base}.{base}"), "Contractor.io"),
        2 => {
            let (nfc, nfd) = (format!("\u{fc}n{base}"), format!("u\u{308}n{base}"));
            Address {
                canonical: format!("{nfc}@acme.com"),
                spellings: vec![
                    format!("{nfc}@acme.com"),
                    format!("{nfd}@acme.com"),
                    format!("{nfc}@ACME.com"),
                ],
            }
        }
        3 => Address {
            canonical: format!("{base}@xn--bcher-kva.example"),
            spellings: vec![
                format!("{base}@b\u{fc}cher.example"),
                format!("{base}@xn--bcher-kva.example"),
                format!("{}@B\u{dc}CHER.example", base.to_ascii_uppercase()),
            ],
        },
        _ => plain(base, "anthropic.com"),
    }
}

/// An address without anything odd, in lower, mixed and upper case.
pub(super) fn plain(local: &str, domain: &str) -> Address {
    let canonical = format!("{local}@{domain}").to_ascii_lowercase();
    let spellings =
        vec![format!("{local}@{domain}"), mixed_case(&canonical), canonical.to_ascii_uppercase()];
    Address { canonical, spellings }
}

pub(super) fn mixed_case(email: &str) -> String {
    let change = |(at, c): (usize, char)| if at % 3 == 0 { c.to_ascii_uppercase() } else { c };
    // An A-label in upper case is the same domain, but no document says that it is taken.
    if email.contains("xn--") {
        return email.to_owned();
    }
    email.chars().enumerate().map(change).collect()
}
