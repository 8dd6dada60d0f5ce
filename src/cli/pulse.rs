//! Says what requests wait for while nothing else is said: on a terminal in one line that comes and goes, elsewhere in
//! a line at the beginning of a long wait and every 30 seconds.
//!
//! Invariant: it only watches; and a command that waits for nothing prints nothing of it.

use std::{
    pin::pin,
    time::{Duration, Instant},
};

use super::ui::Ui;
use crate::api::{
    about,
    client::Activity,
    limiter::{Waiting, Why},
};

/// How often it looks.
const TICK: Duration = Duration::from_millis(250);
/// Between two lines.
const EVERY: Duration = Duration::from_secs(30);
/// A shorter wait is not told by itself.
const SHORT: Duration = Duration::from_secs(5);
/// Before this nothing is shown on a terminal.
const SOON: Duration = Duration::from_secs(1);

/// What a command does with its requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    /// It reads, and says nothing else.
    Reading,
    /// It applies, and says each step.
    Applying,
}

/// Does some work, and tells meanwhile what its requests do. `activity` is asked for it; `None`: it is told elsewhere.
pub(super) async fn watched<T>(
    ui: &Ui,
    doing: Doing,
    activity: impl Fn() -> Option<Activity>,
    work: impl Future<Output = T>,
) -> T {
    let (mut work, start) = (pin!(work), Instant::now());
    let mut teller = Teller::default();
    loop {
        tokio::select! {
            biased;
            done = &mut work => {
                ui.clear_status();
                return done;
            }
            () = tokio::time::sleep(TICK) => {
                match activity().filter(|activity| activity.is_busy) {
                    Some(activity) => teller.tell(ui, doing, &activity, start.elapsed()),
                    None => ui.clear_status(),
                }
            }
        }
    }
}

/// When the last line was.
#[derive(Debug, Default)]
struct Teller {
    told: Option<Duration>,
}

impl Teller {
    fn tell(&mut self, ui: &Ui, doing: Doing, activity: &Activity, now: Duration) {
        let is_told = doing == Doing::Reading || activity.waiting.is_some();
        if ui.is_kept() || !is_told {
            // Of a fleet the lines would be shown at its end.
        } else if ui.animated {
            if now >= SOON {
                ui.status(&text(activity));
            }
        } else if self.is_due(activity.waiting, now) {
            ui.say(&format!("{}\n", text(activity)));
        }
    }

    /// Whether a line is due.
    fn is_due(&mut self, waiting: Option<Waiting>, now: Duration) -> bool {
        let is_long = waiting.is_some_and(|waiting| waiting.left >= SHORT);
        let due = match self.told {
            None => is_long || now >= EVERY,
            Some(told) => now.saturating_sub(told) >= EVERY,
        };
        if due {
            self.told = Some(now);
        }
        due
    }
}

/// What the requests of a command do, in a line.
pub(super) fn text(activity: &Activity) -> String {
    let Activity { sent, is_busy: _, waiting, left } = activity;
    let what = match waiting {
        Some(waiting) => self::waiting(*waiting),
        None => format!("reading: {sent} requests so far"),
    };
    match rest(*left) {
        Some(rest) => format!("{what}; {rest}"),
        None => what,
    }
}

/// A wait, in a line.
pub(super) fn waiting(waiting: Waiting) -> String {
    let Waiting { why, left } = waiting;
    let why = match why {
        Why::OwnBudget => "the request limit",
        Why::ServerLimit => "the request limit, which others use too",
        Why::Invites => "the limit of invites in an hour",
    };
    // The time comes first: a terminal cuts the line at its width.
    format!("waiting {} for {why}", about(left))
}

/// How much longer it takes, if that is worth a word.
pub(super) fn rest(left: Duration) -> Option<String> {
    (left >= SHORT).then(|| format!("about {} left", about(left)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[allow(clippy::unnecessary_wraps, reason = "as the limiter tells it")]
    fn wait(seconds: u64) -> Option<Waiting> {
        Some(Waiting { why: Why::OwnBudget, left: Duration::from_secs(seconds) })
    }

    #[test]
    fn a_long_wait_is_told_at_once_and_then_every_thirty_seconds() {
        let mut teller = Teller::default();
        let told: Vec<u64> = (0..100)
            .filter(|second| {
                let left = wait(100 - second).filter(|_| *second >= 10);
                teller.is_due(left, Duration::from_secs(*second))
            })
            .collect();
        assert_eq!(told, [10, 40, 70]);
    }

    #[test]
    fn many_short_waits_are_told_every_thirty_seconds_and_a_short_command_says_nothing() {
        let mut teller = Teller::default();
        let told: Vec<u64> =
            (0..70).filter(|second| teller.is_due(wait(1), Duration::from_secs(*second))).collect();
        assert_eq!(told, [30, 60]);
    }

    #[test]
    fn a_line_says_why_until_when_and_how_long_the_rest_takes() {
        let activity = |waiting, left| Activity {
            sent: 57,
            is_busy: true,
            waiting,
            left: Duration::from_secs(left),
        };
        assert_eq!(
            text(&activity(wait(58), 418)),
            "waiting 58 s for the request limit; about 7 min left"
        );
        let others = Waiting { why: Why::ServerLimit, left: Duration::from_secs(2) };
        assert_eq!(
            text(&activity(Some(others), 0)),
            "waiting 2 s for the request limit, which others use too"
        );
        assert_eq!(text(&activity(None, 3)), "reading: 57 requests so far");
    }
}
