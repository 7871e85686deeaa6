use super::*;

fn owner(client: u64) -> Owner {
    Owner { client, request: 1 }
}

const AT: (Space, &str) = (Space::Lock, "k");

#[test]
fn first_come_first_served() {
    let mut locks = LockTable::default();
    let token = |number: u64| Version(number);
    assert_eq!(
        locks.acquire(AT, owner(1), 100, token(1), NOW),
        Acquired::Granted(token(1))
    );
    for client in 2..5 {
        let acquired = locks.acquire(AT, owner(client), 100, token(client), NOW);
        assert_eq!(acquired, Acquired::Queued);
    }
    assert_eq!(locks.release(AT, token(9), token(10), NOW), (false, None));
    assert!(locks.cancel(Space::Lock, "k", owner(3)));
    assert!(!locks.cancel(Space::Lock, "k", owner(1)), "it is held");
    for (held, next) in [(1, Some(2)), (12, Some(4)), (14, None)] {
        let grant = next.map(|client| Grant {
            owner: owner(client),
            token: token(10 + client),
        });
        let next = token(10 + next.unwrap_or(9));
        assert_eq!(locks.release(AT, token(held), next, NOW), (true, grant));
    }
    assert!(locks.is_empty());
    assert_eq!(locks.next_end(), None);
}

#[test]
fn a_hold_ends_with_its_lease_and_can_be_renewed() {
    let mut locks = LockTable::default();
    locks.acquire(AT, owner(1), 100, Version(1), NOW);
    locks.acquire(AT, owner(2), 0, Version(2), NOW);
    assert_eq!(locks.next_end(), Some(NOW + 100));
    assert!(locks.renew(AT, Version(1), 50, NOW + 99));
    assert!(!locks.renew(AT, Version(2), 50, NOW));
    assert_eq!(locks.overdue(NOW + 148), None);
    assert!(!locks.renew(AT, Version(1), 50, NOW + 149), "it is over");
    let (space, key) = locks.overdue(NOW + 149).unwrap();
    let grant = locks.pass_on(space, &key, Version(3), NOW + 149).unwrap();
    assert_eq!(grant.owner, owner(2));
    assert_eq!(locks.next_end(), None, "no lease, no end");
    assert_eq!(
        locks.release(AT, Version(1), Version(4), NOW + 150),
        (false, None)
    );
    assert!(locks.holds(Space::Lock, "k", Version(3), u64::MAX));
}

#[test]
fn an_overdue_lock_that_is_released_late_is_passed_on() {
    let mut locks = LockTable::default();
    locks.acquire(AT, owner(1), 100, Version(1), NOW);
    locks.acquire(AT, owner(2), 100, Version(2), NOW);
    let (released, grant) = locks.release(AT, Version(1), Version(3), NOW + 100);
    assert!(!released);
    assert_eq!(grant.map(|it| it.owner), Some(owner(2)));
}

#[test]
fn locks_and_turns_are_apart_and_end_with_their_client() {
    let mut locks = LockTable::default();
    let turn = (Space::Turn, "k");
    locks.acquire(AT, owner(1), 100, Version(1), NOW);
    let acquired = locks.acquire(turn, owner(1), 0, Version(2), NOW);
    assert_eq!(acquired, Acquired::Granted(Version(2)));
    locks.acquire(AT, owner(2), 100, Version(3), NOW);
    locks.acquire(turn, owner(3), 0, Version(4), NOW);
    assert!(locks.forget(3).is_empty());
    let held = locks.forget(1);
    assert_eq!(held.len(), 2);
    for (space, key) in held {
        locks.pass_on(space, &key, Version(5), NOW);
    }
    assert!(locks.holds(Space::Lock, "k", Version(5), NOW));
    assert_eq!(locks.len(), 1);
}
