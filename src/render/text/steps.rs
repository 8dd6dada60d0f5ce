//! Steps as lines: a symbol and a word for what happens, what it happens to, what changes, why, and where it is written.
//!
//! Invariant: every step of a plan is shown once, under its disposition, or under the step that it follows from.

mod fields;

use self::fields::{field_change, given_groups, set_fields};
use super::{
    Options, call_to_act, heading,
    words::{Words, nouns, words_of},
};
use crate::{
    address::{Address, Kind, Name},
    plan::{Cause, Step},
    render::{
        clean::{clean, name},
        layout::{Flow, line, pad, paragraph, width},
        style::{BOLD, DIM, PLAIN, paint},
    },
    resource::{Change, Disposition, Object, Spec, snapshot::Source},
};

/// The ready steps: one text per kind, and per workspace for its members.
pub(super) fn ready(steps: &[Step], options: Options) -> Vec<String> {
    let ready: Vec<Listed<'_>> =
        steps.iter().filter(|step| step.disposition.is_ready()).map(Listed::step).collect();
    grouped(&ready, options)
}

/// Changes without a plan around them (a comparison of files): grouped as ready steps are.
pub fn changes(changes: &[(Address, Change)], options: Options) -> String {
    let listed: Vec<Listed<'_>> =
        changes.iter().map(|(address, change)| Listed { address, change, step: None }).collect();
    grouped(&listed, options).join("\n")
}

/// A step in a few words on one line, without styles: for progress.
pub fn one_line(step: &Step) -> String {
    let Words { symbol: _, verb, style: _ } = words_of(&step.change);
    format!("{verb} {}", clean(&subject(&step.address, &step.change)))
}

/// A change in words, for formats that break no lines. Its texts are not clean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::render) struct Told {
    /// What happens.
    pub(in crate::render) words: Words,
    /// What it happens to: `ada@acme.com in Production`.
    pub(in crate::render) subject: String,
    /// What changes, and why: `as user`, `role: user -> developer`, `until 2027-03-31`.
    pub(in crate::render) facts: Vec<String>,
}

/// A change in words, with its step if it has one.
pub(in crate::render) fn told(address: &Address, change: &Change, step: Option<&Step>) -> Told {
    let listed = Listed { address, change, step };
    let mut subject = subject(address, change);
    if let Some(id) = small_print(address, change) {
        subject = format!("{subject} {id}");
    }
    let (mut facts, fields) = listed.facts();
    facts.extend(fields);
    facts.extend(listed.extras());
    Told { words: words_of(change), subject, facts }
}

pub(super) fn held(steps: &[Step], options: Options) -> String {
    let chosen = |step: &Step| match &step.disposition {
        Disposition::Held { why } => Some(why.clone()),
        _ => None,
    };
    waiting_section(steps, "held", "looks like a mistake: the files must say more", chosen, options)
}

pub(super) fn manual(steps: &[Step], options: Options) -> String {
    let chosen = |step: &Step| match &step.disposition {
        Disposition::Manual { why } => Some(why.clone()),
        _ => None,
    };
    waiting_section(steps, "by hand", "only a person can do it", chosen, options)
}

pub(super) fn deferred(steps: &[Step], options: Options) -> String {
    let chosen = |step: &Step| match &step.disposition {
        Disposition::Deferred { until, why } if cause(until, steps).is_none() => {
            Some(format!("waits {why}"))
        }
        _ => None,
    };
    waiting_section(steps, "deferred", "a later run does it", chosen, options)
}

/// The step that a person or the files must settle first.
fn cause<'a>(address: &Address, steps: &'a [Step]) -> Option<&'a Step> {
    steps.iter().find(|step| {
        let stuck =
            matches!(step.disposition, Disposition::Manual { .. } | Disposition::Held { .. });
        stuck && step.address == *address
    })
}

/// What waits for a step, one line for each kind.
fn follows_from(step: &Step, steps: &[Step]) -> Vec<String> {
    let waits = |other: &&Step| matches!(&other.disposition, Disposition::Deferred { until, .. } if *until == step.address);
    let of = |kind: Kind| {
        let waiting = steps.iter().filter(waits).filter(|other| other.address.kind == kind);
        let names: Vec<String> = waiting
            .map(|other| match step.address.kind {
                // The workspace has been named.
                Kind::Workspace => other.change.object().spec.resource().title(),
                _ => subject(&other.address, &other.change),
            })
            .collect();
        let verb = if names.len() == 1 { "waits" } else { "wait" };
        (!names.is_empty())
            .then(|| format!("{} {verb} for it: {}", nouns(kind, names.len()), names.join(", ")))
    };
    Kind::ALL.into_iter().filter_map(of).collect()
}

fn waiting_section(
    steps: &[Step],
    title: &str,
    what: &str,
    chosen: impl Fn(&Step) -> Option<String>,
    options: Options,
) -> String {
    let listed: Vec<(Listed<'_>, String)> =
        steps.iter().filter_map(|step| chosen(step).map(|why| (Listed::step(step), why))).collect();
    if listed.is_empty() {
        return String::new();
    }
    let columns = Columns::of(listed.iter().map(|(step, _)| step));
    let mut out = call_to_act(&format!("{title}: {}", listed.len()), what, options.width);
    for (step, why) in &listed {
        out.push_str(&step.lines(columns, true, options));
        out.push_str(&paragraph(columns.title(), why, options.width));
        for text in step.step.iter().flat_map(|step| follows_from(step, steps)) {
            out.push_str(&paragraph(columns.title(), &text, options.width));
        }
    }
    out
}

fn grouped(listed: &[Listed<'_>], options: Options) -> Vec<String> {
    let mut texts = Vec::new();
    for kind in Kind::ALL {
        let of_kind: Vec<&Listed<'_>> =
            listed.iter().filter(|step| step.address.kind == kind).collect();
        let group = |step: &&Listed<'_>| match kind {
            Kind::WorkspaceMember => step.address.scope.clone(),
            Kind::Member | Kind::Workspace | Kind::ApiKey => None,
        };
        let mut places: Vec<Option<Name>> = of_kind.iter().map(group).collect();
        places.sort();
        places.dedup();
        for place in places {
            let steps: Vec<&Listed<'_>> =
                of_kind.iter().filter(|step| group(step) == place).copied().collect();
            let title = match (kind, &place) {
                (Kind::Member, _) => "members".to_owned(),
                (Kind::Workspace, _) => "workspaces".to_owned(),
                (Kind::WorkspaceMember, Some(place)) => {
                    format!("members of {}", name(place.as_str()))
                }
                (Kind::WorkspaceMember, None) => "workspace members".to_owned(),
                (Kind::ApiKey, _) => "API keys".to_owned(),
            };
            let mut text = heading(&title);
            let columns = Columns::of(steps.iter().copied());
            for step in steps {
                text.push_str(&step.lines(columns, false, options));
            }
            texts.push(text);
        }
    }
    texts
}

/// The longest phrase that is not broken.
const PHRASE: usize = 40;

/// How wide the symbols and verbs of a section are.
#[derive(Clone, Copy)]
struct Columns {
    symbol: usize,
    verb: usize,
}

impl Columns {
    fn of<'a>(steps: impl Iterator<Item = &'a Listed<'a>>) -> Self {
        let none = Self { symbol: 1, verb: 0 };
        steps.map(|step| words_of(step.change)).fold(none, |columns, words| Self {
            symbol: columns.symbol.max(words.symbol.len()),
            verb: columns.verb.max(words.verb.len()),
        })
    }

    /// Where titles start.
    fn title(self) -> usize {
        self.symbol + self.verb + 4
    }
}

/// A change to be shown, with its step if it has one.
struct Listed<'a> {
    address: &'a Address,
    change: &'a Change,
    step: Option<&'a Step>,
}

impl<'a> Listed<'a> {
    fn step(step: &'a Step) -> Self {
        Self { address: &step.address, change: &step.change, step: Some(step) }
    }

    fn lines(&self, columns: Columns, in_full: bool, options: Options) -> String {
        let Words { symbol, verb, style } = words_of(self.change);
        let hang = columns.title();
        let what = format!("{} {}", pad(symbol, columns.symbol), pad(verb, columns.verb));
        let lead = format!("  {} ", paint(style, &what));
        let title = if in_full || self.address.kind == Kind::ApiKey {
            subject(self.address, self.change)
        } else {
            name(&self.change.object().spec.resource().title()).into_owned()
        };
        let mut flow = Flow::new().solid(0, BOLD, &title);
        if let Some(id) = small_print(self.address, self.change) {
            flow = flow.solid(1, DIM, &id);
        }
        let (mut facts, mut fields) = self.facts();
        let several = fields.len() > 1;
        if !several {
            facts.append(&mut fields);
        }
        facts.extend(self.extras());
        let last = facts.len().saturating_sub(1);
        for (index, mut fact) in facts.into_iter().enumerate() {
            if index != last {
                fact.push(',');
            }
            let gap = if index == 0 { 2 } else { 1 };
            // A short phrase stays together.
            flow = if width(&fact) <= PHRASE {
                flow.solid(gap, PLAIN, &fact)
            } else {
                flow.words(gap, PLAIN, &fact)
            };
        }
        if let Some(place) = self.place() {
            flow = flow.solid(2, DIM, &place);
        }
        let mut out = flow.lines(&lead, hang, hang, options.width);
        if several {
            for field in &fields {
                let flow = Flow::new().words(0, PLAIN, field);
                out.push_str(&flow.lines(&" ".repeat(hang), hang, hang + 2, options.width));
            }
        }
        if let (true, Some(step)) = (options.calls, self.step) {
            for call in &step.calls {
                let text = clean(&call.to_string()).into_owned();
                out.push_str(&line(hang, &paint(DIM, &text)));
            }
        }
        out
    }

    /// What the change is, in words, and the fields it sets.
    fn facts(&self) -> (Vec<String>, Vec<String>) {
        let object = self.change.object();
        let role = |object: &Object| match &object.spec {
            Spec::Member(member) => member.role.as_ref().map(ToString::to_string),
            Spec::WorkspaceMember(grant) => Some(grant.role.to_string()),
            Spec::Workspace(_) | Spec::ApiKey(_) => None,
        };
        match self.change {
            Change::Create { after } => match role(after) {
                Some(role) => (vec![format!("as {role}")], given_groups(after)),
                None => (Vec::new(), set_fields(after)),
            },
            Change::Update { fields, .. } => {
                (Vec::new(), fields.iter().map(field_change).collect())
            }
            Change::Replace { fields, .. } => (
                vec!["withdraws the invite and sends a new one".to_owned()],
                fields.iter().map(field_change).collect(),
            ),
            Change::Remove { before } => {
                let mut facts: Vec<String> =
                    role(before).map(|role| format!("was {role}")).into_iter().collect();
                if matches!(object.spec, Spec::Workspace(_)) {
                    facts.push("cannot be undone".to_owned());
                }
                (facts, Vec::new())
            }
        }
    }

    /// Cause, last day and note.
    fn extras(&self) -> Vec<String> {
        let mut extras = Vec::new();
        let source = self.change.object().source.as_ref();
        match self.step.map(|step| step.cause) {
            Some(Cause::Accepted) => extras.push("the invite was accepted".to_owned()),
            Some(Cause::None) => extras.push("`none` in the files".to_owned()),
            Some(Cause::Expired) => extras.push("its `until` has passed".to_owned()),
            Some(Cause::NewlyExpired) => {
                extras.push("its `until` has passed, and was not known before that day".to_owned());
            }
            Some(Cause::Archived) => extras.push("`state: archived`".to_owned()),
            Some(Cause::Unlisted) => extras.push("not listed".to_owned()),
            Some(Cause::Listed) | None => {}
        }
        extras
            .extend(self.step.and_then(|step| step.attribution.as_ref()).map(ToString::to_string));
        if let Some(Source { span: _, note, until, expired: _ }) = source {
            extras.extend(until.map(|until| format!("until {until}")));
            extras.extend(note.as_ref().map(|note| format!("note: {note}")));
        }
        extras
    }

    fn place(&self) -> Option<String> {
        let span = match self.step {
            Some(step) => step.at.as_ref(),
            None => self.change.object().source.as_ref().map(|source| &source.span),
        };
        span.map(ToString::to_string)
    }
}

/// What a change is about, with the workspace it is in.
fn subject(address: &Address, change: &Change) -> String {
    let spec = &change.object().spec;
    let title = match spec {
        // Files that give a key by its id need not name it.
        Spec::ApiKey(key) if key.name.is_none() => address.name.to_string(),
        _ => spec.resource().title(),
    };
    let place = match spec {
        Spec::WorkspaceMember(grant) => Some(&grant.workspace),
        Spec::ApiKey(key) => key.workspace.as_ref(),
        Spec::Member(_) | Spec::Workspace(_) => None,
    };
    match place {
        Some(place) => format!("{} in {}", name(&title), name(place.as_str())),
        None => name(&title).into_owned(),
    }
}

/// What tells it from others of the same name.
fn small_print(address: &Address, change: &Change) -> Option<String> {
    let object = change.object();
    // Only the live side knows the hint.
    let live = change.before().unwrap_or(object);
    let hint = live.key_facts().and_then(|facts| facts.hint.as_deref());
    let text = match (&object.spec, &address.name) {
        (Spec::ApiKey(key), _) if key.name.is_some() => hint.or(Some(address.name.as_str())),
        (Spec::Workspace(_), Name::Id(id)) => Some(&**id),
        _ => None,
    }?;
    Some(format!("({text})"))
}

/// The widest of some texts.
pub(super) fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(width).max().unwrap_or_default()
}
