//! The wheel beside a list that is searched, and what rounding does.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::wheel::LOOKED_AT;
use super::{Clock, Tick, Wheel};

fn tick(ms: u64) -> Tick {
    Tick::from_ms(ms)
}

#[expect(clippy::disallowed_methods, reason = "clocks start at some moment")]
fn moment() -> Instant {
    Instant::now()
}

fn due(wheel: &mut Wheel, now: u64) -> Vec<u32> {
    std::iter::from_fn(|| wheel.pop_due(tick(now))).collect()
}

#[test]
fn an_index_has_a_timer_or_none() {
    let mut wheel = Wheel::default();
    wheel.schedule(0, tick(5));
    assert_eq!(wheel.deadline(0), Some(tick(5)));
    assert_eq!(wheel.deadline(1), None);
}

#[test]
fn nothing_is_due_before_its_tick() {
    let mut wheel = Wheel::default();
    for (index, at) in [1, 63, 64, 65, 4095, 4096, 8000, 262_144, 1 << 40]
        .into_iter()
        .enumerate()
    {
        wheel.schedule(index as u32, tick(at));
        assert_eq!(due(&mut wheel, at - 1), [0; 0]);
        assert_eq!(wheel.next_due(), Some(tick(at)));
        assert_eq!(due(&mut wheel, at), [index as u32]);
        assert_eq!(wheel.next_due(), None);
    }
}

#[test]
fn a_timer_that_is_over_is_due_at_once() {
    let mut wheel = Wheel::default();
    assert_eq!(due(&mut wheel, 1000), [0; 0]);
    wheel.schedule(3, tick(7));
    assert_eq!(wheel.next_due(), Some(tick(1000)));
    assert_eq!(due(&mut wheel, 999), [0; 0]);
    assert_eq!(due(&mut wheel, 1000), [3]);
}

#[test]
fn a_canceled_timer_is_not_due_and_can_be_set_again() {
    let mut wheel = Wheel::default();
    wheel.schedule(0, tick(100));
    wheel.schedule(1, tick(100));
    wheel.cancel(0);
    wheel.cancel(0);
    assert_eq!(due(&mut wheel, 99), [0; 0]);
    wheel.schedule(0, tick(100));
    assert_eq!(due(&mut wheel, 100), [1, 0]);
}

#[test]
fn the_end_of_time_is_a_deadline_like_others() {
    let mut wheel = Wheel::default();
    let end = tick(u64::MAX);
    wheel.schedule(0, end);
    wheel.schedule(1, tick(1));
    assert_eq!(due(&mut wheel, u64::MAX - 2), [1]);
    assert_eq!(wheel.pop_due(end), Some(0));
    assert_eq!(wheel.pop_due(end), None);
}

#[test]
fn many_close_timers_wake_at_most_once_per_level_too_early() {
    let mut wheel = Wheel::default();
    for index in 0..1000 {
        wheel.schedule(index, tick(100_000 + u64::from(index % 50)));
    }
    wheel.cancel(0);
    let (mut woken, mut taken) = (0, 0);
    while let Some(next) = wheel.next_due() {
        woken += 1;
        taken += due(&mut wheel, next.ms()).len();
    }
    assert_eq!(taken, 999);
    assert!(woken <= 50 + 4, "woken {woken} times");
}

#[test]
fn deadlines_are_rounded_up_and_the_present_down() {
    let mut clock = Clock::default();
    let start = moment();
    assert_eq!(clock.instant(tick(0)), None);
    clock.start(start);
    clock.start(start + Duration::from_secs(1));
    let now = start + Duration::from_micros(10_001);
    assert_eq!(clock.reached(now), tick(10));
    assert_eq!(clock.coming(now), tick(11));
    assert_eq!(clock.coming(now).after(Duration::from_micros(1)), tick(12));
    assert_eq!(
        clock.instant(tick(12)),
        Some(start + Duration::from_millis(12))
    );
    let whole = start + Duration::from_millis(10);
    assert_eq!(clock.reached(whole), clock.coming(whole));
    assert_eq!(clock.coming(start - Duration::from_secs(1)), tick(0));
    assert_eq!(tick(3).after(Duration::MAX), tick(u64::MAX - 1));
    assert_eq!(size_of::<Option<Tick>>(), 8);
    assert_eq!(
        (tick(7).ms_since(tick(3)), tick(3).ms_since(tick(7))),
        (4, 0)
    );
}

#[derive(Debug, Clone)]
enum Step {
    Schedules(u32, u64),
    Cancels(u32),
    Waits(u64),
    WaitsForNext,
}

const TIMERS: u32 = 40;

/// From a tick to years.
fn span() -> impl Strategy<Value = u64> {
    (0..40u32, any::<u64>()).prop_map(|(bits, random)| random & ((1 << bits) - 1))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..TIMERS, span()).prop_map(|(index, span)| Step::Schedules(index, span)),
        1 => (0..TIMERS).prop_map(Step::Cancels),
        1 => span().prop_map(Step::Waits),
        3 => Just(Step::WaitsForNext),
    ]
}

/// What is set, in the order it was set in.
#[derive(Default)]
struct Model(Vec<(u64, u32)>);

impl Model {
    fn cancel(&mut self, index: u32) {
        self.0.retain(|(_, other)| *other != index);
    }

    fn due(&mut self, now: u64) -> Vec<u32> {
        let (mut due, rest): (Vec<_>, Vec<_>) = self.0.iter().partition(|(at, _)| *at <= now);
        self.0 = rest;
        due.sort_by_key(|(at, _)| *at);
        due.into_iter().map(|(_, index)| index).collect()
    }

    fn earliest(&self) -> Option<u64> {
        self.0.iter().map(|(at, _)| *at).min()
    }
}

proptest! {
    #[test]
    fn the_wheel_does_what_a_searched_list_does(
        steps in prop::collection::vec(step(), 0..300),
        start in span(),
    ) {
        let (mut wheel, mut model) = (Wheel::default(), Model::default());
        let mut now = start;
        prop_assert_eq!(due(&mut wheel, now), [0; 0]);
        for step in steps {
            match step {
                Step::Schedules(index, span) => {
                    wheel.schedule(index, tick(now + span));
                    model.cancel(index);
                    model.0.push((now + span, index));
                }
                Step::Cancels(index) => {
                    wheel.cancel(index);
                    model.cancel(index);
                }
                Step::Waits(span) => now += span,
                Step::WaitsForNext => now = wheel.next_due().map_or(now, Tick::ms).max(now),
            }
            if matches!(step, Step::Waits(_) | Step::WaitsForNext) {
                let woken = wheel.next_due().is_some_and(|next| next.ms() <= now);
                prop_assert_eq!(due(&mut wheel, now), model.due(now));
                // Of few timers the next is known exactly.
                if woken && model.0.len() <= LOOKED_AT {
                    prop_assert_eq!(wheel.next_due().map(Tick::ms), model.earliest());
                }
            }
            let (next, earliest) = (wheel.next_due().map(Tick::ms), model.earliest());
            prop_assert_eq!(next.is_some(), earliest.is_some());
            prop_assert!(next <= earliest, "due at {earliest:?}, asked for {next:?}");
            for index in 0..TIMERS {
                let set = model.0.iter().find(|(_, other)| *other == index);
                prop_assert_eq!(wheel.deadline(index), set.map(|(at, _)| tick(*at)));
            }
        }
    }
}
