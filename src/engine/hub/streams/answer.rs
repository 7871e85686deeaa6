//! Who asked, and what they are told.

use super::WRITTEN_PER_COST;
use crate::engine::command::{ConnId, JsEvent};
use crate::engine::hub::Hub;
use crate::engine::protocol::{ErrorName, ErrorValue, JsonText, encode};
use crate::engine::shard::{Position, Refusal};

/// Who asked for something that may be answered later.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Asker {
    /// A client; under a call's id, or without wanting an answer.
    Client {
        /// Its connection.
        conn: ConnId,
        /// The call.
        cid: Option<f64>,
    },
    /// The app, under a number of its own; 0 where it does not wait for the answer.
    App(u32),
    /// A timer.
    Nobody,
}

/// The answer: JSON text, or nothing to say.
pub(super) type Answer = Result<Option<String>, ErrorValue>;

impl Hub {
    pub(super) fn answer(&mut self, asker: Asker, answer: Answer) {
        match asker {
            Asker::Client { conn, cid } => self.answer_client(conn, cid, answer),
            Asker::App(number) => self.answer_app(number, answer),
            Asker::Nobody => {}
        }
    }

    fn answer_client(&mut self, conn: ConnId, cid: Option<f64>, answer: Answer) {
        if !self.is_current(conn) {
            return;
        }
        match (answer, cid) {
            (Ok(data), Some(cid)) => {
                // A short question may have a long answer.
                let length = data.as_ref().map_or(0, String::len);
                self.spent = self.spent.saturating_add(length / WRITTEN_PER_COST);
                self.packet(conn.slot, encode::response(cid, data.as_deref()));
            }
            (Ok(_), None) => {}
            (Err(error), cid) => {
                let json = error.to_json();
                self.error(conn.slot, error);
                if let Some(cid) = cid {
                    self.packet(conn.slot, encode::error_response(cid, &json));
                }
            }
        }
    }

    fn answer_app(&mut self, number: u32, answer: Answer) {
        let (error, data) = match answer {
            Ok(_) if number == 0 => return,
            Ok(data) => (None, data),
            Err(error) => (Some(error.to_json()), None),
        };
        self.js(JsEvent::StreamAnswer {
            number,
            error,
            data,
        });
    }
}

/// An error with one of the codes of streams.
pub(super) fn stream_error(code: &str, message: &str) -> ErrorValue {
    ErrorValue::new(ErrorName::StreamError, message).with("code", format!("\"{code}\""))
}

/// What the shards refuse.
pub(super) fn refused(refusal: &Refusal) -> ErrorValue {
    stream_error(refusal.code(), &refusal.to_string())
}

/// `"epoch":"k3f9","offset":42`
pub(super) fn push_position(out: &mut String, position: Position) {
    out.push_str("\"epoch\":\"");
    out.push_str(&position.epoch.to_string());
    out.push_str("\",\"offset\":");
    out.push_str(&position.offset.to_string());
}

/// `{"epoch":"k3f9","offset":42}`, with further members.
pub(super) fn position_json(position: Position, further: &str) -> String {
    let mut out = String::with_capacity(48 + further.len());
    out.push('{');
    push_position(&mut out, position);
    out.push_str(further);
    out.push('}');
    out
}

/// The quoted JSON literal of a plain string.
pub(super) fn literal(plain: &str) -> String {
    encode::string_literal(&JsonText::from_str(plain))
}
