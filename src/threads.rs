//! The same work on many things at once, on the processors that there are.
//!
//! Invariant: the result is that of one thread; which thread ends first has no say in it.

use std::{
    cmp::Ordering,
    thread::{self, Builder},
};

/// Fewer things than this are sorted before another thread has begun.
const WORTH_A_THREAD: usize = 4_096;

/// Runs a function on every item, on as many threads as there are processors, and keeps the order.
pub(crate) fn side_by_side<T: Send, R: Send>(
    items: Vec<T>,
    work: impl Fn(usize, T) -> R + Sync,
) -> Vec<R> {
    let threads = thread::available_parallelism().map_or(1, usize::from).min(items.len());
    if threads <= 1 {
        return items.into_iter().enumerate().map(|(index, item)| work(index, item)).collect();
    }
    let count = items.len();
    let queue = std::sync::Mutex::new(items.into_iter().enumerate());
    let next = || match queue.lock() {
        Ok(mut queue) => queue.next(),
        Err(poisoned) => poisoned.into_inner().next(),
    };
    let mut done: Vec<(usize, R)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut results = Vec::new();
                    while let Some((index, item)) = next() {
                        results.push((index, work(index, item)));
                    }
                    results
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| match worker.join() {
                Ok(results) => results,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    });
    debug_assert_eq!(done.len(), count);
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Takes apart what nobody needs any more, without anybody who waits for it.
pub(crate) fn discard<T: Send + 'static>(value: T) {
    // Nobody joins it: a process that ends takes it along. Where no thread is to be had it is done at once.
    let _ = Builder::new().spawn(move || drop(value));
}

/// Sorts as `sort_by` does, the two halves at once.
pub(crate) fn sort_by<T: Send>(items: &mut [T], compare: impl Fn(&T, &T) -> Ordering + Sync) {
    if items.len() >= WORTH_A_THREAD {
        let (left, right) = items.split_at_mut(items.len() / 2);
        thread::scope(|scope| {
            // Where no thread is to be had, the last pass does all of it.
            let _ = Builder::new().spawn_scoped(scope, || left.sort_by(&compare));
            right.sort_by(&compare);
        });
    }
    // Of two sorted halves this makes one in a single pass.
    items.sort_by(compare);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_sorted_like_a_short_one_and_equals_keep_their_order() {
        let numbers = |count: usize| (0..count).map(|at| (at * 7_919 % 101, at));
        for count in [0, 1, WORTH_A_THREAD - 1, WORTH_A_THREAD, 10 * WORTH_A_THREAD + 1] {
            let mut sorted: Vec<(usize, usize)> = numbers(count).collect();
            sort_by(&mut sorted, |a, b| a.0.cmp(&b.0));
            let mut wanted: Vec<(usize, usize)> = numbers(count).collect();
            wanted.sort_unstable();
            assert_eq!(sorted, wanted);
        }
    }

    #[test]
    fn results_come_in_the_order_of_the_items() {
        let wanted: Vec<usize> = (0..1_000).map(|item| item * item + item).collect();
        let squares = side_by_side((0..1_000).collect(), |index, item: usize| index * item + item);
        assert_eq!(squares, wanted);
        assert!(side_by_side(Vec::new(), |_, item: usize| item).is_empty());
    }
}
