//! Whatever happens in whatever order: no panic, no wrong count, no command to nobody.

use proptest::prelude::*;

use super::*;
use crate::engine::hub::BatchOp;
use crate::engine::session::{Link, State};

const CLIENTS: usize = 5;

const MESSAGES: [&str; 20] = [
    HANDSHAKE,
    r##"{"event":"#handshake","data":{"authToken":"x"},"cid":2}"##,
    r##"{"event":"#handshake"}"##,
    r##"{"event":"#authenticate","data":"x","cid":3}"##,
    r##"{"event":"#authenticate"}"##,
    r##"{"event":"#removeAuthToken"}"##,
    r##"{"event":"#subscribe","data":{"channel":"a"},"cid":4}"##,
    r##"{"event":"#subscribe","data":{"channel":"b"},"cid":5}"##,
    r##"{"event":"#subscribe","data":{"channel":"__proto__"}}"##,
    r##"{"event":"#unsubscribe","data":"a","cid":6}"##,
    r##"{"event":"#unsubscribe","data":{}}"##,
    r##"{"event":"#publish","data":{"channel":"a","data":[1.0]},"cid":7}"##,
    r##"{"event":"#publish","data":{"channel":"b"}}"##,
    r#"{"event":"x","data":{}}"#,
    r#"{"event":"y","cid":8}"#,
    r#"{"rid":1,"data":1}"#,
    r##"[{"event":"#publish","data":{"channel":"a"},"cid":9},{"event":"x"},{"event":"y","cid":1}]"##,
    "not JSON",
    "",
    "#2",
];

#[derive(Debug, Clone)]
enum Step {
    Open(bool),
    Says(usize, usize),
    Accepts(usize, usize),
    Replies(usize, u32, Reply),
    Batches(usize, BatchOp),
    Sends(usize),
    Closes(usize),
    ClosesRaw(usize),
    Terminates(usize),
    TerminatesAll,
    DropsInbound(usize),
    Refuses(usize),
    Attaches(usize),
    Listens(usize, u16),
    Token(usize, Option<f64>),
    SubscribesSocket(usize, bool),
    SubscribesJs(bool),
    Publishes,
    Closing(usize),
    Closed(usize),
    Overflows(usize),
    Ticks(u64),
    Runs,
    Drains,
    Acknowledges,
    Hooks(u32),
    Interest(u32),
}

fn reply() -> impl Strategy<Value = Reply> {
    prop_oneof![
        4 => Just(Reply::Allow),
        1 => Just(replaced("1")),
        1 => Just(blocked("{}")),
        1 => Just(Reply::Verified { truthy: true, expires_at: Some(1.7e9) }),
        1 => prop::sample::select(MESSAGES.to_vec())
            .prop_map(decoded),
        1 => Just(Reply::Failed("Error".to_owned())),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..CLIENTS;
    let what = 0..MESSAGES.len();
    let batch = prop::sample::select(vec![
        BatchOp::Start,
        BatchOp::Flush,
        BatchOp::Cancel,
        BatchOp::StartInterval,
        BatchOp::StopInterval,
        BatchOp::CancelInterval,
    ]);
    let talk = prop_oneof![
        12 => (who.clone(), what.clone()).prop_map(|(who, what)| Step::Says(who, what)),
        4 => who.clone().prop_map(|who| Step::Says(who, 0)),
        1 => (who.clone(), what).prop_map(|(who, what)| Step::Accepts(who, what)),
        6 => (who.clone(), 0..3u32, reply())
            .prop_map(|(who, back, reply)| Step::Replies(who, back, reply)),
        3 => any::<bool>().prop_map(Step::Open),
        2 => Just(Step::Publishes),
        2 => Just(Step::Runs),
        2 => Just(Step::Drains),
        3 => Just(Step::Acknowledges),
        2 => (0..20_000u64).prop_map(Step::Ticks),
    ];
    let rare = prop_oneof![
        (who.clone(), batch).prop_map(|(who, op)| Step::Batches(who, op)),
        who.clone().prop_map(Step::Sends),
        who.clone().prop_map(Step::Closes),
        who.clone().prop_map(Step::ClosesRaw),
        who.clone().prop_map(Step::Terminates),
        Just(Step::TerminatesAll),
        who.clone().prop_map(Step::DropsInbound),
        who.clone().prop_map(Step::Refuses),
        who.clone().prop_map(Step::Attaches),
        (who.clone(), any::<u16>()).prop_map(|(who, bits)| Step::Listens(who, bits)),
        (who.clone(), prop::option::of(1.69e9..1.71e9)).prop_map(|(who, at)| Step::Token(who, at)),
        (who.clone(), any::<bool>()).prop_map(|(who, on)| Step::SubscribesSocket(who, on)),
        any::<bool>().prop_map(Step::SubscribesJs),
        who.clone().prop_map(Step::Closing),
        who.clone().prop_map(Step::Closed),
        who.prop_map(Step::Overflows),
        (0..1u32 << 7).prop_map(Step::Hooks),
        (0..1u32 << 6).prop_map(Step::Interest),
    ];
    prop_oneof![3 => talk, 1 => rare]
}

/// The hub with the clients that are connected to it.
struct World {
    script: Script,
    clients: [Option<ConnId>; CLIENTS],
    /// Every connection there ever was.
    all: Vec<ConnId>,
    batch: u64,
}

impl World {
    fn client(&self, who: usize) -> ConnId {
        // A client that is not there stands for a stale id.
        let stale = ConnId {
            slot: 0,
            generation: u32::MAX,
        };
        self.clients[who].unwrap_or(stale)
    }

    fn step(&mut self, step: Step) {
        let time = self.script.time;
        let channel = name("a");
        match step {
            Step::Open(with_js) => {
                if let Some(free) = self.clients.iter_mut().find(|client| client.is_none()) {
                    let conn = self.script.hub.open("ID", with_js, time);
                    *free = Some(conn);
                    self.all.push(conn);
                }
            }
            Step::Says(who, what) => {
                let conn = self.client(who);
                self.script.says(conn, MESSAGES[what]);
            }
            Step::Accepts(who, what) => {
                let data = Bytes::from_static(MESSAGES[what].as_bytes());
                let message = Message { text: false, data };
                self.script.hub.accept(self.client(who), message, time);
            }
            Step::Replies(who, back, reply) => {
                let conn = self.client(who);
                let asked = self.script.hub.session(conn.slot).map_or(0, |it| it.asked);
                self.script
                    .hub
                    .reply(conn, asked.saturating_sub(back), reply, time);
            }
            Step::Batches(who, op) => self.script.hub.batch(self.client(who), op, time),
            Step::Closing(who) => self.script.hub.link_closing(self.client(who)),
            Step::Closed(who) => {
                self.script.hub.link_closed(self.client(who), 1000, "");
                self.clients[who] = None;
            }
            Step::Overflows(who) => {
                if let Some(conn) = self.clients[who] {
                    let (unsent, limit) = (2, 1);
                    self.script
                        .hub
                        .exceeded(conn, Refusal::Overflowed { unsent, limit });
                }
            }
            Step::Ticks(ms) => {
                self.script.ticks(ms);
            }
            Step::Runs => self.script.hub.run(time),
            Step::Drains => self.batch = self.script.hub.begin_js_batch(),
            Step::Acknowledges => self.script.hub.acknowledge_js(self.batch, time),
            Step::TerminatesAll => self.script.hub.terminate_open(),
            Step::Publishes => {
                let now = self.script.time;
                self.script.hub.publish(&channel, Some("1"), false, 0, now);
            }
            Step::SubscribesJs(true) => {
                self.script.hub.subscribe_js(&channel);
            }
            Step::SubscribesJs(false) => {
                self.script.hub.unsubscribe_js(&channel);
            }
            Step::Hooks(bits) => self.script.hub.config_mut().hooks = bits,
            Step::Interest(bits) => self.script.hub.config_mut().interest = bits,
            other => self.app(other),
        }
    }

    /// What the app does to one socket.
    fn app(&mut self, step: Step) {
        let hub = &mut self.script.hub;
        let clients = self.clients;
        let client = |who: usize| clients[who];
        match step {
            Step::Sends(who) => {
                client(who).map(|conn| hub.send_packet(conn, "{}".to_owned().into()))
            }
            Step::Closes(who) => client(who).map(|conn| hub.close(conn, 4321, "")),
            Step::ClosesRaw(who) => client(who).map(|conn| hub.close_raw(conn, None, "")),
            Step::Terminates(who) => client(who).map(|conn| hub.terminate(conn)),
            Step::DropsInbound(who) => client(who).map(|conn| hub.drop_inbound(conn)),
            Step::Refuses(who) => client(who).map(|conn| hub.refuse(conn)),
            Step::Attaches(who) => client(who).map(|conn| hub.attach_js(conn)),
            Step::Listens(who, bits) => client(who).map(|conn| hub.set_interest(conn, bits)),
            Step::Token(who, at) => client(who).map(|conn| hub.set_token(conn, true, at)),
            Step::SubscribesSocket(who, true) => {
                client(who).map(|conn| hub.subscribe_socket(conn, &name("b")))
            }
            Step::SubscribesSocket(who, _) => client(who).map(|conn| {
                hub.unsubscribe_socket(conn, &name("b"), true);
            }),
            _ => None,
        };
    }

    /// Commands go to live connections, and what is counted is what there is.
    fn check(&mut self) {
        let commands = self.script.commands();
        let hub = &self.script.hub;
        for command in &commands {
            match command {
                Command::Join { .. } | Command::Leave { .. } | Command::Publish { .. } => {}
                Command::Send { slot, .. }
                | Command::Close { slot, .. }
                | Command::Terminate { slot }
                | Command::Notify { slot }
                | Command::PauseReading { slot }
                | Command::ResumeReading { slot } => self.is_live(*slot),
                Command::Js(_) => {}
            }
        }
        let counts = hub.counts();
        let count = |state| hub.sessions_in(state).count();
        assert_eq!(counts.open, count(State::Open));
        assert_eq!(counts.pending, count(State::Connecting));
        assert_eq!(
            counts.sessions,
            counts.open + counts.pending + count(State::Closed)
        );
        assert!(counts.open_without_js <= counts.open);
        assert!(counts.pending_without_js <= counts.pending);
        let links = self.clients.iter().flatten().count();
        assert_eq!(counts.links, links);
        for session in hub.sessions_in(State::Closed) {
            assert!(session.channels.is_empty());
        }
        for (_, slot) in &self.script.joined {
            let state = hub.session(*slot).map(|session| session.state);
            assert!(state.is_some_and(|state| state != State::Closed));
        }
    }

    /// The slot belongs to a session. Its connection may be gone, but is nobody else's.
    fn is_live(&self, slot: u32) {
        assert!(
            self.all.iter().any(|conn| conn.slot == slot),
            "no connection ever had slot {slot}"
        );
        let mut owners = self.clients.iter().flatten();
        let connected = owners.any(|conn| conn.slot == slot);
        let session = self.script.hub.session(slot);
        assert!(
            connected || session.is_none_or(|session| session.link == Link::Closed),
            "slot {slot} has no connection"
        );
    }

    /// Everybody leaves and every question is answered.
    fn end(mut self) {
        self.script.hub.unsubscribe_js(&name("a"));
        for who in 0..CLIENTS {
            self.step(Step::Closed(who));
        }
        for _ in 0..200 {
            self.script.js_catches_up();
            self.script.hub.run(self.script.time);
            for conn in self.all.clone() {
                let asked = self.script.hub.session(conn.slot).map_or(0, |it| it.asked);
                self.script
                    .hub
                    .reply(conn, asked, Reply::Allow, self.script.time);
            }
        }
        self.check();
        assert_eq!(
            self.script.hub.counts(),
            crate::engine::hub::Counts::default()
        );
        self.script.ticks(1_000_000);
        assert_eq!(self.script.hub.next_due(), None);
        assert!(!self.script.hub.has_work());
        self.script.hub.acknowledge_js(u64::MAX, self.script.time);
        assert!(self.script.hub.gated.is_empty());
    }
}

proptest! {
    #[test]
    fn any_order_of_events_leaves_the_hub_in_order(
        steps in prop::collection::vec(step(), 0..120),
        strict: bool,
    ) {
        let mut world = World {
            script: Script::with(|config| {
                config.strict_handshake = strict;
                config.batch_on_handshake = true;
            }),
            clients: [None; CLIENTS],
            all: Vec::new(),
            batch: 0,
        };
        for step in steps {
            world.step(step);
            world.check();
        }
        world.end();
    }
}
