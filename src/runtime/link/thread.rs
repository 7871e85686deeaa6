//! The one thread that all links of the process run on, while there are any.

use std::io;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use tokio::runtime::{Builder, Handle};
use tokio::sync::Notify;

static CURRENT: Mutex<Weak<LinkThread>> = Mutex::new(Weak::new());

/// Lives as long as a task of its own holds it, and each does until it is done: a listener until it is
/// closed, a connection until it has ended. Whoever asks for a thread while the last one ends gets a new one.
#[derive(Debug)]
pub(super) struct LinkThread {
    handle: Handle,
    unused: Arc<Notify>,
}

impl LinkThread {
    /// The thread, started if there is none.
    ///
    /// # Errors
    /// The system has no room for a thread, or for what it waits with.
    pub(super) fn get() -> io::Result<Arc<Self>> {
        let mut current = CURRENT.lock();
        if let Some(thread) = current.upgrade() {
            return Ok(thread);
        }
        let thread = Arc::new(Self::start()?);
        *current = Arc::downgrade(&thread);
        Ok(thread)
    }

    pub(super) fn handle(&self) -> &Handle {
        &self.handle
    }

    fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .build()?;
        let handle = runtime.handle().clone();
        let unused = Arc::new(Notify::new());
        let wait = Arc::clone(&unused);
        std::thread::Builder::new()
            .name("es-nc-link".to_owned())
            .spawn(move || runtime.block_on(wait.notified()))?;
        Ok(Self { handle, unused })
    }
}

impl Drop for LinkThread {
    fn drop(&mut self) {
        self.unused.notify_one();
    }
}
