//! Law 7 where it is hardest: people whose addresses charter refuses, and workspaces that get another name afterwards.
//!
//! Invariant: whoever and whatever an import met stays the same, written down or not.

use orgcharter::{
    config::{document::Document, write::write},
    email::Email,
    plan::Plan,
    resource::{Verb, desired::IgnoreTarget},
    sandbox::Sandbox,
};
use tokio::runtime::Runtime;

use crate::{
    common::{Session, load, lowered, runtime},
    generate::{CLAUDE_CODE, DEFAULT, tape::Tape},
    import::import,
    model::files::Kind,
    run::{ensure, law},
};

/// Addresses that files may not be able to say: some are refused, some are only odd.
const ODD: [&str; 24] = [
    "\u{201c}kim@acme.com\u{201d}",
    "\u{2022}kim@acme.com",
    "\"kim\"@acme.com",
    "'kim'@acme.com",
    "o'brien@acme.com",
    "mailto:kim@acme.com",
    "kim(x)@acme.com",
    "kim[x]@acme.com",
    "kim<x>@acme.com",
    "{kim}@acme.com",
    "kim;x@acme.com",
    "kim,x@acme.com",
    "kim x@acme.com",
    ".kim@acme.com",
    "kim.@acme.com",
    "k..im@acme.com",
    "kim@localhost",
    "kim@acme..com",
    "kim@acme.com.",
    "kim@-acme-.com",
    "kim\u{34f}@acme.com",
    "kim\u{2800}@acme.com",
    "kim*?@acme.com",
    "kim",
];

/// What a plan for an imported document would do.
fn planned(runtime: &Runtime, sandbox: &Sandbox, document: &Document) -> Result<Plan, String> {
    let text = write(document);
    let session = Session::new(sandbox);
    let loaded = load(&[("charter.yaml", &text)])
        .map_err(|why| format!("what was imported does not load: {why}\n{text}"))?;
    let (desired, _) = lowered(&loaded.document, session.now);
    let (plan, _) = runtime.block_on(session.plan(&desired)).map_err(|error| error.to_string())?;
    Ok(plan)
}

#[test]
fn law_7_nobody_whose_address_is_refused_is_removed_after_an_import() {
    let runtime = runtime();
    law("7 refused addresses", |case, coverage| {
        coverage.want("an address that is refused");
        coverage.want("an odd address that is not");
        if case.files.kind == Kind::Aws {
            return Ok(());
        }
        let sandbox = case.sandbox();
        let mut tape: Tape<'_> = case.later();
        let odd: Vec<&str> = (0..3).map(|_| tape.one(&ODD)).collect();
        sandbox.with(|state| {
            for email in &odd {
                let same =
                    |user: &orgcharter::sandbox::User| user.email.eq_ignore_ascii_case(email);
                if !state.users().any(same) {
                    state.add_user(email, "user");
                }
            }
        });
        let (document, _) = runtime.block_on(import(&sandbox, case))?;
        for email in &odd {
            let parsed = Email::parse(email).ok();
            let listed = document.members.as_ref().is_some_and(|section| {
                parsed.as_ref().is_some_and(|email| section.contains_key(email))
            });
            coverage.meet(if parsed.is_none() {
                "an address that is refused"
            } else {
                "an odd address that is not"
            });
            let canonical = Email::lenient(email).canonical().to_string();
            let reasoned = document.manage.ignore.iter().any(|ignore| {
                let glob = globset::Glob::new(&ignore.pattern).map(|glob| glob.compile_matcher());
                ignore.target == IgnoreTarget::Members
                    && !ignore.reason.is_empty()
                    && glob.is_ok_and(|glob| glob.is_match(&canonical))
            });
            let removes =
                document.manage.members.as_ref().is_some_and(|rule| {
                    rule.value == orgcharter::resource::desired::Unlisted::Remove
                });
            ensure!(
                listed || reasoned || !removes,
                "`{email}` is neither listed nor ignored\n{}",
                write(&document)
            );
        }
        let plan = planned(&runtime, &sandbox, &document)?;
        ensure!(
            plan.steps.is_empty(),
            "what was imported has steps: {:#?}\n{}",
            plan.steps,
            write(&document)
        );
        Ok(())
    });
}

#[test]
fn law_7_what_was_imported_is_never_made_again_under_its_old_name() {
    let runtime = runtime();
    law("7 renamed after an import", |case, coverage| {
        coverage.want("a rename after the import");
        let sandbox = case.sandbox();
        let (document, _) = runtime.block_on(import(&sandbox, case))?;
        let own: Vec<(String, String)> = sandbox.with(|state| {
            state
                .workspaces()
                .filter(|row| row.archived_at.is_none() && !row.is_default)
                .filter(|row| row.name != CLAUDE_CODE && row.name != DEFAULT)
                .map(|row| (row.id.clone(), row.name.clone()))
                .collect()
        });
        let listed = |id: &str| {
            let entries = document.workspaces.iter().flat_map(|section| section.entries.values());
            entries.filter_map(|entry| entry.id.as_ref()).any(|own| ***own == *id)
        };
        let renamed: Vec<&(String, String)> = own.iter().filter(|(id, _)| listed(id)).collect();
        for (index, (id, _)) in renamed.iter().enumerate() {
            coverage.meet("a rename after the import");
            sandbox.with(|state| {
                state.edit_workspace(id, |row| row.name = format!("Entirely other {index}"));
            });
        }
        let plan = planned(&runtime, &sandbox, &document)?;
        let made = plan.steps.iter().find(|step| step.change.verb() == Verb::Create);
        ensure!(made.is_none(), "made again: {made:#?}");
        ensure!(
            plan.steps.len() == renamed.len(),
            "{} steps for {} renames: {:#?}",
            plan.steps.len(),
            renamed.len(),
            plan.steps
        );
        Ok(())
    });
}
