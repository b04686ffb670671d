//! CRC-32C (Castagnoli) by the processor's instruction, and by a table where it has none.
//!
//! The instruction takes 8 bytes and its result comes three cycles later, so three blocks are summed
//! side by side and then joined: the checksum of A and B is that of A followed by as many zeros as B
//! is long, combined with that of B. V. Gopal et al.: "Fast CRC Computation for iSCSI Polynomial
//! Using CRC32 Instruction", Intel, 2011.

/// The polynomial 0x1edc6f41, its bits reversed: the least significant bit goes first.
const POLYNOMIAL: u32 = 0x82f6_3b78;

/// How long each of three blocks is: a multiple of 8.
const BLOCK_BYTES: usize = 512;

/// What each byte does to a checksum.
static BY_BYTE: [u32; 256] = by_byte();

/// What [`BLOCK_BYTES`] zeros do to a checksum, for each of its four bytes.
static BY_BLOCK: [[u32; 256]; 4] = by_block();

const fn next_bit(sum: u32) -> u32 {
    (sum >> 1) ^ if sum & 1 == 1 { POLYNOMIAL } else { 0 }
}

const fn by_byte() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            sum = next_bit(sum);
            bit += 1;
        }
        table[byte] = sum;
        byte += 1;
    }
    table
}

const fn by_block() -> [[u32; 256]; 4] {
    let mut tables = [[0; 256]; 4];
    // What zeros do is linear: that of a byte is that of its bits.
    let mut bit = 0;
    while bit < 32 {
        let mut sum = 1u32 << bit;
        let mut zeros = 0;
        while zeros < BLOCK_BYTES * 8 {
            sum = next_bit(sum);
            zeros += 1;
        }
        let (table, place) = (bit / 8, 1usize << (bit % 8));
        let mut byte = 0;
        while byte < 256 {
            if byte & place != 0 {
                tables[table][byte] ^= sum;
            }
            byte += 1;
        }
        bit += 1;
    }
    tables
}

/// The checksum of some bytes, behind others whose checksum is `seed`.
pub fn checksum(bytes: &[u8], seed: u32) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("sse4.2") {
        // SAFETY: the processor has the instruction.
        return !unsafe { by_sse42(bytes, !seed) };
    }
    #[cfg(target_arch = "aarch64")]
    if std::arch::is_aarch64_feature_detected!("crc") {
        // SAFETY: the processor has the instruction.
        return !unsafe { by_armv8(bytes, !seed) };
    }
    !by_table(bytes, !seed)
}

fn by_table(bytes: &[u8], sum: u32) -> u32 {
    bytes.iter().fold(sum, |sum, byte| {
        (sum >> 8) ^ BY_BYTE[((sum ^ u32::from(*byte)) & 0xff) as usize]
    })
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn behind_a_block(sum: u32) -> u32 {
    let [a, b, c, d] = sum.to_le_bytes().map(usize::from);
    BY_BLOCK[0][a] ^ BY_BLOCK[1][b] ^ BY_BLOCK[2][c] ^ BY_BLOCK[3][d]
}

/// The same for each processor that has an instruction for 8 bytes and one for a single byte.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
macro_rules! by_instruction {
    ($name:ident, $feature:literal, $eight:expr, $one:expr) => {
        #[target_feature(enable = $feature)]
        unsafe fn $name(bytes: &[u8], sum: u32) -> u32 {
            let word = |eight: &[u8]| {
                u64::from_le_bytes([
                    eight[0], eight[1], eight[2], eight[3], eight[4], eight[5], eight[6], eight[7],
                ])
            };
            let mut sum = sum;
            let mut threes = bytes.chunks_exact(3 * BLOCK_BYTES);
            for three in &mut threes {
                let (first, others) = three.split_at(BLOCK_BYTES);
                let (second, third) = others.split_at(BLOCK_BYTES);
                let (mut of_second, mut of_third) = (0, 0);
                for ((one, two), three) in first
                    .chunks_exact(8)
                    .zip(second.chunks_exact(8))
                    .zip(third.chunks_exact(8))
                {
                    sum = $eight(sum, word(one));
                    of_second = $eight(of_second, word(two));
                    of_third = $eight(of_third, word(three));
                }
                sum = behind_a_block(behind_a_block(sum) ^ of_second) ^ of_third;
            }
            let mut eights = threes.remainder().chunks_exact(8);
            for eight in &mut eights {
                sum = $eight(sum, word(eight));
            }
            for byte in eights.remainder() {
                sum = $one(sum, *byte);
            }
            sum
        }
    };
}

#[cfg(target_arch = "x86_64")]
by_instruction!(
    by_sse42,
    "sse4.2",
    |sum: u32, word| std::arch::x86_64::_mm_crc32_u64(u64::from(sum), word) as u32,
    |sum, byte| std::arch::x86_64::_mm_crc32_u8(sum, byte)
);

#[cfg(target_arch = "aarch64")]
by_instruction!(
    by_armv8,
    "crc",
    |sum, word| std::arch::aarch64::__crc32cd(sum, word),
    |sum, byte| std::arch::aarch64::__crc32cb(sum, byte)
);

#[cfg(test)]
mod tests {
    use super::{by_table, checksum, BLOCK_BYTES};

    #[test]
    fn checksum_of_the_check_value() {
        assert_eq!(checksum(b"123456789", 0), 0xe306_9283);
    }

    #[test]
    fn checksum_of_nothing_is_the_seed() {
        assert_eq!(checksum(&[], 0), 0);
        assert_eq!(checksum(&[], 0x1234_5678), 0x1234_5678);
    }

    #[test]
    fn checksum_is_that_by_the_table_at_every_length_around_a_block() {
        let bytes: Vec<u8> = (0..6 * BLOCK_BYTES as u32 + 64)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
            .collect();
        let around = |length: usize| length.saturating_sub(17)..length + 17;
        for length in [17, 3 * BLOCK_BYTES, 6 * BLOCK_BYTES]
            .into_iter()
            .flat_map(around)
        {
            let some = &bytes[..length];
            assert_eq!(checksum(some, 0), !by_table(some, !0), "{length} bytes");
        }
    }

    #[test]
    fn checksum_in_parts_is_that_of_the_whole() {
        let bytes: Vec<u8> = (0..5000u32).map(|i| (i % 251) as u8).collect();
        for at in [0, 1, 7, 8, 1535, 1536, 1537, 4999, 5000] {
            let (first, second) = bytes.split_at(at);
            assert_eq!(
                checksum(second, checksum(first, 0)),
                checksum(&bytes, 0),
                "at {at}"
            );
        }
    }
}
