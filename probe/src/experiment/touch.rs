//! Touching memory without ever dereferencing it: the kernel copies a byte between a mapping and the bench's pipe, and answers
//! `EFAULT` where a program would be killed.

use super::Bench;
use crate::errno::Errno;
use crate::evidence::Outcome;
use crate::kernel::{Answer, Word};

impl Bench<'_> {
    /// Writes a byte into a mapping, through the kernel.
    pub fn store_byte(&mut self, addr: Word, byte: u8) -> Outcome {
        let (reading, writing) = self.pipe;
        let sent = self.kernel.write(writing, &[byte]);
        if !sent.is_ok() {
            return Outcome::of(sent);
        }
        let mut stored = self.kernel.store(reading, addr, 1);
        if stored != Answer::value(1) {
            // The byte must not stay in the pipe.
            self.kernel.read(reading, &mut [0]);
            if stored.is_ok() {
                stored = Answer::failed(Errno::EIO);
            }
        }
        Outcome::of(stored)
    }

    /// Empties the pipe: a byte that stayed there would be taken for the next one.
    pub fn drain(&mut self) {
        self.kernel.read(self.pipe.0, &mut [0; 16]);
    }

    /// Reads a byte out of a mapping, through the kernel.
    pub fn load_byte(&mut self, addr: Word) -> Outcome {
        let (reading, writing) = self.pipe;
        let mut byte = [0];
        let mut answer = self.kernel.load(writing, addr, 1);
        if answer.is_ok() {
            answer = self.kernel.read(reading, &mut byte);
        }
        match answer.result() {
            Ok(1) => Outcome::number(byte[0]),
            Ok(_) => Outcome::refused(Errno::EIO),
            Err(errno) => Outcome::refused(errno),
        }
    }
}
