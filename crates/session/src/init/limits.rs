//! What every process of a session may take by itself, where no control group bounds them together.

use greenroom_session_api::init::Bound;
use rustix::process::{Resource, Rlimit};

/// Takes on what every process started from here inherits.
pub fn apply(bound: Bound) -> std::io::Result<()> {
    let asked = [
        (Resource::Nproc, bound.processes),
        (Resource::Data, bound.data_bytes),
        (Resource::Fsize, bound.file_bytes),
    ];
    for (resource, most) in asked.into_iter().filter(|(_, most)| *most > 0) {
        limit(resource, most)?;
    }
    // What was in an app's memory does not belong in a file of its home, and may be larger than that.
    limit(Resource::Core, 0)
}

fn limit(resource: Resource, most: u64) -> std::io::Result<()> {
    // Never more than whoever started the server allows.
    let allowed = rustix::process::getrlimit(resource).maximum;
    let most = Some(allowed.map_or(most, |allowed| allowed.min(most)));
    let both = Rlimit {
        current: most,
        maximum: most,
    };
    Ok(rustix::process::setrlimit(resource, both)?)
}
