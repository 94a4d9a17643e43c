//! How an archive's bytes are compressed: asked for when one is made, seen by the first bytes when one comes.

use std::io::{self, BufReader, Cursor, Read, Write};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

/// A decoder of the largest window that `zstd -19` uses: 8 MiB, so that what comes cannot ask for more memory.
const LARGEST_WINDOW: u32 = 23;

/// zstd's own default.
const ZSTD_LEVEL: i32 = 3;

/// RFC 8878, 3.1.1.
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
/// RFC 1952, 2.3.1.
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// A form of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Plain,
    /// Quick and small.
    Zstd,
    /// What everybody has.
    Gzip,
}

impl Form {
    /// Has something written to `out` in this form, to its very end.
    pub(super) fn write<W: Write>(
        self,
        mut out: W,
        fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        match self {
            Self::Plain => {
                fill(&mut out)?;
                out.flush()
            }
            Self::Zstd => {
                let mut encoder = zstd::Encoder::new(out, ZSTD_LEVEL)?;
                encoder.include_checksum(true)?;
                fill(&mut encoder)?;
                encoder.finish()?.flush()
            }
            Self::Gzip => {
                let mut encoder = GzEncoder::new(out, Compression::fast());
                fill(&mut encoder)?;
                encoder.finish()?.flush()
            }
        }
    }
}

/// What comes, in whatever form it comes.
pub(super) fn reader<'a>(mut input: impl Read + 'a) -> io::Result<Box<dyn Read + 'a>> {
    let mut first = Vec::with_capacity(ZSTD_MAGIC.len());
    input.by_ref().take(ZSTD_MAGIC.len() as u64).read_to_end(&mut first)?;
    let is_zstd = first == ZSTD_MAGIC;
    let is_gzip = first.starts_with(&GZIP_MAGIC);
    let whole = Cursor::new(first).chain(input);
    Ok(if is_zstd {
        let mut decoder = zstd::Decoder::new(whole)?;
        decoder.window_log_max(LARGEST_WINDOW)?;
        Box::new(decoder)
    } else if is_gzip {
        Box::new(MultiGzDecoder::new(whole))
    } else {
        Box::new(BufReader::new(whole))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_read_back_and_known_by_its_first_bytes() {
        let text = b"some bytes, some bytes, some bytes".repeat(1000);
        for form in [Form::Plain, Form::Zstd, Form::Gzip] {
            let mut bytes = Vec::new();
            form.write(&mut bytes, |out| out.write_all(&text)).unwrap();
            let mut back = Vec::new();
            reader(&bytes[..]).unwrap().read_to_end(&mut back).unwrap();
            assert_eq!(back, text, "{form:?}");
            let cut = bytes.len() - 1;
            let read = reader(&bytes[..cut]).unwrap().read_to_end(&mut Vec::new());
            assert!(form == Form::Plain || read.is_err(), "{form:?}, cut off");
        }
    }

    #[test]
    fn a_window_that_wants_more_memory_is_refused() {
        let mut encoder = zstd::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(27).unwrap();
        encoder.write_all(&vec![7; 1 << 20]).unwrap();
        let bytes = encoder.finish().unwrap();
        assert!(reader(&bytes[..]).unwrap().read_to_end(&mut Vec::new()).is_err());
    }
}
