//! The states of a shard.

use bytes::Bytes;

use super::*;

#[test]
fn each_state_refuses_what_it_does_not_serve() {
    let pending = State::Pending(3);
    let states = [
        State::Dead,
        State::Replica(3),
        pending,
        State::Active(3),
        State::Sealed(9),
    ];
    let serves = states.map(|state| state.serves().map_err(|refusal| refusal.code()).err());
    let mine = Some("ERR_NOT_MY_SHARD");
    assert_eq!(
        serves,
        [mine, mine, Some("ERR_PENDING"), None, Some("ERR_MOVING")]
    );
    let takes = |theirs| states.map(|state| state.takes(theirs).map_err(|r| r.code()).err());
    let (stale, moving) = (Some("ERR_STALE_EPOCH"), Some("ERR_MOVING"));
    assert_eq!(takes(2), [mine, stale, stale, stale, moving]);
    assert_eq!(takes(3), [mine, None, None, stale, moving]);
    assert_eq!(takes(4)[1], Some("ERR_UNHEARD_EPOCH"));
}

#[test]
fn only_a_new_epoch_and_a_complete_log_make_active() {
    let activate = |epoch, final_seq| Decision::Activate { epoch, final_seq };
    let wrong = Err(Refusal::WrongState);
    let stale = Err(Refusal::Stale { current: 3 });
    let pending = State::Pending(3);
    assert_eq!(
        pending.after(activate(4, Some(9)), 3, 9),
        Ok(State::Active(4))
    );
    assert_eq!(pending.after(activate(4, Some(9)), 3, 8), wrong);
    assert_eq!(pending.after(activate(3, None), 3, 9), stale);
    assert_eq!(State::Active(3).after(Decision::Release, 3, 9), wrong);
    assert_eq!(
        State::Active(3).after(Decision::Seal, 3, 9),
        Ok(State::Sealed(9))
    );
    assert_eq!(
        State::Sealed(9).after(activate(4, None), 3, 9),
        Ok(State::Active(4))
    );
    assert_eq!(State::Sealed(9).after(activate(3, None), 3, 9), stale);
    assert_eq!(
        State::Sealed(9).after(Decision::Follow(4), 3, 9),
        Ok(State::Replica(4))
    );
    assert_eq!(State::Dead.after(activate(4, None), 3, 0), wrong);
}

#[test]
fn requests_wait_for_a_pending_shard() {
    let classes = Classes::new(vec![pattern("h", Kind::History)]).unwrap();
    let settings = Settings {
        incarnation: 1,
        memory: 1 << 20,
        stored: false,
    };
    let mut shards = Shards::new(classes, settings);
    let number = shard_of("h");
    let request = Bytes::from_static(b"request");
    assert_eq!(shards.append(message("h", "1")), Err(Refusal::NotMine));
    assert!(shards.hold_back(number, request.clone()).is_err());
    shards.decide(number, Decision::Prepare).unwrap();
    for _ in 0..10_000 {
        shards.hold_back(number, request.clone()).unwrap();
    }
    assert_eq!(shards.hold_back(number, request), Err(Refusal::Busy));
    let activate = Decision::Activate {
        epoch: 1,
        final_seq: None,
    };
    assert_eq!(
        shards.decide(number, activate).map(|held| held.len()),
        Ok(10_000)
    );
    assert!(shards.append(message("h", "1")).is_ok());
}
