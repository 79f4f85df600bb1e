//! What every process of a session may take by itself, where no control group bounds them together.

use super::bounds::bound;
use greenroom_session_api::init::Bound;
use rustix::process::Resource;

/// Takes on what every process started from here inherits.
pub fn apply(bounds: Bound) -> std::io::Result<()> {
    let asked = [
        (Resource::Nproc, bounds.processes),
        (Resource::Data, bounds.data_bytes),
        (Resource::Fsize, bounds.file_bytes),
    ];
    for (resource, most) in asked.into_iter().filter(|(_, most)| *most > 0) {
        bound(resource, most)?;
    }
    // What was in an app's memory does not belong in a file of its home, and may be larger than that.
    bound(Resource::Core, 0)
}
