//! The ring of frames that the holder shares, mapped for reading.

use greenroom_session_api::frames;
use greenroom_tiles::{Grid, Rect};
use rustix::fs::SealFlags;
use rustix::mm::{MapFlags, ProtFlags};
use std::os::fd::OwnedFd;
use std::ptr::NonNull;

/// More slots than any holder has use for.
const MAX_SLOTS: u32 = 16;

/// A ring that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RingError {
    /// The numbers describe no ring.
    #[error("a ring of {width}x{height} pixels, {stride} bytes a row and {slots} slots is none")]
    Shape {
        /// As announced.
        width: u32,
        /// As announced.
        height: u32,
        /// As announced.
        stride: u32,
        /// As announced.
        slots: u32,
    },
    /// The memory might be taken away while it is read, which would end this process.
    #[error("the ring's memory is not sealed against shrinking")]
    Unsealed,
    /// The memory is smaller than announced.
    #[error("the ring's memory has {actual} bytes and needs {needed}")]
    Small {
        /// What it has.
        actual: u64,
        /// What the shape needs.
        needed: u64,
    },
    /// The kernel refused.
    #[error("the ring's memory cannot be mapped")]
    Kernel(#[from] rustix::io::Errno),
}

/// The mapped ring.
pub struct Ring {
    start: NonNull<u8>,
    length: usize,
    grid: Grid,
    stride: usize,
    slots: u32,
}

/// A whole frame in memory, `B G R X` per pixel.
#[derive(Clone, Copy)]
pub struct Slot<'a> {
    /// The frame's size.
    pub grid: Grid,
    /// Bytes from one row to the next.
    pub stride: usize,
    /// All rows.
    pub memory: &'a [u8],
}

impl Ring {
    /// Maps `memory` after making sure that reading it can never fail.
    ///
    /// # Errors
    /// The shape is none, or the memory does not bear it out.
    pub fn map(ring: &frames::Ring, memory: &OwnedFd) -> Result<Self, RingError> {
        let &frames::Ring {
            width,
            height,
            stride,
            slots,
        } = ring;
        let shape = RingError::Shape {
            width,
            height,
            stride,
            slots,
        };
        let Some(grid) = Grid::new(width, height) else {
            return Err(shape);
        };
        // A row of the widest picture is 32 KiB; twice that leaves room for any alignment.
        let strides = 4 * width..=2 * 4 * greenroom_tiles::MAX_SIDE;
        if !strides.contains(&stride) || !(1..=MAX_SLOTS).contains(&slots) {
            return Err(shape);
        }
        let needed = u64::from(slots) * u64::from(height) * u64::from(stride);
        if !rustix::fs::fcntl_get_seals(memory)?.contains(SealFlags::SHRINK) {
            return Err(RingError::Unsealed);
        }
        let actual = u64::try_from(rustix::fs::fstat(memory)?.st_size).unwrap_or(0);
        if actual < needed {
            return Err(RingError::Small { actual, needed });
        }
        let length = usize::try_from(needed).map_err(|_| shape)?;
        // SAFETY: a fresh mapping at an address the kernel picks aliases nothing of ours. It stays valid
        // until `drop`: the memory is at least `length` bytes long and sealed against shrinking.
        let start = unsafe {
            rustix::mm::mmap(
                std::ptr::null_mut(),
                length,
                ProtFlags::READ,
                MapFlags::SHARED,
                memory,
                0,
            )?
        };
        let start = NonNull::new(start.cast()).ok_or(rustix::io::Errno::NOMEM)?;
        Ok(Self {
            start,
            length,
            grid,
            stride: stride as usize,
            slots,
        })
    }

    /// The frame in `slot`, which is ours until it is released; `None` when there is no such slot.
    pub fn slot(&self, slot: u32) -> Option<Slot<'_>> {
        if slot >= self.slots {
            return None;
        }
        let bytes = self.length / self.slots as usize;
        // SAFETY: `start..start + length` is mapped for reading as long as `self` lives. The holder does
        // not write a slot that the streamer has, and only its `Frame` message leads here.
        let ring = unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) };
        Some(Slot {
            grid: self.grid,
            stride: self.stride,
            memory: &ring[slot as usize * bytes..][..bytes],
        })
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // SAFETY: this is what `map` mapped, and every slice of it borrows `self`.
        if let Err(error) = unsafe { rustix::mm::munmap(self.start.as_ptr().cast(), self.length) } {
            tracing::warn!(%error, "the ring stays mapped");
        }
    }
}

/// A rectangle of the frames link as one of the tiles'.
pub fn rect(rect: &frames::Rect) -> Rect {
    Rect {
        x: rect.x,
        y: rect.y,
        width: rect.width,
        height: rect.height,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fs::MemfdFlags;

    fn memory(bytes: u64, seals: SealFlags) -> OwnedFd {
        let memory = rustix::fs::memfd_create("ring", MemfdFlags::ALLOW_SEALING).unwrap();
        rustix::fs::ftruncate(&memory, bytes).unwrap();
        rustix::fs::fcntl_add_seals(&memory, seals).unwrap();
        memory
    }

    fn shape(width: u32, height: u32, stride: u32, slots: u32) -> frames::Ring {
        frames::Ring {
            width,
            height,
            stride,
            slots,
        }
    }

    #[test]
    fn a_ring_whose_memory_could_shrink_is_refused() {
        let unsealed = memory(4096, SealFlags::GROW);
        let outcome = Ring::map(&shape(8, 8, 32, 2), &unsealed);
        assert!(matches!(outcome, Err(RingError::Unsealed)));
    }

    #[test]
    fn a_ring_larger_than_its_memory_is_refused() {
        let small = memory(511, SealFlags::SHRINK);
        let outcome = Ring::map(&shape(8, 8, 32, 2), &small);
        assert!(matches!(
            outcome,
            Err(RingError::Small {
                actual: 511,
                needed: 512
            })
        ));
    }

    #[test]
    fn shapes_that_are_none_are_refused() {
        let any = memory(1 << 20, SealFlags::SHRINK);
        for (width, height, stride, slots) in [
            (0, 8, 32, 2),
            (8, 8193, 32, 2),
            (8, 8, 31, 2),
            (8, 8, u32::MAX, 2),
            (8, 8, 32, 0),
            (8, 8, 32, 17),
        ] {
            let outcome = Ring::map(&shape(width, height, stride, slots), &any);
            assert!(matches!(outcome, Err(RingError::Shape { .. })));
        }
    }

    #[test]
    fn a_slot_is_its_own_part_of_the_memory() {
        let sealed = memory(64, SealFlags::SHRINK);
        rustix::io::pwrite(&sealed, &[7; 32], 32).unwrap();
        let ring = Ring::map(&shape(2, 2, 16, 2), &sealed).unwrap();
        assert_eq!(ring.slot(0).unwrap().memory, [0; 32]);
        assert_eq!(ring.slot(1).unwrap().memory, [7; 32]);
        assert!(ring.slot(2).is_none());
    }
}
