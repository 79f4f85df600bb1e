//! Those who drive the session and those who watch it: bytes in, orders out, without a socket.

pub mod frames;
pub mod outbox;

pub use frames::Frames;
pub use outbox::{Outbox, Parcel};

use greenroom_session_api::{FrameBuffer, FrameError, Hello, Message, PROTOCOL, Role, Welcome};
use greenroom_session_api::{control, questions, viewer};
use std::os::fd::OwnedFd;
use subtle::ConstantTimeEq;

/// The largest order: a launch with its arguments and environment, or a burst of input.
const MAX_ORDER: usize = 2 << 20;

/// The peer is to be disconnected.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// It does not speak the protocol.
    #[error("not the session protocol")]
    Frame(#[from] FrameError),
    /// It does not have the key.
    #[error("the wrong key")]
    Key,
    /// It asks for a link that is not made here.
    #[error("no link for this role")]
    Role,
}

/// Who may come in, and how they are welcomed.
#[derive(Clone)]
pub struct Door {
    /// What a peer must present.
    pub key: [u8; 32],
    /// What it is answered.
    pub welcome: Welcome,
}

/// What a peer wants.
#[derive(Debug, Clone, PartialEq)]
pub enum Order {
    /// It was let in as the server.
    ControlOpened,
    /// It was let in as a viewer's gateway.
    ViewerOpened,
    /// From the server.
    Control(control::to_holder::Order),
    /// From a viewer's gateway.
    Viewer(viewer::to_holder::Order),
}

/// One connection to the holder.
#[derive(Debug)]
pub struct Link {
    inbox: FrameBuffer,
    role: Option<Role>,
    /// What is to be sent.
    pub outbox: Outbox,
}

impl Default for Link {
    fn default() -> Self {
        Self {
            inbox: FrameBuffer::new(MAX_ORDER),
            role: None,
            outbox: Outbox::default(),
        }
    }
}

impl Link {
    /// What the peer was let in as.
    pub fn role(&self) -> Option<Role> {
        self.role
    }

    /// Takes what was read from the peer.
    ///
    /// # Errors
    /// The peer is to be disconnected; orders before the fault are lost with it.
    pub fn receive(&mut self, bytes: &[u8], door: &Door) -> Result<Vec<Order>, LinkError> {
        self.inbox.push(bytes);
        let mut orders = Vec::new();
        loop {
            // An order of a kind this build does not know is skipped, as an unknown field is.
            let order = match self.role {
                None => match self.inbox.take::<Hello>()? {
                    Some(hello) => Some(self.admit(&hello, door)?),
                    None => break,
                },
                Some(Role::Control) => match self.inbox.take::<control::ToHolder>()? {
                    Some(message) => message.order.map(Order::Control),
                    None => break,
                },
                Some(_) => match self.inbox.take::<viewer::ToHolder>()? {
                    Some(message) => message.order.map(Order::Viewer),
                    None => break,
                },
            };
            orders.extend(order);
        }
        Ok(orders)
    }

    fn admit(&mut self, hello: &Hello, door: &Door) -> Result<Order, LinkError> {
        if !bool::from(hello.key.ct_eq(&door.key)) {
            return Err(LinkError::Key);
        }
        let welcome = Welcome {
            protocol: PROTOCOL,
            ..door.welcome.clone()
        };
        match Role::try_from(hello.role) {
            Ok(Role::Control) => {
                self.role = Some(Role::Control);
                self.tell_control(control::from_holder::News::Welcome(welcome));
                Ok(Order::ControlOpened)
            }
            Ok(Role::Viewer) => {
                self.role = Some(Role::Viewer);
                self.tell_viewer(viewer::from_holder::News::Welcome(welcome));
                Ok(Order::ViewerOpened)
            }
            Ok(Role::Units | Role::Unspecified) | Err(_) => Err(LinkError::Role),
        }
    }

    /// Tells the server something; nothing happens on another link.
    pub fn tell_control(&mut self, news: control::from_holder::News) {
        self.tell(
            Role::Control,
            &control::FromHolder { news: Some(news) },
            None,
        );
    }

    /// Answers the server, with the memory that the answer speaks of, if it does.
    pub fn answer_control(&mut self, answer: questions::Answer, memory: Option<OwnedFd>) {
        let news = Some(control::from_holder::News::Answer(answer));
        self.tell(Role::Control, &control::FromHolder { news }, memory);
    }

    /// Tells a viewer's gateway something; nothing happens on another link.
    pub fn tell_viewer(&mut self, news: viewer::from_holder::News) {
        self.tell(Role::Viewer, &viewer::FromHolder { news: Some(news) }, None);
    }

    fn tell(&mut self, role: Role, message: &impl Message, descriptor: Option<OwnedFd>) {
        if self.role == Some(role) {
            self.outbox.push(message, descriptor);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use greenroom_session_api::encode;

    fn door() -> Door {
        Door {
            key: [7; 32],
            welcome: Welcome {
                persistent_id: "p-0".into(),
                ..Welcome::default()
            },
        }
    }

    fn hello(key: [u8; 32], role: Role) -> Vec<u8> {
        encode(&Hello {
            protocol: PROTOCOL,
            key: key.to_vec(),
            role: role as i32,
        })
    }

    #[test]
    fn the_right_key_opens_and_orders_follow() {
        let stop = control::to_holder::Order::Stop(control::Stop { grace_ms: 5 });
        let order = encode(&control::ToHolder {
            order: Some(stop.clone()),
        });
        let mut link = Link::default();
        let bytes = [hello([7; 32], Role::Control), order].concat();
        let orders = link.receive(&bytes, &door()).unwrap();
        assert_eq!(orders, [Order::ControlOpened, Order::Control(stop)]);
        assert!(!link.outbox.is_empty());
    }

    #[test]
    fn a_wrong_key_a_wrong_role_and_garbage_are_refused() {
        let refused = |bytes: &[u8]| Link::default().receive(bytes, &door()).unwrap_err();
        assert!(matches!(
            refused(&hello([8; 32], Role::Control)),
            LinkError::Key
        ));
        assert!(matches!(
            refused(&hello([7; 32], Role::Units)),
            LinkError::Role
        ));
        assert!(matches!(refused(&[0xff; 8]), LinkError::Frame(_)));
        assert!(matches!(
            refused(&[3, 0, 0, 0, 0xff, 0xff, 0xff]),
            LinkError::Frame(_)
        ));
    }

    #[test]
    fn nothing_is_answered_before_the_key() {
        let mut link = Link::default();
        assert_eq!(
            link.receive(&hello([7; 32], Role::Viewer)[..10], &door())
                .unwrap(),
            []
        );
        assert!(link.outbox.is_empty());
        link.tell_viewer(viewer::from_holder::News::Ending(viewer::Ending::default()));
        assert!(link.outbox.is_empty());
    }

    #[test]
    fn an_unknown_order_is_skipped() {
        let mut link = Link::default();
        link.receive(&hello([7; 32], Role::Viewer), &door())
            .unwrap();
        // Field 15, a varint: of a newer gateway.
        assert_eq!(link.receive(&[2, 0, 0, 0, 0x78, 1], &door()).unwrap(), []);
    }
}
