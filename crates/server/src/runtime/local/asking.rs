//! Questions to one holder: sent over its control link, and matched with what it answers.

use super::super::{Answer, AskError, Picture, Question};
use super::off_the_loop;
use greenroom_session_api::control::{ToHolder, to_holder};
use greenroom_session_api::questions::{self, ANSWERED_SINCE, Ask, answer::Said, ask};
use greenroom_session_api::spec::OUTPUT_SIZES;
use rustix::fs::SealFlags;
use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use tokio::sync::{mpsc, oneshot};

/// More slots than any holder has.
const MAX_SLOTS: u32 = 16;

/// Answers that are waited for at once over one link.
const MAX_WAITING: usize = 32;

/// What is to be sent to a holder.
#[derive(Debug)]
pub enum Errand {
    /// Something to do.
    Order(to_holder::Order),
    /// Something to answer, and to whom.
    Ask(ask::Question, oneshot::Sender<Reply>),
}

/// What came back, with the memory that it speaks of.
#[derive(Debug)]
pub enum Reply {
    /// The holder has answered.
    Said(Said, Option<OwnedFd>),
    /// It does not know questions.
    TooOld,
}

/// The questions of one link that are not answered yet.
pub struct Asking {
    protocol: u32,
    asked: u64,
    waiting: HashMap<u64, oneshot::Sender<Reply>>,
}

impl Asking {
    /// Nothing asked yet of a holder that speaks this protocol.
    pub fn of(protocol: u32) -> Self {
        Self {
            protocol,
            asked: 0,
            waiting: HashMap::new(),
        }
    }

    /// The errand as a message; `None` when the holder would not understand it, or its asker has gone.
    pub fn message(&mut self, errand: Errand) -> Option<ToHolder> {
        let order = match errand {
            Errand::Order(order) => order,
            Errand::Ask(_, asker) if self.protocol < ANSWERED_SINCE => {
                // Whoever has gone meanwhile needs no answer.
                let _ = asker.send(Reply::TooOld);
                return None;
            }
            Errand::Ask(question, asker) => {
                self.waiting.retain(|_, asker| !asker.is_closed());
                if asker.is_closed() || self.waiting.len() >= MAX_WAITING {
                    return None;
                }
                self.asked += 1;
                self.waiting.insert(self.asked, asker);
                to_holder::Order::Ask(Ask {
                    number: self.asked,
                    question: Some(question),
                })
            }
        };
        Some(ToHolder { order: Some(order) })
    }

    /// Hands an answer to whoever waits for it.
    pub fn take(&mut self, answer: questions::Answer, descriptors: &mut VecDeque<OwnedFd>) {
        let said = answer.said.unwrap_or(Said::Unknown(questions::Unknown {}));
        let memory = match said {
            Said::Picture(_) => descriptors.pop_front(),
            _ => None,
        };
        if let Some(asker) = self.waiting.remove(&answer.number) {
            // Whoever has gone meanwhile needs no answer.
            let _ = asker.send(Reply::Said(said, memory));
        }
    }
}

/// Asks the holder at the other end of `errands`; waits as long as its link lasts.
pub async fn ask(errands: &mpsc::Sender<Errand>, question: Question) -> Result<Answer, AskError> {
    let question = match question {
        Question::Look => ask::Question::Look(questions::Look {}),
        Question::Windows => ask::Question::ListWindows(questions::ListWindows {}),
        Question::Type(text) => ask::Question::Type(questions::Type { text }),
        Question::Raise(window) => ask::Question::Raise(questions::Raise { window }),
        Question::Log(_) => return Err(AskError::Failed("a holder keeps no log".to_owned())),
    };
    let (asker, answer) = oneshot::channel();
    let sent = errands.send(Errand::Ask(question, asker)).await;
    sent.map_err(|_| AskError::NoHolder)?;
    // The link may end before the holder has answered.
    let (said, memory) = match answer.await.map_err(|_| AskError::Silent)? {
        Reply::Said(said, memory) => (said, memory),
        Reply::TooOld => return Err(AskError::TooOld),
    };
    match said {
        Said::Picture(told) => {
            let picture = off_the_loop(move || read(&told, memory)).await;
            picture.map(Answer::Picture)
        }
        Said::Windows(told) => Ok(Answer::Windows(told.windows)),
        Said::Done(_) => Ok(Answer::Done),
        Said::NoWindow(_) => Err(AskError::NoWindow),
        Said::Failed(told) => Err(AskError::Failed(told.reason)),
        Said::Unknown(_) => Err(AskError::TooOld),
    }
}

/// Reads the slot that has the picture. Nothing that the holder says of its memory is believed unseen: it may be
/// another file, which a read would wait for, or shorter.
fn read(told: &questions::Picture, memory: Option<OwnedFd>) -> Result<Picture, AskError> {
    let unsound = || AskError::Failed("the picture is not sound".to_owned());
    let memory = memory.ok_or_else(unsound)?;
    let ring = told.ring.as_ref().ok_or_else(unsound)?;
    let sizes = OUTPUT_SIZES.contains(&ring.width) && OUTPUT_SIZES.contains(&ring.height);
    let row = 4 * ring.width as usize;
    let slots = (1..=MAX_SLOTS).contains(&ring.slots) && told.slot < ring.slots;
    if !sizes || !slots || (ring.stride as usize) < row || ring.stride as usize > 2 * row {
        return Err(unsound());
    }
    // Only shared memory can be sealed at all.
    let seals = rustix::fs::fcntl_get_seals(&memory).map_err(|_| unsound())?;
    if !seals.contains(SealFlags::SHRINK) {
        return Err(unsound());
    }
    let memory = File::from(memory);
    let frame = u64::from(ring.stride) * u64::from(ring.height);
    let length = memory.metadata().map_err(|_| unsound())?.len();
    if length != frame * u64::from(ring.slots) {
        return Err(unsound());
    }
    let mut pixels = vec![0; row * ring.height as usize];
    for (at, line) in pixels.chunks_exact_mut(row).enumerate() {
        let start = frame * u64::from(told.slot) + u64::from(ring.stride) * at as u64;
        memory.read_exact_at(line, start).map_err(|_| unsound())?;
    }
    Ok(Picture {
        width: ring.width,
        height: ring.height,
        pixels,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use greenroom_session_api::frames::Ring;
    use greenroom_session_api::questions::Done;
    use rustix::fs::{MemfdFlags, fcntl_add_seals, memfd_create};

    fn ring() -> Ring {
        Ring {
            width: 64,
            height: 64,
            stride: 256,
            slots: 2,
        }
    }

    fn told(ring: Ring, slot: u32) -> questions::Picture {
        questions::Picture {
            ring: Some(ring),
            slot,
        }
    }

    fn memory(bytes: usize, seals: SealFlags) -> OwnedFd {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let memory = File::from(memfd_create("picture", flags).unwrap());
        memory.write_all_at(&vec![9; bytes], 0).unwrap();
        fcntl_add_seals(&memory, seals).unwrap();
        memory.into()
    }

    #[test]
    fn a_picture_is_read_from_its_slot() {
        let whole = memory(2 * 64 * 256, SealFlags::SHRINK);
        let picture = read(&told(ring(), 1), Some(whole)).unwrap();
        assert_eq!(
            (picture.width, picture.height, picture.pixels.len()),
            (64, 64, 64 * 256)
        );
    }

    #[test]
    fn memory_that_is_not_what_the_holder_says_is_not_read() {
        let good = || Some(memory(2 * 64 * 256, SealFlags::SHRINK));
        let refused = |told, memory| read(&told, memory).is_err();
        assert!(refused(told(ring(), 0), None));
        assert!(refused(told(ring(), 2), good()));
        for wrong in [
            Ring {
                width: 63,
                ..ring()
            },
            Ring {
                height: 8193,
                ..ring()
            },
            Ring {
                stride: 252,
                ..ring()
            },
            Ring {
                stride: u32::MAX,
                ..ring()
            },
            Ring { slots: 3, ..ring() },
            Ring {
                slots: u32::MAX,
                ..ring()
            },
        ] {
            assert!(refused(told(wrong.clone(), 0), good()), "{wrong:?}");
        }
        let open = memory(2 * 64 * 256, SealFlags::GROW);
        assert!(refused(told(ring(), 0), Some(open)));
        let (socket, _end) = std::os::unix::net::UnixStream::pair().unwrap();
        assert!(refused(told(ring(), 0), Some(socket.into())));
    }

    #[tokio::test]
    async fn a_holder_that_knows_no_questions_is_not_asked() {
        let mut asking = Asking::of(ANSWERED_SINCE - 1);
        let (asker, answer) = oneshot::channel();
        let errand = Errand::Ask(ask::Question::Look(questions::Look {}), asker);
        assert_eq!(asking.message(errand), None);
        assert!(matches!(answer.await, Ok(Reply::TooOld)));
    }

    #[tokio::test]
    async fn an_answer_goes_to_whoever_asked_and_one_that_nobody_waits_for_to_nobody() {
        let mut asking = Asking::of(ANSWERED_SINCE);
        let mut answers = Vec::new();
        for _ in 0..2 {
            let (asker, answer) = oneshot::channel();
            let errand = Errand::Ask(ask::Question::Look(questions::Look {}), asker);
            assert!(asking.message(errand).is_some());
            answers.push(answer);
        }
        let done = |number| questions::Answer {
            number,
            said: Some(Said::Done(Done {})),
        };
        for number in [2, 9] {
            asking.take(done(number), &mut VecDeque::new());
        }
        assert!(answers.pop().unwrap().await.is_ok());
        assert!(answers.pop().unwrap().try_recv().is_err());
    }
}
