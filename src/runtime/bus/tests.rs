use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::*;
use crate::engine::bus::Overflow;

fn limits(events: usize, overflow: Overflow) -> Limits {
    Limits {
        events,
        bytes: 1 << 20,
        overflow,
    }
}

fn subscriber(events: usize, overflow: Overflow) -> Arc<Subscriber> {
    Subscriber::new(limits(events, overflow), Arc::new(|| ()))
}

fn emit(bus: &Bus, name: &str, args: &str) -> Result<u32, Full> {
    bus.emit(name, 8, args.as_bytes(), true)
}

fn taken(subscriber: &Subscriber) -> Vec<String> {
    let (events, _) = subscriber.take();
    let text = |it: &Arc<Event>| String::from_utf8_lossy(it.args()).into_owned();
    events.iter().map(text).collect()
}

#[test]
fn one_bus_per_name_while_it_is_held() {
    let bus = open("one-bus");
    assert!(Arc::ptr_eq(&bus, &open("one-bus")));
    assert!(!Arc::ptr_eq(&bus, &open("another")));
    emit(&bus, "a", "1").unwrap();
    drop(bus);
    assert_eq!(open("one-bus").figures(), Figures::default());
}

#[test]
fn those_who_listen_get_it() {
    let bus = Bus::default();
    let (a, b) = (
        subscriber(9, Overflow::DropOldest),
        subscriber(9, Overflow::DropOldest),
    );
    assert!(bus.subscribe(&a, "x") && bus.subscribe(&a, "x") && bus.subscribe(&b, "x"));
    assert!(bus.subscribe(&b, "y"));
    assert_eq!(emit(&bus, "x", "1"), Ok(2));
    assert_eq!(emit(&bus, "y", "2"), Ok(1));
    assert_eq!(emit(&bus, "z", "3"), Ok(0));
    bus.unsubscribe(&b, "x");
    assert_eq!(emit(&bus, "x", "4"), Ok(1));
    assert_eq!(
        (taken(&a), taken(&b)),
        (vec!["1".into(), "4".into()], vec!["1".into(), "2".into()])
    );
    bus.leave(&a);
    bus.leave(&b);
    assert_eq!(emit(&bus, "x", "5"), Ok(0));
    assert!(bus.topics.read().is_empty());
}

#[test]
fn if_one_refuses_nobody_gets_it() {
    let bus = Bus::default();
    let (a, b) = (
        subscriber(1, Overflow::Refuse),
        subscriber(9, Overflow::DropOldest),
    );
    bus.subscribe(&b, "x");
    bus.subscribe(&a, "x");
    assert_eq!(emit(&bus, "x", "1"), Ok(2));
    assert_eq!(emit(&bus, "x", "2"), Err(Full));
    assert_eq!(taken(&b), ["1"]);
    assert_eq!(taken(&a), ["1"]);
    assert_eq!(emit(&bus, "x", "3"), Ok(2));
}

#[test]
fn what_is_dropped_is_counted() {
    let bus = Bus::default();
    let (a, b) = (
        subscriber(2, Overflow::DropOldest),
        subscriber(1, Overflow::DropNewest),
    );
    bus.subscribe(&a, "x");
    bus.subscribe(&b, "x");
    for number in ["1", "2", "3"] {
        emit(&bus, "x", number).unwrap();
    }
    let figures = bus.figures();
    assert_eq!(
        (figures.emitted, figures.delivered, figures.dropped),
        (3, 4, 3)
    );
    assert_eq!(
        (taken(&a), taken(&b)),
        (vec!["2".into(), "3".into()], vec!["1".into()])
    );
}

#[test]
fn threads_lose_nothing_and_wake_for_all() {
    const EACH: usize = 20_000;
    let bus = Arc::new(Bus::default());
    let wakes = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&wakes);
    let listener = Subscriber::new(
        limits(usize::MAX, Overflow::DropOldest),
        Arc::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
        }),
    );
    bus.subscribe(&listener, "x");
    let emitters: Vec<_> = (0..4)
        .map(|emitter| {
            let bus = Arc::clone(&bus);
            thread::spawn(move || {
                for number in 0..EACH {
                    emit(&bus, "x", &format!("{emitter} {number}")).unwrap();
                }
            })
        })
        .collect();
    let (mut seen, mut last, mut woken, mut takes) = (0, [None::<usize>; 4], 0, true);
    while seen < 4 * EACH {
        if !takes && wakes.load(Ordering::SeqCst) == woken {
            thread::yield_now();
            continue;
        }
        woken = wakes.load(Ordering::SeqCst);
        let texts = taken(&listener);
        takes = !texts.is_empty();
        for text in texts {
            let (emitter, number) = text.split_once(' ').unwrap();
            let (emitter, number): (usize, usize) =
                (emitter.parse().unwrap(), number.parse().unwrap());
            assert!(last[emitter].is_none_or(|last| last + 1 == number));
            last[emitter] = Some(number);
            seen += 1;
        }
    }
    emitters.into_iter().for_each(|it| it.join().unwrap());
    assert_eq!(bus.figures().delivered, 4 * EACH as u64);
}

#[test]
fn who_is_closed_lets_go_of_its_wake() {
    let bus = Bus::default();
    let held = Arc::new(());
    let wake = Arc::clone(&held);
    let listener = Subscriber::new(
        limits(9, Overflow::DropOldest),
        Arc::new(move || drop(Arc::clone(&wake))),
    );
    bus.subscribe(&listener, "x");
    emit(&bus, "x", "1").unwrap();
    // Somebody who has looked up the listeners before it leaves.
    let listeners = bus.listeners("x").unwrap();
    bus.leave(&listener);
    listener.close();
    listener.close();
    assert_eq!((listener.waiting(), Arc::strong_count(&held)), (0, 1));
    for late in listeners.iter() {
        late.deliver(Arc::new(Event::new("x", 8, b"2", true)));
    }
    assert_eq!(listener.waiting(), 0);
}
