//! The native driver of Postbox: what plain FFI cannot do (docs/decisions/0019).
//!
//! Rule: a result is at least 0, or an error number with its sign turned round. Nothing here panics,
//! starts a thread or calls back into JavaScript.
//!
//! Addresses are numbers, not slices: JavaScript gives NULL for an empty view, which is no slice of
//! Rust. `memory.rs` makes the one slice that is needed.

mod crc32c;
mod errors;
mod guard;
mod memory;
mod places;
mod queue;

use deno_bindgen::deno_bindgen;

/// What both sides agree on: the functions below, their parameters, the layout of a batch. Raised
/// with every change of them, here and in `src/sys/native_symbols.ts`.
const ABI: i32 = 3;

/// The version of this interface.
#[deno_bindgen]
pub fn postbox_abi() -> i32 {
    ABI
}

/// mq_send(3)
#[deno_bindgen]
pub fn postbox_mq_send(mqd: i32, address: u64, length: u64, priority: u32) -> i32 {
    queue::send(mqd, address, length, priority)
}

/// mq_receive(3): the length of the message.
#[deno_bindgen]
pub fn postbox_mq_receive(mqd: i32, address: u64, length: u64, priority_address: u64) -> i32 {
    queue::receive(mqd, address, length, priority_address)
}

/// Takes what a nonblocking queue has, as far as a batch has room: how many messages.
#[deno_bindgen]
pub fn postbox_mq_drain(mqd: i32, batch: u64, max_messages: u32, slot_bytes: u32) -> i32 {
    queue::drain(mqd, batch, max_messages, slot_bytes)
}

/// poll(2), to be called in a thread of the runtime's pool: how many descriptors are ready.
#[deno_bindgen(non_blocking)]
pub fn postbox_poll(fds: u64, count: u64, timeout_ms: i32) -> i32 {
    // SAFETY: the caller keeps `count` entries at the address until this returns.
    let ready = unsafe { libc::poll(memory::pointer(fds), count, timeout_ms) };
    errors::small(i64::from(ready))
}

/// mremap(2): the new address.
#[deno_bindgen]
pub fn postbox_mremap(old_address: u64, old_size: u64, new_size: u64, flags: i32) -> i64 {
    let (old, new) = (old_size as usize, new_size as usize);
    // SAFETY: the caller answers for the pages at the address.
    let address = unsafe { libc::mremap(memory::pointer(old_address), old, new, flags) };
    errors::result(address as i64)
}

/// sem_open(3): where the semaphore is.
#[deno_bindgen]
pub fn postbox_sem_open(name: u64, oflag: i32, mode: u32, value: u32) -> i64 {
    // SAFETY: the name ends with a zero byte, and the caller holds it until this returns.
    let semaphore = unsafe { libc::sem_open(memory::pointer(name), oflag, mode, value) };
    if semaphore.is_null() {
        -i64::from(errors::last())
    } else {
        semaphore as i64
    }
}

/// CRC-32C of the bytes from `start` to `end`, behind others whose checksum is `seed`. All 32 bits
/// are the checksum: this cannot be refused.
#[deno_bindgen]
pub fn postbox_crc32c(address: u64, start: u32, end: u32, seed: u32) -> u32 {
    crc32c::checksum(memory::bytes(address, start, end), seed)
}

/// Takes over SIGBUS, once a process: a descriptor of the counts, one word for each place and one for
/// all of them.
#[deno_bindgen]
pub fn postbox_guard_install() -> i32 {
    guard::install()
}

/// Guards a range of addresses: its id, which names it from then on; with the rest of its division
/// by the number of places, that of its count. The range lies there until it is removed.
#[deno_bindgen]
pub fn postbox_guard_add(address: u64, length: u64) -> i32 {
    guard::add(address, length)
}

/// A guarded range is so long now.
#[deno_bindgen]
pub fn postbox_guard_extend(id: i32, length: u64) -> i32 {
    guard::extend(id, length)
}

/// Guards a range no more.
#[deno_bindgen]
pub fn postbox_guard_remove(id: i32) -> i32 {
    guard::remove(id)
}

/// Who guarded a range has forgotten it; another thread may use it still: guarded as long as there
/// is room for the next.
#[deno_bindgen]
pub fn postbox_guard_abandon(id: i32) -> i32 {
    guard::abandon(id)
}

/// Whether a range is guarded: 1 or 0.
#[deno_bindgen]
pub fn postbox_guard_is_live(id: i32) -> i32 {
    guard::is_live(id)
}

/// The id of the range that an address is in.
#[deno_bindgen]
pub fn postbox_guard_find(address: u64) -> i32 {
    guard::find(address)
}

#[cfg(test)]
mod tests {
    use super::{postbox_mremap, postbox_poll, postbox_sem_open};

    #[test]
    fn results_of_32_and_of_64_bits_are_refusals_below_0() {
        assert_eq!(postbox_poll(0, 1, 0), -libc::EFAULT);
        assert_eq!(postbox_poll(0, 0, 0), 0);
        assert_eq!(postbox_mremap(1, 0, 1, 0), -i64::from(libc::EINVAL));
        let name = format!("/native-missing-{}\0", std::process::id());
        let missing = postbox_sem_open(name.as_ptr() as u64, 0, 0, 0);
        assert_eq!(missing, -i64::from(libc::ENOENT));
    }
}
