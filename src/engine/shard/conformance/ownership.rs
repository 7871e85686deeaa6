//! Who serves a shard.

use super::super::ports::{Assignment, Control, NodeId};
use super::super::{Decision, Refusal, SHARDS, Shards, State, shard_of};
use super::state::{self, CHANNEL, SETTINGS, Server, message};
use super::{Ending, Engine};

/// All nodes, with nothing recovered.
fn nodes<E: Engine>(engine: &mut E) -> Vec<(E::Control, Shards)> {
    let empty = || Shards::new(state::classes(), SETTINGS);
    let controls = engine.controls(&empty());
    controls
        .into_iter()
        .map(|control| (control, empty()))
        .collect()
}

fn is_stale(refused: &Result<Assignment, Refusal>) -> bool {
    matches!(refused, Err(Refusal::Stale { .. }))
}

pub(super) fn assigning_is_decided_once(mut engine: impl Engine) {
    let mut nodes = nodes(&mut engine);
    let ids: Vec<NodeId> = nodes.iter().map(|(control, _)| control.node()).collect();
    for shard in [0, 3, SHARDS - 1] {
        let mut epoch = nodes[0].0.owner(shard).map_or(0, |owner| owner.epoch);
        for (place, id) in ids.iter().enumerate() {
            let decided = nodes[place].0.assign(shard, epoch, *id).unwrap();
            assert_eq!(decided.owner, *id);
            assert!(decided.epoch > epoch, "epochs rise");
            for (control, _) in &mut nodes {
                assert!(is_stale(&control.assign(shard, epoch, *id)), "it was first");
                assert!(is_stale(&control.assign(shard, decided.epoch + 1, *id)));
                let owner = control.owner(shard);
                assert_eq!(owner, Some(decided), "a refusal changes nothing");
            }
            epoch = decided.epoch;
        }
    }
    let nobody = ids.iter().max().unwrap() + 1;
    let control = &mut nodes[0].0;
    let epoch = control.owner(3).map_or(0, |owner| owner.epoch);
    assert_eq!(control.assign(3, epoch, nobody), Err(Refusal::NotMine));
    assert_eq!(control.assign(SHARDS, 0, ids[0]), Err(Refusal::NotMine));
    assert_eq!(control.owner(SHARDS), None);
}

pub(super) fn epochs_rise_over_restarts(engine: impl Engine) {
    let mut server = Server::new(engine);
    let shard = shard_of(CHANNEL);
    let mut epochs = Vec::new();
    for ending in [Ending::Clean, Ending::Crash, Ending::Crash] {
        server.publish("1");
        server.flush();
        let State::Active(epoch) = server.shards.state(shard) else {
            panic!("{:?}", server.shards.state(shard));
        };
        epochs.push(epoch);
        server.restart(ending);
        let known: Vec<u32> = server
            .shards
            .epochs(shard)
            .map(|(epoch, _)| epoch)
            .collect();
        assert!(known.starts_with(&epochs), "{known:?} after {epochs:?}");
    }
    assert!(epochs.is_sorted_by(|one, next| one < next), "{epochs:?}");
}

pub(super) fn an_epoch_that_has_been_is_not_served(engine: impl Engine) {
    let mut server = Server::new(engine);
    let earlier = server.recovered();
    let decisions = server.driver.engine.controls(&earlier);
    server.publish("1");
    server.flush();
    // What was decided before the epoch that is in the log is not followed.
    for control in decisions {
        let mut late = server.recovered();
        late.start(&control, 1000);
        assert_eq!(late.state(shard_of(CHANNEL)), State::Dead);
        assert_eq!(late.append(message("2")), Err(Refusal::NotMine));
    }
}

pub(super) fn one_node_is_active(mut engine: impl Engine) {
    let mut nodes = nodes(&mut engine);
    for (control, shards) in &mut nodes {
        shards.start(control, 1000);
    }
    for shard in 0..SHARDS {
        assert_eq!(active(&nodes, shard).len(), 1, "shard {shard}");
    }
    let shard = shard_of(CHANNEL);
    for turn in 0..6 {
        let from = active(&nodes, shard)[0];
        let to = (from + 1 + turn % 2) % nodes.len();
        hand_over(&mut nodes, shard, (from, to));
        assert_eq!(active(&nodes, shard), [to]);
        for (place, (_, shards)) in nodes.iter_mut().enumerate() {
            assert_eq!(shards.append(message("1")).is_ok(), place == to);
        }
    }
}

/// The nodes that serve a shard.
fn active<C: Control>(nodes: &[(C, Shards)], shard: u16) -> Vec<usize> {
    let serves = |place: &usize| nodes[*place].1.state(shard).serves().is_ok();
    (0..nodes.len()).filter(serves).collect()
}

/// Has another node own a shard: the one before is sealed first.
fn hand_over<C: Control>(nodes: &mut [(C, Shards)], shard: u16, (from, to): (usize, usize)) {
    let old = nodes[from].0.owner(shard).unwrap();
    nodes[from].1.decide(shard, Decision::Seal).unwrap();
    assert!(active(nodes, shard).is_empty());
    let target = nodes[to].0.node();
    let new = nodes[from].0.assign(shard, old.epoch, target).unwrap();
    if from != to {
        let follow = Decision::Follow(new.epoch);
        nodes[from].1.decide(shard, follow).unwrap();
        nodes[to].1.decide(shard, Decision::Prepare).unwrap();
    }
    let heard = nodes[to].0.owner(shard).unwrap();
    assert_eq!(heard, new);
    let activate = |epoch| Decision::Activate {
        epoch,
        final_seq: None,
    };
    nodes[to].1.decide(shard, activate(heard.epoch)).unwrap();
    // The owner before cannot write any more, nor come back with its epoch.
    let late = nodes[to].1.replicate(shard, old.epoch, &[]);
    let current = heard.epoch;
    assert_eq!(late, Err(Refusal::Stale { current }));
    assert!(nodes[from].1.decide(shard, activate(old.epoch)).is_err());
}
