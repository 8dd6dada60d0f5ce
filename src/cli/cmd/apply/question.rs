//! The question before anything is done, and what is said when all is over.
//!
//! Invariant: only a typed `yes` goes on.

use std::path::Path;

use crate::{
    cli::{failure::Failure, session::Session, target::Target},
    plan::{
        Plan,
        step::{Counts, Organization},
    },
    render::{
        clean::clean,
        layout::line,
        style::{BOLD, REMOVE, paint},
        text::{Done, totals},
    },
};

/// Asks for a typed `yes`, one for all; each plan comes with how long it takes, if that is long.
pub(super) async fn confirm(
    plans: &[(&Plan, Option<String>)],
    session: &Session<'_>,
) -> Result<(), Failure> {
    let (ui, signals) = (session.ui, session.signals);
    let mut question = String::new();
    for (plan, takes) in plans {
        let Done { lines, irreversible } = totals(plan);
        let Organization { id, name, .. } = &plan.organization;
        let name = name.as_ref().map(|name| format!("{} ", clean(name))).unwrap_or_default();
        let lead = paint(BOLD, "this will be done");
        question.push_str(&format!("\n{lead} in {name}{}:\n", clean(id)));
        question.extend(lines.iter().map(|text| line(2, text)));
        if !irreversible.is_empty() {
            question.push_str(&line(0, &paint(REMOVE.bold(), "of which cannot be undone:")));
            question.extend(irreversible.iter().map(|text| line(2, text)));
        }
        if let Some(time) = takes {
            question
                .push_str(&line(0, &format!("it takes about {time}, since requests are limited")));
        }
    }
    question.push_str("type `yes` to go on: ");
    let asking = {
        let ui = ui.clone();
        // Where nobody answers it is not waited for any more.
        tokio::task::spawn_blocking(move || ui.ask(&question))
    };
    let answer = signals.unless_stopped(async {
        asking.await.map_err(|error| Failure::failed(format!("cannot ask: {error}")))?
    });
    match answer.await {
        Ok(Some(answer)) if answer == "yes" => Ok(()),
        Ok(_) => Err(Failure::refused("not confirmed: nothing was changed")),
        Err(failure) => {
            // The question is still on its line.
            ui.say("\n");
            Err(failure)
        }
    }
}

/// Says that the second look of `--verify` did not happen.
pub(super) const UNVERIFIED: &str =
    "stopped: the verification did not run; `charter plan` shows whether something is left\n";

/// Says which command goes on with a run that was interrupted.
pub(super) fn resume_command(journal: &Path, target: &Target<'_>) -> String {
    let command = target.by_itself(true).unwrap_or_else(|| "charter apply".to_owned());
    let journal = std::path::absolute(journal).unwrap_or_else(|_| journal.to_owned());
    format!("to go on: {command} --resume {}\n", clean(&word(&journal.display().to_string())))
}

/// Returns a text as one word of a shell.
fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-+,:@%".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// What a plan made afterwards says.
pub(super) fn remainder(counts: Counts) -> String {
    let rest: Vec<String> = [
        (counts.ready, "still to do"),
        (counts.held, "held"),
        (counts.manual, "by hand"),
        (counts.deferred, "deferred"),
    ]
    .into_iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, words)| format!("{number} {words}"))
    .collect();
    let text = match (counts.ready == 0, rest.is_empty()) {
        (true, true) => "nothing is left".to_owned(),
        (true, false) => format!("nothing is left to apply; {}", rest.join(", ")),
        (false, _) => rest.join(", "),
    };
    format!("{} {text}\n", paint(BOLD, "planned once more:"))
}
