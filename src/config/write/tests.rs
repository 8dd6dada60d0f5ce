//! What is written loads again and says the same.

use std::{collections::BTreeMap, sync::Arc};

use proptest::{option, prelude::*, sample};

use super::*;
use crate::{
    config::{
        decode::is_plain_text,
        document::{
            GuardName, Ignore, KEY_ID_PREFIX, KeyStatus, Place, Role, Text, Unlisted, Wanted,
            WorkspaceRole,
        },
        load::{load_sources, tests::everything},
    },
    email::Email,
    resource::workspace::{Color, DEFAULT},
};

fn load(text: &str) -> Document {
    load_sources(vec![("charter.yaml".into(), text.into())])
        .unwrap_or_else(|rejected| panic!("{text}\n{:#?}", rejected.diagnostics))
        .document
}

#[test]
fn the_example_of_the_docs_is_written_in_one_canonical_form() {
    let document = load(everything());
    let written = write(&document);
    assert_eq!(load(&written), document);
    assert_eq!(write(&load(&written)), written);
    insta::assert_snapshot!(written, @r##"
    version: 1
    organization:
      id: 3f0c1b1e-0000-4000-8000-000000000000

    members:
      ada@acme.com: admin
      bob@acme.com: none
      grace@acme.com: developer
      joan@contractor.io:
        role: claude_code_user
        until: 2027-03-31
        note: SOW-118
        previously: [joan@old.io]

    teams:
      platform: [grace@acme.com, joan@contractor.io]

    workspaces:
      Default:
        display_color: "#777777"
      Production:
        id: wrkspc_01JwQvzr7rXLA5AGx3HKfFUJ
        previously: [Prod]
        display_color: "#6C5BB9"
        tags: {cost-center: "4411", env: prod}
        data_residency: {default_inference_geo: us, allowed_inference_geos: [us]}
        members:
          team/platform: workspace_developer
          ada@acme.com: workspace_admin
          joan@contractor.io: {role: workspace_user, until: 2026-12-31, note: handover}
        api_keys:
          apikey_01Rj2N8SVvo6BePZj99NhmiT: {name: old-batch, status: inactive, note: OPS-7}
          ci-deploy: active
      hackathon:
        name: Hackathon 2025
        id: wrkspc_01AbC
        state: archived

    api_keys: {}

    manage:
      members: remove
      workspace_members: remove
      workspaces: report
      api_keys: report
      ignore:
        - {members: "*@anthropic.com", reason: vendor support, until: 2027-06-30}
    "##);
}

#[test]
fn an_empty_document_is_its_version() {
    assert_eq!(write(&Document::default()), "version: 1\n");
}

#[test]
fn a_header_cannot_end_its_comment() {
    let header = ["Acme\nmembers: {}\u{2028}x".to_owned(), String::new()];
    let written = write_with_header(&Document::default(), &header);
    assert_eq!(written, "# Acme members: {} x\n#\nversion: 1\n");
}

#[test]
fn text_that_yaml_takes_for_something_else_is_quoted() {
    for text in [
        "",
        " ",
        "a ",
        "~",
        "null",
        "Yes",
        "no",
        "on",
        "Off",
        "y",
        "true",
        "1",
        "-1",
        "+1",
        "0x1f",
        "0o7",
        "0b1",
        "1_000",
        "1.5",
        ".5",
        "1e3",
        ".inf",
        ".nan",
        "12:30",
        "2027-03-31",
        "2001-12-14t21:59:43",
        "<<",
        "=",
        "a: b",
        "a #b",
        "a:",
        "- a",
        "? a",
        "[a",
        "a]",
        "{a",
        "a,b",
        "&a",
        "*a",
        "!a",
        "|",
        ">",
        "'a",
        "\"a",
        "%a",
        "@a",
        "`a",
        "a\nb",
        "a\tb",
        "#6C5BB9",
        "---",
        "...",
        "\u{feff}a",
        "a\u{85}b",
        "\u{fffe}",
    ] {
        let written = scalar(text);
        assert!(written.starts_with('"') && written.ends_with('"'), "{text:?}: {written}");
        let yaml =
            format!("a: {written}\n{written}: b\nc: [{written}, {{{written}: {written}}}]\n");
        let read: serde_json::Value = serde_yaml::from_str(&yaml).unwrap();
        assert_eq!(read["a"], text, "{yaml}");
        assert_eq!(read["c"][1][text], text, "{yaml}");
    }
    for text in [
        "ada@acme.com",
        "2fa@acme.com",
        "ci-deploy",
        "Hackathon 2025",
        "apikey_01Rj2N",
        "SOW-118",
        "us",
    ] {
        assert_eq!(scalar(text), text);
    }
    assert_eq!(
        scalar("3f0c1b1e-0000-4000-8000-000000000000"),
        "3f0c1b1e-0000-4000-8000-000000000000"
    );
}

/// Text that files can hold, mostly of the sort that breaks YAML.
fn text(max: usize) -> impl Strategy<Value = Arc<str>> {
    let nasty = sample::select(vec![
        "no",
        "Null",
        "~",
        "1",
        "0x1F",
        "1e5",
        ".5",
        "2027-03-31",
        "a: b",
        "a #b",
        "#6C5BB9",
        "- x",
        "*x",
        "&x",
        "!x",
        "<<",
        "{a}",
        "[a]",
        "a, b",
        "\"q\"",
        "it's",
        "back\\slash",
        " padded ",
        "Ünïcode",
        "日本",
        "🎉 party",
        "%x",
        "@x",
        "`x`",
        "x:",
        "?",
        "|",
        ">",
        "=",
        "12:30",
        "---",
        "...",
        "true",
        "e\u{301}",
        "a=b",
        "null ",
        "x\u{a0}y",
        "\u{200d}",
    ]);
    prop_oneof![nasty.prop_map(str::to_owned), "[ -~]{1,14}", "\\PC{1,10}"]
        .prop_filter("files can hold it", move |text| is_plain_text(text, max, false))
        .prop_map(Arc::from)
}

/// The same with several lines.
fn note() -> impl Strategy<Value = Text> {
    prop_oneof![
        text(200).prop_map(Sp::new),
        (text(99), text(99)).prop_map(|(a, b)| Sp::new(format!("{a}\n\t{b}\n").into())),
    ]
}

fn date() -> impl Strategy<Value = Sp<jiff::civil::Date>> {
    (2020i16..=2100, 1i8..=12, 1i8..=28).prop_map(|(y, m, d)| Sp::new(jiff::civil::date(y, m, d)))
}

/// Addresses, of which some are written in an odd way.
fn people() -> impl Strategy<Value = Vec<Email>> {
    let local = prop_oneof![
        "[a-z]{1,6}",
        "[0-9]{1,3}",
        "[A-Za-z0-9._+-]{1,6}",
        sample::select(vec![
            "ünal", "null", "!x", "#x", "it's", "{x}", "*", "o'hara", "ÄÖ", "-x", "x%y"
        ])
        .prop_map(str::to_owned),
    ];
    let domain = sample::select(vec!["acme.com", "ACME.com", "bücher.example", "x.io"]);
    prop::collection::btree_set(
        (local, domain).prop_filter_map("an address", |(local, domain)| {
            Email::parse(&format!("{local}@{domain}")).ok()
        }),
        0..8,
    )
    .prop_map(|set| set.into_iter().collect())
}

fn role<R: Clone + std::fmt::Debug + 'static>(
    roles: Vec<R>,
) -> impl Strategy<Value = Sp<Wanted<R>>> {
    prop_oneof![
        6 => sample::select(roles).prop_map(Wanted::Role),
        1 => Just(Wanted::None),
        1 => Just(Wanted::Unmanaged),
    ]
    .prop_map(Sp::new)
}

fn person() -> impl Strategy<Value = Person> {
    let roles = Role::KNOWN.iter().filter(|role| role.exists_in(OrgKind::Console)).cloned();
    let previously = option::of(prop::collection::btree_set("[a-z]{12}", 0..3));
    let id = option::of("user_[A-Za-z0-9]{20}");
    (role(roles.collect()), option::of(date()), option::of(note()), previously, id).prop_map(
        |(role, until, note, previously, id)| Person {
            place: Place::default(),
            until: until.filter(|_| role.value != Wanted::None),
            role,
            note,
            // Made unlike any listed address; the caller tells them apart.
            previously: previously.map(|names| {
                let email = |name| Sp::new(Email::parse(&format!("{name}@old.example")).unwrap());
                Sp::new(names.into_iter().map(email).collect())
            }),
            id: id.map(|id| Sp::new(id.into())),
        },
    )
}

fn grant() -> impl Strategy<Value = Grant> {
    let roles = WorkspaceRole::KNOWN.iter().filter(|role| role.assignable()).cloned();
    (role(roles.collect()), option::of(date()), option::of(note())).prop_map(
        |(role, until, note)| Grant {
            place: Place::default(),
            until: until.filter(|_| role.value != Wanted::None),
            role,
            note,
        },
    )
}

fn keys() -> impl Strategy<Value = Section<Arc<str>, Key>> {
    let statuses = vec![KeyStatus::Active, KeyStatus::Inactive, KeyStatus::Archived];
    let status = option::of(sample::select(statuses));
    let by_id = (
        "apikey_[A-Za-z0-9]{16}".prop_map(Arc::from),
        (option::of(text(500)), status, option::of(note()), option::of(date())).prop_map(
            |(name, status, note, until)| Key {
                place: Place::default(),
                name: name.map(Sp::new),
                status: status.map(Sp::new),
                note,
                until,
            },
        ),
    );
    let by_name = (
        text(500).prop_filter("a name", |name| !name.starts_with(KEY_ID_PREFIX)),
        option::of(note()).prop_map(|note| Key {
            status: Some(Sp::new(KeyStatus::Active)),
            note,
            ..Key::default()
        }),
    );
    prop::collection::vec(prop_oneof![by_id, by_name], 0..4)
        .prop_map(|list| Section { place: Place::default(), entries: list.into_iter().collect() })
}

/// Grants to some of these people, and one and the same to each of these teams.
fn grants(people: &[Email], teams: &[Arc<str>]) -> impl Strategy<Value = Grants> + use<> {
    let some = sample::subsequence(people.to_vec(), 0..=people.len());
    let teams = sample::subsequence(teams.to_vec(), 0..=teams.len());
    (some, prop::collection::vec(grant(), 8), teams, grant()).prop_map(
        |(people, grants, teams, grant)| Grants {
            place: Place::default(),
            people: people.into_iter().zip(grants).collect(),
            teams: teams.into_iter().map(|team| (team, grant.clone())).collect(),
        },
    )
}

fn residency() -> impl Strategy<Value = Residency> {
    let us = || Arc::<str>::from("us");
    let geos = sample::select(vec![
        Geos::Unrestricted,
        Geos::Only([us()].into()),
        Geos::Only([us(), "global".into()].into()),
    ]);
    (any::<bool>(), any::<bool>(), option::of(geos)).prop_map(move |(geo, default, geos)| {
        Residency {
            place: Place::default(),
            workspace_geo: geo.then(|| Sp::new(us())),
            default_inference_geo: default.then(|| Sp::new(us())),
            allowed_inference_geos: geos.map(Sp::new),
        }
    })
}

fn tags() -> impl Strategy<Value = Section<Arc<str>, Text>> {
    let key = text(50).prop_filter("not reserved", |key| !key.starts_with("anthropic"));
    let value = prop_oneof![text(50), Just(Arc::from(""))].prop_map(Sp::new);
    prop::collection::btree_map(key, value, 0..4)
        .prop_map(|entries| Section { place: Place::default(), entries })
}

fn workspace(people: &[Email], teams: &[Arc<str>]) -> impl Strategy<Value = Workspace> + use<> {
    let names = (
        option::of(("wrkspc_[A-Za-z0-9]{16}", option::of(text(255)))),
        option::of(prop::collection::vec("[a-z]{12}", 0..2)),
        any::<bool>(),
        option::of(note()),
    );
    let looks = (
        option::of("#[0-9A-Fa-f]{6}"),
        option::of(tags()),
        option::of(residency()),
        option::of(text(100)),
        option::of(text(100)),
    );
    (names, looks, option::of(grants(people, teams)), option::of(keys())).prop_map(
        |((id, previously, state, note), looks, members, api_keys)| {
            let (color, tags, data_residency, external_key_id, user_profile_id) = looks;
            let (id, name) = id.map_or((None, None), |(id, name)| (Some(id), name));
            let state = match (state, &id) {
                (false, _) => None,
                (true, None) => Some(WorkspaceState::Active),
                (true, Some(_)) => Some(WorkspaceState::Archived),
            };
            Workspace {
                place: Place::default(),
                name: name.filter(|name| &**name != DEFAULT).map(Sp::new),
                id: id.map(|id| Sp::new(id.into())),
                previously: previously.map(|names| {
                    Sp::new(names.into_iter().map(|name| Sp::new(name.into())).collect())
                }),
                state: state.map(Sp::new),
                display_color: color.map(|color| Sp::new(Color::new(&color))),
                tags,
                data_residency,
                external_key_id: external_key_id.map(Sp::new),
                user_profile_id: user_profile_id.map(Sp::new),
                note,
                members,
                api_keys,
            }
        },
    )
}

fn manage() -> impl Strategy<Value = Manage> {
    let rule =
        || option::of(sample::select(vec![Unlisted::Remove, Unlisted::Report, Unlisted::Ignore]));
    let kept = || option::of(sample::select(vec![Unlisted::Report, Unlisted::Ignore]));
    let target = sample::select(vec![
        IgnoreTarget::Members,
        IgnoreTarget::Workspaces,
        IgnoreTarget::ApiKeys,
    ]);
    let pattern = sample::select(vec!["*@anthropic.com", "[a-c]*", "{a,b}?", "no", "Test *"]);
    let ignore = (target, pattern, note(), option::of(date())).prop_map(
        |(target, pattern, reason, until)| Ignore {
            place: Place::default(),
            target,
            pattern: Sp::new(pattern.into()),
            reason,
            until,
        },
    );
    (rule(), rule(), kept(), kept(), prop::collection::vec(ignore, 0..3)).prop_map(
        |(members, workspace_members, workspaces, api_keys, ignore)| Manage {
            place: Place::default(),
            members: members.map(Sp::new),
            workspace_members: workspace_members.map(Sp::new),
            workspaces: workspaces.map(Sp::new),
            api_keys: api_keys.map(Sp::new),
            ignore,
        },
    )
}

fn guard() -> impl Strategy<Value = Guard> {
    let limit = (option::of(0u8..=100), option::of(any::<u64>()))
        .prop_filter("a limit", |(share, count)| share.is_some() || count.is_some())
        .prop_map(|(share, count)| Sp::new(Limit { share, count }));
    let name = sample::select(GuardName::ALL.to_vec());
    let names = prop::collection::btree_set(name.clone(), 0..3);
    let age = sample::select(vec!["1m", "90m", "4h", "7d", "2w", "99999w"]);
    let rest = (option::of(names), option::of(age));
    (prop::collection::btree_map(name, limit, 0..5), rest).prop_map(|(limits, (names, age))| {
        Guard {
            place: Place::default(),
            limits,
            acknowledge: names.map(Sp::new),
            max_plan_age: age.and_then(crate::resource::desired::PlanAge::parse).map(Sp::new),
        }
    })
}

static SCHEMA: std::sync::LazyLock<jsonschema::Validator> = std::sync::LazyLock::new(|| {
    jsonschema::validator_for(&crate::config::schema::schema()).unwrap()
});

/// Any document that passes the checks.
fn documents() -> impl Strategy<Value = Document> {
    let labels = prop::collection::btree_set(
        text(255).prop_filter("not reserved", |name| &**name != DEFAULT),
        0..4,
    );
    let teams = prop::collection::btree_set("[A-Za-z0-9_-]{1,6}", 0..3);
    (people(), teams, labels).prop_flat_map(|(people, teams, labels)| {
        let teams: Vec<Arc<str>> = teams.into_iter().map(Arc::from).collect();
        let lists = prop::collection::vec(
            sample::subsequence(people.clone(), 0..=people.len()),
            teams.len(),
        );
        let workspaces = prop::collection::vec(workspace(&people, &teams), labels.len());
        let count = people.len();
        let rest = (option::of(keys()), manage(), guard(), any::<[bool; 4]>());
        (prop::collection::vec(person(), count), lists, workspaces, rest).prop_map(
            move |(persons, lists, workspaces, (api_keys, manage, guard, present))| {
                let team = |people: Vec<Email>| Team {
                    place: Place::default(),
                    people: people.into_iter().map(Sp::new).collect(),
                };
                let members = people.iter().cloned().zip(persons).collect();
                let workspaces = labels.iter().cloned().zip(workspaces).collect();
                let teams: BTreeMap<_, _> =
                    teams.iter().cloned().zip(lists.into_iter().map(team)).collect();
                let id = "3f0c1b1e-0000-4000-8000-00000000000a";
                Document {
                    organization: Organization {
                        id: present[0].then(|| Sp::new(id.into())),
                        ..Organization::default()
                    },
                    members: present[1]
                        .then_some(Section { place: Place::default(), entries: members }),
                    // Grants name the teams, so they are always there.
                    teams: (present[2] || !teams.is_empty())
                        .then_some(Section { place: Place::default(), entries: teams }),
                    workspaces: present[3]
                        .then_some(Section { place: Place::default(), entries: workspaces }),
                    api_keys,
                    manage,
                    guard,
                    ..Document::default()
                }
            },
        )
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_is_written_loads_to_the_same_document(document in documents()) {
        let written = write(&document);
        let loaded = load(&written);
        prop_assert_eq!(&loaded, &document, "{}", written);
        prop_assert_eq!(write(&loaded), written);
        // E-mails are sent as they were written.
        let spelled = |document: &Document| -> Vec<String> {
            document.members.iter().flat_map(|m| m.keys()).map(ToString::to_string).collect()
        };
        prop_assert_eq!(spelled(&loaded), spelled(&document));
    }

    #[test]
    fn another_reader_of_yaml_agrees_and_so_does_the_schema(document in documents()) {
        let written = write(&document);
        let json: serde_json::Value = serde_yaml::from_str(&written)
            .map_err(|error| TestCaseError::fail(format!("{error}\n{written}")))?;
        let errors: Vec<_> = SCHEMA.iter_errors(&json).map(|error| error.to_string()).collect();
        prop_assert!(errors.is_empty(), "{:#?}\n{}", errors, written);
        let names = |section: &str| -> Vec<String> {
            json[section].as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect()
        };
        let mut labels: Vec<_> = document.workspaces.iter()
            .flat_map(|section| section.keys()).map(ToString::to_string).collect();
        labels.sort();
        let mut read = names("workspaces");
        read.sort();
        prop_assert_eq!(read, labels, "{}", written);
    }

    #[test]
    fn any_text_survives_being_written(text in any::<String>()) {
        let yaml = format!("a: {0}\n{0}: b\nc: [{0}, {{{0}: {0}}}]\n", scalar(&text));
        prop_assume!(text != "a" && text != "c" && text.len() < 300);
        let json: serde_json::Value = serde_yaml::from_str(&yaml)
            .map_err(|error| TestCaseError::fail(format!("{error}\n{yaml}")))?;
        prop_assert_eq!(&json["a"], &text);
        prop_assert_eq!(&json["c"][1][&text], &text);
        prop_assert_eq!(&json[&text], "b");
    }
}
