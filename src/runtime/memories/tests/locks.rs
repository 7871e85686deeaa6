use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use super::*;

fn granted(client: &Client) -> Vec<Granted> {
    client.drain().granted
}

/// Waits for the next grant.
fn wait(client: &Client, woken: &Receiver<()>) -> Granted {
    loop {
        if let Some(granted) = granted(client).first() {
            return *granted;
        }
        woken.recv_timeout(PATIENCE).unwrap();
    }
}

#[test]
fn a_lock_goes_to_whoever_asked_first() {
    let memory = memory();
    let key = memory.key("k").unwrap();
    let clients: Vec<_> = (0..4).map(|_| client(&memory)).collect();
    for (client, _) in &clients {
        client.lock(Space::Lock, &key, 0).unwrap();
    }
    let mut last = Version::NONE;
    for (client, woken) in &clients {
        let Granted { token, .. } = wait(client, woken);
        assert!(token > last);
        last = token;
        assert!(clients.iter().all(|(other, _)| granted(other).is_empty()));
        assert!(memory.unlock(Space::Lock, &key, token));
        assert!(!memory.unlock(Space::Lock, &key, token));
    }
    assert_eq!(memory.stats().locks, 0);
}

#[test]
fn a_lease_that_is_over_passes_the_lock_on() {
    let memory = memory();
    let key = memory.key("k").unwrap();
    let ((first, woken_first), (second, woken)) = (client(&memory), client(&memory));
    first.lock(Space::Lock, &key, 30).unwrap();
    let Granted { token, .. } = wait(&first, &woken_first);
    second.lock(Space::Lock, &key, 1_000_000).unwrap();
    assert!(wait(&second, &woken).token > token);
    assert!(!memory.renew(Space::Lock, &key, token, 100));
    assert!(!memory.unlock(Space::Lock, &key, token));
}

#[test]
fn a_request_that_is_taken_back_gets_nothing() {
    let memory = memory();
    let key = memory.key("k").unwrap();
    let ((first, woken), (second, woken_second)) = (client(&memory), client(&memory));
    let unheard = first.lock(Space::Turn, &key, 0).unwrap();
    let waiting = first.lock(Space::Turn, &key, 0).unwrap();
    second.lock(Space::Turn, &key, 0).unwrap();
    first.cancel_lock(waiting);
    first.cancel_lock(unheard);
    let Granted { token, .. } = wait(&second, &woken_second);
    assert!(granted(&first).is_empty());
    let last = first.lock(Space::Turn, &key, 0).unwrap();
    assert!(memory.unlock(Space::Turn, &key, token));
    let heard = wait(&first, &woken);
    assert_eq!(heard.request, last);
    first.cancel_lock(last);
    assert!(memory.unlock(Space::Turn, &key, heard.token), "it is held");
}

#[test]
fn only_one_holds_a_lock() {
    let memory = memory();
    let inside = AtomicU64::new(0);
    let total = AtomicU64::new(0);
    thread::scope(|scope| {
        for thread in 0..4 {
            let (memory, inside, total) = (&memory, &inside, &total);
            scope.spawn(move || {
                let key = memory.key("k").unwrap();
                for round in 0..200 {
                    // Some end while they hold it, or while they wait.
                    let (client, woken) = client(memory);
                    client.lock(Space::Turn, &key, 0).unwrap();
                    if (round + thread) % 5 == 0 {
                        continue;
                    }
                    let Granted { token, .. } = wait(&client, &woken);
                    assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                    total.fetch_add(1, Ordering::Relaxed);
                    assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1);
                    if round % 3 != 0 {
                        assert!(memory.unlock(Space::Turn, &key, token));
                    }
                }
            });
        }
    });
    assert_eq!(total.load(Ordering::Relaxed), 4 * 160);
    let stats = memory.stats();
    assert_eq!((stats.locks, stats.clients), (0, 0));
}

#[test]
fn the_locks_that_are_held_are_bounded() {
    let memory = memory();
    let (client, _woken) = client(&memory);
    // The braces bring all keys into one partition.
    let names: Vec<_> = (0..=16_384).map(|at| format!("{{k}}{at}")).collect();
    let (last, names) = names.split_last().unwrap();
    let mut token = Version::NONE;
    for name in names {
        let key = memory.key(name).unwrap();
        client.lock(Space::Lock, &key, 0).unwrap();
        token = granted(&client)[0].token;
    }
    let last = memory.key(last).unwrap();
    let refused = client.lock(Space::Lock, &last, 0);
    assert!(matches!(refused, Err(Refusal::QueueFull(_))));
    let key = memory.key(names.last().unwrap()).unwrap();
    assert!(memory.unlock(Space::Lock, &key, token));
    client.lock(Space::Lock, &last, 0).unwrap();
}

#[test]
fn whoever_takes_a_request_back_is_passed_over() {
    let memory = memory();
    let key = memory.key("k").unwrap();
    let (client, _woken) = client(&memory);
    let mut requests: Vec<_> = (0..20_000)
        .map(|_| client.lock(Space::Lock, &key, 0).unwrap())
        .collect();
    let Granted { token, .. } = granted(&client)[0];
    let last = requests.pop().unwrap();
    for request in requests.into_iter().skip(1).rev() {
        client.cancel_lock(request);
    }
    assert!(memory.unlock(Space::Lock, &key, token));
    assert_eq!(granted(&client)[0].request, last);
}
