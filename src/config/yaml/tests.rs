//! What the reader accepts, what it refuses and where, and that nothing makes it panic.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

fn file() -> Arc<str> {
    Arc::from("f.yaml")
}

fn tree(text: &str) -> Node<'_> {
    let mut found = Vec::new();
    match parse(&file(), text, &mut found) {
        Parsed::Tree(node) if found.is_empty() => node,
        other => panic!("{other:?} {found:?}"),
    }
}

fn is_empty(text: &str) -> bool {
    matches!(parse(&file(), text, &mut Vec::new()), Parsed::Empty)
}

/// `code line:column` of each finding.
fn findings(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    parse(&file(), text, &mut found);
    assert!(!found.is_empty(), "{text:?}");
    found
        .iter()
        .map(|d| {
            let span = d.span.as_ref().unwrap();
            assert!(d.help.is_some(), "{d:?}");
            format!("{} {}:{}", d.code, span.line, span.column)
        })
        .collect()
}

/// A tree without places, for comparing.
fn show(node: &Node<'_>) -> String {
    match &node.value {
        Value::Scalar(s) => format!("{:?}:{}", s.sort, s.text),
        Value::List(items) => {
            format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", "))
        }
        Value::Map(entries) => format!(
            "{{{}}}",
            entries
                .iter()
                .map(|(k, v)| format!("{}={}", k.scalar.text, show(v)))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}

#[test]
fn places_are_lines_and_columns_in_characters() {
    let node = tree("é: {ü: [1, \"x\"]}\nb:\n  c: d\n");
    let Value::Map(entries) = &node.value else { panic!() };
    let Value::Map(inner) = &entries[0].1.value else { panic!() };
    let Value::List(items) = &inner[0].1.value else { panic!() };
    assert_eq!((items[1].mark.line, items[1].mark.column), (1, 12));
    assert_eq!(items[1].mark.bytes, (13, 16));
    let Value::Map(inner) = &entries[1].1.value else { panic!() };
    assert_eq!((inner[0].0.mark.line, inner[0].0.mark.column), (3, 3));
    assert_eq!((inner[0].1.mark.line, inner[0].1.mark.column), (3, 6));
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_change_nothing() {
    let plain = "a: 1\nb:\n  - x\n";
    let bytes = [b"\xef\xbb\xbf".as_slice(), plain.replace('\n', "\r\n").as_bytes()].concat();
    let text = decode_text(&file(), bytes).unwrap();
    assert_eq!(show(&tree(&text)), show(&tree(plain)));
    assert_eq!(show(&tree("\u{feff}a: 1")), "{a=Int:1}");
}

#[test]
fn a_file_of_comments_is_empty_and_not_an_error_here() {
    assert!(is_empty("# nothing\n\n") && is_empty("") && !is_empty("~"));
}

#[test]
fn an_alias_repeats_its_anchor_at_its_own_place() {
    let node = tree("a: &x {k: v}\nb: *x\n");
    assert_eq!(show(&node), "{a={k=Text:v}, b={k=Text:v}}");
    let Value::Map(entries) = &node.value else { panic!() };
    assert_eq!((entries[1].1.mark.line, entries[1].1.mark.column), (2, 4));
}

#[test]
fn every_refusal_has_its_code_and_its_place() {
    let cases: &[(&str, &[&str])] = &[
        ("a: 1\nb: 2\na: 3\na: 4\n", &["config/duplicate-key 3:1", "config/duplicate-key 4:1"]),
        ("a: &x {k: 1}\nb:\n  <<: *x\n", &["config/yaml-merge-key 3:3"]),
        ("a: *nobody\n", &["config/yaml-alias 1:4"]),
        ("a: &x [*x]\n", &["config/yaml-alias 1:8"]),
        ("a: 1\n---\nb: 2\n", &["config/several-documents 2:1"]),
        ("a: !secret x\n", &["config/yaml-tag 1:4"]),
        ("a: !!int x\n", &["config/yaml-tag 1:4"]),
        ("a:\n\tb: 1\n", &["config/yaml-tab 2:1"]),
        ("a:\n  b: 1\n\tc: 1\n", &["config/yaml-tab 3:1"]),
        ("? [a]\n: b\n", &["config/yaml-key 1:3"]),
        ("a: [1, 2\nb: 3\n", &["config/yaml-syntax 2:2"]),
        ("a: \"x\nb: 3\n", &["config/yaml-syntax 1:4"]),
        ("a: b: c\n", &["config/yaml-syntax 1:5"]),
        ("a: 1\n b: 2\n", &["config/yaml-syntax 2:3"]),
        ("a: @x\n", &["config/yaml-syntax 1:4"]),
        ("a: %x\n", &["config/yaml-syntax 1:4"]),
        ("%YAML 3.0\n---\na: 1\n", &["config/yaml-syntax 1:1"]),
        ("- a\nb: 1\n", &["config/yaml-syntax 2:1"]),
        ("a: 'it's'\n", &["config/yaml-syntax 1:8"]),
        ("a: \"\\q\"\n", &["config/yaml-syntax 1:4"]),
    ];
    let wrong: Vec<_> = cases
        .iter()
        .map(|(text, expected)| (text, expected, findings(text)))
        .filter(|(_, expected, found)| found != *expected)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// `line:column message` of each finding.
fn messages(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    parse(&file(), text, &mut found);
    let show = |d: &Diagnostic| {
        let span = d.span.as_ref().unwrap();
        format!("{}:{} {}", span.line, span.column, d.message)
    };
    found.iter().map(show).collect()
}

#[test]
fn markers_of_a_merge_conflict_are_named_where_they_are() {
    let sides = "  ada@acme.com: user\n=======\n  ada@acme.com: admin\n>>>>>>> theirs\n";
    for (text, place) in [
        (format!("<<<<<<< HEAD\n{sides}"), "1:1"),
        (format!("version: 1\nmembers:\n<<<<<<< HEAD\n{sides}"), "3:1"),
        (format!("version: 1\nmembers:\n  bea@acme.com: user\n<<<<<<< HEAD\n{sides}"), "4:1"),
        ("members:\n  a: user\n||||||| base\n  b: user\n".to_owned(), "3:1"),
        ("members:\r\n  a: user\r\n=======\r\n  b: user\r\n".to_owned(), "3:1"),
        ("note: |\n  one\n  <<<<<<< HEAD\n  a\n  =======\n  b\n  >>>>>>> x\n".to_owned(), "3:3"),
        ("note: |\n  one\n<<<<<<< HEAD\n  a\n=======\n  b\n>>>>>>> x\n".to_owned(), "3:1"),
    ] {
        assert_eq!(messages(&text), [format!("{place} unresolved merge conflict")], "{text}");
    }
    // A heading of a note, a longer rule, a shift.
    for text in
        ["note: |\n  Title\n  =======\n  text\n", "a: x # <<<<<<< y\n", "# ========\na: 1\n"]
    {
        tree(text);
    }
}

#[test]
fn slips_are_named_where_they_are_made() {
    let cases: &[(&str, &str)] = &[
        (
            "members:\n  a@b.c:\u{a0}admin\n  b@b.c: user\n",
            "2:9 `U+00A0` is here, which YAML does not take for a space",
        ),
        (
            "members:\n\u{a0} a@b.c: admin\n  b: c: d\n",
            "2:1 `U+00A0` is here, which YAML does not take for a space",
        ),
        ("a: [acme.com,, foo.com]\n", "1:14 one comma too many"),
        ("a: {role: admin, , note: x}\n", "1:18 one comma too many"),
        ("a: [, x]\n", "1:5 one comma too many"),
        ("note: one   # why\n  two\n", "1:13 a text goes on after this comment"),
        ("{\"version\": 1}\nmembers: {}\n", "2:1 something follows the end of the document"),
        ("a: &x *y\n", "1:7 an alias cannot have an anchor"),
        ("a: {role: admin}, b: x\n", "1:17 something follows the `}` that closes the value"),
        ("a: [x], b: x\n", "1:7 something follows the `]` that closes the value"),
        ("a:\n  - x\n  b: 1\n", "3:3 a key stands among the items of a list"),
        ("a: [x, -]\n", "1:8 a bare `-` is no value"),
        ("a:\n  ada@acme.com:admin\n  bob@acme.com: user\n", "2:15 a `:` has no space after it"),
        ("a:\n  b: user\n  ada@acme.com:admin\n  c: user\n", "3:15 a `:` has no space after it"),
        ("a:\n  b: user\n  ada@acme.com:admin\n", "3:15 a `:` has no space after it"),
        ("a:\n  b: user\n  see http://x\n", "3:3 a key without its `:`"),
        ("version:1\nmembers: {}\n", "1:8 a `:` has no space after it"),
        ("a: b: c\n", "1:5 a `:` stands where no key can be"),
        ("note: see\n  http://x\n  b: y\n", "3:4 a `:` stands where no key can be"),
        ("a: !!binary aGk=\n", "1:4 the tag `!!binary` means nothing here"),
    ];
    let wrong: Vec<_> = cases
        .iter()
        .map(|(text, expected)| (text, expected, messages(text)))
        .filter(|(_, expected, found)| found.len() != 1 || found[0] != **expected)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The findings of a text that is read all the same, as before.
fn read_with(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    assert!(matches!(parse(&file(), text, &mut found), Parsed::Tree(_)), "{text:?} {found:?}");
    crate::diagnostic::demote_recent(&mut found);
    assert!(!found.iter().any(Diagnostic::is_error), "an error in a base: {found:?}");
    findings(text)
}

#[test]
fn layout_that_other_readers_refuse_is_refused_and_still_read_in_a_base() {
    let cases: &[(&str, &str)] = &[
        ("members: {ada@acme.com: admin,\nbob@acme.com: user}\n", "config/yaml-indent 2:1"),
        ("a:\n  b: {x: 1,\n  y: 2}\n", "config/yaml-indent 3:3"),
        ("a: [\nx]\n", "config/yaml-indent 2:1"),
        ("a: [x,\n{y: z}]\n", "config/yaml-indent 2:1"),
        ("a: [x\n, y]\n", "config/yaml-indent 2:1"),
        ("a: \"a\nb\"\n", "config/yaml-indent 2:1"),
        ("a: 'a\n\n\tb'\n", "config/yaml-indent 3:2"),
        ("- a: [x,\n  y]\n", "config/yaml-indent 2:3"),
        ("a: [x y\nz]\n", "config/yaml-indent 2:1"),
        ("a:\n  b: [\n    x\n]\n", "config/yaml-indent 4:1"),
        ("-\tmembers: \"*@x.com\"\n  reason: vendor\n", "config/yaml-tab 1:2"),
    ];
    for (text, expected) in cases {
        assert_eq!(read_with(text), [*expected], "{text:?}");
    }
    for text in [
        "a: {\n  b: c\n}\n",
        "a: [\n  {x: 1},\n  {y: 2}\n]\n",
        "a:\n  b: [\n    x\n  ]\n",
        "a:\n- [x,\n y]\n",
        "{\n\"a\": 1,\n\"b\": [\n1\n]\n}\n",
        "a: \"a\n\n b\"\n",
        "a: \"a\n \tb\"\n",
        "\"a\nb\"\n",
        "a: |\n \tx\n",
        "a: one\n  two\n",
        "a:\n  \"x\"\nb:\n  [y]\n\"c\": 1\n",
        "a:\t{x: 1}\n",
        "-\tx\n",
        "a: [x, # why\n  y]\n",
    ] {
        tree(text);
    }
}

#[test]
fn what_is_not_written_is_empty_and_a_tilde_is_a_tilde() {
    assert_eq!(show(&tree(": x\n")), "{=Text:x}");
    assert_eq!(show(&tree("a:\nb: ~\nc: null\n")), "{a=Null:, b=Null:~, c=Null:null}");
}

#[test]
fn a_layout_that_is_wrong_on_every_line_is_reported_a_few_times_and_read_in_linear_time() {
    let mut text = String::from("a: [\n");
    for n in 0..100_000 {
        writeln!(text, "x{n},").unwrap();
    }
    text += "]\n";
    let start = std::time::Instant::now();
    assert_eq!(findings(&text).len(), 20);
    let one_line = format!("a: [{}]\n", "x, ".repeat(300_000));
    tree(&one_line);
    assert!(start.elapsed() < std::time::Duration::from_secs(20));
}

#[test]
fn a_quoted_double_less_than_is_a_key_like_any_other() {
    assert_eq!(show(&tree("\"<<\": 1")), "{<<=Int:1}");
}

#[test]
fn tags_that_say_what_is_there_are_allowed() {
    assert_eq!(show(&tree("a: !!str 12\nb: !!map {}\nc: ! 7\n")), "{a=Text:12, b={}, c=Text:7}");
}

#[test]
fn depth_is_limited_with_and_without_aliases() {
    let nested = |n: usize| format!("{}{}", "[".repeat(n), "]".repeat(n));
    tree(&nested(MAX_DEPTH));
    assert_eq!(findings(&nested(MAX_DEPTH + 1)), ["config/yaml-depth 1:65"]);
    assert!(findings(&"[".repeat(200_000))[0].starts_with("config/yaml-depth 1:6"));
    let mut blocks = String::new();
    for n in 0..80 {
        writeln!(blocks, "{}a:", " ".repeat(n)).unwrap();
    }
    assert_eq!(findings(&blocks), ["config/yaml-depth 65:65"]);
    let aliased = format!("- &a {}\n- {}*a{}\n", nested(40), "[".repeat(30), "]".repeat(30));
    assert_eq!(findings(&aliased), ["config/yaml-depth 2:33"]);
}

#[test]
fn a_billion_laughs_are_stopped() {
    let mut text = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for n in 1..12 {
        let one = format!("*a{}", n - 1);
        writeln!(text, "a{n}: &a{n} [{}]", vec![one; 9].join(",")).unwrap();
    }
    let start = std::time::Instant::now();
    assert_eq!(findings(&text).len(), 1);
    assert!(start.elapsed() < std::time::Duration::from_secs(5));
    let long = format!("a: &a \"{}\"\nb: [{}]\n", "x".repeat(100_000), "*a,".repeat(10_000));
    assert!(findings(&long)[0].starts_with("config/yaml-alias"));
}

#[test]
fn what_is_not_utf_8_is_placed() {
    let finding = decode_text(&file(), b"a: 1\nb: \xff\n".to_vec()).unwrap_err();
    let span = finding.span.unwrap();
    assert_eq!((span.line, span.column), (2, 4));
    let utf16 = decode_text(&file(), b"\xff\xfea\0".to_vec()).unwrap_err();
    assert!(utf16.message.contains("UTF-16"));
    assert_eq!(
        decode_text(&file(), vec![b'#'; MAX_BYTES + 1]).unwrap_err().code,
        "config/too-large"
    );
}

#[test]
fn twenty_thousand_keys_are_checked_for_duplicates_quickly() {
    let mut text = String::new();
    for n in 0..20_000 {
        writeln!(text, "k{n}: {n}").unwrap();
    }
    text += "k777: again\n";
    let start = std::time::Instant::now();
    assert_eq!(findings(&text), ["config/duplicate-key 20001:1"]);
    assert!(start.elapsed() < std::time::Duration::from_secs(5));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_bytes_end_in_a_tree_or_in_findings(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        if let Ok(text) = decode_text(&file(), bytes) {
            parse(&file(), &text, &mut Vec::new());
        }
    }

    #[test]
    fn any_yaml_like_text_ends_in_a_tree_or_in_findings(
        text in "([a-c]|[ \t\r\n:,\\-?#&*!|>'\"%@`{}\\[\\]<~]|&a|\\*a|: |\n  |- |é|\u{feff}){0,60}",
    ) {
        parse(&file(), &text, &mut Vec::new());
    }
}
