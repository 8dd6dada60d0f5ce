//! Law 5: plan, drift, diff, import, access and the check of a saved plan write nothing.
//!
//! Invariant: asserted on the sandbox's request log and on its whole state, not on what the code says it does.

use orgcharter::{
    access::effective,
    api::transport::Method,
    config::{raise::raise, write::write},
    plan::{bind::bind, compare::compare, stale},
    resource::OrgKind,
    sandbox::Server,
};

use crate::{
    common::{Session, load, lowered, runtime},
    import::everything,
    model::files::Kind,
    run::{ensure, law, samples},
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

/// How many organizations the commands themselves are tried on: each is a process.
const COMMAND_CASES: usize = 8;

#[test]
fn law_5_holds_for_the_commands_themselves() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    for case in samples(COMMAND_CASES) {
        let server = runtime
            .block_on(Server::start(case.state(), ([127, 0, 0, 1], 0).into()))
            .expect("a sandbox on loopback");
        let before = server.sandbox().with(|state| state.to_yaml()).expect("a state");
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in &case.sources {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(path, text).expect("a file");
        }
        let files = folder.path().to_str().expect("a path");
        let saved = folder.path().join("saved.json");
        let kind = case.files.kind.word();
        let commands: [&[&str]; 6] = [
            &["plan", files, "--format", "json"],
            &["plan", files, "--out", saved.to_str().expect("a path")],
            &["drift", files],
            &["diff", files, files],
            &["import", "--kind", kind],
            &["access", "--kind", kind],
        ];
        for arguments in commands {
            let output = std::process::Command::new(env!("CARGO_BIN_EXE_charter"))
                .args(arguments)
                .env_clear()
                .env("ANTHROPIC_ADMIN_KEY", server.sandbox().admin_key())
                .env("ANTHROPIC_BASE_URL", server.base_url())
                .output()
                .expect("the command");
            // Done, changes, or a guard that refuses; never a failure or bad usage.
            let code = output.status.code();
            assert!(
                matches!(code, Some(0 | 2 | 4)),
                "{arguments:?} ended with {code:?}\n{}\n{case}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let log = server.sandbox().log();
        let other = log.entries().iter().find(|entry| entry.method != Method::Get);
        assert!(other.is_none(), "something was written: {other:?}\n{case}");
        assert!(!log.is_empty(), "nothing was read");
        let after = server.sandbox().with(|state| state.to_yaml()).expect("a state");
        assert_eq!(before, after, "looking changed the organization");
    }
}
