//! One file: what a write, a sync or a failure of one leaves.

use std::io::{self, IoSlice};

use super::content::Content;
use super::random::Random;
use super::{SimulatedFs, Weather, World};
use crate::runtime::store::fs::File;

#[derive(Debug)]
pub(super) struct SimulatedFile {
    pub(super) fs: SimulatedFs,
    pub(super) file: u64,
    pub(super) run: u64,
}

impl SimulatedFile {
    fn with<T>(&self, act: impl FnOnce(&mut World, u64) -> io::Result<T>) -> io::Result<T> {
        let mut world = self.fs.0.lock();
        if world.run != self.run {
            return Err(io::Error::other("this process is gone"));
        }
        act(&mut world, self.file)
    }
}

impl World {
    fn content(&mut self, file: u64) -> (&mut Content, &mut Random, Weather) {
        let content = self.files.get_mut(&file).expect("files are never dropped");
        (content, &mut self.random, self.weather)
    }

    /// How much of a write is carried out, and how it ends.
    fn write_ends(&mut self, file: u64, end: u64, length: usize) -> (usize, io::Result<()>) {
        let Err(error) = self.change() else {
            let errors = self.weather.write_errors;
            let ends = match self.fails(errors) {
                Ok(()) => {
                    let grows = end.saturating_sub(self.files[&file].seen.len() as u64);
                    let room = self.weather.capacity.saturating_sub(self.used());
                    if grows <= room {
                        return (length, Ok(()));
                    }
                    Err(io::ErrorKind::StorageFull.into())
                }
                error => error,
            };
            return (self.random.below(length as u64 + 1) as usize, ends);
        };
        (0, Err(error))
    }
}

impl File for SimulatedFile {
    fn len(&self) -> io::Result<u64> {
        self.with(|world, file| Ok(world.content(file).0.seen.len() as u64))
    }

    fn read_at(&mut self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.with(|world, file| {
            let seen = &world.content(file).0.seen;
            let rest = seen.get(offset as usize..).unwrap_or_default();
            let length = rest.len().min(buffer.len());
            buffer[..length].copy_from_slice(&rest[..length]);
            Ok(length)
        })
    }

    fn write_at(&mut self, parts: &mut [IoSlice<'_>], offset: u64) -> io::Result<()> {
        let bytes: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
        self.with(|world, file| {
            let (length, ends) = world.write_ends(file, offset + bytes.len() as u64, bytes.len());
            let (content, _, weather) = world.content(file);
            content.write(&bytes[..length], offset as usize, weather.sector);
            ends
        })
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.with(|world, file| {
            world.change()?;
            let (content, _, weather) = world.content(file);
            content.seen.resize(length as usize, 0);
            let last = (length as usize).div_ceil(weather.sector);
            content.dirty.retain(|index| *index < last);
            Ok(())
        })
    }

    fn sync(&mut self) -> io::Result<()> {
        self.with(|world, file| {
            world.change()?;
            let errors = world.weather.sync_errors;
            let fails = world.fails(errors);
            let (content, random, weather) = world.content(file);
            match fails {
                Ok(()) => content.sync(weather.sector),
                Err(_) => content.sync_badly(weather.sector, random),
            }
            world.syncs += u64::from(fails.is_ok());
            fails
        })
    }
}
