//! Reads blobs from a running `git cat-file --batch`.
//!
//! Invariant: of a blob no more is kept than the limit, however large it says it is.

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, ChildStdout},
};

use super::{error::GitError, git::odd};

/// A process that does not outlive its reader.
#[derive(Debug)]
pub(super) struct Running(pub(super) Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended, or nobody listens any more; either way there is nothing to be done about an error.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads blobs, one after the other.
#[derive(Debug)]
pub(super) struct Blobs {
    child: Running,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Blobs {
    pub(super) fn new(child: Running, asks: ChildStdin, answers: ChildStdout) -> Self {
        Self { child, asks, answers: BufReader::new(answers) }
    }

    /// At most the first `limit` bytes of a blob.
    pub(super) fn read(&mut self, id: &str, limit: u64) -> Result<Vec<u8>, GitError> {
        self.object(id, "blob", limit).map(|(bytes, _)| bytes)
    }

    /// A whole tree, if it is not larger than the limit. It may be named by a commit, as `ID^{tree}`.
    pub(super) fn tree(&mut self, name: &str, limit: u64) -> Result<Vec<u8>, GitError> {
        match self.object(name, "tree", limit)? {
            (bytes, size) if bytes.len() as u64 == size => Ok(bytes),
            _ => Err(odd("reading a tree: it is too large")),
        }
    }

    fn object(&mut self, name: &str, kind: &str, limit: u64) -> Result<(Vec<u8>, u64), GitError> {
        const WHAT: &str = "reading an object";
        self.asks
            .write_all(format!("{name}\n").as_bytes())
            .and_then(|()| self.asks.flush())
            .map_err(GitError::Run)?;
        let mut head = Vec::new();
        (&mut self.answers).take(1024).read_until(b'\n', &mut head).map_err(GitError::Run)?;
        let head = String::from_utf8_lossy(&head);
        let words: Vec<&str> = head.split_ascii_whitespace().collect();
        let size: u64 = match words[..] {
            [_, "missing"] | [] => return Err(GitError::Missing(name.to_owned())),
            [of, is, size] if is == kind && (of == name || name.contains('^')) => {
                size.parse().map_err(|_| odd(WHAT))?
            }
            _ => return Err(odd(WHAT)),
        };
        let mut bytes = Vec::new();
        let read = (&mut self.answers)
            .take(size.min(limit))
            .read_to_end(&mut bytes)
            .map_err(GitError::Run)?;
        // What is over the limit, and the newline after the blob, is not kept.
        let mut rest = (&mut self.answers).take(size - read as u64 + 1);
        std::io::copy(&mut rest, &mut std::io::sink()).map_err(GitError::Run)?;
        if read as u64 == size.min(limit) { Ok((bytes, size)) } else { Err(odd(WHAT)) }
    }

    /// Lets the process end.
    pub(super) fn end(self) -> Result<(), GitError> {
        let Self { mut child, asks, answers } = self;
        drop((asks, answers));
        child.0.wait().map(|_| ()).map_err(GitError::Run)
    }
}
