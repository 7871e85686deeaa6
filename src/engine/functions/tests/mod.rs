use super::{MAX_SOURCE, Options, Refusal, Report, Uses, analyse, globals, stack_needed};
use proptest::prelude::*;
use std::thread;

mod bounds;

fn text(source: &str) -> Result<Report, Refusal> {
    let options = Options {
        text: true,
        ..Options::default()
    };
    thread::scope(|scope| {
        thread::Builder::new()
            .stack_size(stack_needed(source))
            .spawn_scoped(scope, || analyse(source, options))
            .unwrap()
            .join()
            .unwrap()
    })
}

fn specialised(source: &str) -> Option<String> {
    text(source).unwrap().specialised.map(|found| found.code)
}

#[test]
fn lists_are_sorted() {
    assert!(globals::sorted());
}

#[test]
fn reads_become_constants() {
    let cases = [
        (
            "async (n, scope) => n * await scope.get('m')",
            "      (n, scope) => n *  $nc0 ",
        ),
        (
            "async(n,s)=>{const m=await s.get('m')in n}",
            "     (n,s)=>{const m= $nc0 in n}",
        ),
        (
            "(n, s) => s.get('m').then(m => n * m)",
            "(n, s) => (m => n * m)($nc0)",
        ),
        (
            "(n, s) => {\n  return s\n    .get('m')\n    .then(\n      m => n * m,\n    )\n}",
            "(n, s) => {\n  return (\n\n\nm => n * m)($nc0)\n}",
        ),
        ("(n, s) => s.get('m')", "(n, s) =>  $nc0 "),
        ("async n => n * 2", "      n => n * 2"),
        (
            "async function (n, s) { return [await s.get('a'), await s.get('b'), await s.get('a')] }",
            "      function (n, s) { return [ $nc0 ,  $nc1 ,  $nc0 ] }",
        ),
        (
            "async foo\n(n, s) { return await s.get('$nc') }",
            "\nfunction(n, s) { return  $nc$0  }",
        ),
    ];
    for (source, expected) in cases {
        assert_eq!(specialised(source).as_deref(), Some(expected), "{source}");
    }
}

#[test]
fn what_would_change_its_meaning_is_left_alone() {
    let cases = [
        "async (n, s) => { await 0; return await s.get('m') }",
        "async (n, s) => { for await (const x of n) {} return await s.get('m') }",
        "async (n, s) => await s.get(n)",
        "async (n, s) => await s?.get('m')",
        "async (n, s) => await s.get?.('m')",
        "async (n, s) => await s.get('m', 1)",
        "async (n, s) => { s.set('m', 1); return await s.get('m') }",
        "async (n, s) => { s = n; return await s.get('m') }",
        "async function (n, s) { var s; return await s.get('m') }",
        "async function (n, s) { arguments[1] = n; return await s.get('m') }",
        "async function f(n, s) { return n ? f : await s.get('m') }",
        "async (n, s) => [1].map(async () => await s.get('m'))",
        "async (n, s) => { const m = s.get('m'); return await m }",
        "(n, s) => s.get('m').then(m => m, e => e)",
        "(n, s) => s.get('m').then(async m => m)",
        "(n, s) => s.get('m').then(m => m).catch(e => e)",
        "(n, s) => { s.get('m').then(m => m) }",
        "(n, s) => { try { return s.get('m').then(m => m) } finally { n.x = 1 } }",
        "(n, s) => s.get('a').then(a => s.get('b').then(b => a + b))",
        "(n, { get }) => get('m')",
        "async (n, { get }) => n",
        "async n => await n",
        "n => n",
        "(n, ...rest) => rest[0].get('m')",
    ];
    for source in cases {
        assert_eq!(specialised(source), None, "{source}");
    }
}

#[test]
fn changing_what_was_read_is_noticed() {
    let reads_only = |body: &str| {
        let source = format!("async (n, s) => {{ const v = await s.get('v'); {body} }}");
        text(&source).unwrap().specialised.unwrap().reads_only
    };
    for body in [
        "return v.list[n].price * v.rates.get('EUR')",
        "let sum = 0; for (const x of v) sum += x; return sum",
        "return v.filter(x => x > n).map(Number).reduce((a, b) => a + b, 0)",
        "const half = x => x / 2; return half(v.a)",
        "return Object.keys(v).length + Math.max(...v.list)",
        "const seen = new Set(v); return seen.has(n)",
    ] {
        assert!(reads_only(body), "{body}");
    }
    for body in [
        "v.x = 1",
        "v.x++",
        "delete v.x",
        "v.push(1)",
        "v.sort()",
        "v['push'](1)",
        "[v.x] = [1]",
        "({ a: v.x } = n)",
        "for (v.x of n);",
        "for (v.x in n);",
        "Object.assign(v, n)",
        "v.list.forEach(Object.freeze)",
        "const { assign } = Object; assign(v, n)",
        "const o = Object; o.assign(v, n)",
        "globalThis.kept = v",
        "v.tag``",
        "Reflect.set(v, 'x', 1)",
        "(await 0, v)",
    ]
    .iter()
    .filter(|body| !body.contains("await"))
    {
        assert!(!reads_only(body), "{body}");
    }
}

#[test]
fn only_what_provably_ends_soon_is_short() {
    let short = |source: &str| text(source).unwrap().short;
    for source in [
        "x => x * 2",
        "x => ({ ...x, total: x.price * x.count, name: `${x.name}!` })",
        "({ a, b = 2 }) => { if (a > b) return a; let c = a ?? b; c += 1; return Math.round(c) }",
        "x => { switch (x) { case 1: return 'a'; default: throw 'b' } }",
        "async (x, s) => x * await s.get('m')",
        "async x => x",
        "(x, s) => s.get('m').then(m => x * m)",
        "(x, s, context) => context.index",
    ] {
        assert!(short(source), "{source}");
    }
    for source in [
        "x => { for (;;); }",
        "x => { while (x--); }",
        "x => x ** x",
        "x => x.map(y => y)",
        "x => 'a'.repeat(x)",
        "x => [...x]",
        "x => { x.y = 1 }",
        "x => delete x.y",
        "x => new Date()",
        "x => x instanceof Object",
        "x => x.y()",
        "x => 10n * x",
        "x => /(a+)+$/.test(x)",
        "x => /(a+)+$/",
        "async (x, s) => { await 0; return s.get('m') }",
        "(x, s) => s",
        "(x, s) => { s.set('m', x) }",
        "function f(x) { return x ? f(x - 1) : 0 }",
        "x => x`a`",
        "x => import('fs')",
        "x => globalThis.y",
        "x => class {}",
        "function (x) { return arguments }",
        "(x, s, context) => context.progress(x)",
        "(x, s, context) => { context.progress = 1 }",
    ] {
        assert!(!short(source), "{source}");
    }
}

#[test]
fn parameters_are_told_apart() {
    let used = |source: &str, uses| {
        let options = Options {
            uses,
            ..Options::default()
        };
        let report = analyse(source, options).unwrap();
        (report.uses_scope, report.uses_context)
    };
    assert_eq!(used("(x, s, c) => x", Uses::Item), (false, false));
    assert_eq!(used("(x, s, c) => c", Uses::Item), (false, true));
    assert_eq!(used("(x, { get }) => get", Uses::Item), (true, false));
    assert_eq!(used("(x, ...y) => x", Uses::Item), (true, true));
    assert_eq!(
        used("function () { return arguments }", Uses::Item),
        (true, true)
    );
    assert_eq!(used("(a, b, s) => a + b", Uses::Reduce), (false, false));
    assert_eq!(used("(a, b, s) => s", Uses::Reduce), (true, false));
    assert_eq!(used("(a, b, c) => a + b + c", Uses::Call), (false, false));
}

/// Whatever nests in JavaScript, many times: the analysis has the stack it needs.
#[test]
fn nothing_exhausts_the_stack() {
    let times = 500;
    let nests: &[(&str, &str, &str)] = &[
        ("", "x", ""),
        ("!", "x", ""),
        ("- ", "x", ""),
        ("typeof ", "x", ""),
        ("await ", "x", ""),
        ("x=>", "x", ""),
        ("async x=>", "x", ""),
        ("x=", "x", ""),
        ("x?x:", "x", ""),
        ("x?", "x", ":x"),
        ("x**", "x", ""),
        ("x??", "x", ""),
        ("", "x", "+x"),
        ("", "x", ".x"),
        ("", "x", "?.x"),
        ("", "x", "()"),
        ("", "x", "``"),
        ("new ", "x", ""),
        ("(')',", "x", ")"),
        ("[']',", "x", "]"),
        ("{'}'}{", "", "}"),
        ("({'}':1,x:", "1", "})"),
        ("`}${", "x", "}`"),
        ("(x=')',y=", "x", ")=>x"),
        ("function f(x=')'){", "", "}"),
        ("class{'}'(){", "", "}}"),
        ("class extends ", "x", "{}"),
        ("if(x)", "x", ""),
        ("if(x)x;else ", "x", ""),
        ("while(x)", "x", ""),
        ("for(;;)", "x", ""),
        ("for(x of ')')", "x", ""),
        ("do ", "x", ";while(x)"),
        ("a:", "x", ""),
        ("try{')'}finally{", "", "}"),
        ("switch(x){case ')':", "", "}"),
        ("var {')':", "x", "}=x"),
        ("<x>", "x", ""),
        ("", "x", " as x"),
        ("", "x", "!"),
        ("", "x", "<x>"),
    ];
    for (open, middle, close) in nests {
        for unclosed in [false, true] {
            let close = if unclosed { "" } else { close };
            let nested = format!("{}{middle}{}", open.repeat(times), close.repeat(times));
            for source in [
                format!("x=>{nested}"),
                format!("async function(x){{{nested}}}"),
                format!("(x:{nested})=>x"),
            ] {
                // What it says does not matter.
                let _ = text(&source);
            }
        }
    }
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = format!("x=>{}x{}", "(".repeat(100_000), ")".repeat(100_000));
    let refusal = text(&deep).unwrap_err();
    assert!(refusal.message.contains("nests too deeply"));
    assert_eq!((refusal.line, refusal.column), (1, 260));
    let long = format!("x=>'{}'", "a".repeat(MAX_SOURCE));
    assert!(text(&long).unwrap_err().message.contains("too long"));
}

proptest! {
    #[test]
    fn any_text_gets_an_answer(source in ".{0,200}") {
        let _ = text(&source);
    }

    #[test]
    fn any_tokens_get_an_answer(tokens in prop::collection::vec(prop::sample::select(TOKENS), 0..60)) {
        let body = tokens.join(" ");
        for source in [body.clone(), format!("async (n, s) => {{ {body} }}"), format!("(n, s) => {body}")] {
            if let Ok(report) = text(&source) {
                prop_assert!(analyse(&report.code, Options { text: true, ..Options::default() }).is_ok(), "{}", report.code);
                if let Some(specialised) = report.specialised {
                    let globals = specialised.names;
                    let options = Options { globals: &globals, ..Options::default() };
                    let again = analyse(&specialised.code, options);
                    prop_assert!(again.is_ok(), "{} {:?}", specialised.code, again);
                }
            }
        }
    }

    #[test]
    fn a_damaged_text_gets_an_answer(at in 0_usize..400, with in any::<char>(), cut in 0_usize..40) {
        let mut characters: Vec<char> = SAMPLE.chars().collect();
        let at = at % characters.len();
        let end = (at + cut).min(characters.len());
        characters.splice(at..end, [with]);
        let _ = text(&characters.into_iter().collect::<String>());
    }
}

const SAMPLE: &str =
    "async function name(number: number, { scope, ...rest } = {}, ctx?: Foo<string>) {
  const multiplier = await scope.get('multiplier') as number;
  label: for (const [key, value] of Object.entries(rest)) { if (value) continue label; else break }
  class A extends Map { #x = 1; static { this.y = super.get } get z() { return this.#x } }
  return `${multiplier * number}` + /[a-z]+(?<name>x)/u.exec('x')?.groups.name + new A().z ** 2n
}";

const TOKENS: &[&str] = &[
    "n",
    "s",
    "s.get('m')",
    "await",
    "return",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "=>",
    "=",
    "+",
    "*",
    ",",
    ";",
    ".",
    ".then(m => m)",
    "?.",
    "?",
    ":",
    "if",
    "else",
    "for",
    "of",
    "in",
    "let",
    "const",
    "x",
    "'a'",
    "1",
    "`",
    "${",
    "function",
    "class",
    "async",
    "this",
    "new",
    "...",
    "/",
    "\n",
    "typeof",
    "import",
    "as",
    "<",
    ">",
    "!",
    "try",
    "finally",
    "catch",
    "throw",
    "yield",
    "static",
    "get",
    "#p",
];
