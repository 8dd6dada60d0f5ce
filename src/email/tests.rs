//! Addresses: which are read, what they come to, and which are refused.

use super::*;

fn canonical(text: &str) -> String {
    Email::parse(text).unwrap().canonical().to_string()
}

#[test]
fn case_white_space_and_unicode_domains_do_not_tell_people_apart() {
    assert_eq!(canonical(" Ada@ACME.com "), "ada@acme.com");
    assert_eq!(canonical("jo@bücher.example"), "jo@xn--bcher-kva.example");
    assert_eq!(
        Email::lenient("JO@BÜCHER.example"),
        Email::parse("jo@xn--bcher-kva.example").unwrap()
    );
}

#[test]
fn plus_tags_dots_and_non_ascii_case_do() {
    assert_ne!(canonical("a.da@acme.com"), canonical("ada@acme.com"));
    assert_ne!(canonical("ada+x@acme.com"), canonical("ada@acme.com"));
    assert_ne!(canonical("Ünal@acme.com"), canonical("ünal@acme.com"));
    assert_eq!(canonical("u\u{308}nal@acme.com"), canonical("\u{fc}nal@acme.com"));
}

#[test]
fn what_is_written_is_kept_for_sending() {
    let email = Email::parse(" Ada@ACME.com ").unwrap();
    assert_eq!(email.as_written(), "Ada@ACME.com");
}

#[test]
fn an_address_inside_another_is_seen_only_beside_what_no_address_has() {
    let contained = |text: &str| Email::lenient(text).contained();
    for text in ["\u{201c}kim@acme.com\u{201d}", "\u{2022}kim@acme.com", "mailto:kim@acme.com"] {
        assert!(contained(text).contains(&"kim@acme.com".to_owned()), "{text}");
    }
    assert_eq!(contained("Kim@acme.com)"), ["kim@acme.com"]);
    for text in ["joakim@acme.com", "o'brien@acme.com", "k.i-m+x@acme.com", "j\u{f6}kim@acme.com"] {
        assert_eq!(contained(text), Vec::<String>::new(), "{text}");
    }
    assert_eq!(contained("e\u{301}x\u{301}kim@acme.com.au"), Vec::<String>::new());
    assert_eq!(contained("nobody"), Vec::<String>::new());
}

#[test]
fn shapes_that_are_no_address_are_refused() {
    for text in ["", "ada", "@acme.com", "ada@", "a@b@c", "a da@acme.com", "ada@ac me.com", "a@-.-"]
    {
        assert!(Email::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn marks_put_around_an_address_never_become_part_of_it() {
    for text in [
        "“kim@acme.com”",
        "„kim@acme.com“",
        "«kim@acme.com»",
        "‘kim@acme.com’",
        "'kim@acme.com'",
        "'kim@acme.com",
        "kim'@acme.com",
        "`kim@acme.com`",
        "´kim@acme.com´",
        "ʼkim@acme.com",
        "「kim@acme.com」",
        "(kim@acme.com)",
        "（kim@acme.com）",
        "[kim@acme.com]",
        "{kim@acme.com}",
        "⟨kim@acme.com⟩",
        "<kim@acme.com>",
        "kim(at work)@acme.com",
        "to:kim@acme.com",
        "*@acme.com",
        "k?m@acme.com",
        "kim@acme.com)",
        "kim@acme.com.",
        ".kim@acme.com",
        "kim.@acme.com",
        "ki..m@acme.com",
        "kim@.acme.com",
        "kim@acme..com",
        "kim@acme。。com",
        "kim@acme",
        "kim@10.0.0.1",
        "kim\\@acme.com",
        "kim–doe@acme.com",
        "k\u{a0}im@acme.com",
        "kim@acme.com›",
        "•kim@acme.com",
        "kim@i❤.ws",
        "kim\u{200b}@acme.com",
        "kim@ac\u{ad}me.com",
        "kim\u{fe0f}@acme.com",
        "👩\u{200d}💻@acme.com",
        "k\u{2800}m@acme.com",
        "kim@acme.com\u{3164}",
        "kim@ac\u{34f}me.com",
        "kim\u{e0100}@acme.com",
        "k\u{115f}m@acme.com",
        "k\u{180b}m@acme.com",
        "k\u{ffa0}m@acme.com",
    ] {
        assert!(Email::parse(text).is_err(), "{text:?}");
    }
    assert_eq!(Email::parse("mailto:kim@acme.com").unwrap_err(), EmailError::Scheme);
    assert_eq!(Email::parse("kim@acme").unwrap_err(), EmailError::NoDot("acme".into()));
    let quoted = Email::parse("“kim@acme.com”").unwrap_err();
    assert_eq!(quoted.to_string(), "an e-mail address cannot hold `“` (`U+201C`)");
    let blank = Email::parse("k\u{a0}im@acme.com").unwrap_err();
    assert_eq!(blank.to_string(), "an e-mail address cannot hold `U+00A0`");
}

#[test]
fn addresses_that_people_have_stay_addresses() {
    for text in [
        "o'brien@acme.com",
        "joe.doe+claude@sub.acme.co.uk",
        "joe_doe-1@acme.com",
        "_kim@acme.com",
        "kim=acme.com@lists.acme.com",
        "a/b!c#d$e%f&g^h|i~j@acme.com",
        "ünal@bücher.example",
        "пользователь@пример.com",
        "用户@例子.公司",
        "kim@acme。com",
        "kim@xn--bcher-kva.example",
        "kim@col·lecció.cat",
        "आरव@उदाहरण.भारत",
        "u\u{308}nal@acme.com",
    ] {
        assert!(Email::parse(text).is_ok(), "{text}");
    }
}

#[test]
fn a_domain_in_other_letters_has_its_ascii_form() {
    let mixed = Email::parse("kim@\u{430}cme.com").unwrap();
    assert_eq!(mixed.ascii_domain(), Some("xn--cme-5cd.com"));
    assert_eq!(Email::parse("ünal@acme.com").unwrap().ascii_domain(), None);
}

#[test]
fn what_is_newly_refused_was_an_address_before() {
    for text in ["“kim@acme.com”", "mailto:kim@acme.com", "kim@acme", "*@acme.com"] {
        assert!(Email::parse_legacy(text).is_ok(), "{text}");
    }
    assert!(Email::parse_legacy("ada").is_err());
}
