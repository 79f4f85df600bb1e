//! Parts of many colours: each byte as its difference from what its neighbours suggest.

/// How a pixel is guessed from those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Predictor {
    /// The pixel to the left.
    Left = 0,
    /// The pixel above.
    Up = 1,
    /// The median of left, up and left + up − up-left, which follows edges both ways.
    Median = 2,
}

impl Predictor {
    #[cfg(feature = "encode")]
    pub const ALL: [Self; 3] = [Self::Left, Self::Up, Self::Median];

    pub fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Left),
            1 => Some(Self::Up),
            2 => Some(Self::Median),
            _ => None,
        }
    }
}

/// Where `left + up − up_left` lies between its neighbours, limited to them; as in LOCO-I.
fn median(left: u8, up: u8, up_left: u8) -> u8 {
    let (low, high) = (left.min(up), left.max(up));
    if up_left >= high {
        low
    } else if up_left <= low {
        high
    } else {
        // Between low and high, hence a byte again.
        left.wrapping_add(up).wrapping_sub(up_left)
    }
}

/// Appends the residuals of `plane`, rows of `width` bytes.
#[cfg(feature = "encode")]
pub fn residuals(predictor: Predictor, plane: &[u8], width: usize, out: &mut Vec<u8>) {
    let Some(first) = plane.get(..width) else {
        return;
    };
    out.push(first[0]);
    out.extend(first.windows(2).map(|w| w[1].wrapping_sub(w[0])));
    for at in (width..plane.len()).step_by(width) {
        let (up, row) = (&plane[at - width..at], &plane[at..at + width]);
        out.push(row[0].wrapping_sub(up[0]));
        match predictor {
            Predictor::Left => out.extend(row.windows(2).map(|w| w[1].wrapping_sub(w[0]))),
            Predictor::Up => {
                out.extend(
                    row[1..]
                        .iter()
                        .zip(&up[1..])
                        .map(|(now, up)| now.wrapping_sub(*up)),
                );
            }
            Predictor::Median => out.extend(
                row.windows(2)
                    .zip(up.windows(2))
                    .map(|(row, up)| row[1].wrapping_sub(median(row[0], up[1], up[0]))),
            ),
        }
    }
}

/// Turns the residuals in `plane`, rows of `width` bytes, into values, in place.
pub fn restore(predictor: Predictor, plane: &mut [u8], width: usize) {
    for x in 1..width.min(plane.len()) {
        plane[x] = plane[x].wrapping_add(plane[x - 1]);
    }
    for at in (width..plane.len()).step_by(width) {
        let (above, rest) = plane.split_at_mut(at);
        let (up, row) = (&above[at - width..], &mut rest[..width]);
        row[0] = row[0].wrapping_add(up[0]);
        match predictor {
            Predictor::Left => {
                for x in 1..width {
                    row[x] = row[x].wrapping_add(row[x - 1]);
                }
            }
            Predictor::Up => {
                for (value, up) in row[1..].iter_mut().zip(&up[1..]) {
                    *value = value.wrapping_add(*up);
                }
            }
            Predictor::Median => {
                for x in 1..width {
                    let guess = median(row[x - 1], up[x], up[x - 1]);
                    row[x] = row[x].wrapping_add(guess);
                }
            }
        }
    }
}

#[cfg(test)]
#[cfg(feature = "encode")]
mod tests {
    use super::*;

    #[test]
    fn every_predictor_restores_what_it_took() {
        let noise = |at: usize| (at.wrapping_mul(2_654_435_761) >> 7) as u8;
        for (width, height) in [(1, 1), (1, 9), (9, 1), (7, 5), (64, 64)] {
            let plane: Vec<u8> = (0..width * height).map(noise).collect();
            for predictor in Predictor::ALL {
                let mut bytes = Vec::new();
                residuals(predictor, &plane, width, &mut bytes);
                assert_eq!(bytes.len(), plane.len());
                restore(predictor, &mut bytes, width);
                assert_eq!(bytes, plane, "{predictor:?} {width}×{height}");
            }
        }
    }

    #[test]
    fn a_slope_leaves_almost_nothing() {
        let plane: Vec<u8> = (0..64 * 64).map(|at| (at % 64 + at / 64) as u8).collect();
        let mut bytes = Vec::new();
        residuals(Predictor::Median, &plane, 64, &mut bytes);
        assert!(bytes.iter().all(|residual| *residual <= 1));
    }
}
