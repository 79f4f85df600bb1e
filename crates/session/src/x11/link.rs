//! The link to the holder.

use super::received;
use greenroom_session_api::x11::{FromX11, Shown, ToX11, from_x11::News, to_x11::Order};
use greenroom_session_api::{FrameBuffer, encode};
use std::collections::VecDeque;
use std::io::{Error, ErrorKind, Result, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// The longest names types of something copied.
const MAX_ORDER: usize = 16 << 10;

/// The connection, and what was read of it.
pub struct Link {
    stream: UnixStream,
    inbox: FrameBuffer,
    /// Those that came and whose orders were not taken yet, in the same order.
    descriptors: VecDeque<OwnedFd>,
    outbox: Vec<u8>,
    told: Shown,
}

impl Link {
    /// Connects to the holder; answers with the X server's connection to the compositor, which comes first.
    ///
    /// # Errors
    /// The holder is not there, or does not say so.
    pub fn begin(path: &Path) -> Result<(Self, OwnedFd)> {
        let stream = UnixStream::connect(path)?;
        let mut bytes = [0; MAX_ORDER];
        let mut descriptors = VecDeque::new();
        let read = received::with_descriptors(&stream, &mut bytes, &mut descriptors)?;
        let wayland = descriptors
            .pop_front()
            .ok_or_else(|| Error::new(ErrorKind::InvalidData, "the holder sent no connection"))?;
        let mut inbox = FrameBuffer::new(MAX_ORDER);
        inbox.push(&bytes[..read]);
        let link = Self {
            stream,
            inbox,
            descriptors,
            outbox: Vec::new(),
            told: Shown::default(),
        };
        Ok((link, wayland))
    }

    /// What can be waited for.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }

    /// The orders that are there without waiting. What the first read brought is there before anything is read.
    ///
    /// # Errors
    /// What was read is no order.
    pub fn orders(&mut self) -> Result<Vec<Order>> {
        let mut orders = Vec::new();
        while let Some(ToX11 { order }) = self.inbox.take().map_err(Error::other)? {
            orders.extend(order);
        }
        Ok(orders)
    }

    /// The descriptor that came with an order, if it did.
    pub fn take_descriptor(&mut self) -> Option<OwnedFd> {
        self.descriptors.pop_front()
    }

    /// Reads once; to be called when there is something to read.
    ///
    /// # Errors
    /// The holder has gone.
    pub fn read(&mut self) -> Result<()> {
        let mut bytes = [0; MAX_ORDER];
        match received::with_descriptors(&self.stream, &mut bytes, &mut self.descriptors)? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            read => {
                self.inbox.push(&bytes[..read]);
                Ok(())
            }
        }
    }

    /// Tells the holder what apps show, if it is news.
    pub fn tell(&mut self, shown: Shown) {
        if shown != self.told {
            self.told = shown.clone();
            self.push(News::Shown(shown));
        }
    }

    /// Tells the holder something, with the next [`Self::flush`].
    pub fn push(&mut self, news: News) {
        let news = FromX11 { news: Some(news) };
        self.outbox.extend(encode(&news));
    }

    /// Sends what was told.
    ///
    /// # Errors
    /// The holder has gone.
    pub fn flush(&mut self) -> Result<()> {
        let told = std::mem::take(&mut self.outbox);
        self.stream.write_all(&told)
    }
}
