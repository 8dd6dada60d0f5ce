//! What the organization's request log says of a run, and whether its journal and its report say the same.
//!
//! Invariant: a request is matched to a step by what both say of themselves, and to one step only.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeBounds,
    sync::atomic::Ordering,
};

use orgcharter::{
    apply::{
        journal::{self, Start},
        resume::Recap,
    },
    resource::Verb,
    sandbox::{Entry, Log},
};
use serde_json::Value;

use crate::{
    arena::{Arena, Run},
    life::Met,
};

/// How much of a step reached the organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    Nothing,
    Part,
    All,
}

/// What a step is called.
pub(crate) type Name = (String, String);

/// A run as its journal and the log tell it.
pub(crate) struct Truth {
    pub(crate) recap: Recap,
    /// By step, how much of it was carried out.
    reached: BTreeMap<Name, Reached>,
    said: BTreeMap<Name, usize>,
}

fn name(address: &str, verb: Verb) -> Name {
    let verb = match verb {
        Verb::Create => "create",
        Verb::Update => "update",
        Verb::Replace => "replace",
        Verb::Remove => "remove",
    };
    (verb.to_owned(), address.to_owned())
}

/// Holds a journal against the requests of its run, by their places in the log; `None`: it had begun nothing.
pub(crate) fn journal_is_true(
    arena: &Arena,
    file: &str,
    run: impl RangeBounds<usize>,
    at: &str,
) -> Option<Truth> {
    let log = arena.sandbox.log();
    let ours = |entry: &&Entry| run.contains(&(usize::try_from(entry.number).unwrap() - 1));
    let done: Vec<&Entry> = log.writes().filter(|entry| entry.done).filter(ours).collect();
    let path = arena.path(file);
    let recap = path.exists().then(|| {
        let lines = journal::read(&path).unwrap_or_else(|error| panic!("{at}: {error}"));
        Recap::of(&lines)
    });
    let Some(recap) = recap.flatten() else {
        assert!(done.is_empty(), "{at}: written without a journal: {done:?}");
        return None;
    };

    // Every step stands in exactly one list.
    let mut lists: Vec<(Name, &str)> = Vec::new();
    lists.extend(recap.done.iter().map(|it| (name(&it.address, it.verb), "done")));
    lists
        .extend(recap.unclear.iter().map(|it| (name(&it.start.address, it.start.verb), "unclear")));
    lists.extend(recap.not_done.iter().map(|it| (name(&it.address, it.verb), "not done")));
    lists.extend(recap.never.iter().map(|it| (name(&it.address, it.verb), "never")));
    let planned: BTreeSet<Name> =
        recap.begin.steps.iter().map(|it| name(&it.address, it.verb)).collect();
    assert_eq!(lists.len(), planned.len(), "{at}: {lists:?}");
    let lists: BTreeMap<Name, &str> = lists.into_iter().collect();
    assert_eq!(lists.keys().cloned().collect::<BTreeSet<_>>(), planned, "{at}");

    // Every effect belongs to a step that is done or unclear.
    let starts = starts(arena, file);
    let mut reached: BTreeMap<Name, Reached> =
        planned.iter().map(|name| (name.clone(), Reached::Nothing)).collect();
    let mut calls: BTreeMap<Name, BTreeSet<usize>> = BTreeMap::new();
    for entry in done {
        let of: Vec<(&Start, usize)> =
            starts.iter().filter_map(|s| Some((s, call(s, entry)?))).collect();
        let [(start, index)] = of.as_slice() else {
            panic!("{at}: {} belongs to {} steps", entry.call(), of.len())
        };
        let name = name(&start.address, start.verb);
        assert!(matches!(lists[&name], "done" | "unclear"), "{at}: {} of {name:?}", entry.call());
        let calls = calls.entry(name.clone()).or_default();
        assert!(calls.insert(*index), "{at}: {} twice in one run", entry.call());
        let all = calls.len() == start.calls.len();
        reached.insert(name, if all { Reached::All } else { Reached::Part });
    }
    // Nothing is called done that is not.
    for (name, list) in &lists {
        if *list == "done" {
            assert_eq!(reached[name], Reached::All, "{at}: {name:?} is called done");
        }
    }
    Some(Truth { recap, reached, said: BTreeMap::new() })
}

impl Truth {
    /// Holds what `--resume` said against the log.
    pub(crate) fn report_is_true(&mut self, run: &Run, at: &str, met: &Met) {
        let steps = told(&run.stdout);
        assert_eq!(steps.len(), self.reached.len(), "{at}: {}", run.stdout);
        for (name, symbol, text) in steps {
            let Some(reached) = self.reached.get(&name) else {
                panic!("{at}: {name:?} is no step")
            };
            let there = text.contains("its effect is there");
            let not = text.contains("its effect is not there");
            let instead = text.contains("seen instead");
            let fits = match (symbol.as_str(), reached) {
                ("?", Reached::All) => there && !not && !instead,
                ("?", Reached::Nothing) => not && !there && !instead,
                ("?", Reached::Part) => instead && !there && !not,
                ("=", Reached::All) | ("." | "x" | "-" | "!" | "~", Reached::Nothing) => true,
                _ => false,
            };
            assert!(
                fits,
                "{at}: {name:?} is {reached:?}, and it says `{symbol} {text}`\n{}",
                run.stdout
            );
            if symbol == "?" {
                let number = match reached {
                    Reached::All => &met.there,
                    Reached::Nothing => &met.not_there,
                    Reached::Part => &met.part,
                };
                number.fetch_add(1, Ordering::Relaxed);
            }
            *self.said.entry(name).or_default() += 1;
        }
        assert!(self.said.values().all(|times| *times == 1), "{at}: {}", run.stdout);
    }

    /// Whether some step was carried out in part.
    pub(crate) fn has_parts(&self) -> bool {
        self.reached.values().any(|reached| *reached == Reached::Part)
    }
}

/// The steps that a report lists: name, symbol, and what it says.
fn told(stdout: &str) -> Vec<(Name, String, String)> {
    let mut lines: Vec<String> = Vec::new();
    let report = stdout.split("\n\n").next().unwrap_or_default();
    assert!(report.starts_with("resumed: the run of "), "{stdout}");
    for line in report.lines() {
        match line.strip_prefix("        ") {
            Some(more) => {
                let last = lines.last_mut().unwrap();
                last.push(' ');
                last.push_str(more);
            }
            None => lines.push(line.to_owned()),
        }
    }
    let steps = lines.iter().filter_map(|line| line.strip_prefix("    "));
    steps
        .map(|line| {
            let mut words = line.splitn(4, ' ');
            let mut word = || words.next().unwrap_or_default().to_owned();
            let (symbol, verb, address, text) = (word(), word(), word(), word());
            ((verb, address), symbol, text)
        })
        .collect()
}

/// The starts that a journal tells.
fn starts(arena: &Arena, file: &str) -> Vec<Start> {
    let lines = journal::read(&arena.path(file)).unwrap();
    let starts = lines.records.into_iter().filter_map(|record| match record {
        journal::Record::Start(start) => Some(start),
        _ => None,
    });
    starts.collect()
}

/// Which call of a step a request is.
fn call(start: &Start, entry: &Entry) -> Option<usize> {
    let path = entry.target.strip_prefix("/v1/organizations")?;
    let call = format!("{} {path}", entry.method);
    let index = start.calls.iter().position(|own| *own == call)?;
    let sent = |field: &str| entry.body.as_ref().and_then(|body| body.get(field)).cloned();
    let wants = |field: &str| start.fields.get(field).and_then(|values| values.after.clone());
    let same = match path {
        "/invites" => sent("email") == wants("email") && sent("role") == wants("role"),
        "/workspaces" => sent("name") == wants("name"),
        _ if path.ends_with("/members") => {
            let user = sent("user_id").and_then(|id| id.as_str().map(str::to_owned));
            let own = start.id.as_ref().and_then(|id| id.as_str().split_once('/'));
            own.map(|(_, user)| user.to_owned()) == user
        }
        _ => true,
    };
    same.then_some(index)
}

/// No request had the same effect twice.
pub(crate) fn nothing_twice(log: &Log, at: &str) {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for entry in log.writes().filter(|entry| entry.done) {
        assert!(seen.insert(entry.call()), "{at}: twice: {}", entry.call());
    }
}

/// The digest that acknowledges the archive, and what is ready.
pub(crate) fn planned(stdout: &str) -> (String, usize) {
    let plan: Value = serde_json::from_str(stdout).unwrap();
    let digest = plan["acknowledgement"]["digest"].as_str().unwrap_or_default().to_owned();
    let ready = plan["steps"].as_array().unwrap().iter().filter(|s| s["disposition"] == "ready");
    (digest, ready.count())
}
