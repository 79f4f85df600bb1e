//! Selections of the test's own client, and of a viewer.

use super::Viewer;
use super::wayland::{Client, string, text};
use greenroom_session_api::clipboard::{self, Content, Kind, Offer, Part};
use greenroom_session_api::viewer::{Want, from_holder::News, to_holder::Order};
use rustix::pipe::PipeFlags;
use std::fs::File;
use std::io::{Read, Write};

pub const TYPES: [&str; 3] = ["text/plain;charset=utf-8", "text/html", "image/png"];

/// The requests and events of a kind of selection, which differ in their numbers only.
pub struct Selection {
    pub manager: &'static str,
    pub version: u32,
    pub create_source: u32,
    pub get_device: u32,
    pub offer: u32,
    pub set: u32,
    /// Of the device: which offer is the selection now.
    pub selection: u32,
    /// Of an offer: read it.
    pub receive: u32,
    /// Of a source: it is read.
    pub send: u32,
}

pub const CLIPBOARD: Selection = Selection {
    manager: "wl_data_device_manager",
    version: 3,
    create_source: 0,
    get_device: 1,
    offer: 0,
    set: 1,
    selection: 5,
    receive: 1,
    send: 1,
};

pub const PRIMARY: Selection = Selection {
    manager: "zwp_primary_selection_device_manager_v1",
    version: 1,
    create_source: 0,
    get_device: 1,
    offer: 0,
    set: 0,
    selection: 1,
    receive: 0,
    send: 0,
};

impl Selection {
    pub fn device(&self, client: &mut Client) -> u32 {
        let seat = client.global("wl_seat", 5);
        let manager = client.global(self.manager, self.version);
        let device = client.new_id();
        client.request(manager, self.get_device, &[device, seat]);
        device
    }

    pub fn source(&self, client: &mut Client) -> u32 {
        let manager = client.global(self.manager, self.version);
        let source = client.new_id();
        client.request(manager, self.create_source, &[source]);
        for kind in TYPES {
            client.request(source, self.offer, &text(kind));
        }
        source
    }

    /// Reads an offer as one type, the source's app being played as well.
    pub fn read(&self, to: &mut Client, offer: u32, kind: &str, from: &mut Client, source: u32) {
        let (read, write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).unwrap();
        to.request_with(offer, self.receive, &text(kind), &write);
        drop(write);
        assert_eq!(string(&from.event(source, self.send), 0), kind);
        let content = kind.repeat(1000);
        let mut into = File::from(from.descriptor());
        into.write_all(content.as_bytes()).unwrap();
        drop(into);
        let mut had = String::new();
        File::from(read).read_to_string(&mut had).unwrap();
        assert_eq!(had, content);
    }
}

impl Viewer {
    /// Asks to be told what is copied; answers what is told first.
    pub fn want_copied(&mut self) -> Offer {
        self.want(Want {
            copied: true,
            ..Want::default()
        });
        self.copied(|_| true)
    }

    /// Waits for word of something copied.
    pub fn copied(&mut self, wanted: impl Fn(&Offer) -> bool) -> Offer {
        self.hear(|news| match news {
            News::Copied(offer) => Some(offer).filter(&wanted),
            _ => None,
        })
    }

    /// Fetches one form of what was copied, part by part.
    pub fn fetch(&mut self, offer: &Offer, kind: Kind) -> Vec<u8> {
        let contents = &mut offer.contents.iter();
        let content = contents.find(|content| content.kind() == kind).unwrap();
        let mut bytes = Vec::new();
        while bytes.len() < content.bytes as usize {
            let part = self.part(offer.serial, kind, bytes.len());
            assert!(!part.is_empty(), "it is not offered any more");
            bytes.extend(part);
        }
        bytes
    }

    pub fn part(&mut self, serial: u64, kind: Kind, offset: usize) -> Vec<u8> {
        self.order(Order::ReadCopied(clipboard::Read {
            serial,
            kind: kind.into(),
            offset: offset.try_into().unwrap(),
        }));
        self.hear(|news| match news {
            News::CopiedPart(part) => Some(part.bytes),
            _ => None,
        })
    }

    /// Says that something was copied.
    pub fn copy(&mut self, serial: u64, contents: &[(Kind, &[u8])]) {
        let contents = contents.iter().map(|(kind, bytes)| Content {
            kind: (*kind).into(),
            bytes: bytes.len().try_into().unwrap(),
        });
        self.order(Order::Copied(Offer {
            serial,
            contents: contents.collect(),
            left_out: Vec::new(),
        }));
    }

    /// The next question for a part of what was copied here.
    pub fn asked(&mut self) -> clipboard::Read {
        self.hear(|news| match news {
            News::ReadCopied(read) => Some(read),
            _ => None,
        })
    }

    pub fn answer(&mut self, read: &clipboard::Read, bytes: &[u8]) {
        self.order(Order::CopiedPart(Part {
            serial: read.serial,
            kind: read.kind,
            offset: read.offset,
            bytes: bytes.to_vec(),
        }));
    }

    /// Answers questions for one form until all of it was given.
    pub fn give(&mut self, kind: Kind, bytes: &[u8]) {
        let mut given = 0;
        while given < bytes.len() {
            let read = self.asked();
            assert_eq!((read.kind(), read.offset as usize), (kind, given));
            let end = bytes.len().min(given + clipboard::MAX_PART as usize);
            self.answer(&read, &bytes[given..end]);
            given = end;
        }
    }
}
