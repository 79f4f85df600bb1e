//! Bounding what this process, and what it starts from then on, may take of a resource.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Lets there be no more than `most`, and never more than whoever started us allows.
///
/// # Errors
/// The kernel refuses.
pub fn bound(resource: Resource, most: u64) -> std::io::Result<()> {
    let allowed = getrlimit(resource).maximum;
    let most = Some(allowed.map_or(most, |allowed| allowed.min(most)));
    let both = Rlimit {
        current: most,
        maximum: most,
    };
    Ok(setrlimit(resource, both)?)
}
