//! Ctrl-C, SIGTERM and a terminal that hangs up, from the first instruction of every command.
//!
//! Invariant: from the moment this listens no signal is lost, also for process 1 of a container, to which the kernel
//! passes only signals that it handles; and no signal ends the process while steps are carried out.

use std::{
    io::{self, Write as _},
    process,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};

use super::failure::{Exit, Failure};
use crate::apply::Stop;

/// Signals within so short a time are one request to stop: a terminal or a runner sends one to every process, and a
/// script passes its own on.
const SAME: Duration = Duration::from_secs(1);

/// How long a command that changes nothing may take to end by itself.
const GRACE: Duration = Duration::from_secs(5);

/// How long the last word may take; standard error may be blocked.
const LAST_WORD: Duration = Duration::from_millis(200);

/// A signal that asks to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Signal {
    Interrupt,
    #[cfg_attr(windows, allow(dead_code, reason = "it does not exist there"))]
    Terminate,
    /// The terminal was closed.
    #[cfg_attr(windows, allow(dead_code, reason = "it does not exist there"))]
    HangUp,
}

impl Signal {
    fn name(self) -> &'static str {
        match self {
            Signal::Interrupt => "Ctrl-C",
            Signal::Terminate => "SIGTERM",
            Signal::HangUp => "SIGHUP",
        }
    }

    fn exit(self) -> Exit {
        match self {
            Signal::Interrupt => Exit::Interrupted,
            Signal::Terminate | Signal::HangUp => Exit::Terminated,
        }
    }
}

/// What has been heard so far. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signals(Arc<Heard>);

#[derive(Debug, Default)]
struct Heard {
    stop: Stop,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The first signal, and when it came.
    first: Option<(Signal, Instant)>,
    /// The command watches for a stop and ends by itself.
    watched: bool,
    /// Steps have been carried out: the command alone says how it ended.
    begun: bool,
}

/// What a signal leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reaction {
    /// It belongs to the one before.
    Nothing,
    /// The command is asked to stop.
    Stop,
    /// The command is asked to wait for nothing any more.
    AtOnce,
    /// The process ends.
    End(Signal),
}

impl State {
    fn hear(&mut self, signal: Signal, now: Instant) -> Reaction {
        match self.first {
            None => {
                self.first = Some((signal, now));
                if self.watched { Reaction::Stop } else { Reaction::End(signal) }
            }
            Some((_, first)) if now.saturating_duration_since(first) < SAME => Reaction::Nothing,
            Some(_) if self.begun => Reaction::AtOnce,
            Some((first, _)) => Reaction::End(first),
        }
    }

    /// The command had its time to end, and changes nothing.
    fn overdue(&self) -> Option<Signal> {
        self.first.map(|(signal, _)| signal).filter(|_| !self.begun)
    }
}

impl Signals {
    /// Begins to listen. Until a command says that it watches for a stop, the first signal ends the process.
    pub(crate) fn listen() -> Result<Self, Failure> {
        let signals = Self::default();
        let heard = signals.clone();
        let listening = || -> io::Result<()> {
            // A thread and a runtime of its own: a command may be busy, and most have no runtime.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let mut source = {
                let _within = runtime.enter();
                Source::new()?
            };
            let listen = async move {
                heard.hear(source.next().await);
                let overdue = tokio::time::sleep(GRACE);
                tokio::pin!(overdue);
                let mut waiting = true;
                loop {
                    tokio::select! {
                        signal = source.next() => heard.hear(signal),
                        () = &mut overdue, if waiting => {
                            waiting = false;
                            heard.overdue();
                        }
                    }
                }
            };
            thread::Builder::new()
                .name("signals".to_owned())
                .spawn(move || runtime.block_on(listen))?;
            Ok(())
        };
        listening()
            .map_err(|error| Failure::failed(format!("cannot listen for signals: {error}")))?;
        Ok(signals)
    }

    /// From here on the command ends by itself when it is asked to stop.
    pub(crate) fn watched(&self) {
        self.state().watched = true;
    }

    /// What asks running work to stop.
    pub(crate) fn stop(&self) -> &Stop {
        &self.0.stop
    }

    /// Does work that changes nothing, unless it is told to stop; then the work ends where it is.
    pub(crate) async fn unless_stopped<T>(
        &self,
        work: impl Future<Output = Result<T, Failure>>,
    ) -> Result<T, Failure> {
        tokio::select! {
            // A stop that came before is seen first: then nothing is begun.
            biased;
            () = self.0.stop.asked() => Err(self.stopped()),
            ended = work => ended,
        }
    }

    /// Does work, and says something as soon as it is told to stop.
    pub(crate) async fn saying<T>(&self, say: impl FnOnce(), work: impl Future<Output = T>) -> T {
        tokio::pin!(work);
        tokio::select! {
            biased;
            () = self.0.stop.asked() => say(),
            done = &mut work => return done,
        }
        work.await
    }

    /// Steps are about to be carried out; refused after a stop. From here on no signal ends the process.
    pub(crate) fn begin_steps(&self) -> Result<(), Failure> {
        let mut state = self.state();
        if state.first.is_some() {
            drop(state);
            return Err(self.stopped());
        }
        state.begun = true;
        Ok(())
    }

    /// Why a command ended that was told to stop before it had changed anything.
    pub(crate) fn stopped(&self) -> Failure {
        let signal = self.signal();
        Failure::new(signal.exit(), said(signal))
    }

    fn signal(&self) -> Signal {
        self.state().first.map_or(Signal::Terminate, |(signal, _)| signal)
    }

    fn hear(&self, signal: Signal) {
        let mut state = self.state();
        match state.hear(signal, Instant::now()) {
            Reaction::Nothing => {}
            Reaction::Stop => self.0.stop.request(),
            Reaction::AtOnce => self.0.stop.at_once(),
            // The state stays locked: no step can begin any more.
            Reaction::End(signal) => end(signal),
        }
        drop(state);
    }

    fn overdue(&self) {
        let state = self.state();
        if let Some(signal) = state.overdue() {
            end(signal);
        }
        drop(state);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn said(signal: Signal) -> String {
    format!("stopped by {}: nothing was changed", signal.name())
}

/// Ends the process, which has changed nothing.
fn end(signal: Signal) -> ! {
    let (done, waits) = mpsc::channel();
    // In a thread, since somebody else may hold standard error and wait for its reader.
    let _ = thread::Builder::new().spawn(move || {
        let _ = writeln!(io::stderr(), "error: {}", said(signal));
        let _ = done.send(());
    });
    let _ = waits.recv_timeout(LAST_WORD);
    process::exit(i32::from(signal.exit() as u8))
}

/// Where signals come from.
struct Source {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    /// None: it is ignored, as `nohup` asks.
    #[cfg(unix)]
    hang_up: Option<tokio::signal::unix::Signal>,
    #[cfg(windows)]
    interrupt: tokio::signal::windows::CtrlC,
}

impl Source {
    #[cfg(unix)]
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let listens = !ignores_hang_up();
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: listens.then(|| signal(SignalKind::hangup())).transpose()?,
        })
    }

    #[cfg(windows)]
    fn new() -> io::Result<Self> {
        Ok(Self { interrupt: tokio::signal::windows::ctrl_c()? })
    }

    async fn next(&mut self) -> Signal {
        #[cfg(unix)]
        {
            let Self { interrupt, terminate, hang_up } = self;
            let hangs_up = async {
                match hang_up {
                    Some(hang_up) => hang_up.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = interrupt.recv() => Signal::Interrupt,
                _ = terminate.recv() => Signal::Terminate,
                _ = hangs_up => Signal::HangUp,
            }
        }
        #[cfg(windows)]
        {
            self.interrupt.recv().await;
            Signal::Interrupt
        }
    }
}

/// Whether this process was begun with SIGHUP ignored, and is to live on when its terminal is closed. Where nobody tells,
/// the signal does what it does by default.
#[cfg(unix)]
fn ignores_hang_up() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored(&status).is_none_or(|signals| signals & 1 != 0)
}

/// The signals that are ignored, a bit each from the first.
#[cfg(unix)]
fn ignored(status: &str) -> Option<u64> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_hang_up_that_is_ignored_stays_ignored() {
        assert_eq!(
            ignored("Name:\tcharter\nSigIgn:\t0000000000001001\nSigCgt:\t0\n"),
            Some(0x1001)
        );
        assert_eq!(ignored("Name:\tcharter\n"), None);
    }

    fn heard(watched: bool, begun: bool, at_ms: &[u64]) -> Vec<Reaction> {
        let mut state = State { first: None, watched, begun };
        let start = Instant::now();
        let hear = |at: &u64| state.hear(Signal::Terminate, start + Duration::from_millis(*at));
        at_ms.iter().map(hear).collect()
    }

    #[test]
    fn signals_within_a_second_of_the_first_are_the_same_stop() {
        use Reaction::{AtOnce, Nothing, Stop};
        assert_eq!(heard(true, true, &[0, 1, 999]), [Stop, Nothing, Nothing]);
        assert_eq!(heard(true, true, &[0, 500, 1_000]), [Stop, Nothing, AtOnce]);
    }

    #[test]
    fn a_second_stop_ends_what_changes_nothing_and_never_what_carries_out_steps() {
        let end = Reaction::End(Signal::Terminate);
        assert_eq!(heard(true, false, &[0, 1_500]), [Reaction::Stop, end]);
        assert_eq!(
            heard(true, true, &[0, 1_500, 9_000]),
            [Reaction::Stop, Reaction::AtOnce, Reaction::AtOnce]
        );
    }

    #[test]
    fn a_command_that_watches_for_nothing_ends_at_the_first_signal() {
        assert_eq!(heard(false, false, &[0]), [Reaction::End(Signal::Terminate)]);
    }

    #[test]
    fn only_what_changes_nothing_is_ended_when_it_takes_too_long() {
        let first = Some((Signal::Interrupt, Instant::now()));
        let state = |first, begun| State { first, watched: true, begun };
        assert_eq!(state(first, false).overdue(), Some(Signal::Interrupt));
        assert_eq!(state(first, true).overdue(), None);
        assert_eq!(state(None, false).overdue(), None);
    }

    #[test]
    fn no_step_begins_after_a_stop() {
        let signals = Signals::default();
        signals.watched();
        signals.begin_steps().unwrap();
        signals.hear(Signal::Terminate);
        let failure = signals.begin_steps().unwrap_err();
        assert_eq!(failure.exit(), Exit::Terminated);
        assert!(signals.stop().requested());
    }
}
