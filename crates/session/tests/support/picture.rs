//! The streamer's side of the frames link, played by a test.

use super::{Peer, Session, Viewer, until};
use greenroom_session_api::FrameBuffer;
use greenroom_session_api::frames::{
    Frame, FromStreamer, Rect, Release, Ring, ToStreamer, Viewers, from_streamer::News,
    to_streamer::Order,
};
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags};
use std::collections::VecDeque;
use std::fs::File;
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// A place in a picture, in pixels.
pub const fn rect(x: u32, y: u32, width: u32, height: u32) -> Rect {
    Rect {
        x,
        y,
        width,
        height,
    }
}

/// What the streamer has of the session.
pub struct Picture {
    link: UnixStream,
    peer: Peer,
    inbox: FrameBuffer,
    descriptors: VecDeque<OwnedFd>,
    /// Keeps the stand-in for the streamer alive.
    pub stand_in: UnixStream,
    pub ring: Ring,
    memory: File,
    pub last: Frame,
    /// The slot of the last frame was given back.
    released: bool,
}

impl Picture {
    /// Becomes the streamer of a session and watches it.
    pub fn watch(session: &Session, viewer: &mut Viewer) -> Self {
        let socket = session.spec.run_dir.join(viewer.open_stream());
        let stand_in = until("the stand-in", || UnixStream::connect(&socket).ok());
        let (_, mut descriptors) = receive(&stand_in).expect("a link within the limit");
        let link = UnixStream::from(descriptors.pop_front().expect("the frames link"));
        // The holder's end does not block, and ours shares nothing with it but the pair.
        link.set_nonblocking(false).unwrap();
        let mut picture = Self {
            peer: Peer::new(link.try_clone().unwrap()),
            link,
            inbox: FrameBuffer::new(1 << 20),
            descriptors,
            stand_in,
            ring: Ring::default(),
            memory: File::open("/dev/null").unwrap(),
            last: Frame::default(),
            released: false,
        };
        assert!(
            matches!(picture.order(), Order::Start(start) if start.persistent_id == "p-test" && start.key == super::KEY)
        );
        let Order::Ring(ring) = picture.order() else {
            panic!("a ring comes first")
        };
        picture.take_ring(ring);
        picture.say(News::Viewers(Viewers { count: 1 }));
        picture
    }

    pub fn say(&mut self, news: News) {
        self.peer.send(&FromStreamer { news: Some(news) });
    }

    fn order(&mut self) -> Order {
        self.order_within(super::LIMIT)
            .expect("an order within the limit")
    }

    fn order_within(&mut self, limit: Duration) -> Option<Order> {
        // Zero would be no limit.
        let limit = limit.max(Duration::from_millis(1));
        self.link.set_read_timeout(Some(limit)).unwrap();
        loop {
            if let Some(ToStreamer { order }) = self.inbox.take().unwrap() {
                return Some(order.expect("an order this test knows"));
            }
            let (bytes, descriptors) = receive(&self.link)?;
            assert!(!bytes.is_empty(), "the holder closed the frames link");
            self.inbox.push(&bytes);
            self.descriptors.extend(descriptors);
        }
    }

    fn take_ring(&mut self, ring: Ring) {
        self.memory = File::from(
            self.descriptors
                .pop_front()
                .expect("a ring comes with its memory"),
        );
        self.ring = ring;
    }

    /// The next frame; the one before is given back.
    pub fn next(&mut self) -> Frame {
        self.next_within(super::LIMIT)
            .expect("a frame within the limit")
    }

    fn next_within(&mut self, limit: Duration) -> Option<Frame> {
        if self.last.number > 0 && !self.released {
            self.say(News::Release(Release {
                slot: self.last.slot,
            }));
            self.released = true;
        }
        loop {
            match self.order_within(limit)? {
                Order::Ring(ring) => {
                    self.take_ring(ring);
                    self.last = Frame::default();
                }
                Order::Frame(frame) => {
                    self.last = frame.clone();
                    self.released = false;
                    return Some(frame);
                }
                Order::Start(_) => panic!("a second start"),
            }
        }
    }

    /// Reads frames until the picture is as wanted.
    pub fn until(&mut self, wanted: impl Fn(&Self) -> bool) {
        let came = self.within(super::LIMIT, wanted);
        assert!(came, "no frame as wanted within the limit");
    }

    /// The same; answers whether it came to be within a time.
    pub fn within(&mut self, limit: Duration, wanted: impl Fn(&Self) -> bool) -> bool {
        let began = Instant::now();
        while self.last.number == 0 || !wanted(self) {
            let left = limit.saturating_sub(began.elapsed());
            if left.is_zero() || self.next_within(left).is_none() {
                return false;
            }
        }
        true
    }

    /// The frame that was read last, as rows of `B G R X`.
    pub fn pixels(&self) -> Vec<u8> {
        let size = u64::from(self.ring.stride) * u64::from(self.ring.height);
        let mut pixels = vec![0; size.try_into().unwrap()];
        self.memory
            .read_exact_at(&mut pixels, size * u64::from(self.last.slot))
            .unwrap();
        pixels
    }

    /// The colour of a pixel, `B G R`.
    pub fn at(&self, x: u32, y: u32) -> [u8; 3] {
        let at = (y * self.ring.stride + x * 4) as usize;
        self.pixels()[at..at + 3].try_into().unwrap()
    }

    /// Reads frames until a pixel has a colour.
    pub fn until_at(&mut self, x: u32, y: u32, colour: [u8; 3]) {
        self.until(|picture| picture.at(x, y) == colour);
    }

    /// Different colours in it: a picture with text in it has many, an empty window few.
    pub fn colours(&self) -> usize {
        let mut colours: Vec<[u8; 3]> = self
            .pixels()
            .chunks_exact(4)
            .map(|p| [p[0], p[1], p[2]])
            .collect();
        colours.sort_unstable();
        colours.dedup();
        colours.len()
    }

    /// Where two pictures of this size differ, as the smallest rectangle around it.
    pub fn difference(&self, before: &[u8]) -> Option<Rect> {
        self.difference_in(before, rect(0, 0, self.ring.width, self.ring.height))
    }

    /// The same, within a rectangle.
    pub fn difference_in(&self, before: &[u8], within: Rect) -> Option<Rect> {
        let after = self.pixels();
        let mut found: Option<(u32, u32, u32, u32)> = None;
        for y in within.y..within.y + within.height {
            for x in within.x..within.x + within.width {
                let at = (y * self.ring.stride + x * 4) as usize;
                if before[at..at + 3] != after[at..at + 3] {
                    let (left, top, right, bottom) = found.unwrap_or((x, y, x, y));
                    found = Some((left.min(x), top.min(y), right.max(x), bottom.max(y)));
                }
            }
        }
        found.map(|(left, top, right, bottom)| Rect {
            x: left,
            y: top,
            width: right - left + 1,
            height: bottom - top + 1,
        })
    }

    /// Whether a picture of this size differs from this one within a rectangle.
    pub fn differs_in(&self, before: &[u8], within: Rect) -> bool {
        self.difference_in(before, within).is_some()
    }

    /// Keeps the picture for a person to look at, where `TESTS_SCREENSHOTS` says.
    pub fn keep(&self, name: &str) {
        let Some(folder) = std::env::var_os("TESTS_SCREENSHOTS") else {
            return;
        };
        let mut image = format!("P6 {} {} 255\n", self.ring.width, self.ring.height).into_bytes();
        for row in self.pixels().chunks_exact(self.ring.stride as usize) {
            let row = &row[..self.ring.width as usize * 4];
            image.extend(row.chunks_exact(4).flat_map(|p| [p[2], p[1], p[0]]));
        }
        std::fs::write(Path::new(&folder).join(format!("{name}.ppm")), image).unwrap();
    }
}

pub fn inside(rect: &Rect, damage: &[Rect]) -> bool {
    (rect.y..rect.y + rect.height).all(|y| {
        (rect.x..rect.x + rect.width).all(|x| {
            damage
                .iter()
                .any(|d| (d.x..d.x + d.width).contains(&x) && (d.y..d.y + d.height).contains(&y))
        })
    })
}

/// What comes next, within the stream's limit.
fn receive(stream: &UnixStream) -> Option<(Vec<u8>, VecDeque<OwnedFd>)> {
    let mut bytes = vec![0; 4096];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut slices = [IoSliceMut::new(&mut bytes)];
    let received =
        rustix::net::recvmsg(stream, &mut slices, &mut ancillary, RecvFlags::CMSG_CLOEXEC);
    let received = match received {
        Err(rustix::io::Errno::AGAIN) => return None,
        received => received.unwrap(),
    };
    bytes.truncate(received.bytes);
    let descriptors = ancillary.drain().flat_map(|message| match message {
        RecvAncillaryMessage::ScmRights(rights) => rights.collect::<Vec<_>>(),
        _ => Vec::new(),
    });
    Some((bytes, descriptors.collect()))
}
