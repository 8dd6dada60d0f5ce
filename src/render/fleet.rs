//! What becomes of a fleet: a heading for each organization, and a table of all of them at the end.
//!
//! Invariant: the table has a row for every organization, whatever became of it, and shows nothing as zero that is not
//! known.

use super::{
    clean::clean,
    layout::{line, pad, width},
    style::{BOLD, DIM, ERROR, PLAIN, paint},
};
use crate::{apply::Tally, plan::step::Counts};

/// An organization and what became of it.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its folder, if that may be shown.
    pub folder: Option<&'a str>,
    /// What is to be done, if a plan was made.
    pub counts: Option<Counts>,
    /// What was done, if anything was begun.
    pub tally: Option<Tally>,
    /// How it ended, in a word.
    pub result: &'a str,
    /// The exit code that it would have by itself.
    pub exit: u8,
}

/// What stands above the output for one organization.
pub fn heading(id: &str, folder: Option<&str>) -> String {
    let name = folder.map(|folder| format!("{} ", paint(BOLD, &clean(folder))));
    line(0, &format!("=== {}{}", name.unwrap_or_default(), paint(DIM, &clean(id))))
}

/// The table of all organizations, and the sum. `applied`: what was done is shown, not what is to be done.
pub fn summary(rows: &[Row<'_>], applied: bool, exit: u8) -> String {
    let sum = line(0, &format!("{} {}", paint(BOLD, "fleet:"), sum(rows, exit)));
    if rows.is_empty() {
        return sum;
    }
    let mut table = vec![headings(applied)];
    table.extend(rows.iter().map(|row| cells(row, applied)));
    if rows.iter().all(|row| row.folder.is_none()) {
        for cells in &mut table {
            cells.remove(1);
        }
    }
    let columns = table.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|at| table.iter().map(|cells| width(&cells[at])).max().unwrap_or_default())
        .collect();
    // Numbers stand to the right; the words before them, and the result, to the left.
    let words = columns - NUMBERS.len() - if applied { 4 } else { 3 };
    let is_word = |at: usize| at < words || at + 2 == columns;
    let mut out = String::new();
    for (number, cells) in table.iter().enumerate() {
        let failed = number > 0 && rows[number - 1].exit != 0;
        let mut text = String::new();
        for (at, (cell, to)) in cells.iter().zip(&widths).enumerate() {
            let missing = " ".repeat(to - width(cell));
            let cell = if is_word(at) { pad(cell, *to) } else { format!("{missing}{cell}") };
            let style = match number {
                0 => BOLD,
                _ if failed && at + 2 >= columns => ERROR,
                _ => PLAIN,
            };
            text.push_str(if at == 0 { "" } else { "  " });
            text.push_str(&paint(style, &cell));
        }
        out.push_str(&line(0, text.trim_end()));
    }
    out + &sum
}

/// Columns of numbers that every table has.
const NUMBERS: [&str; 3] = ["held", "deferred", "by hand"];

fn headings(applied: bool) -> Vec<String> {
    let first: &[&str] = if applied { &["done", "failed"] } else { &["ready"] };
    let all = ["organization", "folder"].iter().chain(first).chain(&NUMBERS);
    all.chain(&["result", "exit"]).map(|word| (*word).to_owned()).collect()
}

fn cells(row: &Row<'_>, applied: bool) -> Vec<String> {
    let Row { id, folder, counts, tally, result, exit } = row;
    let known = |number: Option<usize>| number.map_or_else(|| "-".to_owned(), |n| n.to_string());
    let Tally { done, partly, failed, skipped, manual, waiting, unknown, not_started } =
        tally.unwrap_or_default();
    let mut cells = vec![clean(id).into_owned(), clean(folder.unwrap_or_default()).into_owned()];
    if applied {
        cells.push(known(tally.map(|_| done)));
        cells.push(known(tally.map(|_| partly + failed + skipped + unknown + not_started)));
    } else {
        cells.push(known(counts.map(|counts| counts.ready)));
    }
    cells.push(known(counts.map(|counts| counts.held)));
    cells.push(known(counts.map(|counts| counts.deferred + waiting)));
    cells.push(known(counts.map(|counts| counts.manual + manual)));
    cells.extend([(*result).to_owned(), exit.to_string()]);
    cells
}

/// How many ended how, and the exit code of all.
fn sum(rows: &[Row<'_>], exit: u8) -> String {
    let mut ended: Vec<(&str, usize)> = Vec::new();
    for row in rows {
        match ended.iter_mut().find(|(word, _)| *word == row.result) {
            Some((_, number)) => *number += 1,
            None => ended.push((row.result, 1)),
        }
    }
    ended.sort_unstable();
    let ended: Vec<String> =
        ended.into_iter().map(|(word, number)| format!("{number} {word}")).collect();
    let organizations = if rows.len() == 1 { "organization" } else { "organizations" };
    let colon = if ended.is_empty() { "" } else { ": " };
    format!("{} {organizations}{colon}{}; exit {exit}", rows.len(), ended.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<'a>(folder: &'a str, result: &'a str, exit: u8) -> Row<'a> {
        Row {
            id: "3f0c1b1e-0000-4000-8000-00000000000a",
            folder: Some(folder),
            counts: None,
            tally: None,
            result,
            exit,
        }
    }

    fn shown(rows: &[Row<'_>], applied: bool, exit: u8) -> String {
        anstream::adapter::strip_str(&summary(rows, applied, exit)).to_string()
    }

    #[test]
    fn a_table_shows_what_is_known_and_a_dash_for_the_rest() {
        let counts = Counts { ready: 12, deferred: 1, manual: 2, held: 0 };
        let rows = [Row { counts: Some(counts), ..row("a", "ok", 0) }, row("工程\n", "failed", 1)];
        insta::assert_snapshot!(shown(&rows, false, 1), @r"
        organization                          folder  ready  held  deferred  by hand  result  exit
        3f0c1b1e-0000-4000-8000-00000000000a  a          12     0         1        2  ok         0
        3f0c1b1e-0000-4000-8000-00000000000a  工程\n      -     -         -        -  failed     1
        fleet: 2 organizations: 1 failed, 1 ok; exit 1
        ");
    }

    #[test]
    fn what_was_done_adds_to_what_waits() {
        let counts = Counts { ready: 5, deferred: 1, manual: 2, held: 3 };
        let tally = Tally {
            done: 1,
            partly: 0,
            failed: 1,
            skipped: 1,
            manual: 1,
            waiting: 1,
            unknown: 0,
            not_started: 0,
        };
        let rows = [
            Row { counts: Some(counts), tally: Some(tally), ..row("a", "partly", 5) },
            Row { counts: Some(counts), ..row("b", "refused", 4) },
        ];
        insta::assert_snapshot!(shown(&rows, true, 4), @r"
        organization                          folder  done  failed  held  deferred  by hand  result   exit
        3f0c1b1e-0000-4000-8000-00000000000a  a          1       2     3         2        3  partly      5
        3f0c1b1e-0000-4000-8000-00000000000a  b          -       -     3         1        2  refused     4
        fleet: 2 organizations: 1 partly, 1 refused; exit 4
        ");
    }

    #[test]
    fn without_folders_and_without_rows_it_still_adds_up() {
        insta::assert_snapshot!(shown(&[Row { folder: None, ..row("", "ok", 0) }], false, 0), @r"
        organization                          ready  held  deferred  by hand  result  exit
        3f0c1b1e-0000-4000-8000-00000000000a      -     -         -        -  ok         0
        fleet: 1 organization: 1 ok; exit 0
        ");
        assert_eq!(shown(&[], false, 0), "fleet: 0 organizations; exit 0\n");
    }
}
