//! Expressions: what they mean, what is refused, what they cost, and that `cel` itself agrees.

use std::sync::Arc;

use jiff::civil::date;
use proptest::prelude::*;

use super::*;

mod definition;

static PERSON: Schema = Schema {
    name: "person",
    noun: "a person",
    fields: &[
        ("email", Type::Text, "the address"),
        ("role", Type::Text, "the role"),
        ("until", Type::Date, "the last day"),
        ("access", Type::Map(&Type::Text), "roles by workspace"),
    ],
};
static VARIABLES: &[(&str, Type)] = &[
    ("people", Type::List(&Type::Record(&PERSON))),
    ("person", Type::Record(&PERSON)),
    ("n", Type::Int),
];

struct World;

impl Facts for World {
    fn today(&self) -> jiff::civil::Date {
        date(2026, 11, 22)
    }

    fn person(&self, email: &str) -> Option<Value> {
        (email == "ada@acme.com").then(|| person("ada@acme.com", "admin", None))
    }

    fn workspace(&self, _: &str) -> Option<Value> {
        None
    }
}

fn person(email: &str, role: &str, until: Option<&str>) -> Value {
    let access = [(Arc::from("Prod"), Value::text("workspace_user"))].into_iter().collect();
    Value::Record(Arc::new(Record::new(
        &PERSON,
        vec![
            Value::text(email),
            Value::text(role),
            Value::text_or_null(until),
            Value::Map(Arc::new(access)),
        ],
    )))
}

fn variables() -> Vec<Value> {
    let people = [
        person("ada@acme.com", "admin", None),
        person("joan@contractor.io", "developer", Some("2026-12-01")),
    ];
    vec![Value::list(people.clone()), people[1].clone(), Value::Int(2)]
}

fn run(source: &str) -> Result<Value, Trouble> {
    let expression =
        Expression::parse(source, VARIABLES).unwrap_or_else(|p| panic!("{source}: {p:?}"));
    expression.eval(&variables(), &World, &mut Fuel::new(100_000))
}

fn is_true(source: &str) -> bool {
    match run(source) {
        Ok(Value::Bool(value)) => value,
        other => panic!("{source}: {other:?}"),
    }
}

fn refused(source: &str) -> Problem {
    match Expression::parse(source, VARIABLES) {
        Ok(_) => panic!("`{source}` is accepted"),
        Err(problem) => problem,
    }
}

#[test]
fn rules_about_people_mean_what_they_say() {
    for source in [
        r#"people.filter(p, p.role == "admin").size() == 1"#,
        r#"person.email.endsWith("@contractor.io") && person.until != null"#,
        r#"people.all(p, p.email.glob("*@{acme.com,contractor.io}"))"#,
        r#"!people.exists(p, p.role == "owner")"#,
        r#"people.exists_one(p, p.role == "admin")"#,
        r#"people.map(p, p.role == "admin", p.email) == ["ada@acme.com"]"#,
        r#"daysUntil(person.until) == 9 && daysSince("2026-11-20") == n"#,
        "has(person.until) && !has(people[0].until)",
        r#""Prod" in person.access && person.access["Prod"] == "workspace_user""#,
        r#"findPerson("ada@acme.com").role == "admin" && findPerson("x@acme.com") == null"#,
        r#"person.role in ["admin", "developer"] ? n + 1 == 3 : false"#,
        r#"person.until > "2026-11-30" && "ABC".lowerAscii() == "abc""#,
        r#"int("12") % 5 == 2 && string(7) + "x" == "7x" && -n == 0 - 2 && n * 3 / 2 == 3"#,
        r#"{"a": [1, 2]}["a"][1] == 2 && size("häß") == 3 && "Prod" in {"Prod": 1}"#,
        r#"person.access.all(w, w == "Prod")"#,
    ] {
        assert!(is_true(source), "{source}");
    }
}

#[test]
fn one_side_may_decide_although_the_other_has_no_value() {
    assert!(is_true("people[9].role == \"admin\" || true"));
    assert!(!is_true("people[9].role == \"admin\" && false"));
    assert!(is_true("people.exists(p, daysUntil(p.until) < 10)"));
    assert!(run("people.all(p, daysUntil(p.until) < 10)").is_err());
}

/// Found by the comparison with `cel`: the element of the loop that failed was taken for that of the next one.
#[test]
fn a_loop_that_fails_leaves_nothing_behind() {
    assert!(is_true("people.filter(p, n / 0 == 1).size() == 1 || [7].map(x, x)[0] == 7"));
    assert!(is_true("people.map(p, n / 0)[0] == 1 || [7].exists(x, x == 7)"));
    assert!(is_true("people.exists_one(p, n / 0 == 1) || [7].filter(x, x == 7).size() == 1"));
}

#[test]
fn trouble_has_its_place_and_its_reason() {
    let Err(Trouble::Plain { at, message }) = run("true && daysUntil(people[0].until) < 3") else {
        panic!()
    };
    assert_eq!(
        (at, message.as_str()),
        (8, "`daysUntil` does not work on null: ask with `!= null` first")
    );
    assert!(run("n / 0 == 1").is_err() && run("9223372036854775807 + n == 1").is_err());
}

#[test]
fn what_could_only_fail_is_refused_with_its_place() {
    for (source, at, says) in [
        ("person.rol == \"admin\"", 7, "a person has no `rol`"),
        ("persons.size() == 1", 0, "there is no `persons` here"),
        ("'é🌀' == A", 8, "there is no `A` here"),
        ("'é🌀' == person.rol", 15, "a person has no `rol`"),
        ("'é🌀' == nope(n)", 8, "there is no function `nope`"),
        ("people.every(p, true)", 7, "there is no function `every`"),
        ("people.find(p, true) == null", 7, "there is no function `find`"),
        ("person.role", 7, "this is text"),
        ("n == \"2\"", 2, "`==` does not work on a number and text"),
        ("person.email.matches(\"a\")", 13, "there is no function `matches`"),
        ("n == 1.5", 5, "numbers with a fraction"),
        ("person.email.glob(\"[\")", 18, "the pattern is not one"),
        ("n == ", 5, "the expression ends"),
        ("n == 1 n", 7, "cannot be read from `n` on"),
        ("size(people, 1) == 1", 0, "`size` takes 1 values"),
        ("n.all(x, true)", 0, "a number has no elements"),
    ] {
        let problem = refused(source);
        assert!(problem.message.contains(says), "{source}: {problem:?}");
        assert_eq!(problem.at, at, "{source}: {problem:?}");
        assert!(!problem.help.is_empty());
    }
}

#[test]
fn loops_within_loops_end_somewhere() {
    let deep = format!("{}true{}", "(".repeat(MAX_DEPTH - 1), ")".repeat(MAX_DEPTH - 1));
    assert!(is_true(&deep));
    let nested = "people.all(a, people.all(b, people.all(c, people.all(d, true))))";
    assert!(refused(nested).message.contains("within each other"));
    assert!(
        refused(&format!("{}true{}", "(".repeat(200), ")".repeat(200))).message.contains("nested")
    );
    assert!(refused(&format!("n{} == 1", ".a".repeat(900))).message.contains("nested"));
    assert!(refused(&format!("{} == 1", vec!["n"; 300].join(" + "))).message.contains("nested"));
    // `!!` is nothing to the grammar.
    assert!(is_true(&format!("{}true", "!".repeat(1_900))));
    assert!(refused(&"n == 1 && ".repeat(300)).message.contains("characters"));
}

#[test]
fn the_longest_texts_end_soon() {
    for part in [
        "(",
        "[",
        "{",
        "-",
        "!",
        "a.",
        "a?",
        "a?b:",
        "a&&",
        "a||",
        "a<",
        "a+",
        "\"",
        "'",
        "a(",
        "a[",
        "{a:",
        "a,",
        "\\",
        "people.map(a,",
        "\u{e9}",
        "a in ",
        "--",
        "1.",
        "0x",
        "r'",
        "//",
        "\n",
    ] {
        for tail in ["", "a", "a)", "]"] {
            let source = format!("{}{tail}", part.repeat(MAX_SOURCE / part.chars().count() - 3));
            if let Ok(expression) = Expression::parse(&source, VARIABLES) {
                let _ = expression.eval(&variables(), &World, &mut Fuel::new(100_000));
            }
        }
    }
}

/// Each repetition doubles what it is given.
#[test]
fn growth_is_paid_for() {
    for doubled in ["[\"aaaaaaaa\"]", "[[1, 1, 1, 1]]"] {
        let source = format!("{doubled}{}.size() == 1", ".map(a, a + a)".repeat(30));
        let expression = Expression::parse(&source, VARIABLES).unwrap();
        let mut fuel = Fuel::new(1_000_000);
        assert_eq!(
            expression.eval(&variables(), &World, &mut fuel).unwrap_err(),
            Trouble::OutOfFuel
        );
        assert_eq!(fuel.left(), 0);
    }
}

#[test]
fn running_out_of_fuel_is_no_answer() {
    let expression = Expression::parse("people.size() > 9 || true", VARIABLES).unwrap();
    for steps in 0..5 {
        let ended = expression.eval(&variables(), &World, &mut Fuel::new(steps));
        assert_eq!(ended.unwrap_err(), Trouble::OutOfFuel, "{steps}");
    }
}

/// Texts that look like expressions, and some that do not.
fn scraps() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "people",
        "person",
        ".role",
        ".email",
        ".until",
        "n",
        "==",
        "!=",
        "&&",
        "||",
        "!",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "?",
        "\"a\"",
        "'b'",
        "1",
        "0",
        "-",
        "+",
        "*",
        "/",
        "%",
        "<",
        ">=",
        "in",
        ".all(p, ",
        ".exists(p, ",
        ".map(a, a + a)",
        ".filter(p, ",
        "size(",
        "has(",
        "null",
        "true",
        "daysUntil(",
        ".glob(\"*\")",
        "r\"",
        "\\",
        "\u{e9}",
        "\n",
        "//",
        "b\"x\"",
        "1u",
        "1.5",
        "@",
        "`",
    ]);
    prop::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_ends_within_its_fuel(source in prop_oneof![scraps(), "\\PC{0,80}", "[\\x00-\\x7f]{0,60}"]) {
        match Expression::parse(&source, VARIABLES) {
            Ok(expression) => {
                let mut fuel = Fuel::new(50_000);
                let first = expression.eval(&variables(), &World, &mut fuel);
                let again = expression.eval(&variables(), &World, &mut Fuel::new(50_000));
                prop_assert_eq!(format!("{first:?}"), format!("{again:?}"));
            }
            Err(problem) => {
                prop_assert!(problem.at <= source.chars().count(), "{problem:?}");
                prop_assert!(!problem.message.is_empty() && !problem.help.is_empty());
            }
        }
    }

    /// The crate's own evaluator and ours give the same answers.
    #[test]
    fn cel_agrees(source in formula(4)) {
        let ours = match Expression::parse(&source, &[("n", Type::Int), ("list", Type::List(&Type::Int)), ("s", Type::Text)]) {
            Ok(ours) => ours,
            // Three loops within each other are the most.
            Err(problem) => {
                prop_assert!(problem.message.contains("within each other"), "{source}: {problem:?}");
                return Ok(());
            }
        };
        let values = [Value::Int(2), Value::list([Value::Int(1), Value::Int(2), Value::Int(5)]), Value::text("ada")];
        let ours = ours.eval(&values, &World, &mut Fuel::new(1_000_000));
        let mut context = cel::Context::default();
        context.add_variable("n", 2_i64).unwrap();
        context.add_variable("list", vec![1_i64, 2, 5]).unwrap();
        context.add_variable("s", "ada").unwrap();
        let theirs = cel::Program::compile(&source).unwrap().execute(&context);
        match (ours, theirs) {
            (Ok(Value::Bool(ours)), Ok(cel::Value::Bool(theirs))) => prop_assert_eq!(ours, theirs, "{}", source),
            (Err(_), Err(_)) => {}
            (ours, theirs) => prop_assert!(false, "{source}: {ours:?} {theirs:?}"),
        }
    }
}

/// Formulas that are true or false, or divide by 0, or look past the end of a list.
fn formula(depth: u32) -> impl Strategy<Value = String> {
    let number = || {
        prop_oneof![
            Just("n".to_owned()),
            (0_i64..4).prop_map(|n| n.to_string()),
            (0_i64..5).prop_map(|n| format!("list[{n}]")),
            Just("size(list)".to_owned()),
            Just("size(s)".to_owned()),
            (0_i64..3).prop_map(|n| format!("(7 % {n})")),
            Just("list.map(x, x > 1, x * 2)[0]".to_owned()),
        ]
    };
    let leaf = prop_oneof![
        (number(), prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]), number())
            .prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        number().prop_map(|n| format!("{n} in list")),
        prop::sample::select(vec![
            "s.startsWith(\"a\")",
            "s.contains(\"x\")",
            "s + s == \"adaada\"",
            "false"
        ])
        .prop_map(str::to_owned),
    ];
    leaf.prop_recursive(depth, 24, 3, move |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} && {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            inner.clone().prop_map(|a| format!("!({a})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            inner.clone().prop_map(|a| format!("list.all(x, x > 1 || {a})")),
            inner.clone().prop_map(|a| format!("list.exists(x, 6 / (x - 1) == 1 || {a})")),
            inner.prop_map(|a| format!("list.filter(x, {a}).size() == 3")),
        ]
    })
}
