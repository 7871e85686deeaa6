//! Files in memory that lose, on a crash, what a disk may lose: written sectors that were not
//! synced, each for itself, and entries of directories that were not synced, each for itself.

mod content;
mod file;
mod random;

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use self::content::Content;
use self::file::SimulatedFile;
pub(in crate::runtime) use self::random::Random;
use super::{File, FileSystem};

/// What the file system does and does not do; can be changed at any time.
#[derive(Debug, Clone, Copy)]
pub(in crate::runtime) struct Weather {
    /// Bytes that are written or not as a whole.
    pub(in crate::runtime) sector: usize,
    /// Bytes there is room for.
    pub(in crate::runtime) capacity: u64,
    /// Whether room can be set aside.
    pub(in crate::runtime) sets_aside: bool,
    /// Of 1000 writes, how many fail.
    pub(in crate::runtime) write_errors: u32,
    /// Of 1000 syncs, how many fail.
    pub(in crate::runtime) sync_errors: u32,
    /// Changes that are still carried out before the power fails.
    pub(in crate::runtime) power: Option<u32>,
}

impl Default for Weather {
    fn default() -> Self {
        Self {
            sector: 512,
            capacity: u64::MAX,
            sets_aside: true,
            write_errors: 0,
            sync_errors: 0,
            power: None,
        }
    }
}

/// Files in memory. Clones are the same file system.
#[derive(Debug, Clone)]
pub(in crate::runtime) struct SimulatedFs(Arc<Mutex<World>>);

#[derive(Debug)]
struct World {
    weather: Weather,
    random: Random,
    files: BTreeMap<u64, Content>,
    entries: BTreeMap<PathBuf, u64>,
    durable_entries: BTreeMap<PathBuf, u64>,
    next_file: u64,
    locked: BTreeSet<PathBuf>,
    /// Rises with each restart: what was opened before is of no use.
    run: u64,
    /// Syncs that have succeeded.
    syncs: u64,
}

impl SimulatedFs {
    pub(in crate::runtime) fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(World {
            weather: Weather::default(),
            random: Random::new(seed),
            files: BTreeMap::new(),
            entries: BTreeMap::new(),
            durable_entries: BTreeMap::new(),
            next_file: 0,
            locked: BTreeSet::new(),
            run: 0,
            syncs: 0,
        })))
    }

    pub(in crate::runtime) fn set(&self, change: impl FnOnce(&mut Weather)) {
        change(&mut self.0.lock().weather);
    }

    /// Whether the power has failed.
    pub(in crate::runtime) fn is_dark(&self) -> bool {
        self.0.lock().weather.power == Some(0)
    }

    pub(in crate::runtime) fn syncs(&self) -> u64 {
        self.0.lock().syncs
    }

    /// Bytes that files take up.
    pub(in crate::runtime) fn used(&self) -> u64 {
        self.0.lock().used()
    }

    /// The power is gone and comes back.
    pub(in crate::runtime) fn crash(&self) {
        let mut world = self.0.lock();
        world.lose();
        world.restart();
    }

    /// The process is gone and the system is not.
    pub(in crate::runtime) fn kill(&self) {
        self.0.lock().restart();
    }

    /// All files as they are now, for [`Self::restore`].
    pub(in crate::runtime) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let world = self.0.lock();
        let entries = world.entries.iter();
        entries
            .map(|(path, file)| (path.clone(), world.files[file].seen.clone()))
            .collect()
    }

    /// Has these files, all of them on the disk, and no others.
    pub(in crate::runtime) fn restore(&self, files: &BTreeMap<PathBuf, Vec<u8>>) {
        let mut world = self.0.lock();
        world.files.clear();
        world.entries.clear();
        for (path, bytes) in files {
            let file = world.add(path);
            let content = world.files.get_mut(&file).expect("just added");
            content.seen.clone_from(bytes);
            content.durable.clone_from(bytes);
        }
        world.durable_entries = world.entries.clone();
        world.restart();
    }
}

impl World {
    fn used(&self) -> u64 {
        let files: BTreeSet<_> = self.entries.values().collect();
        files
            .iter()
            .map(|file| self.files[file].seen.len() as u64)
            .sum()
    }

    /// One more change; none after the power has failed.
    fn change(&mut self) -> io::Result<()> {
        match &mut self.weather.power {
            Some(0) => Err(io::Error::other("the power has failed")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn fails(&mut self, of_1000: u32) -> io::Result<()> {
        if self.random.chance(of_1000) {
            return Err(io::Error::other("input/output error"));
        }
        Ok(())
    }

    fn add(&mut self, path: &Path) -> u64 {
        self.next_file += 1;
        self.files.insert(self.next_file, Content::default());
        self.entries.insert(path.to_path_buf(), self.next_file);
        self.next_file
    }

    fn lose(&mut self) {
        let (before, now) = (self.durable_entries.clone(), self.entries.clone());
        let names: BTreeSet<_> = before.keys().chain(now.keys()).collect();
        self.entries = names
            .into_iter()
            .filter_map(|name| {
                let kept = if self.random.chance(500) {
                    &before
                } else {
                    &now
                };
                kept.get(name).map(|file| (name.clone(), *file))
            })
            .collect();
        self.durable_entries = self.entries.clone();
        let sector = self.weather.sector;
        for content in self.files.values_mut() {
            content.lose(sector, &mut self.random);
        }
    }

    fn restart(&mut self) {
        self.run += 1;
        self.locked.clear();
        self.weather.power = None;
    }
}

impl FileSystem for SimulatedFs {
    fn create_dir(&self, _directory: &Path) -> io::Result<()> {
        Ok(())
    }

    fn lock(&self, directory: &Path) -> io::Result<Box<dyn Any + Send + Sync>> {
        let mut world = self.0.lock();
        if !world.locked.insert(directory.to_path_buf()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(Lock {
            fs: self.clone(),
            directory: directory.to_path_buf(),
            run: world.run,
        }))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<String>> {
        let world = self.0.lock();
        let names = world
            .entries
            .keys()
            .filter(|path| path.parent() == Some(directory));
        Ok(names
            .filter_map(|path| path.file_name()?.to_str().map(str::to_owned))
            .collect())
    }

    fn create(&self, path: &Path, room: u64) -> io::Result<Box<dyn File>> {
        let mut world = self.0.lock();
        world.change()?;
        let file = world.add(path);
        if world.weather.sets_aside {
            if world.used() + room > world.weather.capacity {
                return Err(io::ErrorKind::StorageFull.into());
            }
            let content = world.files.get_mut(&file).expect("just added");
            content.seen.resize(room as usize, 0);
        }
        Ok(self.handle(file, world.run))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn File>> {
        let world = self.0.lock();
        let file = world.entries.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(self.handle(*file, world.run))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut world = self.0.lock();
        world.change()?;
        let file = world.entries.remove(from).ok_or(io::ErrorKind::NotFound)?;
        world.entries.insert(to.to_path_buf(), file);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut world = self.0.lock();
        world.change()?;
        let removed = world.entries.remove(path);
        removed
            .map(drop)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn sync_dir(&self, directory: &Path) -> io::Result<()> {
        let mut world = self.0.lock();
        world.change()?;
        let errors = world.weather.sync_errors;
        world.fails(errors)?;
        let here = |path: &Path| path.parent() == Some(directory);
        let now: Vec<_> = world
            .entries
            .iter()
            .map(|(path, file)| (path.clone(), *file))
            .collect();
        world.durable_entries.retain(|path, _| !here(path));
        let now = now.into_iter().filter(|(path, _)| here(path));
        world.durable_entries.extend(now);
        Ok(())
    }

    fn random(&self) -> io::Result<u32> {
        Ok(self.0.lock().random.next() as u32)
    }
}

impl SimulatedFs {
    fn handle(&self, file: u64, run: u64) -> Box<dyn File> {
        Box::new(SimulatedFile {
            fs: self.clone(),
            file,
            run,
        })
    }
}

#[derive(Debug)]
struct Lock {
    fs: SimulatedFs,
    directory: PathBuf,
    run: u64,
}

impl Drop for Lock {
    fn drop(&mut self) {
        let mut world = self.fs.0.lock();
        if world.run == self.run {
            world.locked.remove(&self.directory);
        }
    }
}
