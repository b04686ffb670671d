//! A guard against SIGBUS: zeros in the place of pages that a peer has cut off.
//!
//! Whoever may write an object can make it shorter, and touching a page that is gone ends the process.
//! For the ranges in the table the handler maps zero pages over what is gone, counts that, and
//! lets the thread go on; JavaScript looks at the count when the memory is used next.
//!
//! Rule: any other SIGBUS is the business of whoever had it before, of the runtime as a rule, which
//! is called as the kernel would have called it. What runs in the handler is safe there (signal-safety(7)): system
//! calls and atomic memory, no allocation, no lock.

use crate::errors::{last, restore, small};
use crate::memory::pointer;
use crate::places::{place_of, Found, Table, PLACES};
use libc::{c_int, c_void, siginfo_t};
use std::mem::{size_of, zeroed};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use std::sync::OnceLock;

/// The fault of a page that is not there: beyond the end of its object, or one that could not be had.
const BUS_ADRERR: c_int = 2;

static TABLE: Table = Table::new();

/// How often pages were found gone, a word for each place and one for all of them: in memory that
/// JavaScript maps, too.
static COUNTS: AtomicPtr<AtomicU32> = AtomicPtr::new(null_mut());
const COUNTS_BYTES: usize = (PLACES + 1) * size_of::<AtomicU32>();

static PAGE_BYTES: AtomicUsize = AtomicUsize::new(4096);

/// Who had SIGBUS before. Written once, before our handler can run.
struct Previous(std::cell::UnsafeCell<Option<libc::sigaction>>);

// SAFETY: written before the handler is there and never again.
unsafe impl Sync for Previous {}

static PREVIOUS: Previous = Previous(std::cell::UnsafeCell::new(None));

static INSTALLED: OnceLock<i32> = OnceLock::new();

/// Takes SIGBUS over, once: the descriptor of the counts.
pub fn install() -> i32 {
    *INSTALLED.get_or_init(|| match map_counts() {
        Ok(descriptor) => match take_signal() {
            Ok(()) => descriptor,
            Err(refusal) => refusal,
        },
        Err(refusal) => refusal,
    })
}

fn map_counts() -> Result<i32, i32> {
    // SAFETY: calls of C with arguments of ours; the mapping stays as long as the process.
    unsafe {
        let name = c"postbox-guard".as_ptr();
        let flags = libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING;
        let descriptor = accepted(libc::memfd_create(name, flags))?;
        accepted(libc::ftruncate(descriptor, COUNTS_BYTES as i64))?;
        // Nobody cuts off the counts of what was cut off: /proc shows them to whoever may write them.
        let seals = libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_SEAL;
        accepted(libc::fcntl(descriptor, libc::F_ADD_SEALS, seals))?;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        let counts = libc::mmap(
            null_mut(),
            COUNTS_BYTES,
            protection,
            libc::MAP_SHARED,
            descriptor,
            0,
        );
        if counts == libc::MAP_FAILED {
            return Err(-last());
        }
        COUNTS.store(counts.cast(), Ordering::Release);
        PAGE_BYTES.store(
            libc::sysconf(libc::_SC_PAGESIZE) as usize,
            Ordering::Relaxed,
        );
        Ok(descriptor)
    }
}

fn take_signal() -> Result<(), i32> {
    // SAFETY: a struct of C whose zeros are valid; PREVIOUS is written before our handler runs.
    unsafe {
        let mut previous: libc::sigaction = zeroed();
        accepted(libc::sigaction(
            libc::SIGBUS,
            std::ptr::null(),
            &mut previous,
        ))?;
        *PREVIOUS.0.get() = Some(previous);
        let mut ours: libc::sigaction = zeroed();
        ours.sa_sigaction = on_sigbus as *const () as usize;
        // On the stack that the runtime keeps for signals, where it has one.
        ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        libc::sigemptyset(&mut ours.sa_mask);
        accepted(libc::sigaction(libc::SIGBUS, &ours, null_mut()))?;
        Ok(())
    }
}

fn accepted(result: c_int) -> Result<i32, i32> {
    match small(i64::from(result)) {
        refusal if refusal < 0 => Err(refusal),
        value => Ok(value),
    }
}

/// A length in whole pages: the rest of the last one goes with it.
fn whole_pages(length: u64) -> Option<usize> {
    (length as usize).checked_next_multiple_of(PAGE_BYTES.load(Ordering::Relaxed))
}

/// Guards a range of addresses: its id, whose rest by the number of places is that of its count.
pub fn add(address: u64, length: u64) -> i32 {
    let start = address as usize;
    let Some(end) = whole_pages(length).and_then(|length| start.checked_add(length)) else {
        return -libc::EINVAL;
    };
    if start == 0 || length == 0 {
        return -libc::EINVAL;
    }
    let counts = COUNTS.load(Ordering::Acquire);
    if counts.is_null() {
        return -libc::EPERM; // nobody would look into the table
    }
    let Some(id) = TABLE.add(start, end) else {
        return -libc::ENOSPC;
    };
    // SAFETY: a place of the table has a count.
    unsafe { (*counts.add(place_of(id))).store(0, Ordering::Relaxed) };
    id as i32
}

/// A guarded range has another length.
pub fn extend(id: i32, length: u64) -> i32 {
    match whole_pages(length) {
        Some(length) if TABLE.extend(id as u32, length) => 0,
        _ => -libc::EINVAL,
    }
}

/// Guards a range no more.
pub fn remove(id: i32) -> i32 {
    if TABLE.remove(id as u32) {
        0
    } else {
        -libc::EINVAL
    }
}

/// Guards a range as long as there is room for the next.
pub fn abandon(id: i32) -> i32 {
    if TABLE.abandon(id as u32) {
        0
    } else {
        -libc::EINVAL
    }
}

/// Whether a range is guarded: 1 or 0.
pub fn is_live(id: i32) -> i32 {
    i32::from(TABLE.is_live(id as u32))
}

/// The id of the range that an address is in.
pub fn find(address: u64) -> i32 {
    match TABLE.id_at(address as usize) {
        Some(id) => id as i32,
        None => -libc::ENOENT,
    }
}

extern "C" fn on_sigbus(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    let errno = last();
    // SAFETY: the kernel gives a whole siginfo with SA_SIGINFO; a fault has an address.
    let is_mended = unsafe { (*info).si_code == BUS_ADRERR && mend((*info).si_addr() as usize) };
    if !is_mended {
        // SAFETY: what the kernel gave us.
        unsafe { pass_on(signal, info, context) };
    }
    restore(errno);
}

/// Maps zero pages from the one with an address to the end of its range; false where it has none.
fn mend(address: usize) -> bool {
    let page = PAGE_BYTES.load(Ordering::Relaxed);
    let start = address & !(page - 1);
    let (place, end) = match TABLE.find(address) {
        Found::Live { place, end } => (place, end),
        // The page that is gone, and nothing that may be somebody else's.
        Found::Abandoned { place } => (place, start + page),
        // Zero pages are there by now, most probably: it is tried again.
        Found::Removed => return true,
        Found::Nothing => return false,
    };
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_FIXED | libc::MAP_ANONYMOUS | libc::MAP_PRIVATE | libc::MAP_NORESERVE;
    // SAFETY: in a range that JavaScript keeps for a buffer of its own: nothing else lies there. What
    // follows is gone as well, and one mapping a page would come to an end (max_map_count).
    let mapped =
        unsafe { libc::mmap(pointer(start as u64), end - start, protection, flags, -1, 0) };
    if mapped == libc::MAP_FAILED {
        return false;
    }
    for word in [place, PLACES] {
        // SAFETY: a place of the table has a count, all have one, and they are never unmapped.
        unsafe { (*COUNTS.load(Ordering::Relaxed).add(word)).fetch_add(1, Ordering::Release) };
    }
    true
}

/// Does what would have happened without us.
unsafe fn pass_on(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: written before this handler was there, and never again.
    let Some(previous) = (unsafe { &*PREVIOUS.0.get() }) else {
        return;
    };
    // A fault comes again when the instruction is repeated; what somebody sent does not.
    let is_sent = unsafe { (*info).si_code } <= 0;
    match previous.sa_sigaction {
        libc::SIG_IGN if is_sent => {}
        libc::SIG_DFL | libc::SIG_IGN => unsafe {
            // LINUX: an ignored fault ends the process all the same.
            let mut default: libc::sigaction = zeroed();
            default.sa_sigaction = libc::SIG_DFL;
            libc::sigaction(signal, &default, null_mut());
            if is_sent {
                libc::raise(signal); // comes when this handler returns
            }
        },
        handler if previous.sa_flags & libc::SA_SIGINFO != 0 => unsafe {
            let handler: extern "C" fn(c_int, *mut siginfo_t, *mut c_void) =
                std::mem::transmute(handler);
            handler(signal, info, context);
        },
        handler => unsafe {
            let handler: extern "C" fn(c_int) = std::mem::transmute(handler);
            handler(signal);
        },
    }
}

#[cfg(test)]
mod tests;
