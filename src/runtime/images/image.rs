//! An image file: `magic, magic`, then `length, message` again and again (<https://criu.org/Images>). Whoever made it, it
//! is read within bounds: an archive may come from anywhere.

use std::fs;
use std::io;
use std::path::Path;

use prost::Message;

/// The first word of an image that holds messages (`IMG_COMMON_MAGIC`, `IMG_SERVICE_MAGIC`; `magic.h`).
pub(super) const MAGICS: [u32; 2] = [0x5456_4319, 0x5510_5940];
/// No image of messages comes near it, in bytes; those of memory are not read here.
const LARGEST: u64 = 64 * 1024 * 1024;

/// One that is read, message by message.
pub(super) struct Image {
    name: String,
    bytes: Vec<u8>,
    at: usize,
}

impl Image {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut image = Self { name, bytes: Vec::new(), at: 0 };
        if fs::metadata(path)?.len() > LARGEST {
            return Err(image.wrong("is larger than an image of its kind can be"));
        }
        image.bytes = fs::read(path)?;
        if !image.word().is_some_and(|magic| MAGICS.contains(&magic)) || image.word().is_none() {
            return Err(image.wrong("does not begin as an image of CRIU's does"));
        }
        Ok(image)
    }

    /// The next message; none at the end. Every kind that is read here has a field that must be there, so none is empty.
    pub(super) fn next<M: Message + Default>(&mut self) -> io::Result<Option<M>> {
        if self.at == self.bytes.len() {
            return Ok(None);
        }
        let length = self.word().and_then(|length| usize::try_from(length).ok());
        let length = length.ok_or_else(|| self.wrong("is cut off"))?;
        let message = self.bytes[self.at..].get(..length).ok_or_else(|| self.wrong("is cut off"))?;
        if message.is_empty() {
            return Err(self.wrong("holds a message that says nothing"));
        }
        let message = M::decode(message).map_err(|error| self.wrong(&format!("cannot be read: {error}")))?;
        self.at += length;
        Ok(Some(message))
    }

    /// What is wrong with it.
    pub(super) fn wrong(&self, words: &str) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, format!("{} {words}", self.name))
    }

    fn word(&mut self) -> Option<u32> {
        let word = self.bytes.get(self.at..)?.first_chunk()?;
        self.at += word.len();
        Some(u32::from_le_bytes(*word))
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

/// Every message of an image, all of one kind.
pub(super) fn read<M: Message + Default>(path: &Path) -> io::Result<Vec<M>> {
    let mut image = Image::open(path)?;
    let mut messages = Vec::new();
    while let Some(message) = image.next()? {
        messages.push(message);
    }
    Ok(messages)
}
