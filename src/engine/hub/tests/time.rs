//! What time does to a session.

use super::*;

#[test]
fn a_client_is_pinged_at_the_interval() {
    let mut script = Script::new();
    let conn = script.client();
    script.ticks(7999).expect_nothing();
    script.ticks(1).expect([sent(conn, "")]);
    script.says(conn, "").ticks(8000).expect([sent(conn, "")]);
}

#[test]
fn version_1_pings_with_a_packet() {
    let mut script = Script::with(|config| config.protocol_version = 1);
    let conn = script.client();
    script.ticks(8000).expect([sent(conn, "#1")]);
    script.says(conn, "#2").expect_nothing();
    script.ticks(29_999);
    script.commands();
    script.ticks(1).expect([closed(conn, 4001)]);
}

#[test]
fn a_silent_client_loses_its_connection() {
    let mut script = Script::new();
    let conn = script.client_with_js();
    script.ticks(29_999);
    script.commands();
    script.ticks(1).expect([
        js_closed(conn, 4001, "Client pong timed out"),
        closed(conn, 4001),
    ]);
    assert_eq!(script.hub.counts().open, 0);
    script.ticks(100_000).expect_nothing();
}

#[test]
fn a_pong_shows_life() {
    let mut script = Script::new();
    let conn = script.client();
    script.ticks(20_000);
    script.says(conn, "").ticks(29_999);
    script.commands();
    script.ticks(1).expect([closed(conn, 4001)]);
}

#[test]
fn any_message_shows_life() {
    let mut script = Script::new();
    let conn = script.client();
    script.ticks(20_000);
    script.says(conn, "x").ticks(29_999);
    script.commands();
    assert_eq!(script.hub.counts().open, 1);
    script.ticks(1).expect([closed(conn, 4001)]);
}

#[test]
fn pings_can_be_off() {
    let mut script = Script::with(|config| config.ping_timeout_disabled = true);
    script.client();
    assert!(
        script
            .hub
            .next_due()
            .is_none_or(|at| at > script.time.instant)
    );
    script.ticks(1_000_000).expect_nothing();
    assert_eq!(script.hub.next_due(), None);
    assert_eq!(script.hub.counts().open, 1);
}

#[test]
fn the_handshake_must_come_in_time() {
    let mut script = Script::new();
    let conn = script.connects_with_js();
    script.ticks(8000).expect([sent(conn, "")]);
    script.ticks(1999).expect_nothing();
    script.ticks(1).expect([
        js_closed(
            conn,
            4005,
            "Did not receive #handshake from client before timeout",
        ),
        closed(conn, 4005),
    ]);
}

#[test]
fn the_clock_is_asked_for_exactly_when_something_is_due() {
    let mut script = Script::new();
    let opened = script.time.instant;
    script.connects();
    assert_eq!(script.hub.next_due(), Some(opened + Duration::from_secs(8)));
    script.ticks(8000);
    assert_eq!(
        script.hub.next_due(),
        Some(opened + Duration::from_secs(10))
    );
    script.ticks(2000);
    assert_eq!(script.hub.next_due(), None);
}

#[test]
fn a_deadline_of_a_former_owner_of_the_slot_does_nothing() {
    let mut script = Script::new();
    let former = script.connects();
    script.hub.link_closed(former, 1000, "");
    script.after(5000);
    let conn = script.client();
    assert_eq!(conn.slot, former.slot);
    script.commands();
    script.ticks(5000).expect_nothing();
    script.ticks(3000).expect([sent(conn, "")]);
}

#[test]
fn a_client_that_is_not_read_cannot_be_silent() {
    let mut script = Script::new();
    let conn = script.client();
    script.hub.set_unread(conn, true, script.time);
    for _ in 0..100 {
        script.ticks(8000);
    }
    assert_eq!(script.hub.counts().open, 1);
    // From when it is read again it has the whole time.
    script.after(7000);
    script.hub.set_unread(conn, false, script.time);
    script.ticks(29_999);
    assert_eq!(script.hub.counts().open, 1);
    script.commands();
    script.ticks(1).expect([closed(conn, 4001)]);
}

#[test]
fn nothing_is_early_by_a_fraction_of_a_millisecond() {
    let mut script = Script::new();
    let first = script.client();
    script.time.instant += Duration::from_micros(300);
    let second = script.client();
    script.time.instant += Duration::from_micros(7_999_900);
    script.ticks(0).expect([sent(first, "")]);
    script.time.instant += Duration::from_micros(799);
    script.ticks(0).expect_nothing();
    script.time.instant += Duration::from_micros(1);
    script.ticks(0).expect([sent(second, "")]);
}

#[test]
fn talking_sets_no_timer() {
    let mut script = Script::new();
    let conn = script.client();
    let due = script.hub.next_due();
    for _ in 0..100 {
        script.after(79).says(conn, "x").says(conn, "");
        assert_eq!(script.hub.next_due(), due);
    }
}

#[test]
fn clients_are_pinged_in_the_order_of_their_arrival() {
    let mut script = Script::new();
    let conns: Vec<ConnId> = (0..200).map(|_| script.after(1).client()).collect();
    script.ticks(8000);
    let pings: Vec<Command> = conns.iter().map(|conn| sent(*conn, "")).collect();
    assert_eq!(script.hub.take_commands(), pings);
}
