//! Randomness as an argument: whoever makes ids or secrets is given an [`Entropy`].

/// A source of unpredictable bytes. The binaries pass the kernel's; tests pass a seeded one.
pub trait Entropy: Send + Sync {
    /// Fills `bytes` with unpredictable bytes.
    fn fill(&self, bytes: &mut [u8]);
}

/// `length` characters of `[0-9a-z]`, uniformly drawn.
pub fn base36(entropy: &dyn Entropy, length: usize) -> String {
    const ALPHABET: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    // 252 is the largest multiple of 36 in a byte: above it a character would be likelier than another.
    const FAIR: u8 = 252;
    let mut text = String::with_capacity(length);
    let mut bytes = [0_u8; 32];
    while text.len() < length {
        entropy.fill(&mut bytes);
        for byte in bytes.iter().filter(|byte| **byte < FAIR) {
            if text.len() == length {
                break;
            }
            text.push(char::from(ALPHABET[usize::from(byte % 36)]));
        }
    }
    text
}

/// A random (version 4) UUID as `8-4-4-4-12` upper-case hexadecimal digits, the form of the vendor's
/// `RequestId`.
pub fn uuid_upper(entropy: &dyn Entropy) -> String {
    let mut b = [0_u8; 16];
    entropy.fill(&mut b);
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    let hex = format!("{:032X}", u128::from_be_bytes(b));
    format!(
        "{}-{}-{}-{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts up, so that every byte value turns up.
    struct Counting(std::sync::atomic::AtomicU8);
    impl Entropy for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            for byte in bytes {
                *byte = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
        }
    }

    #[test]
    fn ids_have_the_asked_length_and_alphabet() {
        let text = base36(&Counting(0.into()), 300);
        assert_eq!(text.len(), 300);
        assert!(
            text.bytes()
                .all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
        );
    }

    #[test]
    fn a_request_id_is_an_upper_case_version_4_uuid() {
        assert_eq!(
            uuid_upper(&Counting(0.into())),
            "00010203-0405-4607-8809-0A0B0C0D0E0F"
        );
    }
}
