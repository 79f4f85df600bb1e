//! A session's picture as a file that any viewer opens (decision 0062: PNG, written and never read).

use crate::error::ApiError;
use crate::runtime::Picture;
use std::io::Write;

/// The longest file: in base64 it fits into what a client of ours takes for an answer.
const LONGEST: usize = 11 << 20;

/// The picture as a PNG file, on a thread of its own.
///
/// # Errors
/// The file would be longer than an answer may be.
pub async fn png(picture: Picture) -> Result<Vec<u8>, ApiError> {
    let written = tokio::task::spawn_blocking(move || encode(&picture)).await;
    let unable = |why: String| ApiError::HolderUnable(format!("no PNG of its picture: {why}"));
    match written {
        Ok(file) => file.map_err(|error| unable(error.to_string())),
        Err(error) => Err(unable(error.to_string())),
    }
}

fn encode(picture: &Picture) -> Result<Vec<u8>, png::EncodingError> {
    let mut file = Bounded(Vec::new());
    let mut encoder = png::Encoder::new(&mut file, picture.width, picture.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    let mut rows = writer.stream_writer()?;
    let mut line = Vec::new();
    for row in picture.pixels.chunks_exact(4 * picture.width as usize) {
        line.clear();
        let pixels = row.chunks_exact(4);
        line.extend(pixels.flat_map(|pixel| [pixel[2], pixel[1], pixel[0]]));
        rows.write_all(&line)?;
    }
    rows.finish()?;
    writer.finish()?;
    Ok(file.0)
}

struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.0.len() + bytes.len() > LONGEST {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_colours_come_out_in_the_order_of_the_file() {
        let picture = Picture {
            width: 2,
            height: 1,
            pixels: vec![3, 2, 1, 0, 6, 5, 4, 0],
        };
        let file = encode(&picture).unwrap();
        let decoder = png::Decoder::new(std::io::Cursor::new(file));
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; 6];
        reader.next_frame(&mut pixels).unwrap();
        assert_eq!(pixels, [1, 2, 3, 4, 5, 6]);
    }
}
