//! An image file: `magic, magic`, then `length, message` again and again (<https://criu.org/Images>). Whoever made it, it
//! is read within bounds: an archive may come from anywhere.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use prost::Message;

use crate::runtime::regular::{self, named};

/// The first word of an image that holds messages (`IMG_COMMON_MAGIC`, `IMG_SERVICE_MAGIC`; `magic.h`).
pub(super) const MAGICS: [u32; 2] = [0x5456_4319, 0x5510_5940];
/// The only word before those of `inventory.img`.
const INVENTORY: u32 = 0x5831_3116;
/// No image of messages alone comes near it, nor one message, in bytes; those of memory are not read here.
const LARGEST: u64 = 64 * 1024 * 1024;

/// One that is read, message by message.
pub(super) struct Image {
    name: String,
    file: BufReader<File>,
    /// How many bytes are still to be read.
    left: u64,
}

impl Image {
    /// One of messages alone.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let image = Self::open_with_data(path)?;
        if image.left > LARGEST {
            return Err(image.wrong("is larger than an image of its kind can be"));
        }
        Ok(image)
    }

    /// One that may have other bytes behind a message: [`Self::skip`].
    pub(super) fn open_with_data(path: &Path) -> io::Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let opened = regular::open(path).and_then(|file| Ok((file.metadata()?.len(), file)));
        let (left, file) = opened.map_err(|error| named(&name, &error))?;
        let mut image = Self { name, file: BufReader::new(file), left };
        let begins = match image.word()? {
            Some(INVENTORY) => true,
            Some(magic) => MAGICS.contains(&magic) && image.word()?.is_some(),
            None => false,
        };
        if begins { Ok(image) } else { Err(image.wrong("does not begin as an image of CRIU's does")) }
    }

    /// The next message; none at the end. Every kind that is read here has a field that must be there, so none is empty.
    pub(super) fn next<M: Message + Default>(&mut self) -> io::Result<Option<M>> {
        let Some(message) = self.message()? else { return Ok(None) };
        if message.is_empty() {
            return Err(self.wrong("holds a message that says nothing"));
        }
        let message = M::decode(message.as_slice());
        Ok(Some(message.map_err(|error| self.wrong(&format!("cannot be read: {error}")))?))
    }

    /// The next message as it is; none at the end.
    pub(super) fn message(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.left == 0 {
            return Ok(None);
        }
        let length = self.word()?.ok_or_else(|| self.wrong("is cut off"))?;
        let rest = self.left.checked_sub(u64::from(length)).ok_or_else(|| self.wrong("is cut off"))?;
        if u64::from(length) > LARGEST {
            return Err(self.wrong("holds a message that is larger than any"));
        }
        let mut message = vec![0; length as usize];
        self.fill(&mut message)?;
        self.left = rest;
        Ok(Some(message))
    }

    /// Passes over what lies between messages.
    pub(super) fn skip(&mut self, length: u64) -> io::Result<()> {
        let rest = self.left.checked_sub(length).ok_or_else(|| self.wrong("is cut off"))?;
        self.file.seek_relative(length.cast_signed()).map_err(|error| named(&self.name, &error))?;
        self.left = rest;
        Ok(())
    }

    /// What is wrong with it.
    pub(super) fn wrong(&self, words: &str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, format!("{} {words}", self.name))
    }

    fn fill(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.file.read_exact(bytes).map_err(|error| named(&self.name, &error))
    }

    /// None: there are not as many bytes.
    fn word(&mut self) -> io::Result<Option<u32>> {
        let mut word = [0; 4];
        let Some(rest) = self.left.checked_sub(word.len() as u64) else { return Ok(None) };
        self.fill(&mut word)?;
        self.left = rest;
        Ok(Some(u32::from_le_bytes(word)))
    }
}

/// The first message of an image, if there is one.
pub(super) fn first<M: Message + Default>(path: &Path) -> io::Result<Option<M>> {
    match Image::open(path) {
        Ok(mut image) => image.next(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
