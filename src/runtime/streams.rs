//! Channels that keep messages: the engine's shards, and the log on disk under them.
//!
//! The engine leaves records in batches; they are handed to the store under the lock, so that they
//! are stored in the order in which things happened. The store's thread reports what is on disk.

use std::path::PathBuf;
use std::sync::{Arc, Weak};

use thiserror::Error;

use crate::engine::hub::{Hub, StreamFigures};
use crate::engine::shard::{Classes, Settings, Shards};

use super::clock::now;
use super::core::Core;
use super::shared::Shared;
use super::store::fs::RealFs;
use super::store::{Figures, Recovery, Report, Store, StoreError};

/// What a server keeps of channels.
#[derive(Debug)]
pub struct StreamOptions {
    /// Which channels keep what.
    pub classes: Classes,
    /// Bytes all of it may take.
    pub memory: usize,
    /// Where the log is; without one nothing survives the process.
    pub directory: Option<PathBuf>,
}

/// Why streams cannot be switched on.
#[derive(Debug, Error)]
pub enum StreamsError {
    /// Durable channels need a log.
    #[error("The channels {0:?} are durable: the storage option must name a directory")]
    NoStorage(String),
    /// The log cannot be opened.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The system has no thread left.
    #[error("No thread could be started: {0}")]
    Thread(std::io::Error),
    /// The system gives no random numbers.
    #[error("The system gives no random numbers")]
    NoRandom,
}

impl StreamsError {
    /// The code by which an app recognises it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoStorage(_) => "ERR_NO_STORAGE",
            Self::Store(error) => error.code(),
            Self::NoRandom | Self::Thread(_) => "ERR_STORAGE_IO",
        }
    }
}

/// Figures of the streams, for monitoring.
#[derive(Debug, Clone, Copy)]
pub struct StreamMetrics {
    /// What there is.
    pub figures: StreamFigures,
    /// The log, where there is one.
    pub store: Option<Figures>,
}

/// Takes back what was stored and has the hub serve its streams.
pub(super) fn open(
    hub: &mut Hub,
    options: StreamOptions,
) -> Result<Option<(Store, Recovery)>, StreamsError> {
    let StreamOptions {
        classes,
        memory,
        directory,
    } = options;
    if let (Some(pattern), None) = (classes.needs_storage(), &directory) {
        return Err(StreamsError::NoStorage(pattern));
    }
    let mut incarnation = [0; 8];
    getrandom::getrandom(&mut incarnation).map_err(|_| StreamsError::NoRandom)?;
    let settings = Settings {
        incarnation: u64::from_le_bytes(incarnation),
        memory,
        stored: directory.is_some(),
    };
    hub.set_streams(Shards::new(classes, settings));
    let store = directory.map(|directory| {
        let recover = |record: &[u8]| hub.recover(record).map_err(|error| error.to_string());
        Store::open(&directory, Arc::new(RealFs), recover)
    });
    let store = store.transpose()?;
    hub.start_streams(now());
    Ok(store)
}

impl Core {
    /// Starts the thread that writes the log. It holds the core only while it has something to say.
    pub(super) fn start_store(self: &Arc<Self>) -> Result<(), StreamsError> {
        let store = self.shared.lock().store.clone();
        let Some(store) = store else {
            return Ok(());
        };
        let core = Arc::downgrade(self);
        store.run(Box::new(move |report| heed(&core, report)))?;
        self.locked(|_| ());
        Ok(())
    }

    /// Ends the log: what was handed over is written first, what comes later is lost.
    pub fn stop_store(&self) {
        let store = self.shared.lock().store.clone();
        if let Some(store) = store {
            store.close();
        }
    }
}

fn heed(core: &Weak<Core>, report: Report) {
    if let Some(core) = core.upgrade() {
        core.locked(|shared| shared.heed(report));
    }
}

impl Shared {
    /// Hands the store what has come to be stored.
    pub(super) fn store_records(&mut self) {
        let Some(store) = &self.store else {
            return;
        };
        while let Some(records) = self.hub.take_records() {
            self.growth.wrote(records.bytes.len());
            store.submit(records);
        }
    }

    fn heed(&mut self, report: Report) {
        match report {
            Report::Persisted(ticket) => {
                self.hub.stored(ticket);
                self.tend_log();
            }
            Report::Failed { message, .. } => self.hub.not_stored(&message),
        }
    }

    /// Figures of the streams, where they are switched on.
    pub(super) fn stream_metrics(&self) -> Option<StreamMetrics> {
        Some(StreamMetrics {
            figures: self.hub.stream_figures()?,
            store: self.store.as_ref().map(|store| store.figures()),
        })
    }
}
