//! Who is let in, and by whom somebody lets itself be let in.

use super::*;

const TOKEN: &str = "a token";
const CLIENT: Nonce = [1; NONCE];
const SERVER: Nonce = [2; NONCE];

fn target(role: Role, name: &str) -> Target {
    Target {
        role,
        name: name.to_owned(),
    }
}

fn here() -> Target {
    target(Role::Data, "a name")
}

pub(super) fn greeting(token: Option<&str>) -> Greeting {
    Greeting::new(token.map(str::to_owned), here(), CLIENT)
}

fn admitted(token: Option<&str>, target: &Target, frame: &[u8], nonce: &Nonce) -> Admission {
    admit(token, target, &Hello::parse(frame).unwrap(), nonce)
}

/// A machine's answer to a HELLO, and what it waits for.
fn challenged(greeting: &Greeting, nonce: &Nonce) -> (Vec<u8>, Challenge) {
    match admitted(Some(TOKEN), &here(), &greeting.hello("{}"), nonce) {
        Admission::Asked(answer, challenge) => (answer, challenge),
        other => panic!("{other:?}"),
    }
}

fn proved(heard: Result<Heard, Malformed>) -> Vec<u8> {
    match heard {
        Ok(Heard::Prove(proof)) => proof,
        other => panic!("{other:?}"),
    }
}

fn welcome(id: u32) -> Vec<u8> {
    let mut frame = Writer::ok(id);
    frame.str("{}");
    frame.finish()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|it| it == part)
}

#[test]
fn both_sides_prove_themselves_and_neither_says_the_token() {
    let mut client = greeting(Some(TOKEN));
    let (answer, challenge) = challenged(&client, &SERVER);
    assert!(!client.trusts());
    let proof = proved(client.hear(&answer));
    assert!(client.trusts());
    for sent in [&client.hello("{}"), &answer, &proof] {
        assert!(!contains(sent, TOKEN.as_bytes()));
    }
    let id = challenge.answered(&proof).unwrap();
    let heard = client.hear(&welcome(id));
    assert_eq!(heard, Ok(Heard::Welcome("{}".to_owned())));
}

#[test]
fn without_a_token_there_is_nothing_to_prove() {
    let mut client = greeting(None);
    let admission = admitted(None, &here(), &client.hello("{}"), &SERVER);
    assert!(matches!(admission, Admission::Open));
    let heard = client.hear(&welcome(1));
    assert_eq!(heard, Ok(Heard::Welcome("{}".to_owned())));
}

#[test]
fn a_token_on_one_side_only_is_refused() {
    let with = greeting(Some(TOKEN)).hello("{}");
    let without = greeting(None).hello("{}");
    for (token, hello) in [(None, with), (Some(TOKEN), without)] {
        let admission = admitted(token, &here(), &hello, &SERVER);
        assert!(matches!(admission, Admission::Refused(_)));
    }
}

#[test]
fn another_token_is_noticed_by_who_connects_first() {
    let mut client = greeting(Some("another"));
    let (answer, challenge) = challenged(&client, &SERVER);
    assert_eq!(client.hear(&answer), Ok(Heard::Impostor));
    assert!(!client.trusts());
    // What proves the other token does not prove this one.
    let hello = client.hello("{}");
    let Admission::Asked(answer, _) = admitted(Some("another"), &here(), &hello, &SERVER) else {
        panic!("asked");
    };
    let proof = proved(client.hear(&answer));
    assert_eq!(challenge.answered(&proof), Err(Denied::Wrong(2)));
}

#[test]
fn a_proof_is_worth_nothing_elsewhere() {
    let mut client = greeting(Some(TOKEN));
    let (answer, _) = challenged(&client, &SERVER);
    let proof = proved(client.hear(&answer));
    // Another connection, with the same HELLO.
    let (_, challenge) = challenged(&client, &[3; NONCE]);
    assert_eq!(challenge.answered(&proof), Err(Denied::Wrong(2)));
    // Its own proof, sent back.
    let (answer, challenge) = challenged(&client, &SERVER);
    let mut reflected = Writer::frame(kind::PROOF, 2);
    reflected.raw(&answer[answer.len() - PROOF..]);
    let reflected = challenge.answered(&reflected.finish());
    assert_eq!(reflected, Err(Denied::Wrong(2)));
    // Another memory, or the events of the same name.
    for other in [
        target(Role::Data, "another"),
        target(Role::Data, ""),
        target(Role::Events, "a name"),
    ] {
        let hello = client.hello("{}");
        let admission = admitted(Some(TOKEN), &other, &hello, &SERVER);
        let Admission::Asked(answer, challenge) = admission else {
            panic!("asked");
        };
        assert_eq!(challenge.answered(&proof), Err(Denied::Wrong(2)));
        let heard = greeting(Some(TOKEN)).hear(&answer);
        assert_eq!(heard, Ok(Heard::Impostor));
    }
}

#[test]
fn whatever_is_changed_on_the_way_is_noticed() {
    let client = greeting(Some(TOKEN));
    let (answer, _) = challenged(&client, &SERVER);
    // Behind the kind, the id and the status.
    for at in 6..answer.len() {
        let mut changed = answer.clone();
        changed[at] ^= 1;
        let heard = greeting(Some(TOKEN)).hear(&changed);
        assert_eq!(heard, Ok(Heard::Impostor), "{at}");
    }
    let mut hello = client.hello("{}");
    *hello.last_mut().unwrap() ^= 1;
    let changed = admitted(Some(TOKEN), &here(), &hello, &SERVER);
    let Admission::Asked(answer, _) = changed else {
        panic!("asked");
    };
    let heard = greeting(Some(TOKEN)).hear(&answer);
    assert_eq!(heard, Ok(Heard::Impostor));
    let (answer, _) = challenged(&client, &SERVER);
    let proof = proved(greeting(Some(TOKEN)).hear(&answer));
    for at in 5..proof.len() {
        let mut changed = proof.clone();
        changed[at] ^= 1;
        let (_, challenge) = challenged(&client, &SERVER);
        assert_eq!(challenge.answered(&changed), Err(Denied::Wrong(2)), "{at}");
    }
}

#[test]
fn an_impostor_is_told_nothing_by_who_connects() {
    for answer in [
        welcome(1),
        Writer::ok(1).finish(),
        [Writer::ok(1).finish(), vec![0; NONCE]].concat(),
        [Writer::ok(1).finish(), vec![0; NONCE + PROOF]].concat(),
        [Writer::ok(1).finish(), vec![0; NONCE + PROOF + 1]].concat(),
    ] {
        let heard = greeting(Some(TOKEN)).hear(&answer);
        assert_eq!(heard, Ok(Heard::Impostor));
    }
    // Neither an answer to what was not said yet, nor work.
    let chunk = Writer::frame(kind::CHUNK, 1).finish();
    for frame in [welcome(2), chunk] {
        let heard = greeting(Some(TOKEN)).hear(&frame);
        assert_eq!(heard, Err(Malformed));
    }
    // The same number and proof again, when a welcome is due.
    let mut client = greeting(Some(TOKEN));
    let (answer, _) = challenged(&client, &SERVER);
    proved(client.hear(&answer));
    assert_eq!(client.hear(&answer), Err(Malformed));
    let refusal = Writer::error(2, "ERR_NC_CONNECT", "no").finish();
    assert_eq!(client.hear(&refusal), Ok(Heard::Refused));
}

#[test]
fn only_a_proof_is_one() {
    let client = greeting(Some(TOKEN));
    let proof = {
        let (answer, _) = challenged(&client, &SERVER);
        proved(greeting(Some(TOKEN)).hear(&answer))
    };
    for bytes in [
        Vec::new(),
        client.hello("{}"),
        proof[..proof.len() - 1].to_vec(),
        [proof.clone(), vec![0]].concat(),
    ] {
        let (_, challenge) = challenged(&client, &SERVER);
        assert_eq!(challenge.answered(&bytes), Err(Denied::NoProof));
    }
}

/// What it is of is what docs/design/link.md says.
#[test]
fn the_proof_is_the_documented_one() {
    use hmac::{Hmac, Mac};

    let (answer, _) = challenged(&greeting(Some(TOKEN)), &SERVER);
    let mut code = <Hmac<sha2::Sha256> as Mac>::new_from_slice(TOKEN.as_bytes()).unwrap();
    code.update(b"es-networkcluster.v1 server data\0");
    code.update(&[CLIENT, SERVER].concat());
    code.update(b"a name");
    let documented = code.finalize().into_bytes();
    assert_eq!(answer[answer.len() - PROOF..], documented[..]);
}
