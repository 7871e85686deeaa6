//! What a net does with messages.

use bytes::Bytes;

use super::super::ports::{Control, Net, NodeId};
use super::super::{Refusal, Settings, Shards};
use super::{Engine, state};

/// More than any engine lets wait.
const MANY: u32 = 10_000_000;

fn nodes<E: Engine>(engine: &mut E) -> Vec<(NodeId, E::Net)> {
    let settings = Settings {
        incarnation: 1,
        ..state::SETTINGS
    };
    let controls = engine.controls(&Shards::new(state::classes(), settings));
    let ids = controls.iter().map(Control::node);
    ids.zip(engine.nets()).collect()
}

pub(super) fn messages_arrive_once_and_in_order(mut engine: impl Engine) {
    let mut nodes = nodes(&mut engine);
    let text = |number: usize| Bytes::from(number.to_string());
    for from in 0..nodes.len() {
        for to in 0..nodes.len() {
            let (sender, receiver) = (nodes[from].0, nodes[to].0);
            for number in 0..100 {
                nodes[from].1.send(receiver, text(number)).unwrap();
            }
            for number in 0..100 {
                assert_eq!(nodes[to].1.receive(), Some((sender, text(number))));
            }
            assert_eq!(nodes[to].1.receive(), None);
        }
    }
    let nobody = nodes.iter().map(|(id, _)| id).max().unwrap() + 1;
    let refused = nodes[0].1.send(nobody, text(1));
    assert_eq!(refused, Err(Refusal::NotMine));
}

pub(super) fn too_many_messages_are_refused(mut engine: impl Engine) {
    let mut nodes = nodes(&mut engine);
    let last = nodes.len() - 1;
    let receiver = nodes[last].0;
    let text = |number: u32| Bytes::copy_from_slice(&number.to_le_bytes());
    let sent = (0..MANY).find_map(|number| {
        let refused = nodes[0].1.send(receiver, text(number)).err()?;
        assert_eq!(refused, Refusal::Busy);
        Some(number)
    });
    let sent = sent.expect("a bound");
    assert_eq!(nodes[last].1.receive().unwrap().1, text(0));
    nodes[0]
        .1
        .send(receiver, text(sent))
        .expect("there is room");
    for number in 1..=sent {
        assert_eq!(nodes[last].1.receive().unwrap().1, text(number));
    }
    assert_eq!(nodes[last].1.receive(), None);
}
