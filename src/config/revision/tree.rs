//! A folder of a revision, read from Git's objects.
//!
//! Invariant: a link is followed in the tree alone, and never out of the folder; what is looked at is bounded by the
//! number of entries, however often a tree is used.

use std::{collections::HashMap, rc::Rc, sync::Arc};

use super::{
    Unusable,
    blobs::Blobs,
    git::{Mode, odd},
};
use crate::config::load::{Entry, Led, Tree, What};

/// A link leads through so many others, at most.
const MAX_HOPS: usize = 40;
/// The target of a link is no longer.
const MAX_TARGET: u64 = 4_096;
/// So many entries are looked at while links are followed, at most.
const MAX_LOOKED: usize = 1_000_000;
/// No tree that is read is larger: the bound on entries is met long before.
const MAX_TREE: u64 = 64 << 20;

/// An entry of a tree, by its name.
type Entries = Rc<Vec<(Vec<u8>, Mode, String)>>;

/// Names of files, and of folders with their trees.
type Names = (Vec<String>, Vec<(String, String)>);

/// A folder of a revision.
pub(super) struct Objects<'r> {
    pub(super) blobs: &'r mut Blobs,
    /// The tree of the folder.
    top: String,
    /// How long an id is in a tree, in bytes.
    id_length: usize,
    called: &'r (dyn Fn(&str) -> Arc<str> + Sync),
    /// Trees that links led through.
    seen: HashMap<String, Entries>,
    looked: usize,
}

impl<'r> Objects<'r> {
    pub(super) fn new(
        blobs: &'r mut Blobs,
        top: String,
        called: &'r (dyn Fn(&str) -> Arc<str> + Sync),
    ) -> Self {
        // `ID`, or `ID^{tree}`.
        let id_length = top.find('^').unwrap_or(top.len()) / 2;
        Self { blobs, top, id_length, called, seen: HashMap::new(), looked: 0 }
    }

    /// The entries of a tree, at most one more than so many.
    fn tree(&mut self, id: &str, most: usize) -> Result<Vec<(Vec<u8>, Mode, String)>, Unusable> {
        let bytes = self.blobs.tree(id, MAX_TREE)?;
        let mut entries = Vec::new();
        let mut rest = bytes.as_slice();
        while !rest.is_empty() && entries.len() <= most {
            let (entry, after) =
                parse(rest, self.id_length).ok_or_else(|| odd("reading a tree"))?;
            entries.push(entry);
            rest = after;
        }
        Ok(entries)
    }

    /// The entry of a name in a tree. Nothing, once too much was looked at.
    pub(super) fn look(
        &mut self,
        tree: &str,
        name: &str,
    ) -> Result<Option<(Mode, String)>, Unusable> {
        let entries = match self.seen.get(tree) {
            Some(entries) => Rc::clone(entries),
            None if self.looked > MAX_LOOKED => return Ok(None),
            None => {
                let entries: Entries = Rc::new(self.tree(tree, MAX_LOOKED)?);
                self.looked += entries.len();
                self.seen.insert(tree.to_owned(), Rc::clone(&entries));
                entries
            }
        };
        let entry = entries.iter().find(|(known, ..)| known == name.as_bytes());
        Ok(entry.map(|(_, mode, id)| (*mode, id.clone())))
    }

    /// The names at the top: of files, and of folders with their trees.
    pub(super) fn names(&mut self) -> Result<Names, Unusable> {
        let top = self.top.clone();
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for (name, mode, id) in self.tree(&top, MAX_LOOKED)? {
            let name = String::from_utf8_lossy(&name).into_owned();
            match mode {
                _ if name.starts_with('.') => {}
                Mode::Folder => folders.push((name, id)),
                Mode::File | Mode::Link | Mode::Submodule | Mode::Other => files.push(name),
            }
        }
        Ok((files, folders))
    }
}

impl Tree for Objects<'_> {
    type At = String;
    type Error = Unusable;

    fn list(&mut self, folder: &String, most: usize) -> Result<Vec<Entry<String>>, Unusable> {
        let entries = self.tree(folder, most)?.into_iter().map(|(name, mode, at)| {
            let utf8 = std::str::from_utf8(&name).is_ok();
            let what = match mode {
                Mode::File => What::File,
                Mode::Folder => What::Folder,
                Mode::Link => What::Link,
                Mode::Submodule => What::Submodule,
                Mode::Other => What::Other,
            };
            Entry { name: String::from_utf8_lossy(&name).into_owned(), utf8, what, at }
        });
        Ok(entries.collect())
    }

    fn follow(&mut self, path: &str, _: &String) -> Result<Led<String>, Unusable> {
        let parts = |path: &str| -> Vec<String> { path.rsplit('/').map(str::to_owned).collect() };
        // What is left of the way, the next part last.
        let mut way = parts(path);
        let mut folders: Vec<(String, String)> = Vec::new();
        let mut hops = 0;
        while let Some(part) = way.pop() {
            match part.as_str() {
                ".." if folders.is_empty() => return Ok(Led::Outside),
                ".." => {
                    folders.pop();
                    continue;
                }
                "" | "." => continue,
                _ => {}
            }
            let tree = folders.last().map_or(&self.top, |(_, id)| id).clone();
            let Some((mode, id)) = self.look(&tree, &part)? else { return Ok(Led::Nowhere) };
            match mode {
                Mode::Folder => folders.push((part, id)),
                Mode::Link => {
                    hops += 1;
                    let target = self.blobs.read(&id, MAX_TARGET)?;
                    let target = String::from_utf8(target).unwrap_or_default();
                    if target.starts_with('/') {
                        return Ok(Led::Outside);
                    }
                    if hops > MAX_HOPS || target.is_empty() {
                        return Ok(Led::Nowhere);
                    }
                    way.extend(parts(&target));
                }
                Mode::File if way.is_empty() => {
                    let mut names: Vec<&str> = folders.iter().map(|(name, _)| &**name).collect();
                    names.push(&part);
                    return Ok(Led::File(names.join("/"), id));
                }
                Mode::Submodule | Mode::Other if way.is_empty() => return Ok(Led::Other),
                Mode::File | Mode::Submodule | Mode::Other => return Ok(Led::Nowhere),
            }
        }
        Ok(Led::Folder)
    }

    fn called(&self, path: &str) -> Arc<str> {
        (self.called)(path)
    }
}

/// The name, mode and id of an entry of a tree.
type Row = (Vec<u8>, Mode, String);

/// `100644 NAME\0ID`, and what comes after.
fn parse(bytes: &[u8], id_length: usize) -> Option<(Row, &[u8])> {
    use std::fmt::Write as _;

    let space = bytes.iter().position(|byte| *byte == b' ')?;
    let end = bytes.iter().position(|byte| *byte == 0)?;
    let id = bytes.get(end + 1..end + 1 + id_length)?;
    let name = bytes.get(space + 1..end)?.to_vec();
    let mut hex = String::with_capacity(2 * id_length);
    for byte in id {
        write!(hex, "{byte:02x}").ok()?;
    }
    Some(((name, Mode::of(&bytes[..space]), hex), &bytes[end + 1 + id_length..]))
}
