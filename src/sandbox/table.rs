//! Rows of one kind in the order they were made, found by id in constant time.
//!
//! Invariant: row numbers only grow, and the number of a removed row stays known, so a page cursor keeps its place
//! while the list changes under it.

use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
};

use super::switches::ListOrder;

/// What every row has.
pub(crate) trait Row {
    /// Its id.
    fn id(&self) -> &str;
}

/// A table.
#[derive(Clone, Debug)]
pub(crate) struct Table<T> {
    rows: BTreeMap<u64, T>,
    numbers: HashMap<String, u64>,
    next: u64,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: BTreeMap::new(), numbers: HashMap::new(), next: 1 }
    }
}

/// Where a listing starts: beyond one row, in list order or against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// The whole list.
    Start,
    /// What follows this row in list order.
    After(u64),
    /// What precedes this row in list order.
    Before(u64),
}

impl<T: Row> Table<T> {
    /// Adds a row and gives its number; an id that was there before gets a new place.
    pub(crate) fn insert(&mut self, row: T) -> u64 {
        let number = self.next;
        self.next += 1;
        self.numbers.insert(row.id().to_owned(), number);
        self.rows.insert(number, row);
        number
    }

    /// The row with this id.
    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.rows.get(self.numbers.get(id)?)
    }

    /// The row with this id, to change it.
    pub(crate) fn get_mut(&mut self, id: &str) -> Option<&mut T> {
        self.rows.get_mut(self.numbers.get(id)?)
    }

    /// The row with this number.
    pub(crate) fn at(&self, number: u64) -> Option<&T> {
        self.rows.get(&number)
    }

    /// The number that this id has or had.
    pub(crate) fn number(&self, id: &str) -> Option<u64> {
        self.numbers.get(id).copied()
    }

    /// Takes a row out; its number stays known.
    pub(crate) fn remove(&mut self, id: &str) -> Option<T> {
        self.rows.remove(self.numbers.get(id)?)
    }

    /// How many rows there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Every row, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.rows.values()
    }

    /// Every row to change it, oldest first.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.rows.values_mut()
    }

    /// The part of the list that `from` leaves, in list order.
    pub(crate) fn slice(
        &self,
        order: ListOrder,
        from: From,
    ) -> Box<dyn DoubleEndedIterator<Item = (u64, &T)> + '_> {
        let rows = self.rows.range(bounds(order, from)).map(|(number, row)| (*number, row));
        match order {
            ListOrder::OldestFirst => Box::new(rows),
            ListOrder::NewestFirst => Box::new(rows.rev()),
        }
    }
}

/// The row numbers that `from` leaves.
pub(crate) fn bounds(order: ListOrder, from: From) -> (Bound<u64>, Bound<u64>) {
    match (from, order) {
        (From::Start, _) => (Bound::Unbounded, Bound::Unbounded),
        (From::After(row), ListOrder::OldestFirst)
        | (From::Before(row), ListOrder::NewestFirst) => (Bound::Excluded(row), Bound::Unbounded),
        (From::After(row), ListOrder::NewestFirst)
        | (From::Before(row), ListOrder::OldestFirst) => (Bound::Unbounded, Bound::Excluded(row)),
    }
}
