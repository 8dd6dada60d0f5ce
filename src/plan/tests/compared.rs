//! Two sets of files compared: what only the new ones name is shown, also where nothing says what is live.

use super::builder::*;
use crate::{
    address::{Address, Name},
    plan::compare::compare,
    resource::desired::GoneCause,
};

/// What differs, a line each.
fn lines(old: &Files, new: &Files) -> Vec<String> {
    let line = |(address, change): &(Address, crate::resource::Change)| {
        format!("{:?} {address} {}", change.verb(), change.object().spec.resource().title())
    };
    compare(&old.desired, &new.desired).changes.iter().map(line).collect()
}

fn base() -> Files {
    let mut files = Files::new();
    files.member("ada@acme.com", "user").member("bob@acme.com", "user");
    files.workspace(workspace_spec("Prod")).grants("Prod", &[("ada@acme.com", "workspace_user")]);
    files
}

#[test]
fn what_only_the_new_files_want_gone_is_shown_with_its_id() {
    let mut new = base();
    let prod = Address::workspace(Name::label("harmless"));
    new.gone(member_address("mal@acme.com"), GoneCause::None);
    new.gone(prod.clone(), GoneCause::Archived).pin(prod, Some("wrkspc_prod"), None);
    let grant = Address::workspace_member(Name::label("Prod"), Name::label("bob@acme.com"));
    new.gone(grant, GoneCause::None).key("apikey_1", None, "archived");
    assert_eq!(
        lines(&base(), &new),
        [
            "Remove member/mal@acme.com mal@acme.com",
            "Remove workspace/harmless harmless (wrkspc_prod)",
            "Remove workspace_member/Prod/bob@acme.com bob@acme.com",
            "Update api_key/apikey_1 unnamed key",
        ]
    );
    assert_eq!(lines(&new, &new), Vec::<String>::new());
}

#[test]
fn somebody_the_old_files_know_by_another_name_is_removed_once() {
    let (mut new, mut pinned) = (Files::new(), base());
    new.member("ada@acme.com", "user").workspace(workspace_spec("Prod"));
    new.grants("Prod", &[("ada@acme.com", "workspace_user")]);
    let robert = member_address("robert@acme.com");
    new.gone(robert.clone(), GoneCause::None);
    new.pin(robert.clone(), Some("user_bob"), Some(&["bob@acme.com"]));
    let once = ["Remove member/robert@acme.com bob@acme.com"];
    assert_eq!(lines(&base(), &new), once, "by an earlier address");
    pinned.pin(member_address("bob@acme.com"), Some("user_bob"), None);
    new.pin(robert, Some("user_bob"), None);
    assert_eq!(lines(&pinned, &new), once, "by id");
}

#[test]
fn a_grant_revoked_in_a_renamed_workspace_is_shown_once() {
    let (mut old, mut new) = (base(), Files::new());
    old.grants("Prod", &[("bob@acme.com", "workspace_admin")]);
    new.member("ada@acme.com", "user").member("bob@acme.com", "user");
    new.workspace(workspace_spec("Prod2"));
    new.pin(Address::workspace(Name::label("Prod2")), None, Some(&["Prod"]));
    new.grants("Prod2", &[("ada@acme.com", "workspace_user")]);
    let grant = Address::workspace_member(Name::label("Prod2"), Name::label("bob@acme.com"));
    new.gone(grant, GoneCause::None);
    assert_eq!(
        lines(&old, &new),
        ["Update workspace/Prod2 Prod2", "Remove workspace_member/Prod2/bob@acme.com bob@acme.com"]
    );
}
