//! What the message bus is told to start before anybody has asked for it.
//!
//! It is a handful of messages that never differ, and their answers are read by nobody; a library of D-Bus would be a
//! client with a loop of its own in the one process that has to stay small.

/// The conversation, from its first byte, that has the bus start these names. Who says it is known by its credentials.
pub(super) fn start(names: &[&str]) -> Vec<u8> {
    let mut said = b"\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n".to_vec();
    said.extend(Message::call("Hello", 1, "", &[]));
    for (name, serial) in names.iter().zip(2..) {
        let mut arguments = Message::default();
        arguments.text(name);
        // The flags, of which there are none.
        arguments.number(0);
        said.extend(Message::call(
            "StartServiceByName",
            serial,
            "su",
            &arguments.0,
        ));
    }
    said
}

/// A message of D-Bus as it is written; numbers are aligned to their size from its beginning.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    /// A call to the bus itself that wants no answer.
    fn call(member: &str, serial: u32, signature: &str, arguments: &[u8]) -> Vec<u8> {
        const LITTLE_ENDIAN: u8 = b'l';
        const CALL: u8 = 1;
        const NO_REPLY: u8 = 1;
        const VERSION: u8 = 1;
        let mut message = Self(vec![LITTLE_ENDIAN, CALL, NO_REPLY, VERSION]);
        message.number(length(arguments));
        message.number(serial);
        message.number(0); // How long the fields are, known below.
        let fields_at = message.0.len();
        message.field(1, 'o', "/org/freedesktop/DBus");
        message.field(2, 's', "org.freedesktop.DBus");
        message.field(3, 's', member);
        message.field(6, 's', "org.freedesktop.DBus");
        if !signature.is_empty() {
            message.field(8, 'g', signature);
        }
        let fields = length(&message.0[fields_at..]).to_le_bytes();
        message.0[fields_at - fields.len()..fields_at].copy_from_slice(&fields);
        message.align(8);
        message.0.extend(arguments);
        message.0
    }

    fn field(&mut self, code: u8, kind: char, value: &str) {
        self.align(8);
        self.0.push(code);
        self.signature(kind.encode_utf8(&mut [0; 4]));
        match kind {
            'g' => self.signature(value),
            _ => self.text(value),
        }
    }

    fn text(&mut self, text: &str) {
        self.number(length(text.as_bytes()));
        self.0.extend(text.as_bytes());
        self.0.push(0);
    }

    fn signature(&mut self, text: &str) {
        // None of ours is longer than two letters.
        self.0.push(text.len() as u8);
        self.0.extend(text.as_bytes());
        self.0.push(0);
    }

    fn number(&mut self, number: u32) {
        self.align(4);
        self.0.extend(number.to_le_bytes());
    }

    fn align(&mut self, to: usize) {
        self.0.resize(self.0.len().next_multiple_of(to), 0);
    }
}

fn length(bytes: &[u8]) -> u32 {
    // Names that the holder was built with.
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_written_as_the_specification_says() {
        let hello = Message::call("Hello", 1, "", &[]);
        let expected = b"l\x01\x01\x01\0\0\0\0\x01\0\0\0\x6d\0\0\0\
            \x01\x01o\0\x15\0\0\0/org/freedesktop/DBus\0\0\0\
            \x02\x01s\0\x14\0\0\0org.freedesktop.DBus\0\0\0\0\
            \x03\x01s\0\x05\0\0\0Hello\0\0\0\
            \x06\x01s\0\x14\0\0\0org.freedesktop.DBus\0\0\0\0";
        assert_eq!(hello, expected);
    }

    #[test]
    fn each_message_begins_where_the_one_before_it_ends() {
        let said = start(&["a.b", "a.bcd"]);
        let begin = b"BEGIN\r\n";
        let at = said.windows(begin.len()).position(|it| it == begin);
        let mut rest = &said[at.unwrap() + begin.len()..];
        let number = |bytes: &[u8], at: usize| {
            u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
        };
        let mut serials = Vec::new();
        while !rest.is_empty() {
            let fields = (16 + number(rest, 12)).next_multiple_of(8);
            serials.push(number(rest, 8));
            rest = &rest[fields + number(rest, 4)..];
        }
        assert_eq!(serials, [1, 2, 3]);
    }
}
