//! What every implementation of the ports has to do, and the local ones.

use bytes::Bytes;

use super::*;
use crate::engine::shard::ports::*;

fn control(mut control: impl Control) {
    let me = control.node();
    assert_eq!(control.owner(3), None);
    let first = control.assign(3, 0, me).unwrap();
    assert_eq!((first.owner, control.owner(3)), (me, Some(first)));
    assert!(control.assign(3, 0, me).is_err(), "the epoch has changed");
    let second = control.assign(3, first.epoch, me).unwrap();
    assert!(second.epoch > first.epoch);
    assert!(control.assign(SHARDS, 0, me).is_err());
}

fn log(mut log: impl ShardLog) {
    let mut shards = shards(vec![pattern("d", Kind::Durable)], true);
    for data in ["1", "2"] {
        shards.append(message("d", data)).unwrap();
        log.append(shards.take_records().unwrap());
    }
    while let Some(LogReport::Persisted(ticket)) = log.report() {
        shards.persisted(ticket);
    }
    assert_eq!(data(&shards, "d"), ["1", "2"]);
    let classes = Classes::new(vec![pattern("d", Kind::Durable)]).unwrap();
    let mut again = Shards::new(classes, shards.settings);
    log.read(&mut |record| again.recover(record).unwrap());
    again.start(1000);
    assert_eq!(data(&again, "d"), ["1", "2"]);
}

fn net(mut net: impl Net, me: NodeId) {
    for text in ["1", "2"] {
        net.send(me, Bytes::from_static(text.as_bytes())).unwrap();
    }
    assert_eq!(net.receive(), Some((me, Bytes::from_static(b"1"))));
    assert_eq!(net.receive(), Some((me, Bytes::from_static(b"2"))));
    assert_eq!(net.receive(), None);
}

#[test]
fn the_local_ports_conform() {
    control(LocalControl::default());
    log(MemoryLog::default());
    net(LocalNet::default(), LocalControl::NODE);
}
