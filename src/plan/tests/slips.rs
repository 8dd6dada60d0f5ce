//! People who may be meant by another address: what was pasted along, and who may have a new address.

use insta::assert_snapshot;

use super::builder::*;
use crate::resource::desired::{GoneCause, Unlisted};

/// An invite to `new` while kim leaves.
fn invited(new: &str) -> (Files, Org) {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member(new, "developer");
    org.user("user_k", "kim@acme.com", "user");
    (files, org)
}

#[test]
fn an_invite_that_holds_a_leaving_address_beside_a_foreign_character_is_held() {
    for new in [
        "\u{2022}kim@acme.com",
        "\u{201c}kim@acme.com\u{201d}",
        "mailto:kim@acme.com",
        "(kim@acme.com",
    ] {
        let (mut files, org) = invited(new);
        let shown = show(&plan(&files, &org));
        assert!(shown.contains("held create member/"), "{shown}");
        assert!(shown.contains("held remove member/kim@acme.com"), "{shown}");
        assert!(shown.contains("write `kim@acme.com` if that is meant"), "{shown}");
        files.pin(member_address(new), None, Some(&[]));
        let shown = show(&plan(&files, &org));
        assert!(shown.contains("ready create") && shown.contains("ready remove"), "{shown}");
    }
}

#[test]
fn an_invite_whose_address_only_ends_like_a_leaving_one_is_sent() {
    for new in ["joakim@acme.com", "joa.kim@acme.com", "o'kim@acme.com", "j\u{f6}kim@acme.com"] {
        let (files, org) = invited(new);
        let shown = show(&plan(&files, &org));
        assert!(shown.contains("ready create") && shown.contains("ready remove"), "{shown}");
    }
}

#[test]
fn an_end_by_date_is_not_held_by_what_an_invite_holds() {
    let (mut files, org) = invited("\u{2022}kim@acme.com");
    files.manage(Unlisted::Report).gone(member_address("kim@acme.com"), GoneCause::Expired);
    let shown = show(&plan(&files, &org));
    assert!(shown.contains("held create") && shown.contains("ready remove"), "{shown}");
}

/// joe.doe leaves with these grants, joe.smith comes with those; each by workspace.
fn joe(old: &[(&str, &str)], new: &[(&str, &str)]) -> (Files, Org) {
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("joe.smith@acme.com", "developer");
    org.user("user_j", "joe.doe@acme.com", "developer");
    for (id, name) in [("w1", "Prod"), ("w2", "Lab")] {
        org.workspace(id, workspace_spec(name));
        files.workspace(workspace_spec(name));
        let role = |grants: &[(&str, &str)]| {
            grants.iter().find(|(place, _)| *place == name).map(|(_, role)| (*role).to_owned())
        };
        let wanted = role(new);
        let wanted: Vec<_> =
            wanted.iter().map(|role| ("joe.smith@acme.com", role.as_str())).collect();
        files.grants(name, &wanted);
        if let Some(role) = role(old) {
            org.grant(id, "user_j", &role);
        }
    }
    (files, org)
}

fn asked(files: &Files, org: &Org) -> Vec<String> {
    let notes = plan(files, org).notes;
    let ours = notes.into_iter().filter(|note| note.code == "plan/possible-rename");
    ours.map(|note| format!("{}\n{}", note.message, note.help.unwrap_or_default())).collect()
}

#[test]
fn a_removal_and_an_invite_with_equal_access_are_asked_about() {
    let grants = [("Prod", "workspace_admin"), ("Lab", "workspace_user")];
    let (mut files, org) = joe(&grants, &grants);
    assert_snapshot!(asked(&files, &org).join("\n"), @"
    `joe.doe@acme.com` is removed while `joe.smith@acme.com` is invited with the same role and the same grants: a removal ends personal API keys, a new address of the same person does not
    for each who is the same person, add `previously` to the new entry, as in `previously: [joe.doe@acme.com]`; for the others, `previously: []` ends this warning
    ");
    assert!(
        plan(&files, &org).steps.iter().filter(|step| step.disposition.is_ready()).count() == 2
    );
    files.pin(member_address("joe.smith@acme.com"), None, Some(&[]));
    assert_eq!(asked(&files, &org), Vec::<String>::new());
}

#[test]
fn other_access_or_an_announced_end_is_not_asked_about() {
    let (files, org) = joe(&[("Prod", "workspace_admin")], &[("Prod", "workspace_user")]);
    assert_eq!(asked(&files, &org), Vec::<String>::new());
    let (files, org) = joe(&[("Prod", "workspace_admin")], &[]);
    assert_eq!(asked(&files, &org), Vec::<String>::new());
    let (mut files, org) = joe(&[], &[]);
    files.gone(member_address("joe.doe@acme.com"), GoneCause::Expired);
    assert_eq!(asked(&files, &org), Vec::<String>::new());
    // An invite that nobody accepted takes nothing along when it is withdrawn.
    let (mut files, mut org) = (Files::new(), Org::new());
    files.member("joe.smith@acme.com", "developer");
    org.invite("invite_1", "joe.doe@acme.com", "developer", 4);
    assert_eq!(asked(&files, &org), Vec::<String>::new());
}

#[test]
fn many_people_of_equal_access_are_one_question() {
    let (mut files, mut org) = (Files::new(), Org::new());
    for index in 0..7 {
        files.member(&format!("new.kim{index}@acme.com"), "user");
        org.user(&format!("user_{index}"), &format!("old.kim{index}@acme.com"), "user");
    }
    let asked = asked(&files, &org);
    assert_eq!(asked.len(), 1);
    assert!(
        asked[0].contains("`old.kim4@acme.com`, 2 more are removed while `new.kim0@acme.com`"),
        "{asked:?}"
    );
}

#[test]
fn without_grants_only_people_whose_names_are_alike_are_asked_about() {
    let asked = |gone: &[&str], come: &[&str]| {
        let (mut files, mut org) = (Files::new(), Org::new());
        for (index, email) in gone.iter().enumerate() {
            org.user(&format!("user_{index}"), email, "user");
        }
        for email in come {
            files.member(email, "user");
        }
        self::asked(&files, &org).join("\n")
    };
    assert_eq!(asked(&["max.miller@acme.com"], &["kim.jones@acme.com"]), "");
    for (old, new) in [
        ("kim.jones@acme.com", "kim.miller@acme.com"),
        ("kim.jones@acme.com", "kjones@acme.com"),
        ("kimj@acme.com", "kim.jones@new.com"),
        ("kim.jones@acme.com", "kimj@acme.com"),
    ] {
        let said = asked(&[old, "max.stone@acme.com"], &[new, "eve.king@acme.com"]);
        assert!(
            said.starts_with(&format!("`{old}` is removed while `{new}` is invited")),
            "{said}"
        );
        assert!(said.contains("the same role and a similar name"), "{said}");
    }
}
