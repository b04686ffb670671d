//! The guard, with objects that are cut off under a mapping; and what happens without it, in a child.

use super::{abandon, add, extend, install, remove, COUNTS};
use crate::places::{place_of, PLACES};
use std::ptr::null_mut;
use std::sync::atomic::Ordering;

const PAGE: usize = 4096;

/// Memory over an object that can be made shorter.
struct Mapping {
    descriptor: i32,
    address: *mut u8,
    pages: usize,
}

impl Mapping {
    fn new(pages: usize) -> Mapping {
        unsafe {
            let descriptor = libc::memfd_create(c"test".as_ptr(), libc::MFD_CLOEXEC);
            assert_eq!(libc::ftruncate(descriptor, (pages * PAGE) as i64), 0);
            let protection = libc::PROT_READ | libc::PROT_WRITE;
            let address = libc::mmap(
                null_mut(),
                pages * PAGE,
                protection,
                libc::MAP_SHARED,
                descriptor,
                0,
            );
            assert_ne!(address, libc::MAP_FAILED);
            Mapping {
                descriptor,
                address: address.cast(),
                pages,
            }
        }
    }

    fn guarded(pages: usize) -> (Mapping, i32) {
        assert!(install() >= 0);
        let mapping = Mapping::new(pages);
        let id = add(mapping.address as u64, (pages * PAGE) as u64);
        assert!(id >= 0, "{id}");
        (mapping, id)
    }

    fn cut(&self, pages: usize) {
        assert_eq!(
            unsafe { libc::ftruncate(self.descriptor, (pages * PAGE) as i64) },
            0
        );
    }

    fn read(&self, page: usize) -> u8 {
        unsafe { self.address.add(page * PAGE).read_volatile() }
    }

    fn write(&self, page: usize, value: u8) {
        unsafe { self.address.add(page * PAGE).write_volatile(value) };
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        unsafe {
            libc::munmap(self.address.cast(), self.pages * PAGE);
            libc::close(self.descriptor);
        }
    }
}

fn lost(id: i32) -> u32 {
    unsafe { (*COUNTS.load(Ordering::Acquire).add(place_of(id as u32))).load(Ordering::Acquire) }
}

#[test]
fn pages_that_are_gone_read_zeros_and_are_counted() {
    let (mapping, id) = Mapping::guarded(4);
    (0..4).for_each(|page| mapping.write(page, 7));
    mapping.cut(1);
    assert_eq!(lost(id), 0);
    assert_eq!((mapping.read(2), lost(id)), (0, 1));
    assert_eq!((mapping.read(3), lost(id)), (0, 1)); // in the same mapping
    assert_eq!((mapping.read(1), lost(id)), (0, 2));
    let all = unsafe { (*COUNTS.load(Ordering::Acquire).add(PLACES)).load(Ordering::Acquire) };
    assert!(all >= 2); // other tests count, too
    mapping.write(3, 5); // reaches nobody
    assert_eq!((mapping.read(3), mapping.read(0), lost(id)), (5, 7, 2));
    assert_eq!(remove(id), 0);
}

#[test]
fn a_longer_range_is_guarded_to_its_new_end() {
    assert!(install() >= 0);
    let mapping = Mapping::new(4);
    let id = add(mapping.address as u64, PAGE as u64);
    assert_eq!(extend(id, 2 * PAGE as u64), 0);
    assert_eq!(extend(id, 4 * PAGE as u64), 0);
    mapping.cut(0);
    assert_eq!((mapping.read(3), lost(id)), (0, 1));
    assert_eq!(remove(id), 0);
}

#[test]
fn threads_that_find_the_same_page_gone_all_go_on() {
    let (mapping, id) = Mapping::guarded(64);
    let address = mapping.address as usize;
    mapping.cut(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(move || {
                for page in (0..64).rev() {
                    let at = (address + page * PAGE) as *const u8;
                    assert_eq!(unsafe { at.read_volatile() }, 0);
                }
            });
        }
    });
    assert!(lost(id) >= 64);
    assert_eq!(remove(id), 0);
}

#[test]
fn of_a_range_that_its_thread_has_forgotten_only_the_page_is_replaced() {
    let (mapping, id) = Mapping::guarded(3);
    assert_eq!(abandon(id), 0);
    mapping.cut(0);
    assert_eq!((mapping.read(0), lost(id)), (0, 1));
    assert_eq!((mapping.read(2), lost(id)), (0, 2)); // a mapping of its own
    assert_eq!(remove(id), 0);
}

#[test]
fn nobody_cuts_off_the_counts() {
    let descriptor = install();
    assert_eq!(unsafe { libc::ftruncate(descriptor, 0) }, -1);
    assert_eq!(crate::errors::last(), libc::EPERM);
}

#[test]
fn what_is_no_range_is_refused() {
    assert!(install() >= 0);
    assert_eq!(add(0, 1), -libc::EINVAL);
    assert_eq!(add(4096, 0), -libc::EINVAL);
    assert_eq!(add(4096, u64::MAX), -libc::EINVAL);
    assert_eq!(remove(-1), -libc::EINVAL);
    assert_eq!(extend(i32::MAX, 1), -libc::EINVAL);
}

/// Runs a function in a child, and gives the signal that ended it; 0 for none.
fn signal_of(body: fn()) -> i32 {
    unsafe {
        let child = libc::fork();
        if child == 0 {
            body();
            libc::_exit(0);
        }
        let mut status = 0;
        assert_eq!(libc::waitpid(child, &mut status, 0), child);
        if libc::WIFSIGNALED(status) {
            libc::WTERMSIG(status)
        } else {
            0
        }
    }
}

#[test]
fn what_is_not_guarded_ends_the_process_as_before() {
    assert!(install() >= 0);
    assert_eq!(signal_of(|| touch_what_is_gone(false)), libc::SIGBUS);
    assert_eq!(signal_of(|| touch_what_is_gone(true)), 0);
}

fn touch_what_is_gone(is_guarded: bool) {
    let mapping = Mapping::new(2);
    if is_guarded {
        add(mapping.address as u64, 2 * PAGE as u64);
    }
    mapping.cut(0);
    mapping.read(1);
}
