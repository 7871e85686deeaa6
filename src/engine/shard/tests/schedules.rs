//! When timers fire.

use super::*;

fn set(shards: &mut Shards, id: &str, when: When<'_>, now: u64) -> Result<TimerSet, Refusal> {
    let timer = NewTimer {
        id: Some(id),
        channel: "plain",
        data: Some("1"),
        key: Some("key"),
        when,
    };
    shards.set_timer(timer, now)
}

#[test]
fn cron_knows_time_zones() {
    let mut shards = shards(vec![], false);
    // 2026-03-29 00:00 UTC: in Berlin the clock goes from 2 to 3 that night.
    let now = 1_774_742_400_000;
    let when = |timezone| When::Cron {
        expression: "30 6 * * *",
        timezone,
    };
    let utc = set(&mut shards, "utc", when(None), now).unwrap();
    let berlin = set(&mut shards, "berlin", when(Some("Europe/Berlin")), now).unwrap();
    assert_eq!(utc.due - now, 6 * 3_600_000 + 1_800_000);
    assert_eq!(berlin.due - now, 4 * 3_600_000 + 1_800_000);
    for (expression, timezone) in [
        ("nonsense", None),
        ("* * * * *", Some("Mars")),
        ("0 0 30 2 *", None),
    ] {
        let when = When::Cron {
            expression,
            timezone,
        };
        let refused = set(&mut shards, "x", when, now).unwrap_err();
        assert_eq!(refused.code(), "ERR_BAD_CRON", "{expression}");
    }
}

#[test]
fn a_period_that_was_missed_is_left_out() {
    let mut shards = shards(vec![], false);
    let when = When::Every {
        period: 100,
        first: None,
    };
    let timer = set(&mut shards, "t", when, 1000).unwrap();
    assert_eq!((timer.due, timer.ticket), (1100, None));
    let fired = shards.fire_due(1350, 10);
    assert_eq!(fired.len(), 1);
    assert_eq!(
        (fired[0].count, fired[0].key.as_deref()),
        (1, Some("key:1"))
    );
    assert_eq!(shards.next_due(), Some(1400));
    // The clock is set back: it does not fire again for what it has fired for.
    assert_eq!(shards.fire_due(1200, 10), []);
    assert_eq!(shards.cancel_timer("t", 1200), Ok((true, None)));
    assert_eq!(shards.cancel_timer("t", 1200), Ok((false, None)));
}

#[test]
fn what_is_overdue_fires_in_due_order_a_few_at_a_time() {
    let mut shards = shards(vec![], false);
    for (id, due) in [("a", 300), ("b", 100), ("c", 200), ("d", 100)] {
        set(&mut shards, id, When::At(due), 1).unwrap();
    }
    let mut ids = |max| -> Vec<String> {
        let fired = shards.fire_due(1000, max);
        fired.iter().map(|fired| fired.id.to_string()).collect()
    };
    assert_eq!(ids(3), ["b", "d", "c"]);
    assert_eq!(ids(3), ["a"]);
}

#[test]
fn times_that_make_no_sense_are_refused() {
    let mut shards = shards(vec![], false);
    let never = When::Every {
        period: 0,
        first: None,
    };
    let far = When::At(400_000_000_000);
    for when in [never, far] {
        let refused = set(&mut shards, "t", when, 1).unwrap_err();
        assert_eq!(refused.code(), "ERR_BAD_SCHEDULE");
    }
}
