//! X servers among the clients. One of them draws the windows of all its apps into a single window of its own, which
//! is as large as the output and is there from its start; so it is to be seen only while apps show something.

use super::x_buffers::Buffers;
use super::{App, News, Stage};
use greenroom_session_api::questions::MAX_TITLE;
use greenroom_session_api::x11::Shown;
use smithay::backend::renderer::utils::with_renderer_surface_state;
use smithay::reexports::wayland_server::Client;
use smithay::reexports::wayland_server::Resource;
use smithay::reexports::wayland_server::backend::DisconnectReason;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};

/// What is known of a client that is an X server.
#[derive(Debug, Default)]
pub(super) struct XServer {
    shown: Mutex<Shown>,
    buffers: Mutex<Buffers>,
}

impl Stage {
    /// An X server for the apps of `launch`, to be told of by [`Self::x_server_shows`].
    ///
    /// # Errors
    /// Its socket is broken already.
    pub fn admit_x_server(&mut self, client: UnixStream, launch: u64) -> std::io::Result<Client> {
        let app = App {
            launch,
            x_server: Some(XServer::default()),
            ..App::default()
        };
        let client = self.display.insert_client(client, Arc::new(app))?;
        self.x_servers.push(client.clone());
        self.scale_x_servers();
        Ok(client)
    }

    /// Notes what the apps of an X server show.
    pub fn x_server_shows(&mut self, server: &Client, news: Shown) {
        let Some(known) = server
            .get_data::<App>()
            .and_then(|app| app.x_server.as_ref())
        else {
            return;
        };
        let bounded = |text: &str| text.chars().take(MAX_TITLE).collect();
        let news = Shown {
            windows: news.windows,
            title: bounded(&news.title),
            class: bounded(&news.class),
        };
        let more = {
            let mut shown = known.shown.lock().unwrap_or_else(PoisonError::into_inner);
            let before = std::mem::replace(&mut *shown, news);
            shown.windows > before.windows
        };
        let its: Vec<WlSurface> = self
            .windows
            .all()
            .map(|entry| entry.toplevel().wl_surface())
            .filter(|surface| surface.client().as_ref() == Some(server))
            .cloned()
            .collect();
        for surface in its {
            self.note_mapped(&surface);
            // A new window comes above those of other apps, as any does.
            if more && self.windows.find(&surface).is_some_and(|it| it.mapped) {
                self.windows.raise(&surface);
                self.refocus();
            }
        }
    }

    /// Ends an X server; its window goes when the clients are dispatched next.
    pub fn expel_x_server(&mut self, server: &Client) {
        self.x_servers.retain(|known| known != server);
        let display = self.display.backend_handle();
        display.kill_client(server.id(), DisconnectReason::ConnectionClosed);
    }

    /// A window of a client may have another buffer. If the client is an X server, that one's return is ours to time.
    pub(super) fn keep_buffers(&mut self, surface: &WlSurface) {
        let Some(client) = surface.client() else {
            return;
        };
        let app = client.get_data::<App>();
        let Some(server) = app.and_then(|app| app.x_server.as_ref()) else {
            return;
        };
        // Its pointers are surfaces as well, and have sizes of their own.
        if self.windows.find(surface).is_none() {
            return;
        }
        let buffer = with_renderer_surface_state(surface, |state| state.buffer().cloned());
        let mut buffers = server
            .buffers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let again = buffers.show(buffer.flatten(), self.geometry.size());
        drop(buffers);
        if again {
            self.tell(News::Unfit);
        }
    }

    /// An X server knows no scales: its pixels are those of the output.
    pub(super) fn scale_x_servers(&self) {
        for app in self.x_servers.iter().filter_map(Client::get_data::<App>) {
            app.compositor.set_client_scale(self.geometry.scale());
        }
    }
}

/// What the apps of an X server show, if a surface is an X server's.
pub(super) fn shown_by(surface: &WlSurface) -> Option<Shown> {
    of_shown(surface, Shown::clone)
}

/// How many windows the apps of an X server show, if a surface is an X server's.
pub(super) fn windows_shown_by(surface: &WlSurface) -> Option<u32> {
    of_shown(surface, |shown| shown.windows)
}

fn of_shown<T>(surface: &WlSurface, what: impl FnOnce(&Shown) -> T) -> Option<T> {
    let client = surface.client()?;
    let server = client.get_data::<App>()?.x_server.as_ref()?;
    let shown = server.shown.lock().unwrap_or_else(PoisonError::into_inner);
    Some(what(&shown))
}
