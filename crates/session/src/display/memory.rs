//! The memory that clients share with the compositor: `wl_shm`, counted. Each piece is a descriptor of ours for as long
//! as its pool or one of its buffers lives, so a client must not choose how many there are.

use super::{App, Stage};
use smithay::reexports::wayland_server::backend::ClientId;
use smithay::reexports::wayland_server::protocol::wl_buffer::{self, WlBuffer};
use smithay::reexports::wayland_server::protocol::wl_shm::{self, WlShm};
use smithay::reexports::wayland_server::protocol::wl_shm_pool::{self, WlShmPool};
use smithay::reexports::wayland_server::{Client, DataInit, Dispatch, DisplayHandle, Resource};
use smithay::wayland::shm::{ShmBufferUserData, ShmHandler, ShmPoolUserData, ShmState};
use std::sync::atomic::Ordering;

/// Pools and buffers of one client at once: those of a large app, many times over. With as many clients as are
/// admitted it is what systemd lets a process have of descriptors.
const MAX_SHARED: usize = 2048;

impl ShmHandler for Stage {
    fn shm_state(&self) -> &ShmState {
        &self.shm
    }
}

impl Dispatch<WlShm, ()> for Stage {
    fn request(
        stage: &mut Self,
        client: &Client,
        shm: &WlShm,
        request: wl_shm::Request,
        data: &(),
        display: &DisplayHandle,
        init: &mut DataInit<'_, Self>,
    ) {
        let another = matches!(request, wl_shm::Request::CreatePool { .. });
        <ShmState as Dispatch<_, _, Self>>::request(
            stage, client, shm, request, data, display, init,
        );
        if another {
            stage.share_another(client);
        }
    }
}

impl Dispatch<WlShmPool, ShmPoolUserData> for Stage {
    fn request(
        stage: &mut Self,
        client: &Client,
        pool: &WlShmPool,
        request: wl_shm_pool::Request,
        data: &ShmPoolUserData,
        display: &DisplayHandle,
        init: &mut DataInit<'_, Self>,
    ) {
        let another = matches!(request, wl_shm_pool::Request::CreateBuffer { .. });
        <ShmState as Dispatch<_, _, Self>>::request(
            stage, client, pool, request, data, display, init,
        );
        if another {
            stage.share_another(client);
        }
    }

    fn destroyed(_: &mut Self, _: ClientId, pool: &WlShmPool, _: &ShmPoolUserData) {
        share_less(pool);
    }
}

impl Dispatch<WlBuffer, ShmBufferUserData> for Stage {
    fn request(
        stage: &mut Self,
        client: &Client,
        buffer: &WlBuffer,
        request: wl_buffer::Request,
        data: &ShmBufferUserData,
        display: &DisplayHandle,
        init: &mut DataInit<'_, Self>,
    ) {
        <ShmState as Dispatch<_, _, Self>>::request(
            stage, client, buffer, request, data, display, init,
        );
    }

    fn destroyed(stage: &mut Self, client: ClientId, buffer: &WlBuffer, data: &ShmBufferUserData) {
        <ShmState as Dispatch<_, _, Self>>::destroyed(stage, client, buffer, data);
        share_less(buffer);
    }
}

impl Stage {
    fn share_another(&self, client: &Client) {
        let app = client.get_data::<App>();
        let before = app.map_or(0, |app| app.shared.fetch_add(1, Ordering::Relaxed));
        if before >= MAX_SHARED {
            self.expel_client(client, "too much shared memory");
        }
    }
}

/// One that goes together with its client need not be counted.
fn share_less(resource: &impl Resource) {
    if let Some(client) = resource.client()
        && let Some(app) = client.get_data::<App>()
    {
        app.shared.fetch_sub(1, Ordering::Relaxed);
    }
}

smithay::reexports::wayland_server::delegate_global_dispatch!(Stage: [WlShm: ()] => ShmState);
