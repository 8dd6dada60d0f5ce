//! What the process holds in memory is kept from the disk: it may be a credential.
//!
//! Invariant: whatever ends the process, no core file of it is written.

/// Forbids core files, for this process and for those that it starts.
pub(super) fn keep_off_the_disk() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, setrlimit};
        // Only fewer rights are asked for, so nothing refuses it; and without it charter works as well.
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    }
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // A program that takes core files from the kernel is not bound by the limit.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}
