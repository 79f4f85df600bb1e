//! Percent-encoding as signatures want it, and form decoding as clients send it.

use crate::fault::Fault;

/// The most bytes a query string may have.
pub const MAX_QUERY_BYTES: usize = 256 * 1024;
/// The most bytes a body may have.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;
/// The most parameters a request may have, in query and form together.
pub const MAX_PARAMS: usize = 2_000;
/// The most bytes a decoded parameter name may have.
pub const MAX_NAME_BYTES: usize = 1_024;
/// The most bytes a decoded parameter value may have.
pub const MAX_VALUE_BYTES: usize = 512 * 1024;

/// A decoded parameter.
pub(crate) type Pair = (String, String);

/// Percent-encodes UTF-8 for a signature: `A-Z a-z 0-9 - _ . ~` stay, all else is `%XY` in upper case.
#[must_use]
pub fn percent_encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    percent_encode_into(text, &mut out);
    out
}

pub(crate) fn percent_encode_into(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// Decodes `a=b&c=d` and appends its pairs to `pairs`. `+` and `%20` are a space, a name without `=`
/// has an empty value, and empty parts are nothing.
pub(crate) fn decode_form(input: &[u8], pairs: &mut Vec<Pair>) -> Result<(), Fault> {
    for part in input.split(|b| *b == b'&').filter(|part| !part.is_empty()) {
        if pairs.len() == MAX_PARAMS {
            return Err(Fault::malformed(&format!(
                "a request has at most {MAX_PARAMS} parameters"
            )));
        }
        let at = part.iter().position(|b| *b == b'=');
        let (name, value) = match at {
            Some(at) => (&part[..at], &part[at + 1..]),
            None => (part, &part[..0]),
        };
        let name = decode(name, MAX_NAME_BYTES)
            .map_err(|why| Fault::malformed(&format!("a parameter name {why}")))?;
        if name.is_empty() {
            return Err(Fault::malformed("a parameter has no name"));
        }
        if name.contains('\0') {
            return Err(Fault::malformed("a parameter name has a NUL"));
        }
        let value = decode(value, MAX_VALUE_BYTES)
            .map_err(|why| Fault::malformed(&format!("the value of {name} {why}")))?;
        pairs.push((name, value));
    }
    Ok(())
}

/// Decodes one name or value; the error continues a sentence about it.
fn decode(text: &[u8], limit: usize) -> Result<String, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(&byte) = rest.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || hex_digit(*rest.next()?);
                match (digit(), digit()) {
                    (Some(high), Some(low)) => high << 4 | low,
                    _ => return Err("has a % without two hexadecimal digits".into()),
                }
            }
            other => other,
        });
    }
    if out.len() > limit {
        return Err(format!("is longer than {limit} bytes"));
    }
    String::from_utf8(out).map_err(|_| "is not UTF-8".into())
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// Pairs as a signature wants them: sorted by name in byte order (pairs of one name by value), encoded
/// and joined. With `raw_names`, names are left as they are.
pub(crate) fn canonical(pairs: &[&Pair], raw_names: bool) -> String {
    let mut sorted = pairs.to_vec();
    sorted.sort_unstable();
    let mut out = String::new();
    for (at, (name, value)) in sorted.into_iter().enumerate() {
        if at > 0 {
            out.push('&');
        }
        if raw_names {
            out.push_str(name);
        } else {
            percent_encode_into(name, &mut out);
        }
        out.push('=');
        percent_encode_into(value, &mut out);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(input: &str) -> Result<Vec<Pair>, Fault> {
        let mut pairs = Vec::new();
        decode_form(input.as_bytes(), &mut pairs).map(|()| pairs)
    }

    #[test]
    fn encoding_keeps_unreserved_characters_only() {
        assert_eq!(
            percent_encode("aZ0-_.~ *+/=中'()!"),
            "aZ0-_.~%20%2A%2B%2F%3D%E4%B8%AD%27%28%29%21"
        );
    }

    #[test]
    fn every_spelling_of_a_value_decodes_to_it() {
        for spelling in ["a+b~'()!*", "a%20b%7e%27%28%29%21%2A", "a%20b%7E'()!*"] {
            let pairs = pairs(&format!("&Name={spelling}&&Empty&Also=")).expect("well-formed");
            let expected = [("Name", "a b~'()!*"), ("Empty", ""), ("Also", "")];
            assert_eq!(pairs, expected.map(|(n, v)| (n.into(), v.into())));
        }
    }

    #[test]
    fn ill_formed_input_is_refused_by_name() {
        for (input, what) in [
            ("Name=%", "the value of Name has a %"),
            ("Name=%4", "the value of Name has a %"),
            ("Name=%zz", "the value of Name has a %"),
            ("Name=%+1", "the value of Name has a %"),
            ("Name=%ff", "the value of Name is not UTF-8"),
            ("Name=%C0%80", "the value of Name is not UTF-8"),
            ("%ff=1", "a parameter name is not UTF-8"),
            ("=1", "a parameter has no name"),
            ("a%00=1", "a parameter name has a NUL"),
        ] {
            let fault = pairs(input).expect_err(input);
            // Anybody may send this, so the name they chose is no part of the code.
            assert_eq!(fault.code, "InvalidParameter", "{input}");
            assert!(fault.message.contains(what), "{input}: {fault:?}");
        }
    }

    #[test]
    fn a_request_holds_no_more_than_its_bounds() {
        assert_eq!(pairs(&"a=1&".repeat(2_000)).expect("bound").len(), 2_000);
        assert!(pairs(&"a=1&".repeat(2_001)).is_err());
        let name = "n".repeat(MAX_NAME_BYTES);
        assert!(pairs(&format!("{name}=1")).is_ok());
        assert!(pairs(&format!("{name}n=1")).is_err());
        let value = "v".repeat(MAX_VALUE_BYTES);
        assert!(pairs(&format!("a={value}")).is_ok());
        assert!(pairs(&format!("a={value}v")).is_err());
    }

    #[test]
    fn canonical_order_is_by_bytes_whatever_the_wire_said() {
        let pairs = pairs("b=2&a.10=x&a.2=y&B=1&a=").expect("well-formed");
        let refs: Vec<&Pair> = pairs.iter().collect();
        assert_eq!(canonical(&refs, false), "B=1&a=&a.10=x&a.2=y&b=2");
    }
}
