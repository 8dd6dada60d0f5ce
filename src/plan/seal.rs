//! The seal of a saved plan and of the record of what was applied last: an HMAC over everything in the file, by a key
//! that only the pipeline has.
//!
//! Invariant: every value of the file is covered, whether this charter knows it or not; only its layout is not. The seal
//! of one sort of file never fits the other.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign, verify};
use serde_json::Value;

use super::acknowledge::hex;

/// Where the key is.
pub const VARIABLE: &str = "CHARTER_PLAN_KEY";

/// What the HMAC is of, so that no other one by the same key can be taken for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sealed {
    /// A saved plan.
    Plan,
    /// The record of what was applied last.
    LastApplied,
}

impl Sealed {
    fn domain(self) -> &'static [u8] {
        match self {
            Sealed::Plan => b"orgcharter plan 1\n",
            Sealed::LastApplied => b"orgcharter last applied 1\n",
        }
    }
}

/// Where it stands in the file.
const FIELD: &str = "hmac";

/// Why a file is not the one that was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// It is no JSON object.
    #[error("it is no JSON object")]
    NotPlan,
    /// It has none.
    #[error("it carries no HMAC, and `CHARTER_PLAN_KEY` is set")]
    Missing,
    /// It was changed, or another key made it.
    #[error("its HMAC is wrong: it was changed after it was saved, or saved with another key")]
    Wrong,
}

/// The HMAC of a file's JSON.
///
/// # Errors
/// If the text is no JSON object.
pub fn seal(sort: Sealed, text: &str, key: &[u8]) -> Result<String, Broken> {
    let (_, bytes) = canonical(sort, text)?;
    Ok(hex(sign(&Key::new(HMAC_SHA256, key), &bytes).as_ref()))
}

/// Checks the HMAC that stands in a file's JSON.
///
/// # Errors
/// If it is not there, or wrong.
pub fn check(sort: Sealed, text: &str, key: &[u8]) -> Result<(), Broken> {
    let (found, bytes) = canonical(sort, text)?;
    let tag = found.as_deref().ok_or(Broken::Missing)?;
    let tag = unhex(tag).ok_or(Broken::Wrong)?;
    verify(&Key::new(HMAC_SHA256, key), &bytes, &tag).map_err(|_| Broken::Wrong)
}

/// The HMAC in the text, and the text without it in one form, whatever its layout and the order of its keys.
fn canonical(sort: Sealed, text: &str) -> Result<(Option<String>, Vec<u8>), Broken> {
    let mut value: Value = serde_json::from_str(text).map_err(|_| Broken::NotPlan)?;
    let found = value.as_object_mut().ok_or(Broken::NotPlan)?.remove(FIELD);
    let found = match found {
        Some(Value::String(tag)) => Some(tag),
        Some(_) => Some(String::new()),
        None => None,
    };
    value.sort_all_objects();
    let mut bytes = sort.domain().to_vec();
    serde_json::to_writer(&mut bytes, &value).map_err(|_| Broken::NotPlan)?;
    Ok((found, bytes))
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect::<Option<_>>()?;
    digits
        .len()
        .is_multiple_of(2)
        .then(|| digits.chunks_exact(2).map(|pair| pair[0] * 16 + pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"a key for tests";

    fn sealed(text: &str) -> String {
        let tag = seal(Sealed::Plan, text, KEY).unwrap();
        text.replacen('{', &format!("{{\"hmac\": \"{tag}\", "), 1)
    }

    #[test]
    fn a_plan_holds_its_seal_whatever_its_layout() {
        let text = sealed(r#"{"b": [1, {"y": 2, "x": 1}], "a": "text"}"#);
        assert_eq!(check(Sealed::Plan, &text, KEY), Ok(()));
        let again = serde_json::from_str::<Value>(&text).unwrap().to_string();
        assert_eq!(check(Sealed::Plan, &again, KEY), Ok(()));
    }

    #[test]
    fn a_changed_plan_another_key_and_no_seal_are_refused() {
        let text = sealed(r#"{"steps": ["keep"], "later": 1}"#);
        assert_eq!(check(Sealed::Plan, &text, b"another key"), Err(Broken::Wrong));
        assert_eq!(check(Sealed::Plan, &text.replace("keep", "drop"), KEY), Err(Broken::Wrong));
        // A value that this charter does not know is covered too.
        assert_eq!(
            check(Sealed::Plan, &text.replace("\"later\": 1", "\"later\": 2"), KEY),
            Err(Broken::Wrong)
        );
        assert_eq!(check(Sealed::Plan, r#"{"steps": []}"#, KEY), Err(Broken::Missing));
        for tag in ["\"\"", "\"zz\"", "\"abc\"", "7", "null"] {
            let text = format!("{{\"hmac\": {tag}, \"steps\": []}}");
            assert_eq!(check(Sealed::Plan, &text, KEY), Err(Broken::Wrong), "{tag}");
        }
        assert_eq!(check(Sealed::Plan, "[]", KEY), Err(Broken::NotPlan));
    }

    #[test]
    fn the_seal_of_one_sort_of_file_does_not_fit_another() {
        let text = sealed(r#"{"commit": "1"}"#);
        assert_eq!(check(Sealed::Plan, &text, KEY), Ok(()));
        assert_eq!(check(Sealed::LastApplied, &text, KEY), Err(Broken::Wrong));
    }

    #[test]
    fn the_seal_is_the_documented_one() {
        // HMAC-SHA256 over "orgcharter plan 1\n" and the sorted, compact JSON.
        let by_hand = sign(&Key::new(HMAC_SHA256, KEY), b"orgcharter plan 1\n{\"a\":1,\"b\":2}");
        assert_eq!(seal(Sealed::Plan, "{\"b\": 2, \"a\": 1}", KEY).unwrap(), hex(by_hand.as_ref()));
    }
}
