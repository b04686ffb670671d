//! How C says that it refused, and how this interface does.

/// errno of this thread.
pub fn last() -> i32 {
    // SAFETY: the location belongs to this thread and lives as long as it.
    unsafe { *libc::__errno_location() }
}

/// Sets errno back, for a signal's handler.
pub fn restore(errno: i32) {
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

/// A result of C: -1 becomes the error number with its sign turned round.
pub fn result(of_c: i64) -> i64 {
    if of_c == -1 {
        -i64::from(last())
    } else {
        of_c
    }
}

/// The same for a result that fits into 31 bits.
pub fn small(of_c: i64) -> i32 {
    result(of_c) as i32
}
