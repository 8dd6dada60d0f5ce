//! Loads the files of a commit by the rules that hold for files on disk.
//!
//! Invariant: a file and a folder of a commit load to what the same files on disk load to.

use std::sync::Arc;

use super::{
    Commit, InRepository, MAX_LOOKED, MAX_TOTAL, Unusable,
    git::{Entry, Mode},
    join, rejected, split,
    tree::Objects,
};
use crate::{
    config::{
        load::{
            Candidate, Judge, Led, Loaded, Named, ROOT_FILE, Root, Side, Tree as _,
            is_misspelled_root, misspelled_root, named, no_root, root_link, walk,
        },
        yaml::{MAX_BYTES, decode_text},
    },
    diagnostic::Diagnostic,
};

impl InRepository {
    /// Loads the files as they are in a commit, by the rules that hold for files on disk. The names in findings begin
    /// with `label`, such as `main:`. `None`: the commit does not have the path, or is a base without a root file there.
    pub fn load(
        &self,
        commit: &Commit,
        label: &str,
        side: Side,
    ) -> Result<Option<Loaded>, Unusable> {
        let top = format!("{}^{{tree}}", commit.id);
        if self.inside.is_empty() {
            return self.folder(top, &self.shown, label, side);
        }
        let (parent, file) = split(&self.inside);
        let Some(Entry { mode, id, .. }) = self.git.entry(&commit.id, &self.inside)? else {
            return Ok(None);
        };
        let called: Arc<str> = format!("{label}{}", self.shown).into();
        if mode == Mode::Folder {
            return self.folder(id, &self.shown, label, side);
        }
        let around = match (file == ROOT_FILE || mode == Mode::Link, parent) {
            (false, _) => None,
            (true, "") => Some(top),
            (true, parent) => self.git.entry(&commit.id, parent)?.map(|folder| folder.id),
        };
        match (mode, around) {
            (Mode::File | Mode::Link, Some(tree)) if file == ROOT_FILE => {
                self.folder(tree, split(&self.shown).0, label, side)
            }
            (Mode::File, _) if is_misspelled_root(file) && side == Side::Own => {
                Err(rejected(misspelled_root(&called, false)))
            }
            (Mode::File, _) => self.alone(&called, &id, side).map(Some),
            (Mode::Link, Some(tree)) => {
                let mut reader = self.git.blobs()?;
                let name = |_: &str| Arc::clone(&called);
                let led = Objects::new(&mut reader, tree, &name).follow(file, &id)?;
                match led {
                    Led::File(target, id) if named(&target) == Named::Yaml => {
                        self.alone(&called, &id, side).map(Some)
                    }
                    led => Err(rejected(root_link(&called, led.why()))),
                }
            }
            (mode, _) => Err(not_followed(&called, mode)),
        }
    }

    /// A file that stands for itself.
    fn alone(&self, called: &Arc<str>, id: &str, side: Side) -> Result<Loaded, Unusable> {
        let mut reader = self.git.blobs()?;
        let bytes = reader.read(id, MAX_BYTES as u64 + 1)?;
        reader.end()?;
        Root::new(called, text_of(called, bytes)).with(Vec::new(), side).map_err(Unusable::from)
    }

    /// A folder with a root file.
    fn folder(
        &self,
        tree: String,
        shown: &str,
        label: &str,
        side: Side,
    ) -> Result<Option<Loaded>, Unusable> {
        let called = |path: &str| -> Arc<str> {
            match (shown, path) {
                ("" | ".", "") => format!("{label}.").into(),
                _ => format!("{label}{}", join(shown, path)).into(),
            }
        };
        let mut reader = self.git.blobs()?;
        let mut objects = Objects::new(&mut reader, tree.clone(), &called);
        let name = called(ROOT_FILE);
        let (id, target) = match objects.look(&tree, ROOT_FILE)? {
            None if side == Side::Base => return Ok(None),
            None => {
                return Err(without_root(&mut objects, &called));
            }
            Some((Mode::File, id)) => (id, None),
            Some((Mode::Link, id)) => match objects.follow(ROOT_FILE, &id)? {
                Led::File(target, id) if named(&target) == Named::Yaml => (id, Some(target)),
                led => return Err(rejected(root_link(&name, led.why()))),
            },
            Some((mode, _)) => return Err(not_followed(&name, mode)),
        };
        let bytes = objects.blobs.read(&id, MAX_BYTES as u64 + 1)?;
        let mut total = bytes.len() as u64;
        let mut root = Root::new(&name, text_of(&name, bytes));
        let walked = walk(&mut objects, tree, &root.scope, side, target.as_deref())?;
        if root.is_whole() {
            root.outside.extend(walked.found);
        }
        let judge = Judge { side };
        let (mut files, mut judged) = (Vec::new(), Vec::new());
        let mut looked = 0;
        for Candidate { path, at, named, included } in walked.files {
            let bytes = reader.read(&at, MAX_BYTES as u64 + 1)?;
            let name = called(&path);
            if named == Named::Yaml && included {
                total += bytes.len() as u64;
                files.push(Candidate { path, at: bytes, named, included });
            } else {
                // What only has to be looked at is not kept.
                looked += bytes.len() as u64;
                judged.push(judge.file(path, &name, text_of(&name, bytes), named, included));
            }
            if total > MAX_TOTAL || looked > MAX_LOOKED {
                return Err(rejected(too_large(&name)));
            }
        }
        reader.end()?;
        judged.extend(judge.all(files, &called, text_of));
        root.with(judged, side).map(Some).map_err(Unusable::from)
    }
}

fn text_of(name: &Arc<str>, bytes: Vec<u8>) -> Result<Arc<str>, Box<Diagnostic>> {
    decode_text(name, bytes).map(Arc::from)
}

/// A folder without a root file; one below it may have one, as on disk.
fn without_root(objects: &mut Objects<'_>, called: &dyn Fn(&str) -> Arc<str>) -> Unusable {
    let listed = objects.names().and_then(|(mut files, folders)| {
        files.retain(|name| matches!(named(name), Named::Yaml | Named::Nearly));
        for (name, tree) in folders {
            if matches!(objects.look(&tree, ROOT_FILE)?, Some((Mode::File, _))) {
                return Ok((files, Some(called(&name))));
            }
        }
        Ok((files, None))
    });
    match listed {
        Ok((files, below)) => {
            let twin = files.iter().find(|name| is_misspelled_root(name)).map(|name| called(name));
            rejected(no_root(&called(""), &files, twin.as_deref(), below.as_deref(), false))
        }
        Err(error) => error,
    }
}

fn noun(mode: Mode) -> &'static str {
    match mode {
        Mode::Link => "link",
        Mode::Submodule => "submodule",
        Mode::File | Mode::Folder | Mode::Other => "entry",
    }
}

fn not_followed(name: &str, mode: Mode) -> Unusable {
    let noun = noun(mode);
    rejected(
        Diagnostic::error(
            "config/link-not-read",
            format!("`{name}` is a {noun}, and of a revision only its own files are read"),
        )
        .help("give the path of the files themselves"),
    )
}

fn too_large(name: &str) -> Diagnostic {
    Diagnostic::error(
        "config/too-large",
        format!("with `{name}` the files have more than {} MiB", MAX_TOTAL >> 20),
    )
    .help("give the folder that holds the charter files only")
}
