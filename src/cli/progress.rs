//! Shows a run while it runs: a bar on a terminal, a plain line for each step elsewhere.
//!
//! Invariant: each step that does not end well gets its own line at once, on a terminal too.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use indicatif::{ProgressBar, ProgressStyle};

use super::{
    pulse::{Doing, watched},
    ui::Ui,
};
use crate::{
    address::Kind,
    api::{
        about,
        call::Budget,
        client::{Activity, Client},
    },
    apply::{Outcome, Progress},
    plan::{Plan, Step},
    render::{outcome::progress_line, text},
    resource::Verb,
};

/// Draws a bar, or prints lines.
pub(super) struct Shown {
    ui: Ui,
    bar: Mutex<Option<ProgressBar>>,
    steps: AtomicUsize,
    finished: AtomicUsize,
    /// Requests that are left, about, and invites among them.
    left: [AtomicUsize; 2],
}

/// How many requests some steps take, about, and how many of them are invites.
fn requests<'s>(steps: impl IntoIterator<Item = &'s Step>) -> [usize; 2] {
    let mut all = [0, 0];
    for step in steps {
        // What nothing brings back is looked at before, and a new workspace afterwards too.
        let looks = match (step.address.kind, step.change.verb()) {
            (Kind::Workspace, Verb::Create | Verb::Replace) => 2,
            (_, Verb::Remove) => 1,
            _ => 0,
        };
        let invites = step.calls.iter().filter(|call| call.budget == Budget::Invites).count();
        all[0] += step.calls.len() + looks;
        all[1] += invites;
    }
    all
}

/// How long the request limit lets a plan take, if that is worth a word.
pub(super) fn takes(plan: &Plan, client: &Client) -> Option<String> {
    let [requests, invites] = requests(plan.ready());
    let time = client.takes(requests, invites);
    (time >= Duration::from_secs(5)).then(|| about(time))
}

impl Shown {
    /// Nothing is shown yet.
    pub(super) fn new(ui: &Ui, plan: &Plan) -> Self {
        Self {
            ui: ui.clone(),
            bar: Mutex::default(),
            steps: AtomicUsize::new(0),
            finished: AtomicUsize::new(0),
            left: requests(plan.ready()).map(AtomicUsize::new),
        }
    }

    /// Carries a plan out through `client`, and tells what its requests wait for.
    pub(super) async fn watch<T>(&self, client: &Client, work: impl Future<Output = T>) -> T {
        let activity = || {
            let [requests, invites] =
                [0, 1].map(|part: usize| self.left[part].load(Ordering::Relaxed));
            Some(Activity { left: client.takes(requests, invites), ..client.activity() })
        };
        watched(&self.ui, Doing::Applying, activity, work).await
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        self.ui.lend(None);
        if let Some(bar) = self.bar().take() {
            bar.finish_and_clear();
        }
    }

    fn bar(&self) -> std::sync::MutexGuard<'_, Option<ProgressBar>> {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn print(&self, text: &str) {
        match &*self.bar() {
            Some(bar) => bar.suspend(|| self.ui.say(&format!("{text}\n"))),
            None => self.ui.say(&format!("{text}\n")),
        }
    }
}

impl Progress for Shown {
    fn begin(&self, steps: usize) {
        self.steps.store(steps, Ordering::Relaxed);
        if self.ui.animated {
            let bar = ProgressBar::new(steps as u64);
            // The pattern is fixed, so a mistake in it would show in every run.
            if let Ok(style) = ProgressStyle::with_template(
                "{spinner} {pos}/{len} [{bar:10}] {elapsed} {wide_msg}",
            ) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            self.ui.lend(Some(bar.clone()));
            *self.bar() = Some(bar);
        }
    }

    fn started(&self, step: &Step) {
        if let Some(bar) = &*self.bar() {
            bar.set_message(text::one_line(step));
        }
    }

    fn finished(&self, step: &Step, outcome: &Outcome) {
        if matches!(outcome, Outcome::NotStarted) {
            // After a stop they are only counted.
            return;
        }
        for (left, took) in self.left.iter().zip(requests([step])) {
            left.fetch_sub(took.min(left.load(Ordering::Relaxed)), Ordering::Relaxed);
        }
        let number = self.finished.fetch_add(1, Ordering::Relaxed) + 1;
        let line = progress_line(step, outcome);
        if self.ui.animated {
            if let Some(bar) = &*self.bar() {
                bar.inc(1);
            }
            if !outcome.is_done() {
                self.print(&line);
            }
        } else {
            self.print(&format!("[{number}/{}] {line}", self.steps.load(Ordering::Relaxed)));
        }
    }

    fn line(&self, text: &str) {
        self.print(&crate::render::clean::clean(text));
    }
}
