//! Whatever is joined, left, published and sent: each connection gets its frames, in order.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::{Duration, Instant};

use bytes::Bytes;
use proptest::prelude::*;

use super::{Backpressure, LARGE, Line, Outbox};
use crate::engine::command::ConnId;
use crate::engine::hub::Refusal;
use crate::engine::ws::{
    Connection, ConnectionOptions, DeflateOptions, OpCode, Upgrade, UpgradeRequest, check,
    encode_frame,
};
use crate::runtime::clock::now;
use crate::runtime::metrics::Traffic;

const SLOTS: u32 = 4;
const CHANNELS: u32 = 3;

/// What a socket has taken, and how much more it takes before it is full.
#[derive(Debug, Default)]
struct Sink {
    taken: Vec<u8>,
    room: usize,
}

fn take(sink: &mut Sink, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
    let before = sink.taken.len();
    for slice in slices {
        let count = slice.len().min(sink.room);
        sink.taken.extend_from_slice(&slice[..count]);
        sink.room -= count;
    }
    match sink.taken.len() - before {
        0 => Err(io::ErrorKind::WouldBlock.into()),
        count => Ok(count),
    }
}

fn plain() -> Connection {
    Connection::new(&ConnectionOptions::default(), None)
}

fn line(slot: u32, generation: u32) -> Line<Sink> {
    Line::new(ConnId { slot, generation }, plain(), Sink::default())
}

#[derive(Debug, Clone)]
enum Step {
    Join(u32, u32),
    Leave(u32, u32),
    Publish(u32, usize),
    Send(u32, usize),
    Frame(u32),
    Reconnect(u32),
    /// How much each socket takes.
    Flush(Vec<usize>),
    Writable(u32, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let slot = 0..SLOTS;
    let channel = 0..CHANNELS;
    let length = prop_oneof![8 => 0..300_usize, 1 => LARGE - 2..LARGE + 3];
    let room = prop_oneof![0..400_usize, Just(1 << 20)];
    prop_oneof![
        3 => (channel.clone(), slot.clone()).prop_map(|(channel, slot)| Step::Join(channel, slot)),
        1 => (channel.clone(), slot.clone()).prop_map(|(channel, slot)| Step::Leave(channel, slot)),
        8 => (channel, length.clone()).prop_map(|(channel, length)| Step::Publish(channel, length)),
        3 => (slot.clone(), length).prop_map(|(slot, length)| Step::Send(slot, length)),
        1 => slot.clone().prop_map(Step::Frame),
        1 => slot.clone().prop_map(Step::Reconnect),
        3 => prop::collection::vec(room.clone(), SLOTS as usize).prop_map(Step::Flush),
        1 => (slot, room).prop_map(|(slot, room)| Step::Writable(slot, room)),
    ]
}

/// The outbox, and what each connection must get.
struct Scene {
    outbox: Outbox<Sink>,
    generations: [u32; SLOTS as usize],
    joined: BTreeSet<(u32, u32)>,
    expected: BTreeMap<u32, Vec<u8>>,
    count: u8,
}

impl Scene {
    fn new() -> Self {
        let mut outbox = Outbox::default();
        (0..SLOTS).for_each(|slot| outbox.insert(line(slot, 0)));
        Self {
            outbox,
            generations: [0; SLOTS as usize],
            joined: BTreeSet::new(),
            expected: BTreeMap::new(),
            count: 0,
        }
    }

    fn message(&mut self, length: usize) -> (Bytes, Bytes) {
        self.count = self.count.wrapping_add(1);
        let data = Bytes::from(vec![self.count; length]);
        let frame = encode_frame(OpCode::Text, &data, false);
        (data, frame)
    }

    fn expect(&mut self, slot: u32, frame: &[u8]) {
        self.expected
            .entry(slot)
            .or_default()
            .extend_from_slice(frame);
    }

    fn act(&mut self, step: Step) {
        match step {
            Step::Join(channel, slot) => {
                if self.joined.insert((channel, slot)) {
                    self.outbox.join(channel, slot);
                }
            }
            Step::Leave(channel, slot) => {
                if self.joined.remove(&(channel, slot)) {
                    self.outbox.leave(channel, slot);
                }
            }
            Step::Publish(channel, length) => {
                let (data, frame) = self.message(length);
                self.outbox.publish(channel, &data);
                for (_, slot) in self.joined.clone().iter().filter(|(it, _)| *it == channel) {
                    self.expect(*slot, &frame);
                }
            }
            Step::Send(slot, length) => {
                let (data, frame) = self.message(length);
                self.outbox.send(slot, true, &data);
                self.expect(slot, &frame);
            }
            Step::Frame(slot) => {
                let (_, frame) = self.message(1);
                self.outbox.frame(slot, frame.clone());
                self.expect(slot, &frame);
            }
            Step::Reconnect(slot) => self.reconnect(slot),
            Step::Flush(rooms) => self.flush(&rooms),
            Step::Writable(slot, room) => {
                let line = self.outbox.line(slot).unwrap();
                line.io.room = room;
                line.write_backlog(take).unwrap();
            }
        }
    }

    /// The connection ends, leaves its channels, and its slot gets a new one.
    fn reconnect(&mut self, slot: u32) {
        let generation = self.generations[slot as usize];
        let gone = self.outbox.remove(ConnId { slot, generation }).unwrap();
        let taken = gone.io.taken.clone();
        let expected = self.expected.remove(&slot).unwrap_or_default();
        assert!(expected.starts_with(&taken));
        for channel in 0..CHANNELS {
            self.act(Step::Leave(channel, slot));
        }
        self.generations[slot as usize] += 1;
        self.outbox.insert(line(slot, generation + 1));
    }

    fn flush(&mut self, rooms: &[usize]) {
        self.outbox.flush(|line, finished| {
            line.io.room = rooms[line.conn.slot as usize];
            line.write(finished, take).unwrap();
        });
    }

    fn check(mut self) {
        self.flush(&[usize::MAX; SLOTS as usize]);
        for slot in 0..SLOTS {
            let line = self.outbox.line(slot).unwrap();
            line.io.room = usize::MAX;
            line.write_backlog(take).unwrap();
            assert_eq!(line.unsent(), 0);
            let expected = self.expected.remove(&slot).unwrap_or_default();
            assert!(line.io.taken == expected, "slot {slot}");
        }
    }
}

proptest! {
    #[test]
    fn every_connection_gets_its_frames_in_order(steps in prop::collection::vec(step(), 0..120)) {
        let mut scene = Scene::new();
        steps.into_iter().for_each(|step| scene.act(step));
        scene.check();
    }
}

fn backpressure(limit: usize, drop: bool) -> Backpressure {
    Backpressure { limit, drop }
}

/// A connection on channel 0 that has taken nothing of a message of 100 bytes.
fn behind() -> Outbox<Sink> {
    let mut outbox = Outbox::default();
    outbox.insert(line(0, 0));
    outbox.join(0, 0);
    outbox.publish(0, &Bytes::from(vec![b'x'; 100]));
    outbox.flush(|line, finished| {
        // However big, a first message may be sent.
        let refused = line.admit(
            finished,
            backpressure(50, false),
            0,
            now().instant,
            &mut Traffic::default(),
        );
        assert!(refused.is_none());
        line.write(finished, take).unwrap();
    });
    assert_eq!(outbox.line(0).unwrap().unsent(), 102);
    outbox
}

fn admit(outbox: &mut Outbox<Sink>, drop: bool, now: Instant) -> Vec<Refusal> {
    let mut refusals = Vec::new();
    outbox.flush(|line, finished| {
        let refused = line.admit(
            finished,
            backpressure(60, drop),
            0,
            now,
            &mut Traffic::default(),
        );
        refusals.extend(refused.map(|refused| refused.refusal));
        line.write(finished, take).unwrap();
    });
    refusals
}

fn overflowed(unsent: usize) -> Refusal {
    Refusal::Overflowed { unsent, limit: 60 }
}

fn dropped(messages: u64, unsent: usize) -> Refusal {
    Refusal::Dropped {
        messages,
        unsent,
        limit: 60,
    }
}

#[test]
fn a_connection_that_is_behind_is_cut_off_when_more_is_sent() {
    let mut outbox = behind();
    assert_eq!(admit(&mut outbox, false, now().instant), []);
    outbox.publish(0, &Bytes::from_static(b"more"));
    assert_eq!(admit(&mut outbox, false, now().instant), [overflowed(102)]);
    let line = outbox.line(0).unwrap();
    assert!(line.cut);
    assert_eq!(line.unsent(), 0);
}

#[test]
fn a_connection_that_is_behind_loses_what_is_published_and_nothing_else() {
    let mut outbox = behind();
    let start = now().instant;
    outbox.publish(0, &Bytes::from_static(b"lost"));
    outbox.send(0, true, &Bytes::from_static(b"kept"));
    outbox.publish(0, &Bytes::from(vec![b'x'; LARGE]));
    assert_eq!(admit(&mut outbox, true, start), [dropped(2, 102)]);
    assert_eq!(outbox.line(0).unwrap().unsent(), 102 + 6);
    // Told once a second at most, and then of all.
    let later = |ms| start + Duration::from_millis(ms);
    outbox.publish(0, &Bytes::from_static(b"lost"));
    assert_eq!(admit(&mut outbox, true, later(999)), []);
    outbox.publish(0, &Bytes::from_static(b"lost"));
    assert_eq!(admit(&mut outbox, true, later(1000)), [dropped(2, 108)]);
    // Those that have not been told are told with what is sent next, however much room there is.
    outbox.publish(0, &Bytes::from_static(b"lost"));
    assert_eq!(admit(&mut outbox, true, later(1500)), []);
    outbox.send(0, true, &Bytes::from_static(b"0123456789"));
    outbox.flush(|line, finished| {
        let roomy = backpressure(200, true);
        let refused = line.admit(finished, roomy, 0, later(2000), &mut Traffic::default());
        let told = refused.map(|refused| refused.refusal);
        let (messages, unsent, limit) = (1, 108, 200);
        assert_eq!(
            told,
            Some(Refusal::Dropped {
                messages,
                unsent,
                limit
            })
        );
        line.write(finished, take).unwrap();
    });
    // What must not be dropped ends the connection at twice the limit.
    outbox.send(0, true, &Bytes::from_static(b"0123456789"));
    admit(&mut outbox, true, later(2000));
    outbox.send(0, true, &Bytes::from_static(b"0123456789"));
    assert_eq!(admit(&mut outbox, true, later(2000)), [overflowed(132)]);
}

/// A connection that has agreed on permessage-deflate.
fn compressing(slot: u32, own_context: bool) -> Line<Sink> {
    let options = DeflateOptions {
        server_no_context_takeover: Some(!own_context),
        threshold: 0,
        ..DeflateOptions::default()
    };
    let headers = [
        ("host", "x"),
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-extensions", "permessage-deflate"),
    ];
    let request = UpgradeRequest {
        method: "GET",
        headers: &headers,
    };
    let Upgrade { deflate, .. } = check(&request, Some(&options)).unwrap();
    let ws = Connection::new(&ConnectionOptions::default(), deflate);
    let conn = ConnId {
        slot,
        generation: 0,
    };
    let sink = Sink {
        room: usize::MAX,
        ..Sink::default()
    };
    Line::new(conn, ws, sink)
}

#[test]
fn those_who_compress_alike_share_their_frames_and_others_do_not() {
    let mut outbox = Outbox::default();
    for (slot, own_context) in [(0, false), (1, false), (2, true)] {
        outbox.insert(compressing(slot, own_context));
        outbox.join(7, slot);
    }
    let mut plain = line(3, 0);
    plain.io.room = usize::MAX;
    outbox.insert(plain);
    outbox.join(7, 3);
    let text =
        Bytes::from_static(br##"{"event":"#publish","data":{"channel":"aaaaaaaaaaaaaaaa"}}"##);
    for _ in 0..3 {
        outbox.publish(7, &text);
    }
    outbox.flush(|line, finished| {
        line.write(finished, take).unwrap();
    });
    let taken = |outbox: &mut Outbox<Sink>, slot| outbox.line(slot).unwrap().io.taken.clone();
    let frame = encode_frame(OpCode::Text, &text, false);
    assert_eq!(taken(&mut outbox, 3), frame.repeat(3));
    let shared = taken(&mut outbox, 0);
    assert_eq!(shared, taken(&mut outbox, 1));
    assert_eq!(shared.len() % 3, 0);
    // With a context of its own, what was said before makes it shorter.
    assert!(taken(&mut outbox, 2).len() < shared.len());
    assert!(shared.len() < 3 * frame.len());
}
