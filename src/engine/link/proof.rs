//! How both sides of a connection show that they know the token, which is never sent.
//!
//! A challenge and a response each way, as ISO/IEC 9798-4 (mutual authentication in three passes) and RFC
//! 5802 have it: who connects sends a random number, the machine answers with another one and proves
//! itself, and only then does who connected. A proof is HMAC-SHA256 (RFC 2104, FIPS 180-4), keyed by the
//! token, of what the connection is for, whose proof it is, and both numbers: it is worth nothing on
//! another connection, nor from the other side.

use hmac::digest::InvalidLength;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::hello::{Hello, Role, Target};
use super::kind;
use super::read::{Frame, Malformed, Reader};
use super::write::Writer;
use crate::engine::protocol::validate;

/// Bytes of a random number.
pub const NONCE: usize = 32;
/// Bytes of a proof.
pub const PROOF: usize = 32;
/// A random number that is used once.
pub type Nonce = [u8; NONCE];

/// Ids of the only two frames that who connects sends before it is let in.
const HELLO_ID: u32 = 1;
const PROOF_ID: u32 = 2;

type Code = Hmac<Sha256>;

/// Whose proof it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}

/// The code that is a side's proof, to be finished or to be compared.
fn code(
    token: &str,
    side: Side,
    target: &Target,
    (client, server): (&Nonce, &Nonce),
) -> Result<Code, InvalidLength> {
    let side = match side {
        Side::Client => "client",
        Side::Server => "server",
    };
    let role = match target.role {
        Role::Data => "data",
        Role::Events => "events",
        Role::Worker => "worker",
        Role::Control => "control",
    };
    // A key may have any length: no token is refused here.
    let mut code = <Code as Mac>::new_from_slice(token.as_bytes())?;
    code.update(format!("{} {side} {role}\0", super::SUBPROTOCOL).as_bytes());
    code.update(client);
    code.update(server);
    // Last, since it alone has no known length.
    code.update(target.name.as_bytes());
    Ok(code)
}

/// What a machine makes of a HELLO.
#[derive(Debug)]
pub enum Admission {
    /// Nobody has to prove anything.
    Open,
    /// The answer to the HELLO, and what the next frame has to prove.
    Asked(Vec<u8>, Challenge),
    /// For this reason it is refused.
    Refused(&'static str),
}

/// What who connects has to prove to be let in. There is one attempt.
pub struct Challenge(Code);

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denied {
    /// Another frame than a proof.
    NoProof,
    /// The frame of this id proves nothing.
    Wrong(u32),
}

impl std::fmt::Debug for Challenge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Challenge").finish_non_exhaustive()
    }
}

/// Answers a HELLO to a machine with this token, or with none. `nonce` is random and is not used again.
#[must_use]
pub fn admit(token: Option<&str>, target: &Target, hello: &Hello<'_>, nonce: &Nonce) -> Admission {
    match (token, &hello.nonce) {
        (None, None) => Admission::Open,
        (Some(_), None) => Admission::Refused("token refused: one is needed"),
        // Who has one wants to be sure whom it talks to.
        (None, Some(_)) => Admission::Refused("token refused: there is none here"),
        (Some(token), Some(client)) => {
            let proof = |side| code(token, side, target, (client, nonce));
            let (Ok(own), Ok(expected)) = (proof(Side::Server), proof(Side::Client)) else {
                return Admission::Refused("token refused");
            };
            let mut answer = Writer::ok(hello.id);
            answer.raw(nonce).raw(&own.finalize().into_bytes());
            Admission::Asked(answer.finish(), Challenge(expected))
        }
    }
}

impl Challenge {
    /// Compares what was answered, in constant time. Returns the id of the frame.
    ///
    /// # Errors
    /// It is no proof.
    pub fn answered(self, bytes: &[u8]) -> Result<u32, Denied> {
        let frame = Frame::parse(bytes).map_err(|_| Denied::NoProof)?;
        if frame.kind != kind::PROOF || frame.body.len() != PROOF {
            return Err(Denied::NoProof);
        }
        let compared = self.0.verify_slice(frame.body);
        compared.map_err(|_| Denied::Wrong(frame.id))?;
        Ok(frame.id)
    }
}

/// Who connects, until it is let in.
pub struct Greeting {
    token: Option<String>,
    target: Target,
    nonce: Nonce,
    /// The other side has proved itself, or need not.
    trusts: bool,
}

/// What who connects makes of an answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Heard {
    /// The machine knows the token: this is to be sent, in a frame of its own.
    Prove(Vec<u8>),
    /// It has let this side in, and says this, in JSON.
    Welcome(String),
    /// It has not: why is said by how it ends the connection.
    Refused,
    /// It does not know the token. It is to be told nothing more.
    Impostor,
}

impl std::fmt::Debug for Greeting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Greeting")
            .field("target", &self.target)
            .finish_non_exhaustive()
    }
}

impl Greeting {
    /// Of who connects to this, with this token or with none. `nonce` is random and is not used again.
    #[must_use]
    pub fn new(token: Option<String>, target: Target, nonce: Nonce) -> Self {
        Self {
            trusts: token.is_none(),
            token,
            target,
            nonce,
        }
    }

    /// Whether the machine has proved that it knows the token, if there is one.
    #[must_use]
    pub fn trusts(&self) -> bool {
        self.trusts
    }

    /// The first frame.
    #[must_use]
    pub fn hello(&self, json: &str) -> Vec<u8> {
        let mut frame = Writer::frame(kind::HELLO, HELLO_ID);
        frame.str(json);
        if self.token.is_some() {
            frame.raw(&self.nonce);
        }
        frame.finish()
    }

    /// Reads the next frame of the machine.
    ///
    /// # Errors
    /// It is none that may come now.
    pub fn hear(&mut self, bytes: &[u8]) -> Result<Heard, Malformed> {
        let frame = Frame::parse(bytes)?;
        let asked = if self.trusts && self.token.is_some() {
            PROOF_ID
        } else {
            HELLO_ID
        };
        if (frame.kind, frame.id) != (kind::ANSWER, asked) {
            return Err(Malformed);
        }
        let mut reader = Reader::new(frame.body);
        if reader.flag()? {
            return Ok(Heard::Refused);
        }
        if !self.trusts {
            let proof = self.challenged(reader.rest());
            self.trusts = proof.is_some();
            return Ok(proof.map_or(Heard::Impostor, Heard::Prove));
        }
        let json = reader.str()?;
        reader.end()?;
        validate(json).ok_or(Malformed)?;
        Ok(Heard::Welcome(json.to_owned()))
    }

    /// Compares the machine's proof, in constant time. Returns the own one.
    fn challenged(&self, body: &[u8]) -> Option<Vec<u8>> {
        let token = self.token.as_deref()?;
        let (nonce, proof) = body.split_first_chunk::<NONCE>()?;
        let of = |side| code(token, side, &self.target, (&self.nonce, nonce)).ok();
        of(Side::Server)?.verify_slice(proof).ok()?;
        let mut frame = Writer::frame(kind::PROOF, PROOF_ID);
        frame.raw(&of(Side::Client)?.finalize().into_bytes());
        Some(frame.finish())
    }
}
