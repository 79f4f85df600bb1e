//! A gateway for one holder, without a control plane: for work on the player or on a holder.
//!
//!     cargo run -p greenroom-gateway --example one_session -- SPEC.json PLAYER_FOLDER [ADDRESS]
//!
//! `SPEC.json` is what the holder was started with. The link that is printed works any number of times,
//! and everybody who reaches the address gets in: not for anything but development.

use greenroom_gateway::{
    Admission, Credential, Door, Endpoint, Metrics, Reason, Refusal, Rights, router,
};
use greenroom_model::{BindingId, PersistentId};
use greenroom_session_api::spec::Spec;
use std::net::IpAddr;
use std::sync::Arc;
use tokio::sync::watch;

struct OpenDoor {
    spec: Spec,
    session: PersistentId,
    binding: BindingId,
    nobody_revokes: watch::Sender<Option<Reason>>,
}

impl Door for OpenDoor {
    async fn redeem(&self, _: Credential, _: Option<IpAddr>) -> Result<Admission, Refusal> {
        Ok(Admission {
            binding: self.binding.clone(),
            persistent_id: self.session.clone(),
            endpoint: Endpoint {
                run_dir: self.spec.run_dir.clone(),
                key: self.spec.key().ok_or(Refusal::Unavailable)?,
            },
            rights: Rights {
                input: true,
                controller: true,
                audio: true,
                clipboard_out: true,
                clipboard_in: true,
                files_out: true,
            },
            resume_token: "open".into(),
            revoked: self.nobody_revokes.subscribe(),
            title: "Session".into(),
        })
    }

    async fn connected(&self, _: &BindingId) {}

    async fn disconnected(&self, _: &BindingId) {}
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(spec), Some(player)) = (arguments.next(), arguments.next()) else {
        return Err("usage: one_session SPEC.json PLAYER_FOLDER [ADDRESS]".into());
    };
    let address = match arguments.next() {
        Some(address) => address
            .into_string()
            .map_err(|_| "the address is no text")?,
        None => "127.0.0.1:8080".into(),
    };
    let spec = Spec::from_json(&std::fs::read(spec)?)?;
    let door = OpenDoor {
        session: PersistentId::parse(&spec.persistent_id)?,
        binding: BindingId::parse("bind-open")?,
        nobody_revokes: watch::Sender::new(None),
        spec,
    };
    let listener = tokio::net::TcpListener::bind(&address).await?;
    let link = format!("http://{}/play#ticket=open\n", listener.local_addr()?);
    std::io::Write::write_all(&mut std::io::stdout(), link.as_bytes())?;
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        // Without it a key waits for the next one; the link still works, so a failure is none.
        let _ = stream.set_nodelay(true);
    });
    let metrics = Arc::new(Metrics::default());
    axum::serve(listener, router(Arc::new(door), player, metrics)).await?;
    Ok(())
}
