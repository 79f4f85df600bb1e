//! Frames in sealed shared memory: the compositor draws straight into what the streamer reads.
//!
//! Every slot holds a whole frame, so a slot that is drawn again owes what changed since it was drawn last:
//! each remembers that as its own debt.

use rustix::fs::{MemfdFlags, SealFlags};
use rustix::mm::{MapFlags, ProtFlags};
use smithay::reexports::pixman;
use smithay::utils::{Physical, Rectangle, Size};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::ptr::NonNull;

/// One in the streamer's hands, one on its way, one to draw.
pub const SLOTS: u32 = 3;
const BYTES_PER_PIXEL: usize = 4;
/// Rectangles a slot owes before they are drawn as one.
const MAX_DEBT: usize = 64;

/// A rectangle of a frame.
pub type Rect = Rectangle<i32, Physical>;

/// No memory for frames.
#[derive(Debug, thiserror::Error)]
pub enum RingError {
    /// The kernel gave none.
    #[error("no shared memory for frames")]
    Memory(#[from] rustix::io::Errno),
    /// The renderer takes no frame of this size.
    #[error("the renderer refuses a frame of {0}x{1}")]
    Size(i32, i32),
}

/// The memory and who has which slot of it.
pub struct Ring {
    // Before `mapping`: the images point into it.
    slots: Vec<Slot>,
    mapping: Mapping,
    memory: OwnedFd,
    size: Size<i32, Physical>,
}

struct Slot {
    image: pixman::Image<'static, 'static>,
    lent: bool,
    debt: Vec<Rect>,
}

impl Ring {
    /// A ring of black frames.
    ///
    /// # Errors
    /// There is no memory for it.
    pub fn new(size: Size<i32, Physical>) -> Result<Self, RingError> {
        let refused = || RingError::Size(size.w, size.h);
        let width = usize::try_from(size.w).map_err(|_| refused())?;
        let height = usize::try_from(size.h).map_err(|_| refused())?;
        let stride = width * BYTES_PER_PIXEL;
        let frame = stride * height;
        let length = frame * SLOTS as usize;

        let memory = rustix::fs::memfd_create(
            "greenroom-frames",
            MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING,
        )?;
        rustix::fs::ftruncate(&memory, length as u64)?;
        let mapping = Mapping::new(&memory, length)?;
        // With our own mapping made, nobody can make a writable one any more: the streamer only reads.
        rustix::fs::fcntl_add_seals(
            &memory,
            SealFlags::SHRINK | SealFlags::GROW | SealFlags::FUTURE_WRITE | SealFlags::SEAL,
        )?;

        let slots = (0..SLOTS as usize)
            .map(|slot| {
                let first = mapping.start.as_ptr().wrapping_byte_add(slot * frame);
                // SAFETY: the mapping is `SLOTS * height * stride` bytes long, page aligned (so is every
                // row, as a pixel is), writable, and outlives the image, which is dropped before it.
                let image = unsafe {
                    pixman::Image::from_raw_mut(
                        pixman::FormatCode::X8R8G8B8,
                        width,
                        height,
                        first.cast(),
                        stride,
                        false,
                    )
                };
                image.map(|image| Slot {
                    image,
                    lent: false,
                    debt: Vec::new(),
                })
            })
            .collect::<Result<_, _>>()
            .map_err(|_| refused())?;
        Ok(Self {
            slots,
            mapping,
            memory,
            size,
        })
    }

    /// The frames' size in pixels.
    pub fn size(&self) -> Size<i32, Physical> {
        self.size
    }

    /// How the memory is laid out, for whoever maps it.
    pub fn described(&self) -> greenroom_session_api::frames::Ring {
        greenroom_session_api::frames::Ring {
            width: self.size.w.unsigned_abs(),
            height: self.size.h.unsigned_abs(),
            stride: self.stride(),
            slots: SLOTS,
        }
    }

    /// Bytes from one row to the next.
    fn stride(&self) -> u32 {
        u32::try_from(self.mapping.length).unwrap_or(u32::MAX)
            / SLOTS
            / self.size.h.unsigned_abs().max(1)
    }

    /// The descriptor the streamer maps.
    pub fn memory(&self) -> BorrowedFd<'_> {
        self.memory.as_fd()
    }

    /// Every slot owes `damage` from now on.
    pub fn owe(&mut self, damage: &[Rect]) {
        for slot in &mut self.slots {
            slot.debt.extend_from_slice(damage);
            if slot.debt.len() > MAX_DEBT {
                let whole = slot.debt.drain(..).reduce(Rectangle::merge);
                slot.debt.extend(whole);
            }
        }
    }

    /// A slot nobody has, its frame and what it owes.
    pub fn free_slot(&mut self) -> Option<(u32, &mut pixman::Image<'static, 'static>, &[Rect])> {
        let at = self.slots.iter().position(|slot| !slot.lent)?;
        let slot = &mut self.slots[at];
        Some((u32::try_from(at).ok()?, &mut slot.image, &slot.debt))
    }

    /// Whether a slot can be drawn now.
    pub fn has_free_slot(&self) -> bool {
        self.slots.iter().any(|slot| !slot.lent)
    }

    /// The slot was drawn and is the streamer's until it is released.
    pub fn lend(&mut self, slot: u32) {
        if let Some(slot) = self.slots.get_mut(slot as usize) {
            slot.debt.clear();
            slot.lent = true;
        }
    }

    /// The streamer gave the slot back.
    pub fn release(&mut self, slot: u32) {
        if let Some(slot) = self.slots.get_mut(slot as usize) {
            slot.lent = false;
        }
    }
}

/// A shared mapping, unmapped when dropped.
struct Mapping {
    start: NonNull<std::ffi::c_void>,
    length: usize,
}

impl Mapping {
    fn new(memory: &OwnedFd, length: usize) -> Result<Self, rustix::io::Errno> {
        // SAFETY: a new mapping at an address of the kernel's choice overlaps nothing; the file is sealed
        // against shrinking before anybody else has it, so its pages stay.
        let start = unsafe {
            rustix::mm::mmap(
                std::ptr::null_mut(),
                length,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                memory,
                0,
            )
        }?;
        let start = NonNull::new(start).ok_or(rustix::io::Errno::NOMEM)?;
        Ok(Self { start, length })
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: this is the mapping made in `new`; the images that point into it are gone, as `Ring`
        // drops them first. A failure leaves the pages mapped, which is harmless.
        let _ = unsafe { rustix::mm::munmap(self.start.as_ptr(), self.length) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(x: i32, y: i32, w: i32, h: i32) -> Rect {
        Rectangle::new((x, y).into(), (w, h).into())
    }

    #[test]
    fn each_slot_owes_what_changed_since_it_was_drawn() {
        let mut ring = Ring::new((64, 64).into()).unwrap();
        ring.owe(&[rect(0, 0, 64, 64)]);
        let (first, _, owed) = ring.free_slot().unwrap();
        assert_eq!(owed, [rect(0, 0, 64, 64)]);
        ring.lend(first);
        ring.owe(&[rect(1, 1, 2, 2)]);
        let (second, _, owed) = ring.free_slot().unwrap();
        assert_eq!(owed, [rect(0, 0, 64, 64), rect(1, 1, 2, 2)]);
        ring.lend(second);
        ring.release(first);
        let (slot, _, owed) = ring.free_slot().unwrap();
        assert_eq!((slot, owed), (first, [rect(1, 1, 2, 2)].as_slice()));
    }

    #[test]
    fn a_slot_is_drawn_by_one_side_at_a_time() {
        let mut ring = Ring::new((64, 64).into()).unwrap();
        for slot in 0..SLOTS {
            ring.lend(slot);
        }
        assert!(ring.free_slot().is_none());
        ring.release(99);
        assert!(!ring.has_free_slot());
        ring.release(2);
        assert_eq!(ring.free_slot().unwrap().0, 2);
    }

    #[test]
    fn debts_stay_bounded() {
        let mut ring = Ring::new((64, 64).into()).unwrap();
        for at in 0..1000 {
            ring.owe(&[rect(at % 60, 0, 1, 1)]);
        }
        let (_, _, owed) = ring.free_slot().unwrap();
        assert!(owed.len() <= MAX_DEBT);
        assert!(owed.iter().any(|rect| rect.size.w >= 60));
    }

    #[test]
    fn nobody_else_can_write_or_resize_the_frames() {
        let ring = Ring::new((64, 64).into()).unwrap();
        assert!(rustix::fs::ftruncate(ring.memory(), 1).is_err());
        assert!(rustix::fs::ftruncate(ring.memory(), 1 << 20).is_err());
        let seals = rustix::fs::fcntl_get_seals(ring.memory()).unwrap();
        assert!(seals.contains(SealFlags::FUTURE_WRITE | SealFlags::SEAL));
        assert_eq!(ring.stride(), 256);
    }
}
