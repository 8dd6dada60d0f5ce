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

use super::ui::Ui;
use crate::{
    apply::{Outcome, Progress},
    plan::Step,
    render::{outcome::progress_line, text},
};

/// Draws a bar, or prints lines.
pub(super) struct Shown {
    ui: Ui,
    bar: Mutex<Option<ProgressBar>>,
    steps: AtomicUsize,
    finished: AtomicUsize,
}

impl Shown {
    /// Nothing is shown yet.
    pub(super) fn new(ui: &Ui) -> Self {
        Self {
            ui: ui.clone(),
            bar: Mutex::default(),
            steps: AtomicUsize::new(0),
            finished: AtomicUsize::new(0),
        }
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
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
                "{spinner} {pos}/{len} [{bar:24}] {elapsed} {wide_msg}",
            ) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.enable_steady_tick(Duration::from_millis(120));
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
