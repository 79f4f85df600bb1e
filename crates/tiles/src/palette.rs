//! Parts of few colours: a list of the colours and an index per pixel.

/// The most colours a palette has.
pub const MAX_COLOURS: usize = 256;

/// Bits of an index into `colours` colours.
pub fn index_bits(colours: usize) -> usize {
    match colours {
        0..=1 => 0,
        2 => 1,
        3..=4 => 2,
        5..=16 => 4,
        _ => 8,
    }
}

/// Bytes of a packed row of indices.
pub fn row_bytes(width: u32, colours: usize) -> usize {
    (width as usize * index_bits(colours)).div_ceil(8)
}

/// Packs a row of indices, the first into the lowest bits.
#[cfg(feature = "encode")]
pub fn pack_row(indices: &[u8], colours: usize, packed: &mut Vec<u8>) {
    let bits = index_bits(colours);
    if bits == 0 {
        return;
    }
    packed.extend(indices.chunks(8 / bits).map(|pixels| {
        let packed = pixels
            .iter()
            .rev()
            .fold(0_u32, |byte, index| byte << bits | u32::from(*index));
        packed as u8
    }));
}

/// Unpacks a row of indices into `indices`, which is as long as the row is wide.
pub fn unpack_row(packed: &[u8], colours: usize, indices: &mut [u8]) {
    let bits = index_bits(colours);
    match bits {
        0 => indices.fill(0),
        8 => indices.copy_from_slice(&packed[..indices.len()]),
        _ => {
            let mask = (1_u8 << bits) - 1;
            for (pixels, byte) in indices.chunks_mut(8 / bits).zip(packed) {
                for (at, index) in pixels.iter_mut().enumerate() {
                    *index = byte >> (at * bits) & mask;
                }
            }
        }
    }
}

/// Finds the colours of a part and what each pixel's is.
#[cfg(feature = "encode")]
#[derive(Debug)]
pub struct Colours {
    /// In order of first appearance.
    pub list: Vec<u32>,
    /// One per pixel.
    pub indices: Vec<u8>,
    // Open addressing: a colour's place, 0 for none, else its index + 1. Four times as many places as
    // colours keep the chains short.
    places: Vec<u16>,
}

#[cfg(feature = "encode")]
const PLACES: usize = 4 * MAX_COLOURS;

#[cfg(feature = "encode")]
impl Colours {
    pub fn new() -> Self {
        Self {
            list: Vec::with_capacity(MAX_COLOURS),
            indices: Vec::new(),
            places: vec![0; PLACES],
        }
    }

    /// Takes the pixels of a part; `false` when they have too many colours for a palette.
    pub fn take(&mut self, pixels: impl Iterator<Item = u32>) -> bool {
        self.list.clear();
        self.indices.clear();
        self.places.fill(0);
        let mut last = None;
        for colour in pixels {
            let index = match last {
                // Most pixels are like their neighbour.
                Some((same, index)) if same == colour => index,
                _ => {
                    let Some(index) = self.index(colour) else {
                        return false;
                    };
                    index
                }
            };
            last = Some((colour, index));
            self.indices.push(index);
        }
        true
    }

    fn index(&mut self, colour: u32) -> Option<u8> {
        // Fibonacci hashing: the high bits of the product depend on all of the colour's.
        let mut place = (colour.wrapping_mul(0x9e37_79b1) >> 22) as usize;
        loop {
            match self.places[place] {
                0 => break,
                held if self.list[usize::from(held) - 1] == colour => {
                    return Some((held - 1) as u8);
                }
                _ => place = (place + 1) % PLACES,
            }
        }
        if self.list.len() == MAX_COLOURS {
            return None;
        }
        self.list.push(colour);
        self.places[place] = self.list.len() as u16;
        Some((self.list.len() - 1) as u8)
    }
}

#[cfg(test)]
#[cfg(feature = "encode")]
mod tests {
    use super::*;

    #[test]
    fn rows_of_every_depth_and_length_unpack_to_what_was_packed() {
        for colours in [1, 2, 3, 4, 5, 16, 17, 256] {
            for width in 1..=64 {
                let row: Vec<u8> = (0..width).map(|x| (x * 7 % colours) as u8).collect();
                let mut packed = Vec::new();
                pack_row(&row, colours, &mut packed);
                assert_eq!(packed.len(), row_bytes(width as u32, colours));
                let mut unpacked = vec![0xff; width];
                unpack_row(&packed, colours, &mut unpacked);
                assert_eq!(unpacked, row);
            }
        }
    }

    #[test]
    fn colours_are_found_up_to_the_limit_and_not_beyond() {
        let mut colours = Colours::new();
        assert!(colours.take((0..256_u32).chain(0..256).map(|c| c << 16)));
        assert_eq!(colours.list, (0..256).map(|c| c << 16).collect::<Vec<_>>());
        assert!(colours.indices[256..].iter().copied().eq(0..=255));
        assert!(!colours.take(0..257));
        assert!(colours.take([5, 5, 7, 5].into_iter()));
        assert_eq!(
            (&colours.list[..], &colours.indices[..]),
            (&[5, 7][..], &[0, 0, 1, 0][..])
        );
    }
}
