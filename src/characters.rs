//! What a character shows on a screen: nothing, something that a reader takes for another script, or itself.
//!
//! Invariant: the data is Unicode's own (`icu_properties`); only what no property says is listed here.

use std::{borrow::Cow, fmt::Write as _};

use icu_properties::{
    CodePointMapData, CodePointSetData, PropertyNamesLong,
    props::{
        DefaultIgnorableCodePoint, Emoji, EmojiModifier, ExtendedPictographic, GeneralCategory,
        GeneralCategoryGroup, QuotationMark, Script,
    },
    script::ScriptWithExtensions,
};
use unicode_normalization::UnicodeNormalization;

/// Whether a character is there without being seen, or turns the text around it: default-ignorable code points, line
/// and paragraph separators, interlinear annotations and blank glyphs.
pub fn is_invisible(c: char) -> bool {
    // All of ASCII but the control characters shows itself, and this is asked for every letter of a plan.
    !c.is_ascii()
        && (matches!(c, '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}')
            || matches!(c, '\u{2800}' | '\u{16fe4}' | '\u{1d159}')
            || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c))
}

/// Whether an invisible character shapes its neighbours, so that it is seen after all: a variation selector after an
/// emoji, a joiner inside an emoji sequence, a joiner between letters of a script that uses them.
pub fn is_shaping(before: Option<char>, c: char, after: Option<char>) -> bool {
    match c {
        '\u{fe0e}' | '\u{fe0f}' => before.is_some_and(|base| match base {
            // Digits are bases of keycaps only; elsewhere the selector changes nothing.
            '0'..='9' | '#' | '*' => after == Some('\u{20e3}'),
            base => CodePointSetData::new::<Emoji>().contains(base),
        }),
        '\u{200d}' if after.is_some_and(is_pictograph) => before.is_some_and(|before| {
            before == '\u{fe0f}'
                || is_pictograph(before)
                || CodePointSetData::new::<EmojiModifier>().contains(before)
        }),
        '\u{200c}' | '\u{200d}' => match (before, after) {
            (Some(before), Some(after)) => {
                let script = |c| CodePointMapData::<Script>::new().get(c);
                let scripts = ScriptWithExtensions::new();
                let of_word = |c| {
                    let category = CodePointMapData::<GeneralCategory>::new().get(c);
                    GeneralCategoryGroup::Letter.contains(category)
                        || GeneralCategoryGroup::Mark.contains(category)
                };
                of_word(before)
                    && of_word(after)
                    && JOINING.iter().any(|joining| {
                        (script(before) == *joining || script(after) == *joining)
                            && scripts.has_script(before, *joining)
                            && scripts.has_script(after, *joining)
                    })
            }
            _ => false,
        },
        _ => false,
    }
}

/// Scripts whose spelling uses ZWJ and ZWNJ (Unicode Standard, chapters 9, 12 to 14 and 16: cursive joining, conjuncts).
const JOINING: &[Script] = &[
    Script::Arabic,
    Script::Bengali,
    Script::Devanagari,
    Script::Gujarati,
    Script::Gurmukhi,
    Script::Kannada,
    Script::Khmer,
    Script::Malayalam,
    Script::Mongolian,
    Script::Myanmar,
    Script::Nko,
    Script::Oriya,
    Script::Sinhala,
    Script::Syriac,
    Script::Tamil,
    Script::Telugu,
];

fn is_pictograph(c: char) -> bool {
    !c.is_ascii() && CodePointSetData::new::<ExtendedPictographic>().contains(c)
}

/// The characters of a text that are invisible where they are, with their byte positions.
pub fn invisible_in(text: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let mut before = None;
    let mut letters = text.char_indices().peekable();
    std::iter::from_fn(move || {
        loop {
            let (at, c) = letters.next()?;
            let after = letters.peek().map(|(_, c)| *c);
            let hidden = is_invisible(c) && !is_shaping(before, c, after);
            // What is hidden itself shapes nothing.
            before = (!hidden).then_some(c);
            if hidden {
                return Some((at, c));
            }
        }
    })
}

/// The text with control characters and invisible ones spelled out (`\u{200b}`).
pub fn spelled_out(text: &str) -> Cow<'_, str> {
    if text.is_ascii() && !text.contains(|c: char| c.is_control()) {
        return Cow::Borrowed(text);
    }
    let mut hidden = invisible_in(text).peekable();
    let mut out = String::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        if hidden.next_if(|(found, _)| *found == at).is_some() || c.is_control() {
            // Writing to a string does not fail.
            let _ = write!(out, "{}", c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

/// What an address is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A letter, a digit or a combining mark.
    Word,
    /// A quotation mark, whatever the script, or a letter that passes for one.
    Quote,
    /// A bracket, whatever the script.
    Bracket,
    /// Anything else.
    Other,
}

/// The class of a character.
pub fn class(c: char) -> Class {
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    // Spacing accents and primes are typed for quotes; modifier letters that look like quotes pass for them.
    let quote = matches!(
        c,
        '`' | '\u{b4}' | '\u{2b9}'..='\u{2bf}' | '\u{2c8}' | '\u{2ca}' | '\u{2cb}' | '\u{2ee}'
            | '\u{2032}'..='\u{2037}' | '\u{a78b}' | '\u{a78c}'
    ) || CodePointSetData::new::<QuotationMark>().contains(c);
    if quote {
        return Class::Quote;
    }
    match category {
        GeneralCategory::InitialPunctuation | GeneralCategory::FinalPunctuation => Class::Quote,
        GeneralCategory::OpenPunctuation | GeneralCategory::ClosePunctuation => Class::Bracket,
        _ if matches!(c, '<' | '>') => Class::Bracket,
        GeneralCategory::DecimalNumber => Class::Word,
        category
            if GeneralCategoryGroup::Letter.contains(category)
                || GeneralCategoryGroup::Mark.contains(category) =>
        {
            Class::Word
        }
        _ => Class::Other,
    }
}

/// The names of two scripts that one word mixes, if it does: Latin, Cyrillic and Greek letters look alike. Japanese,
/// Korean and Chinese are written in several scripts at once, with Latin letters among them, and mix nothing
/// (Unicode Technical Standard 39, "highly restrictive").
pub fn mixed_scripts(text: &str) -> Option<(&'static str, &'static str)> {
    if text.is_ascii() {
        return None;
    }
    let word = |c: char| class(c) != Class::Word;
    text.split(word).find_map(mixed_in_word)
}

fn mixed_in_word(word: &str) -> Option<(&'static str, &'static str)> {
    let scripts = ScriptWithExtensions::new();
    let mut letters = word.chars().filter(|c| {
        !matches!(scripts.get_script_val(*c), Script::Common | Script::Inherited)
            && !EAST_ASIAN.iter().any(|script| scripts.has_script(*c, *script))
    });
    let east_asian =
        word.chars().any(|c| EAST_ASIAN.iter().any(|script| scripts.has_script(c, *script)));
    let first = letters.next()?;
    let script = scripts.get_script_val(first);
    let other = letters.find(|c| {
        let shared = scripts.get_script_extensions_val(first);
        !shared.iter().any(|script| scripts.has_script(*c, script))
    });
    match other {
        Some(other) => Some((name(script), name(scripts.get_script_val(other)))),
        None if east_asian && script != Script::Latin => Some((name(script), "East Asian")),
        None => None,
    }
}

/// Scripts that are written together.
const EAST_ASIAN: &[Script] =
    &[Script::Han, Script::Hiragana, Script::Katakana, Script::Hangul, Script::Bopomofo];

fn name(script: Script) -> &'static str {
    PropertyNamesLong::<Script>::new().get(script).unwrap_or("other")
}

/// Whether a word has other letters than Latin ones, and each looks like one: `\u{430}\u{441}\u{435}` for `ace`.
pub fn imitates_latin(word: &str) -> bool {
    let letter = |c: char| c.is_ascii_digit() || c == '-' || "асԁеһіјӏорԛѕԝхуьοναρικυ".contains(c);
    !word.is_ascii() && word.chars().all(letter)
}

/// A name without what a reader overlooks: case, blanks at the ends and repeated ones, compatibility forms.
pub fn folded(name: &str) -> String {
    let shown: String =
        name.nfkc().filter(|c| !is_invisible(*c)).flat_map(char::to_lowercase).collect();
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A name as it is shown: in quotes if it has blanks at an end.
pub fn quoted(name: &str) -> Cow<'_, str> {
    if name.trim() == name { Cow::Borrowed(name) } else { Cow::Owned(format!("\"{name}\"")) }
}

/// A character for a message: its code point beside it, or alone where nothing would be seen.
pub fn named(c: char) -> String {
    match c {
        ' ' => "a space".to_owned(),
        '\t' => "a tab".to_owned(),
        c if c.is_ascii_graphic() => format!("`{c}`"),
        c if c.is_control() || c.is_whitespace() || is_invisible(c) => {
            format!("`U+{:04X}`", u32::from(c))
        }
        c => format!("`{c}` (`U+{:04X}`)", u32::from(c)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(text: &str) -> Vec<char> {
        invisible_in(text).map(|(_, c)| c).collect()
    }

    #[test]
    fn what_unicode_calls_ignorable_is_invisible() {
        for c in [
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{180b}',
            '\u{180e}',
            '\u{200b}',
            '\u{200e}',
            '\u{2028}',
            '\u{202e}',
            '\u{2060}',
            '\u{2065}',
            '\u{2800}',
            '\u{3164}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fff9}',
            '\u{1d173}',
            '\u{e0001}',
            '\u{e0041}',
            '\u{e0100}',
        ] {
            assert_eq!(hidden(&format!("Pro{c}d")), [c], "U+{:04X}", u32::from(c));
            assert!(spelled_out(&format!("a{c}")).is_ascii());
        }
        for plain in ["Production", "Ünïcode · 工程 🚀", "a\u{301}", ""] {
            assert_eq!(hidden(plain), [] as [char; 0], "{plain}");
        }
    }

    #[test]
    fn selectors_and_joiners_that_shape_what_is_seen_are_no_hiding_places() {
        for name in [
            "⚙\u{fe0f} Platform",
            "1\u{fe0f}\u{20e3} first",
            "👩\u{200d}💻",
            "👩\u{1f3fd}\u{200d}💻",
            "❤\u{fe0f}\u{200d}🔥",
            "می\u{200c}خواهم",
            "ක්\u{200d}ර",
            "ರ\u{200d}್ಯ",
        ] {
            assert_eq!(hidden(name), [] as [char; 0], "{name}");
            assert_eq!(spelled_out(name), name);
        }
        for name in [
            "Pro\u{fe0f}d",
            "1\u{fe0f}",
            "⚙\u{fe0f}\u{fe0f}",
            "\u{fe0f}",
            "Pro\u{200d}d",
            "Pro\u{200c}d",
            "👩\u{200d}",
            "\u{200d}💻",
            "⚙\u{fe00}",
            "葛\u{e0100}",
            "می\u{200c}",
            "م\u{200c}d",
        ] {
            assert_eq!(hidden(name).len(), 1, "{name:?}");
        }
    }

    #[test]
    fn quotes_and_brackets_of_every_script_are_known() {
        for c in "\"'`´«»‘’‚“”„‹›「」『』〝〞＂＇′″ʼ".chars() {
            assert_eq!(class(c), Class::Quote, "{c}");
        }
        for c in "()[]{}<>（）【】〔〕⟨⟩".chars() {
            assert_eq!(class(c), Class::Bracket, "{c}");
        }
        for c in "azAZ09äπж工ー٣\u{301}".chars() {
            assert_eq!(class(c), Class::Word, "{c}");
        }
        for c in ".-_+·–🚀€".chars() {
            assert_eq!(class(c), Class::Other, "{c}");
        }
    }

    #[test]
    fn names_that_look_alike_fold_to_one() {
        assert_eq!(folded(" P  rod\u{a0}"), folded("p rod"));
        assert_eq!(folded("⚙\u{fe0f}"), folded("⚙"));
        assert_ne!(folded("Prod"), folded("Prod1"));
        assert_eq!(quoted("Prod "), "\"Prod \"");
        assert_eq!(quoted("Prod"), "Prod");
    }

    #[test]
    fn a_word_of_look_alikes_is_known() {
        assert!(imitates_latin("\u{430}\u{441}\u{435}"));
        for word in ["ace", "пример", "müller", ""] {
            assert!(!imitates_latin(word), "{word}");
        }
    }

    #[test]
    fn a_word_of_two_scripts_is_told_from_several_words() {
        for (word, scripts) in [
            ("\u{430}cme", ("Cyrillic", "Latin")),
            ("acm\u{435}", ("Latin", "Cyrillic")),
            ("Pr\u{3bf}d", ("Latin", "Greek")),
            ("工程\u{430}", ("Cyrillic", "East Asian")),
        ] {
            assert_eq!(mixed_scripts(word), Some(scripts), "{word}");
        }
        for plain in [
            "acme",
            "müller",
            "пример",
            "Команда Platform",
            "команда-a",
            "サーバーAPI",
            "工程 Platform",
            "日本語ひらカタ",
            "한국어 LG",
            "ελληνικά",
            "a\u{301}",
        ] {
            assert_eq!(mixed_scripts(plain), None, "{plain}");
        }
    }
}
