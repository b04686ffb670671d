//! Memory of JavaScript's, by its address.

/// What C takes for an address.
pub fn pointer<T>(address: u64) -> *mut T {
    address as usize as *mut T
}

/// The bytes from `start` to `end` of what lies at an address.
///
/// Where there are none the address is not looked at: it may be NULL.
pub fn bytes<'a>(address: u64, start: u32, end: u32) -> &'a [u8] {
    if end <= start || address == 0 {
        return &[];
    }
    // SAFETY: the caller holds the view, which is at least `end` bytes long, until the call returns.
    // Where it is shared another process may write meanwhile: each byte is read once.
    unsafe {
        let first = pointer::<u8>(address).add(start as usize);
        std::slice::from_raw_parts(first, (end - start) as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn bytes_of_null_and_of_an_empty_range_are_none() {
        assert_eq!(bytes(0, 0, 0), b"");
        assert_eq!(bytes(0, 0, 9), b"");
        assert_eq!(bytes(1, 5, 5), b"");
        assert_eq!(bytes(1, 5, 4), b"");
    }

    #[test]
    fn bytes_are_those_from_start_to_end() {
        let some = [1u8, 2, 3, 4, 5];
        assert_eq!(bytes(some.as_ptr() as u64, 1, 4), [2, 3, 4]);
    }
}
