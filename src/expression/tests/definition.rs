//! The rules of CEL's definition that lie inside the subset, each by what it makes true, and what lies outside by what
//! is said about it. The table of `docs/policy.md` has the same order.

use super::*;

/// It has no value: it is an error, and never true or false.
fn has_no_value(source: &str) {
    assert!(matches!(run(source), Err(Trouble::Plain { .. })), "{source}: {:?}", run(source));
}

fn all_true(sources: &[&str]) {
    for source in sources {
        assert!(is_true(source), "{source}");
    }
}

fn says(source: &str, message: &str, help: &str) {
    let problem = refused(source);
    assert!(problem.message.contains(message), "{source}: {problem:?}");
    assert!(problem.help.contains(help), "{source}: {problem:?}");
}

#[test]
fn literals_of_numbers_and_texts() {
    all_true(&[
        "0x1F == 31 && -5 < 0 && 9223372036854775807 > -9223372036854775808",
        r#"'a' == "a" && '''a''' == "a" && """a"b""" == 'a"b'"#,
        r#""\u00e9" == "é" && "\x41" == "A" && "\101" == "A" && "\U0001F600".size() == 1"#,
        r#"r"\n".size() == 2 && "\n".size() == 1 && "\\\"" == '\\"'"#,
        "// a remark\n n == 2 // and another",
        "[1, 2,] == [1, 2] && {'a': 1,} == {'a': 1} && [] == [] && {} == {}",
    ]);
    says("n == 9223372036854775808", "cannot be read", "CEL expression");
    says("1u == n", "unsigned numbers", "whole numbers");
    says("b'a' == b'a'", "bytes", "texts");
    says("n == 1e3", "fraction", "whole numbers");
    says("Person{role: 'a'} == n", "objects", "maps");
}

#[test]
fn operators_bind_as_the_definition_says() {
    all_true(&[
        "1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 7 - 3 - 2 == 2 && -2 * -3 == 6",
        "!false && true || false",
        "false && false || true",
        "true ? true : false ? false : false",
        "1 < 2 == true && !(1 == 2) != false",
        "-7 / 2 == -3 && -7 % 2 == -1 && 7 % -2 == 1",
        "!!true && --n == 2",
    ]);
}

#[test]
fn whole_numbers_do_not_wrap_around() {
    for source in [
        "9223372036854775807 + n > 0",
        "-9223372036854775808 - n < 0",
        "9223372036854775807 * n > 0",
        "-(-9223372036854775808) > 0",
        "-9223372036854775808 / -1 > 0",
        "n / 0 == 0",
        "n % 0 == 0",
    ] {
        has_no_value(source);
    }
}

#[test]
fn and_or_let_either_side_decide_and_else_pass_errors_on() {
    all_true(&[
        "n / 0 == 1 || true",
        "true || n / 0 == 1",
        "!(n / 0 == 1 && false)",
        "!(false && n / 0 == 1)",
    ]);
    for source in
        ["n / 0 == 1 || false", "false || n / 0 == 1", "n / 0 == 1 && true", "true && n / 0 == 1"]
    {
        has_no_value(source);
    }
}

#[test]
fn a_condition_looks_at_the_chosen_side_only() {
    all_true(&["true ? true : n / 0 == 1", "false ? n / 0 == 1 : true"]);
    has_no_value("n / 0 == 1 ? true : true");
    says("n ? true : false", "a number", "compare it");
}

#[test]
fn equality_is_deep_and_of_one_type() {
    all_true(&[
        "[1, [2, 'a']] == [1, [2, 'a']] && [1, 2] != [2, 1] && [1] != [1, 1]",
        "{'a': [1], 'b': null} == {'b': null, 'a': [1]} && {'a': 1} != {'a': 2} && {'a': 1} != {'b': 1}",
        "[1] != ['1'] && [null] != [false] && null == null",
        "people[0] == people[0] && people[0] != people[1]",
    ]);
    says("n == '2'", "a number and text", "types of both sides");
    says("'true' == true", "text and true or false", "types of both sides");
}

#[test]
fn order_is_that_of_numbers_texts_and_truth() {
    all_true(&[
        "1 < 2 && 2 <= 2 && 3 > 2 && 3 >= 3",
        "'a' < 'b' && 'Z' < 'a' && 'a' < 'aa' && 'z' < 'é' && '\\uFFFF' < '\\U0001F600'",
        "false < true && !(true < true)",
    ]);
    says("[1] < [2]", "does not work on a list", "types of both sides");
    has_no_value("person.until < people[0].until");
}

#[test]
fn lists_have_places_sizes_and_elements() {
    all_true(&[
        "[1, 2] + [3] == [1, 2, 3] && size([1, 2]) == 2 && [1, 2].size() == 2",
        "2 in [1, 2] && !(3 in [1, 2]) && !('1' in [1]) && null in [null]",
        "[[1], [2]][1][0] == 2",
    ]);
    for source in ["[1][1] == 1", "[1][-1] == 1", "people[2].role == 'x'"] {
        has_no_value(source);
    }
    says("[1]['a'] == 1", "a list and text", "numbers, from 0");
    says("people['ada'].role == 'x'", "a list and text", "numbers, from 0");
}

#[test]
fn maps_have_texts_as_keys_and_each_once() {
    all_true(&[
        "{'a': 1}['a'] == 1 && {'a': 1}.a == 1 && 'a' in {'a': 1} && !('b' in {'a': 1})",
        "size({'a': 1}) == 1 && has({'a': null}.a) && !has({'a': 1}.b)",
        "{'a' + 'b': 1}.ab == 1",
    ]);
    for source in [
        "{'a': 1}['b'] == 1",
        "{'a': 1}.b == 1",
        "{person.role: 1, 'developer': 2}.developer == 2",
        "null in {'a': 1}",
    ] {
        has_no_value(source);
    }
    says("{'a': 1, 'a': 2}.a == 2", "the key `a` twice", "each key once");
    says("{1: 'a'}[1] == 'a'", "a number", "in quotes");
    says("{true: 'a'} == {}", "true or false", "in quotes");
    says("person.access[1] == 'a'", "a map and a number", "keys of a map are texts");
    says("1 in {'a': 1}", "a number and a map", "keys of a map are texts");
    says("[1] in {}", "a list and a map", "keys of a map are texts");
}

#[test]
fn has_asks_for_a_field_of_what_is_there() {
    all_true(&["has(person.until) && !has(people[0].until)", "has(person.access.Prod)"]);
    for source in [
        "has([1][0].foo)",
        "!has(findPerson(\"typo@acme.com\").until)",
        "has({'a': 1}.b.c)",
        "has({'a': null}.a.b)",
    ] {
        has_no_value(source);
    }
    says("has(person)", "asks for a field", "has(person.until)");
    says("has(person.untill)", "has no `untill`", "did you mean `until`?");
}

#[test]
fn loops_go_over_lists_and_over_the_keys_of_maps() {
    all_true(&[
        "[1, 2].all(x, x > 0) && [].all(x, x > 0) && {'a': 1, 'b': 2}.all(k, k < 'c')",
        "[1, 2].exists(x, x == 2) && ![].exists(x, true) && {'a': 1}.exists(k, k == 'a')",
        "[1, 2].exists_one(x, x == 2) && ![2, 2].exists_one(x, x == 2) && ![].exists_one(x, true)",
        "[1, 2].map(x, x * 2) == [2, 4] && [1, 2].map(x, x > 1, x * 2) == [4] && {'a': 1}.map(k, k) == ['a']",
        "[1, 2].filter(x, x > 1) == [2] && {'a': 1, 'b': 2}.filter(k, k == 'b') == ['b']",
        "[1].all(n, n == 1) && n == 2",
        // One element decides, whatever the others are.
        "[0, 1].exists(x, 1 / x == 1) && ![0, 1].all(x, 1 / x == 2)",
    ]);
    for source in [
        "[0, 2].exists(x, 1 / x == 1)",
        "[0, 1].all(x, 1 / x == 1)",
        "[0, 1].exists_one(x, 1 / x == 1)",
        "[0, 1].map(x, 1 / x) == [1]",
        "[0, 1].filter(x, 1 / x == 1) == [1]",
    ] {
        has_no_value(source);
    }
    says("[1].all(true)", "takes a name and a condition", "people.all");
    has_no_value("[1].all(x, x)");
}

#[test]
fn texts_are_counted_searched_and_turned_into_numbers() {
    all_true(&[
        "'häß😀'.size() == 4 && 'abc'.contains('bc') && 'abc'.startsWith('') && !'abc'.endsWith('b')",
        "int('-12') == -12 && int(n) == 2 && string(-12) == '-12' && string(true) == 'true' && string('a') == 'a'",
        "'ÄB'.lowerAscii() == 'Äb' && 'a' + 'b' == 'ab'",
    ]);
    for source in ["int('1.5') == 1", "int('') == 0", "int('9223372036854775808') > 0"] {
        has_no_value(source);
    }
    says("contains('abc', 'b')", "not written like this", "text.contains(part)");
    says("'12'.int() == 12", "not written like this", "int(value)");
    says("'a' in 'abc'", "text and text", "text.contains(part)");
}

#[test]
fn a_glob_of_null_has_no_answer() {
    for source in ["people[0].until.glob(\"2026*\")", "!people[0].until.glob(\"2026*\")"] {
        has_no_value(source);
    }
    assert!(is_true("people[0].until != null && people[0].until.glob(\"*\") || true"));
}

#[test]
fn what_stands_beside_a_date_is_a_date() {
    all_true(&[
        "person.until == '2026-12-01' && person.until < '2026-12-02' && people[0].until == null",
        "person.until in ['2026-12-01'] && person.until.startsWith('2026-')",
    ]);
    for source in [
        "person.until > \"31-12-2026\"",
        "person.until == \"\"",
        "\"2026-02-30\" < person.until",
        "person.until in [\"2026-12-01\", \"2026/12/31\"]",
        "daysSince(\"20200331\") > 0",
        "daysUntil(\"2026-12-01T00:00:00Z\") > 0",
        "person.until != \"2026-1-1\"",
    ] {
        says(source, "this is no date", "2027-03-31");
    }
    has_no_value("daysUntil(person.role + '') > 0");
}

#[test]
fn words_from_elsewhere_are_answered_with_what_to_write() {
    for (source, help) in [
        ("['admin'].contains(person.role)", "write `x in list`"),
        ("people.length() == 2", "write `size()`"),
        ("person[\"email\"] == 'a'", "`person.email`"),
        ("person[\"mail\"] == 'a'", "written after a dot"),
        ("n == 1 and n == 2", "write `&&`"),
        ("n == 1 OR n == 2", "write `||`"),
        ("not (n == 1)", "write `!`"),
        ("not n == 1", "write `!`"),
        ("n = 1", "write `==`"),
        ("n <> 1", "write `!=`"),
        ("n == 1 & n == 2", "write `&&`"),
        ("n == 1 | n == 2", "write `||`"),
        ("person.access.`cost-center` == 'a'", "in brackets"),
        ("people.some(p, true)", "write `exists`"),
        ("person.email.toLowerCase() == 'a'", "lowerAscii()"),
        ("now() > person.until", "write `today`"),
    ] {
        says(source, "", help);
    }
}

#[test]
fn a_suggestion_is_a_near_spelling_and_nothing_else() {
    for (source, help) in [
        ("url('https://acme.com').getHost() == 'a'", "function of Kubernetes"),
        ("quantity('1Gi') == n", "function of Kubernetes"),
        ("[1].isSorted()", "function of Kubernetes"),
        ("'a'.find('a') == 'a'", "function of Kubernetes"),
        ("findPersn('a') == null", "did you mean `findPerson`?"),
        ("person.email.startswith('a')", "did you mean `startsWith`?"),
    ] {
        says(source, "there is no function", help);
    }
    for name in ["hasValue", "allowed", "finder"] {
        let problem = refused(&format!("{name}(n) == n"));
        assert!(!problem.help.contains("did you mean"), "{problem:?}");
        assert!(problem.help.contains("the functions are `size`"), "{problem:?}");
    }
}
