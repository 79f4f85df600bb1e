//! Patterns with `*` (any run of characters, also an empty one) and `?` (one character).

/// Whether the whole `text` is as `pattern` says.
///
/// Without recursion, and in time of at most the product of the two lengths, whatever the pattern.
#[must_use]
pub fn matches(pattern: &str, text: &str, ignore_case: bool) -> bool {
    let same = |p: char, t: char| {
        p == '?' || p == t || (ignore_case && p.to_lowercase().eq(t.to_lowercase()))
    };
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where the last `*` was, and how far the text had got: it may have to take one character more.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if same(c, text[t]) => {
                p += 1;
                t += 1;
            }
            _ => {
                let Some((at, taken)) = star else {
                    return false;
                };
                star = Some((at, taken + 1));
                p = at + 1;
                t = taken + 1;
            }
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_take_any_run_and_question_marks_one_character() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("*", "anything", true),
            ("", "", true),
            ("", "a", false),
            ("?", "", false),
            ("?", "文", true),
            ("a*c", "ac", true),
            ("a*c", "abcbc", true),
            ("a*c", "abcb", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("ram:Get*", "ram:GetUser", true),
            ("ram:Get*", "ram:ListUsers", false),
            ("acs:ram:*:12:user/*", "acs:ram::12:user/alice", true),
            ("acs:ram:*:12:user/*", "acs:ram::13:user/alice", false),
            ("**a", "ba", true),
        ] {
            assert_eq!(matches(pattern, text, false), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn case_counts_unless_it_is_told_not_to() {
        assert!(!matches("ram:get*", "ram:GetUser", false));
        assert!(matches("ram:get*", "ram:GetUser", true));
    }

    #[test]
    fn a_pattern_made_to_be_slow_is_not() {
        let (pattern, text) = ("*a".repeat(1_000) + "b", "a".repeat(2_000));
        assert!(!matches(&pattern, &text, false));
    }

    /// The definition itself, exponential and obvious.
    fn naive(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => {
                naive(rest, text) || text.split_first().is_some_and(|(_, t)| naive(pattern, t))
            }
            (Some((p, rest)), Some((t, text))) => (*p == b'?' || p == t) && naive(rest, text),
            _ => false,
        }
    }

    #[test]
    fn it_agrees_with_the_definition_on_whatever_is_drawn() {
        use greenroom_model::Entropy;
        let entropy = greenroom_testkit::SeededEntropy::new(4);
        let mut bytes = [0_u8; 14];
        for _ in 0..20_000 {
            entropy.fill(&mut bytes);
            let draw = |from: &[u8], alphabet: &[u8]| -> Vec<u8> {
                let length = usize::from(from[0] % 7);
                let letter = |b: &u8| alphabet[usize::from(*b) % alphabet.len()];
                from[1..].iter().take(length).map(letter).collect()
            };
            let (pattern, text) = (draw(&bytes[..7], b"*?ab"), draw(&bytes[7..], b"ab"));
            let (p, t) = (
                std::str::from_utf8(&pattern).unwrap(),
                std::str::from_utf8(&text).unwrap(),
            );
            assert_eq!(matches(p, t, false), naive(&pattern, &text), "{p} {t}");
        }
    }
}
