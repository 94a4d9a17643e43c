//! What CRIU reads of a message before it believes it: that it is one (<https://protobuf.dev/programming-guides/encoding>),
//! and has the fields that must be there. Not more than CRIU asks for: what it does not know it passes over, and so is
//! what a newer one has added.

/// No message of CRIU's has a field of a higher number: the highest of 4.2 is 71.
const HIGHEST: u64 = 1000;

/// What a kind of message must hold (`required` in CRIU's `images/*.proto`).
pub(super) struct Shape {
    /// Fields that are numbers and must be there.
    pub(super) numbers: &'static [u32],
    /// Fields that have a length, as strings and messages have, and must be there.
    pub(super) texts: &'static [u32],
    /// Which of the fields are messages, and of what shape.
    pub(super) within: &'static [(u32, &'static Shape)],
}

/// Of any fields.
pub(super) const ANY: Shape = Shape { numbers: &[], texts: &[], within: &[] };

pub(super) const MM: Shape =
    Shape { numbers: &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], within: &[(14, &VMA), (16, &ANY)], ..ANY };
const VMA: Shape = Shape { numbers: &[1, 2, 3, 4, 5, 6, 7, 8], ..ANY };

pub(super) const FDINFO: Shape = Shape { numbers: &[1, 2, 3, 4], ..ANY };
pub(super) const FILE: Shape = Shape {
    numbers: &[1, 2],
    within: &[
        (3, &REG),
        (4, &INET),
        (5, &ANY),
        (6, &ANY),
        (7, &ANY),
        (8, &EVENTFD),
        (9, &EVENTPOLL),
        (10, &ANY),
        (11, &ANY),
        (12, &ANY),
        (13, &ANY),
        (14, &ANY),
        (15, &ANY),
        (16, &UNIX),
        (17, &FIFO),
        (18, &PIPE),
        (19, &TTY),
        (20, &ANY),
        (21, &ANY),
        (22, &ANY),
    ],
    ..ANY
};
const FOWN: Shape = Shape { numbers: &[1, 2, 3, 4, 5], ..ANY };
const REG: Shape = Shape { numbers: &[1, 2, 3], texts: &[5, 6], within: &[(5, &FOWN)] };
const INET: Shape = Shape {
    numbers: &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    texts: &[13, 14],
    within: &[(13, &FOWN), (14, &SOCKET_OPTIONS)],
};
const UNIX: Shape = Shape {
    numbers: &[1, 2, 3, 4, 5, 6, 7, 8],
    texts: &[9, 10, 11],
    within: &[(9, &FOWN), (10, &SOCKET_OPTIONS)],
};
const SOCKET_OPTIONS: Shape = Shape { numbers: &[1, 2, 3, 4, 5, 6], ..ANY };
const EVENTFD: Shape = Shape { numbers: &[1, 2, 4], texts: &[3], within: &[(3, &FOWN)] };
const EVENTPOLL: Shape = Shape {
    numbers: &[1, 2],
    texts: &[3],
    within: &[(3, &FOWN), (4, &Shape { numbers: &[1, 2, 3, 4], ..ANY })],
};
const FIFO: Shape = Shape { numbers: &[1, 2], ..ANY };
const PIPE: Shape = Shape { numbers: &[1, 2, 3], texts: &[4], within: &[(4, &FOWN)] };
const TTY: Shape = Shape { numbers: &[1, 2, 3], texts: &[4], within: &[(4, &FOWN)] };

/// Registers are another message on each processor: 2, 6, and 8 to 13; those that this runs on are looked into.
pub(super) const CORE: Shape = Shape {
    numbers: &[1],
    within: &[
        (2, &X86),
        (3, &TASK),
        (4, &IDS),
        (5, &THREAD),
        (6, &ANY),
        (8, &AARCH64),
        (9, &ANY),
        (10, &ANY),
        (11, &ANY),
        (12, &ANY),
        (13, &ANY),
    ],
    ..ANY
};
const X86: Shape =
    Shape { numbers: &[1], texts: &[2, 3], within: &[(2, &X86_REGISTERS), (3, &X86_FLOATS), (4, &ANY)] };
const X86_REGISTERS: Shape = Shape {
    numbers: &[
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,
    ],
    ..ANY
};
const X86_FLOATS: Shape = Shape { numbers: &[1, 2, 3, 4, 5, 6, 7, 8], within: &[(13, &ANY)], ..ANY };
const AARCH64: Shape = Shape { numbers: &[1, 2], texts: &[3, 4], within: &[(3, &ANY), (4, &ANY)] };
const TASK: Shape = Shape {
    numbers: &[1, 2, 3, 4, 5],
    texts: &[6],
    within: &[(7, &ANY), (8, &ANY), (10, &ANY), (15, &Shape { numbers: &[1, 2, 3, 4], ..ANY })],
};
const THREAD: Shape = Shape { numbers: &[1, 2], within: &[(7, &ANY), (9, &ANY), (10, &CREDS)], ..ANY };
const CREDS: Shape = Shape { numbers: &[1, 2, 3, 4, 5, 6, 7, 8, 13], ..ANY };
pub(super) const IDS: Shape = Shape { numbers: &[1, 2, 3, 4], ..ANY };
pub(super) const FS: Shape = Shape { numbers: &[1, 2], ..ANY };
pub(super) const PSTREE: Shape = Shape { numbers: &[1, 2, 3, 4], ..ANY };
pub(super) const INVENTORY: Shape = Shape { numbers: &[1], within: &[(3, &IDS)], ..ANY };
pub(super) const MOUNT: Shape = Shape { numbers: &[1, 2, 3, 4, 5], texts: &[6, 7, 8, 9], ..ANY };
pub(super) const UTS: Shape = Shape { texts: &[1, 2], ..ANY };
pub(super) const PIPE_DATA: Shape = Shape { numbers: &[1, 2], ..ANY };
pub(super) const PACKET: Shape = Shape { numbers: &[1, 2], ..ANY };
pub(super) const TCP_STREAM: Shape = Shape { numbers: &[1, 2, 3, 4, 5, 6, 7], ..ANY };

/// A field, as far as it is read.
enum Field<'a> {
    Number(u64),
    Text(&'a [u8]),
    /// Of a fixed size.
    Fixed,
}

impl Shape {
    /// Whether a message is of this shape.
    pub(super) fn fits(&self, message: &[u8]) -> bool {
        let (mut numbers, mut texts, mut rest) = (0_u64, 0_u64, message);
        while !rest.is_empty() {
            let Some((number, field)) = field(&mut rest) else { return false };
            // Those that must be there are all below 64.
            let bit = 1_u64.checked_shl(number).unwrap_or(0);
            match field {
                Field::Number(_) => numbers |= bit,
                Field::Text(text) => {
                    texts |= bit;
                    let shape = self.within.iter().find(|(within, _)| *within == number);
                    if shape.is_some_and(|(_, shape)| !shape.fits(text)) {
                        return false;
                    }
                }
                Field::Fixed => {}
            }
        }
        let all = |wanted: &[u32], there: u64| wanted.iter().all(|number| there >> number & 1 == 1);
        all(self.numbers, numbers) && all(self.texts, texts)
    }
}

/// The first field of this number in a message, if it is one.
pub(super) fn number(message: &[u8], wanted: u32) -> Option<u64> {
    let mut rest = message;
    while !rest.is_empty() {
        match field(&mut rest)? {
            (number, Field::Number(value)) if number == wanted => return Some(value),
            _ => {}
        }
    }
    None
}

/// The next field and its number; none where there can be none.
fn field<'a>(rest: &mut &'a [u8]) -> Option<(u32, Field<'a>)> {
    let key = varint(rest)?;
    let number = Some(key >> 3).filter(|number| (1..=HIGHEST).contains(number))?;
    let field = match key & 7 {
        0 => Field::Number(varint(rest)?),
        1 => take(rest, 8).map(|_| Field::Fixed)?,
        2 => {
            let length = varint(rest)?;
            Field::Text(take(rest, length)?)
        }
        5 => take(rest, 4).map(|_| Field::Fixed)?,
        _ => return None,
    };
    Some((u32::try_from(number).ok()?, field))
}

fn take<'a>(rest: &mut &'a [u8], length: u64) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = after;
    Some(taken)
}

/// Seven bits a byte, the lowest first, and at most ten bytes.
fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..70).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const REG_FILE: [u8; 26] =
        [8, 1, 16, 2, 26, 20, 8, 2, 16, 0, 24, 0, 42, 10, 8, 0, 16, 0, 24, 0, 32, 0, 40, 0, 50, 0];

    #[test]
    fn what_must_be_there_is_looked_for_at_every_depth() {
        assert!(FILE.fits(&REG_FILE));
        assert!(!REG.fits(&REG_FILE), "its name is missing");
        let mut other = REG_FILE;
        other[24] = 58; // the name is of another number
        assert!(!FILE.fits(&other));
        other = REG_FILE;
        other[22] = 48; // pid of the owner
        assert!(!FILE.fits(&other));
        assert!((1..REG_FILE.len()).all(|cut| cut == 4 || !FILE.fits(&REG_FILE[..cut])));
    }

    #[test]
    fn what_a_newer_one_has_added_is_passed_over() {
        let added =
            [REG_FILE.as_slice(), &[0xf8, 1, 5, 0xf9, 1, 1, 2, 3, 4, 5, 6, 7, 8, 0xfd, 1, 1, 2, 3, 4]];
        assert!(FILE.fits(&added.concat()));
        assert_eq!(number(&added.concat(), 31), Some(5));
        assert_eq!(number(&REG_FILE, 31), None);
    }

    #[test]
    fn what_is_no_message_fits_nothing() {
        for bytes in [&[0, 1][..], &[11], &[8], &[10, 2, 1], &[9, 1], &[0x80; 11], &[0xff, 0xff, 0xff, 1, 1]]
        {
            assert!(!ANY.fits(bytes), "{bytes:?}");
        }
        assert!(ANY.fits(&[]));
    }
}
