//! What an idle client costs the engine: counted by the allocator, so it is the same everywhere.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use es_networkcluster::engine::auth::TokenVerifier;
use es_networkcluster::engine::command::ConnId;
use es_networkcluster::engine::config::Config;
use es_networkcluster::engine::hub::{Hub, Now};
use es_networkcluster::engine::session::Message;

const SESSIONS: usize = 100_000;
const CHANNELS: usize = 1000;

/// Bytes of an idle session with one subscription: its own, and its share of every table.
const AT_MOST: usize = 300;

/// What the tables keep of each when all have left.
const LEFT_AT_MOST: usize = 64;

/// Counts the bytes in use.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call goes to the system's allocator as it came, which keeps the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller guarantees what `System` asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller guarantees what `System` asks for.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// A hub with clients that are connected, subscribed to one channel each, and silent.
struct Crowd {
    hub: Hub,
    now: Now,
    conns: Vec<ConnId>,
}

impl Crowd {
    #[expect(clippy::disallowed_methods, reason = "the crowd starts at some moment")]
    fn new() -> Self {
        let mut hub = Hub::new(Config::default());
        hub.set_verifier(Some(TokenVerifier::new(
            b"a secret of 32 bytes or some more",
            None,
        )));
        Self {
            hub,
            now: Now {
                instant: Instant::now(),
                unix_ms: 1_700_000_000_000,
            },
            conns: Vec::with_capacity(SESSIONS),
        }
    }

    fn says(&mut self, conn: ConnId, text: String) {
        let message = Message {
            text: true,
            data: Bytes::from(text),
        };
        self.hub.begin_turn();
        self.hub.message(conn, message, self.now);
        self.drain();
    }

    fn drain(&mut self) {
        let mut commands = self.hub.take_commands();
        commands.clear();
        self.hub.recycle(commands);
    }

    fn arrive(&mut self) {
        for number in 0..SESSIONS {
            let id = format!("{number:0>20}");
            let conn = self.hub.open(&id, false, self.now);
            self.says(conn, r##"{"event":"#handshake","data":{},"cid":1}"##.into());
            let channel = number % CHANNELS;
            self.says(
                conn,
                format!(
                    r##"{{"event":"#subscribe","data":{{"channel":"room-{channel}"}},"cid":2}}"##
                ),
            );
            self.conns.push(conn);
        }
        assert_eq!(self.hub.counts().open, SESSIONS);
        assert_eq!(self.hub.counts().channels, CHANNELS);
    }

    /// Everybody is pinged and answers.
    fn a_ping_later(&mut self) {
        self.now.instant += Duration::from_secs(8);
        self.hub.tick(self.now);
        for index in 0..self.conns.len() {
            self.says(self.conns[index], String::new());
        }
    }

    fn leave(&mut self) {
        for index in 0..self.conns.len() {
            self.hub.link_closed(self.conns[index], 1001, "");
            self.drain();
        }
        assert_eq!(self.hub.counts().sessions, 0);
        // Their deadlines too.
        self.now.instant += Duration::from_secs(60);
        self.hub.tick(self.now);
        assert_eq!(self.hub.next_due(), None);
    }
}

#[test]
fn an_idle_session_is_small() {
    let mut crowd = Crowd::new();
    let each = |before: usize| (IN_USE.load(Ordering::Relaxed) - before) / SESSIONS;
    let empty = IN_USE.load(Ordering::Relaxed);
    crowd.arrive();
    let arrived = each(empty);
    crowd.a_ping_later();
    let pinged = each(empty);
    crowd.leave();
    let left = each(empty);
    let figures = format!("{arrived} bytes each, {pinged} after a ping, {left} left behind");
    assert!(arrived.max(pinged) <= AT_MOST, "{figures}");
    assert!(left <= LEFT_AT_MOST, "{figures}");
}
