//! Messages of one channel.

use super::*;

#[test]
fn a_message_is_delivered_with_its_position() {
    let mut shards = shards(vec![pattern("h*", Kind::History)], false);
    let head = shards.head("h").unwrap();
    let Ok(Appended::Done(entry)) = shards.append(message("h", "[1]")) else {
        panic!("not done");
    };
    let text = format!(
        r##"{{"event":"#publish","data":{{"channel":"h","data":[1],"epoch":"{}","offset":1}}}}"##,
        head.epoch
    );
    assert_eq!(entry.text.as_str(), text);
    assert_eq!(entry.data(), Some("[1]"));
    assert_eq!((head.offset, shards.head("h").unwrap().offset), (0, 1));
    assert_eq!(data(&shards, "h"), ["[1]"]);
}

#[test]
fn a_durable_message_is_seen_once_it_is_persisted() {
    let mut shards = shards(vec![pattern("d", Kind::Durable)], true);
    let Ok(Appended::Waits { ticket, .. }) = shards.append(message("d", "1")) else {
        panic!("does not wait");
    };
    assert_eq!(data(&shards, "d"), [""; 0]);
    let records = shards.take_records().unwrap();
    assert_eq!(records.ticket, ticket);
    shards.persisted(ticket);
    assert_eq!(data(&shards, "d"), ["1"]);
    assert!(matches!(
        shards.append(message("d", "2")),
        Ok(Appended::Waits { .. })
    ));
    shards.failed();
    assert_eq!(data(&shards, "d"), ["1"]);
    assert_eq!(shards.head("d").unwrap().offset, 1);
    assert_eq!(shards.figures().messages, 1);
}

#[test]
fn a_plain_channel_is_refused() {
    let mut shards = shards(vec![pattern("h*", Kind::History)], false);
    assert_eq!(shards.append(message("x", "1")), Err(Refusal::NotKept));
    assert_eq!(shards.head("x"), Err(Refusal::NotKept));
}
