//! Law 5: plan, drift, diff, import, access and the check of a saved plan write nothing.
//!
//! Invariant: asserted on the sandbox's request log and on its whole state, not on what the code says it does.

use orgcharter::{
    access::effective,
    api::transport::Method,
    config::{raise::raise, write::write},
    plan::{bind::bind, compare::compare, stale},
    resource::OrgKind,
};

use crate::{
    common::{Session, load, lowered, runtime},
    import::everything,
    model::files::Kind,
    run::{ensure, law},
};

#[test]
fn law_5_whatever_only_looks_writes_nothing() {
    let runtime = runtime();
    law("5 looking", |case, coverage| {
        coverage.want("a plan with steps to do");
        let sandbox = case.sandbox();
        let before = sandbox.with(|state| state.to_yaml()).map_err(|error| error.to_string())?;
        let (desired, _) = lowered(&load(&case.sources)?.document, sandbox.now());
        runtime.block_on(async {
            // plan and drift
            let session = Session::new(&sandbox);
            let (plan, live) = session.plan(&desired).await.map_err(|error| error.to_string())?;
            if !plan.is_empty() {
                coverage.meet("a plan with steps to do");
            }
            // apply of a saved plan, up to its refusal
            let scope = stale::read_scope(&plan);
            let again = session.read(&scope, desired.organization.kind).await;
            stale::stale_facts(&plan, &again.map_err(|error| error.to_string())?);
            // access
            effective(&bind(&desired, &live).live);
            // import
            let all = everything(&sandbox, case).await?;
            let kind = match case.files.kind {
                Kind::Console => OrgKind::Console,
                Kind::Enterprise => OrgKind::Enterprise,
                Kind::Aws => OrgKind::Aws,
            };
            let (imported, _) = raise(&all, kind);
            let imported = load(&[("charter.yaml", write(&imported))])?;
            // diff
            compare(&lowered(&imported.document, session.now).0, &desired);
            Ok::<_, String>(())
        })?;
        let log = sandbox.log();
        let other = log.entries().iter().find(|entry| entry.method != Method::Get);
        ensure!(other.is_none(), "something was written: {other:?}");
        let after = sandbox.with(|state| state.to_yaml()).map_err(|error| error.to_string())?;
        ensure!(before == after, "looking changed the organization:\n{before}\n{after}");
        Ok(())
    });
}
