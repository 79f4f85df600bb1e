//! Frames to the streamer, frame callbacks to the apps, and the streamer's process.

use super::io::{Taken, give, take};
use super::{CALLBACKS_UNSEEN, CALLBACKS_WATCHED, COMPOSE_EVERY, Callbacks, Holder};
use crate::display::{Geometry, Painter, Ring};
use crate::links::Frames;
use calloop::generic::Generic;
use calloop::{Interest, Mode, PostAction, RegistrationToken};
use greenroom_session_api::frames::Start;
use greenroom_session_api::spec::STREAM_SOCKET;
use std::os::unix::net::UnixStream;
use std::process::Child;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// A streamer that runs.
pub struct Streamer {
    process: Child,
    stream: Rc<UnixStream>,
    token: RegistrationToken,
    frames: Frames,
    painter: Painter,
}

impl Holder {
    /// Has a streamer running; answers the name of the socket it accepts viewers at.
    pub(super) fn open_streamer(&mut self) -> Result<String, Box<dyn std::error::Error>> {
        if self.streamer.is_none() {
            let program = self
                .setup
                .streamer
                .as_ref()
                .ok_or("there is no streamer on this machine")?;
            let painter = Painter::new(&self.stage)?;
            let geometry = self.stage.geometry();
            let start = Start {
                persistent_id: self.setup.spec.persistent_id.clone(),
                key: self.setup.key.to_vec(),
            };
            let frames = Frames::new(start, Ring::new((geometry.width, geometry.height).into())?)?;
            let (process, stream) = crate::streamer::start(program, &self.setup.stream_door)?;
            tracing::info!(pid = process.id(), "the streamer is started");
            let stream = Rc::new(stream);
            let source = Generic::new(Rc::clone(&stream), Interest::BOTH, Mode::Edge);
            let inserted = self.handle.insert_source(source, |_, _, holder| {
                holder.hear_streamer();
                Ok(PostAction::Continue)
            });
            self.streamer = Some(Streamer {
                process,
                stream,
                token: inserted.map_err(|error| error.error)?,
                frames,
                painter,
            });
            self.send_frames();
        }
        Ok(STREAM_SOCKET.to_owned())
    }

    fn hear_streamer(&mut self) {
        let watched = self.is_watched();
        while let Some(streamer) = &mut self.streamer {
            let heard = match take(&streamer.stream) {
                Taken::Bytes(bytes) => streamer.frames.receive(&bytes).is_ok(),
                Taken::Nothing => break,
                Taken::Closed => false,
            };
            if !heard {
                return self.close_streamer();
            }
        }
        if self.is_watched() && !watched {
            self.stage.look_again();
        }
        self.send_frames();
    }

    /// Ends the streamer, if it has not ended itself; the next one begins with a fresh ring.
    pub(super) fn close_streamer(&mut self) {
        let Some(mut streamer) = self.streamer.take() else {
            return;
        };
        self.handle.remove(streamer.token);
        // It keeps nothing, so it need not be asked; and after this the wait is short.
        let _ = streamer.process.kill();
        let status = streamer.process.wait();
        tracing::info!(?status, "the streamer has gone");
    }

    pub(super) fn resize(&mut self, geometry: Geometry) {
        if geometry == self.stage.geometry() {
            return;
        }
        self.due.report = true;
        self.guarded(|holder| holder.stage.resize(geometry));
        self.scale_x_servers();
        let Some(streamer) = &mut self.streamer else {
            return;
        };
        let renewed = Painter::new(&self.stage)
            .map_err(|error| error.to_string())
            .and_then(|painter| {
                let ring = Ring::new((geometry.width, geometry.height).into())
                    .map_err(|error| error.to_string())?;
                streamer
                    .frames
                    .replace_ring(ring)
                    .map_err(|error| error.to_string())?;
                streamer.painter = painter;
                Ok(())
            });
        if let Err(error) = renewed {
            tracing::error!(error, "no frames of the new size");
            self.close_streamer();
        }
    }

    fn is_watched(&self) -> bool {
        self.streamer
            .as_ref()
            .is_some_and(|streamer| streamer.frames.viewers() > 0)
    }

    /// When the next frame or round of frame callbacks is due.
    pub(super) fn picture_due(&self) -> Option<Instant> {
        let composes = self.stage.is_dirty()
            && match &self.streamer {
                Some(streamer) if streamer.frames.viewers() > 0 => streamer.frames.has_free_slot(),
                _ => false,
            };
        let compose = composes.then_some(self.due.compose_after);
        let callbacks = self.due.callbacks.map(|owed| match owed {
            Callbacks::Visible if self.is_watched() => {
                self.due.callbacks_after.min(self.due.all_callbacks_after)
            }
            Callbacks::Visible | Callbacks::Others => self.due.all_callbacks_after,
        });
        compose.into_iter().chain(callbacks).min()
    }

    /// Composes a frame if one is due and wanted, then lets the apps draw the next.
    pub(super) fn draw(&mut self, now: Instant) {
        let watched = self.is_watched();
        if self.stage.is_dirty() {
            if !watched {
                self.stage.settle();
                self.due.callbacks = Some(Callbacks::Visible);
            } else if now >= self.due.compose_after && self.compose(now) {
                self.due.compose_after = now + COMPOSE_EVERY;
                self.due.callbacks = Some(Callbacks::Visible);
            }
        }
        let Some(owed) = self.due.callbacks else {
            return;
        };
        let time = self.since_began(now);
        if now >= self.due.all_callbacks_after {
            self.due.all_callbacks_after = now + CALLBACKS_UNSEEN;
            self.due.callbacks_after = now + CALLBACKS_WATCHED;
            self.due.callbacks = None;
            self.guarded(|holder| {
                holder.stage.send_frames(time, true);
                holder.stage.overlook(watched);
            });
        } else if watched && owed == Callbacks::Visible && now >= self.due.callbacks_after {
            self.due.callbacks_after = now + CALLBACKS_WATCHED;
            self.due.callbacks = Some(Callbacks::Others);
            self.guarded(|holder| holder.stage.send_frames(time, false));
        }
    }

    /// Whether the stage was looked at: not while the streamer has every slot.
    fn compose(&mut self, now: Instant) -> bool {
        let Some(mut streamer) = self.streamer.take() else {
            return false;
        };
        if !streamer.frames.has_free_slot() {
            self.streamer = Some(streamer);
            return false;
        }
        self.stage.settle();
        let composed = self.guarded(|holder| {
            let composed = streamer
                .painter
                .compose(&mut holder.stage, streamer.frames.ring());
            if composed.is_ok() {
                holder.stage.presented(monotonic());
            }
            composed
        });
        match composed {
            Some(Ok(Some(composed))) => {
                self.frames += 1;
                let started = monotonic().saturating_sub(now.elapsed());
                let started_us = started.as_micros().try_into().unwrap_or(u64::MAX);
                let had_input = self.streams.acks();
                self.damaged_pixels +=
                    streamer
                        .frames
                        .send_frame(&composed, self.frames, started_us, had_input);
            }
            // Nothing looks different.
            Some(Ok(None)) => {}
            Some(Err(error)) => tracing::error!(%error, "a frame could not be drawn"),
            // The painter may remember half a frame.
            None => match Painter::new(&self.stage) {
                Ok(painter) => streamer.painter = painter,
                Err(error) => tracing::error!(%error, "no renderer"),
            },
        }
        self.streamer = Some(streamer);
        self.send_frames();
        true
    }

    fn send_frames(&mut self) {
        let Some(streamer) = &mut self.streamer else {
            return;
        };
        if give(&streamer.stream, &mut streamer.frames.outbox).is_err() {
            self.close_streamer();
        }
    }
}

fn monotonic() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    // It begins at 0 and only grows.
    now.try_into().unwrap_or_default()
}
