//! Apps that ask for a window to be raised (`xdg_activation_v1`).

use super::Stage;
use smithay::reexports::wayland_server::Resource;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::wayland::xdg_activation::{
    XdgActivationHandler, XdgActivationState, XdgActivationToken, XdgActivationTokenData,
};

/// Tokens that were given out and not used yet; beyond it the old ones are void.
const MAX_TOKENS: usize = 64;

impl XdgActivationHandler for Stage {
    fn activation_state(&mut self) -> &mut XdgActivationState {
        &mut self.activation
    }

    /// Only the app the viewer works with passes the keyboard on, so that none takes it from another.
    fn token_created(&mut self, _token: XdgActivationToken, data: XdgActivationTokenData) -> bool {
        if self.activation.tokens().count() >= MAX_TOKENS {
            self.activation.retain_tokens(|_, _| false);
        }
        let focus = self.windows.focus();
        let focused = focus.and_then(|entry| entry.toplevel().wl_surface().client());
        focused.is_some_and(|focused| Some(focused.id()) == data.client_id)
    }

    fn request_activation(
        &mut self,
        token: XdgActivationToken,
        _data: XdgActivationTokenData,
        surface: WlSurface,
    ) {
        // A token is good for one window.
        self.activation.remove_token(&token);
        self.windows.raise(&surface);
        self.refocus();
    }
}

smithay::delegate_xdg_activation!(Stage);
