//! What YAML 1.2's core schema takes a plain scalar for.
//!
//! Invariant: a text that another YAML 1.2 reader may take for something else than text is never `Sort::Text`.

use super::Sort;

/// The type of a plain scalar.
pub(crate) fn sort(text: &str) -> Sort {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Sort::Null,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => Sort::Bool,
        _ if is_int(text) => Sort::Int,
        _ if is_float(text) => Sort::Float,
        _ => Sort::Text,
    }
}

fn is_int(text: &str) -> bool {
    if let Some(digits) = text.strip_prefix("0o") {
        return all(digits, |byte| matches!(byte, b'0'..=b'7'));
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return all(digits, |byte| byte.is_ascii_hexdigit());
    }
    all(text.strip_prefix(['-', '+']).unwrap_or(text), |byte| byte.is_ascii_digit())
}

fn is_float(text: &str) -> bool {
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(text, ".inf" | ".Inf" | ".INF") {
        return true;
    }
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let some_digits = !whole.is_empty() || !part.is_empty();
    some_digits
        && digits(whole)
        && digits(part)
        && exponent.is_none_or(|exponent| {
            all(exponent.strip_prefix(['-', '+']).unwrap_or(exponent), |byte| byte.is_ascii_digit())
        })
}

/// Whether `text` has bytes, and all of them are as wanted.
fn all(text: &str, wanted: impl Fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_core_schema_decides_and_nothing_older() {
        for text in ["", "~", "null", "NULL"] {
            assert_eq!(sort(text), Sort::Null, "{text}");
        }
        for text in ["true", "False"] {
            assert_eq!(sort(text), Sort::Bool, "{text}");
        }
        for text in ["0", "-17", "+4", "007", "0o17", "0xfF"] {
            assert_eq!(sort(text), Sort::Int, "{text}");
        }
        for text in ["1.", ".5", "1e9", "-1.5E-3", ".inf", "-.INF", ".nan"] {
            assert_eq!(sort(text), Sort::Float, "{text}");
        }
        for text in [
            "no",
            "Yes",
            "on",
            "tRue",
            "2027-03-31",
            "1_000",
            "0b1",
            "0o8",
            "12:30",
            ".",
            "e3",
            "10%",
        ] {
            assert_eq!(sort(text), Sort::Text, "{text}");
        }
    }
}
