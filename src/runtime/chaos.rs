//! Panics on demand, for the tests of the border. Without the feature `chaos` it does nothing.

#[cfg(feature = "chaos")]
mod armed {
    use parking_lot::Mutex;

    static ARMED: Mutex<Option<String>> = Mutex::new(None);

    /// The next [`point`] of this name panics.
    pub fn arm(place: &str) {
        *ARMED.lock() = Some(place.to_owned());
    }

    /// A place where a panic can be asked for.
    pub fn point(place: &str) {
        let mut armed = ARMED.lock();
        if armed.as_deref() == Some(place) {
            *armed = None;
            drop(armed);
            panic!("chaos: {place}");
        }
    }
}

#[cfg(feature = "chaos")]
pub use armed::{arm, point};

/// A place where a panic can be asked for.
#[cfg(not(feature = "chaos"))]
pub const fn point(_place: &str) {}
