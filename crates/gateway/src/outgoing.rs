//! The way to a viewer: a task that writes, so that a slow viewer delays nothing but its own picture.
//!
//! What can wait in memory for a viewer is bounded whatever it does: one unit (the next is not even read
//! from the streamer before), a few control messages, one part of what was copied, the latest input acknowledgement, and of
//! each [`State`] the latest.

use crate::protocol::{self, Farewell};
use axum::extract::ws::{Message, WebSocket};
use futures_util::SinkExt;
use futures_util::stream::SplitSink;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// A viewer that takes no bytes for this long has gone.
const STALL: Duration = Duration::from_secs(30);
/// How long a farewell may take.
const GOODBYE: Duration = Duration::from_secs(1);
const CONTROL_QUEUE: usize = 16;

/// The writing half of a viewer's WebSocket.
pub(crate) struct Outgoing {
    control: mpsc::Sender<Out>,
    units: mpsc::Sender<Vec<u8>>,
    input_ack: watch::Sender<u64>,
    states: Arc<States>,
    parts: mpsc::Sender<Vec<u8>>,
    task: JoinHandle<()>,
}

/// The other ends of what an [`Outgoing`] has.
struct Waiting {
    control: mpsc::Receiver<Out>,
    units: mpsc::Receiver<Vec<u8>>,
    input_ack: watch::Receiver<u64>,
    states: Arc<States>,
    parts: mpsc::Receiver<Vec<u8>>,
}

enum Out {
    Control(Vec<u8>),
    Last(Option<Vec<u8>>),
}

/// What a viewer is told as it is now: of several values it may see only the last.
#[derive(Debug, Clone, Copy)]
pub(crate) enum State {
    /// The pointer's shape.
    Pointer,
    /// The pointer's image.
    PointerImage,
    /// The app's text field.
    TextField,
    /// What was copied in the session.
    Copied,
}

const STATES: usize = 4;

/// The states that the viewer has not been sent yet.
#[derive(Default)]
struct States {
    waiting: Mutex<[Option<Vec<u8>>; STATES]>,
    some: Notify,
}

impl States {
    fn put(&self, state: State, message: Vec<u8>) {
        self.waiting()[state as usize] = Some(message);
        self.some.notify_one();
    }

    /// Waits for one. Nothing is lost when this is dropped before it is ready.
    async fn next(&self) -> Vec<u8> {
        loop {
            let told = self.waiting().iter_mut().find_map(Option::take);
            if let Some(message) = told {
                return message;
            }
            self.some.notified().await;
        }
    }

    fn waiting(&self) -> MutexGuard<'_, [Option<Vec<u8>>; STATES]> {
        // Each message is whole at every moment, so a panic elsewhere does not spoil it.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outgoing {
    /// Starts writing to `sink`.
    pub(crate) fn spawn(sink: SplitSink<WebSocket, Message>) -> Self {
        let (control, control_out) = mpsc::channel(CONTROL_QUEUE);
        let (units, units_out) = mpsc::channel(1);
        let (input_ack, input_ack_out) = watch::channel(0);
        let states = Arc::new(States::default());
        let (parts, parts_out) = mpsc::channel(1);
        let waiting = Waiting {
            control: control_out,
            units: units_out,
            input_ack: input_ack_out,
            states: Arc::clone(&states),
            parts: parts_out,
        };
        Self {
            control,
            units,
            input_ack,
            states,
            parts,
            task: tokio::spawn(write(sink, waiting)),
        }
    }

    /// Sends a control message.
    ///
    /// # Errors
    /// The viewer takes none: it asks for answers that it does not read.
    pub(crate) fn control(&self, message: Vec<u8>) -> Result<(), Farewell> {
        self.control
            .try_send(Out::Control(message))
            .map_err(|_| Farewell::Stalled)
    }

    /// Acknowledges input; of several acknowledgements the viewer may see only the last.
    pub(crate) fn input_ack(&self, seq: u64) {
        self.input_ack.send_if_modified(|latest| {
            let newer = seq > *latest;
            *latest = seq.max(*latest);
            newer
        });
    }

    /// Sends a part of what was copied, unless the one before waits still: then the viewer asks for what it does not
    /// read, and this is `false`.
    pub(crate) fn part(&self, message: Vec<u8>) -> bool {
        self.parts.try_send(message).is_ok()
    }

    /// Tells a state as it is now.
    pub(crate) fn state(&self, state: State, message: Vec<u8>) {
        self.states.put(state, message);
    }

    /// Waits until the viewer can take a unit, or `None` when it takes none any more.
    pub(crate) async fn ready(&self) -> Option<mpsc::Permit<'_, Vec<u8>>> {
        self.units.reserve().await.ok()
    }

    /// Waits until nothing can be written any more.
    pub(crate) async fn closed(&self) {
        self.units.closed().await;
    }

    /// Says goodbye, with the reason if there is one to give, and ends.
    pub(crate) async fn close(mut self, farewell: Option<&Farewell>) {
        let last = Out::Last(farewell.map(protocol::bye));
        let said = timeout(GOODBYE, async {
            // An error means that the task has ended already.
            let _ = self.control.send(last).await;
            let _ = (&mut self.task).await;
        });
        if said.await.is_err() {
            self.task.abort();
        }
    }
}

async fn write(mut sink: SplitSink<WebSocket, Message>, waiting: Waiting) {
    let Waiting {
        mut control,
        mut units,
        mut input_ack,
        states,
        mut parts,
    } = waiting;
    loop {
        let message = tokio::select! {
            // Small and urgent before large.
            biased;
            Some(out) = control.recv() => match out {
                Out::Control(message) => message,
                Out::Last(bye) => {
                    if let Some(bye) = bye {
                        // The viewer may be gone already; then nobody waits for the reason.
                        let _ = sink.send(Message::Binary(bye.into())).await;
                    }
                    let _ = sink.close().await;
                    return;
                }
            },
            Ok(()) = input_ack.changed() => protocol::input_ack(*input_ack.borrow_and_update()),
            message = states.next() => message,
            unit = units.recv() => match unit {
                Some(unit) => unit,
                None => return,
            },
            Some(part) = parts.recv() => part,
        };
        match timeout(STALL, sink.send(Message::Binary(message.into()))).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return,
        }
    }
}
