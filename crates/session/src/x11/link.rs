//! The link to the holder.

use super::received;
use greenroom_session_api::x11::{FromX11, Shown, ToX11, from_x11::News, to_x11::Order};
use greenroom_session_api::{FrameBuffer, encode};
use std::collections::VecDeque;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Orders are short.
const MAX_ORDER: usize = 1 << 10;

/// The connection, and what was read of it.
pub struct Link {
    stream: UnixStream,
    inbox: FrameBuffer,
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

    /// Reads once; to be called when there is something to read.
    ///
    /// # Errors
    /// The holder has gone.
    pub fn read(&mut self) -> Result<()> {
        let mut bytes = [0; MAX_ORDER];
        match self.stream.read(&mut bytes)? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            read => {
                self.inbox.push(&bytes[..read]);
                Ok(())
            }
        }
    }

    /// Tells the holder what apps show, if it is news.
    ///
    /// # Errors
    /// The holder has gone.
    pub fn tell(&mut self, shown: Shown) -> Result<()> {
        if shown == self.told {
            return Ok(());
        }
        self.told = shown.clone();
        let news = FromX11 {
            news: Some(News::Shown(shown)),
        };
        self.stream.write_all(&encode(&news))
    }
}
