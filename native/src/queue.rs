//! Message queues: one message, or a batch of them in one call.

use crate::errors::small;
use crate::memory::pointer;

/// Before the messages of a batch lie two words for each, its length and its priority:
///
/// ```text
/// byte   0        4          8                 8 x max_messages
///        +--------+----------+------ ... ------+------------+------------+-- ...
///        | length | priority | of the others   | first slot | second     |
///        +--------+----------+------ ... ------+------------+------------+-- ...
/// ```
const ENTRY_BYTES: u64 = 8;
const PRIORITY_OFFSET: u64 = 4;

/// mq_send(3)
pub fn send(mqd: i32, address: u64, length: u64, priority: u32) -> i32 {
    // SAFETY: the caller holds the bytes until this returns, and the kernel judges the address.
    let sent = unsafe { libc::mq_send(mqd, pointer(address), length as usize, priority) };
    small(i64::from(sent))
}

/// mq_receive(3)
pub fn receive(mqd: i32, address: u64, length: u64, priority_address: u64) -> i32 {
    let (into, priority) = (pointer(address), pointer(priority_address));
    // SAFETY: the caller holds the bytes and the word until this returns; the kernel alone writes.
    let taken = unsafe { libc::mq_receive(mqd, into, length as usize, priority) };
    small(taken as i64)
}

/// Takes messages until there is none or the batch is full. A refusal counts where it is the first
/// that happens: what was taken before one is in the batch.
pub fn drain(mqd: i32, batch: u64, max_messages: u32, slot_bytes: u32) -> i32 {
    let slots = batch + ENTRY_BYTES * u64::from(max_messages);
    for index in 0..max_messages {
        let entry = batch + ENTRY_BYTES * u64::from(index);
        let slot = slots + u64::from(slot_bytes) * u64::from(index);
        let length = receive(mqd, slot, u64::from(slot_bytes), entry + PRIORITY_OFFSET);
        if length < 0 {
            return if index == 0 { length } else { index as i32 };
        }
        // SAFETY: inside the batch, which the caller holds.
        unsafe { pointer::<u32>(entry).write_unaligned(length as u32) };
    }
    max_messages as i32
}

#[cfg(test)]
mod tests {
    use super::{drain, receive, send};

    /// A nonblocking queue without a name.
    struct Queue(i32);

    impl Queue {
        fn new(label: &str, max_messages: i64) -> Queue {
            let name = format!("/native-{label}-{}\0", std::process::id());
            let mut attributes: libc::mq_attr = unsafe { std::mem::zeroed() };
            attributes.mq_maxmsg = max_messages;
            attributes.mq_msgsize = 16;
            let flags = libc::O_CREAT | libc::O_EXCL | libc::O_RDWR | libc::O_NONBLOCK;
            let mqd = unsafe { libc::mq_open(name.as_ptr().cast(), flags, 0o600, &attributes) };
            assert!(mqd >= 0, "{}", std::io::Error::last_os_error());
            unsafe { libc::mq_unlink(name.as_ptr().cast()) };
            Queue(mqd)
        }

        fn send(&self, text: &str, priority: u32) -> i32 {
            send(self.0, text.as_ptr() as u64, text.len() as u64, priority)
        }
    }

    impl Drop for Queue {
        fn drop(&mut self) {
            unsafe { libc::mq_close(self.0) };
        }
    }

    #[test]
    fn refusals_are_error_numbers_with_their_sign_turned_round() {
        let queue = Queue::new("refusals", 1);
        let mut room = [0u8; 16];
        let into = room.as_mut_ptr() as u64;
        assert_eq!(receive(queue.0, into, 16, 0), -libc::EAGAIN);
        assert_eq!(receive(queue.0, into, 15, 0), -libc::EMSGSIZE);
        assert_eq!(receive(-1, into, 16, 0), -libc::EBADF);
        assert_eq!(queue.send("seventeen letters", 0), -libc::EMSGSIZE);
        assert_eq!(queue.send("one", 0), 0);
        assert_eq!(queue.send("two", 0), -libc::EAGAIN);
    }

    #[test]
    fn an_empty_message_is_one() {
        let queue = Queue::new("empty", 1);
        assert_eq!(send(queue.0, 0, 0, 3), 0);
        let (mut room, mut priority) = ([0u8; 16], 9u32);
        let at = &mut priority as *mut u32 as u64;
        assert_eq!(receive(queue.0, room.as_mut_ptr() as u64, 16, at), 0);
        assert_eq!(priority, 3);
    }

    #[test]
    fn drain_takes_as_many_as_there_are_and_as_have_room() {
        let queue = Queue::new("drain", 4);
        for (text, priority) in [("low", 1), ("high", 7), ("", 0)] {
            assert_eq!(queue.send(text, priority), 0);
        }
        let mut batch = [0u32; 2 * 2 + 2 * 4];
        let at = batch.as_mut_ptr() as u64;
        assert_eq!(drain(queue.0, at, 2, 16), 2);
        assert_eq!(batch[..4], [4, 7, 3, 1]);
        assert_eq!(batch[4].to_le_bytes(), *b"high");
        assert_eq!(batch[8].to_le_bytes(), *b"low\0");
        assert_eq!(drain(queue.0, at, 2, 16), 1);
        assert_eq!(batch[..2], [0, 0]);
        assert_eq!(drain(queue.0, at, 2, 16), -libc::EAGAIN);
        assert_eq!(drain(queue.0, at, 2, 15), -libc::EMSGSIZE);
        assert_eq!(drain(queue.0, at, 0, 16), 0);
    }
}
