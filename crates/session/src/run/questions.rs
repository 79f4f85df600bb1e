//! Answers to what an administrator asks of the session. Titles and typed text never get into the log.

use super::Holder;
use crate::display::{Painter, Ring};
use greenroom_session_api::questions::{
    Answer, Ask, Done, Failed, NoWindow, Picture, Unknown, Windows, answer::Said, ask::Question,
    is_typable,
};
use std::error::Error;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Instant;

impl Holder {
    /// Answers on the link that asked.
    pub(super) fn answer(&mut self, peer: u64, ask: &Ask) {
        let (said, memory) = match &ask.question {
            Some(Question::Look(_)) => match self.look() {
                Ok((picture, memory)) => (Said::Picture(picture), Some(memory)),
                Err(error) => (failed(&error.to_string()), None),
            },
            Some(question) => (self.say(question), None),
            None => (Said::Unknown(Unknown {}), None),
        };
        let answer = Answer {
            number: ask.number,
            said: Some(said),
        };
        if let Some(peer) = self.peers.get_mut(&peer) {
            peer.link.answer_control(answer, memory);
        }
    }

    fn say(&mut self, question: &Question) -> Said {
        let now = self.since_began(Instant::now());
        let done = match question {
            Question::ListWindows(_) => {
                let windows = self.guarded(|holder| holder.stage.window_list());
                return windows.map_or_else(broken, |windows| Said::Windows(Windows { windows }));
            }
            Question::Type(order) if !is_typable(&order.text) => {
                return failed("the text is too long or has control characters");
            }
            Question::Type(order) => {
                self.guarded(|holder| holder.stage.type_keys(&order.text, now))
            }
            Question::Raise(order) => {
                self.guarded(|holder| holder.stage.raise_window(order.window))
            }
            // Answered with its memory, by the caller.
            Question::Look(_) => None,
        };
        match done {
            Some(true) => Said::Done(Done {}),
            Some(false) => Said::NoWindow(NoWindow {}),
            None => broken(),
        }
    }

    /// Composes a frame beside those that a streamer gets, into memory of its own.
    fn look(&mut self) -> Result<(Picture, OwnedFd), Box<dyn Error>> {
        let geometry = self.stage.geometry();
        let mut ring = Ring::new((geometry.width, geometry.height).into())?;
        let composed = self.guarded(|holder| {
            let mut painter = Painter::new(&holder.stage)?;
            painter.compose(&mut holder.stage, &mut ring)
        });
        let composed = composed.ok_or("an app broke the compositor")??;
        let composed = composed.ok_or("there is nothing to be seen")?;
        let picture = Picture {
            ring: Some(ring.described()),
            slot: composed.slot,
        };
        Ok((picture, ring.memory().as_fd().try_clone_to_owned()?))
    }
}

fn failed(reason: &str) -> Said {
    Said::Failed(Failed {
        reason: reason.to_owned(),
    })
}

fn broken() -> Said {
    failed("an app broke the compositor")
}
