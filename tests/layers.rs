//! Imports run downwards only: `node` → `runtime` → `engine`, and the engine's leaves know nobody.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

/// What the files below one module must not name.
struct Rule {
    module: &'static [&'static str],
    crates: &'static [&'static str],
    forbids: fn(&[String]) -> bool,
}

const RULES: &[Rule] = &[
    Rule {
        module: &["engine"],
        crates: &["mio", "tokio", "socket2", "napi", "napi_derive"],
        forbids: |path| is_below(path, &["runtime"]) || is_below(path, &["node"]),
    },
    Rule {
        module: &["runtime"],
        crates: &["napi", "napi_derive"],
        forbids: |path| is_below(path, &["node"]),
    },
    Rule {
        module: &["engine", "protocol"],
        crates: &[],
        forbids: |path| {
            ["session", "broker", "hub"]
                .iter()
                .any(|upper| is_below(path, &["engine", upper]))
        },
    },
    Rule {
        module: &["engine", "ws"],
        crates: &[],
        forbids: |path| is_below(path, &["engine"]) && !is_below(path, &["engine", "ws"]),
    },
    Rule {
        module: &["engine", "http"],
        crates: &[],
        forbids: |path| {
            is_below(path, &["engine"])
                && !is_below(path, &["engine", "http"])
                && !is_below(path, &["engine", "ws"])
        },
    },
    Rule {
        module: &["engine", "auth"],
        crates: &[],
        forbids: |path| is_below(path, &["engine"]) && !is_below(path, &["engine", "auth"]),
    },
    Rule {
        module: &["engine", "shard"],
        crates: &[],
        forbids: |path| {
            is_below(path, &["engine"])
                && !is_below(path, &["engine", "shard"])
                && !is_below(path, &["engine", "protocol"])
        },
    },
    Rule {
        module: &["engine", "memory"],
        crates: &[],
        forbids: |path| {
            is_below(path, &["engine"])
                && !is_below(path, &["engine", "memory"])
                && !is_below(path, &["engine", "shard"])
        },
    },
    Rule {
        module: &["engine", "compute"],
        crates: &[],
        forbids: |path| is_below(path, &["engine"]) && !is_below(path, &["engine", "compute"]),
    },
    Rule {
        module: &["engine", "functions"],
        crates: &[],
        forbids: |path| is_below(path, &["engine"]) && !is_below(path, &["engine", "functions"]),
    },
    Rule {
        module: &["engine", "bus"],
        crates: &[],
        forbids: |path| is_below(path, &["engine"]) && !is_below(path, &["engine", "bus"]),
    },
    Rule {
        module: &["engine", "link"],
        crates: &[],
        forbids: |path| {
            is_below(path, &["engine"])
                && !is_below(path, &["engine", "link"])
                && !is_below(path, &["engine", "protocol"])
        },
    },
    Rule {
        module: &["engine", "timer"],
        crates: &[],
        forbids: |path| is_below(path, &["engine"]) && !is_below(path, &["engine", "timer"]),
    },
];

fn is_below<S: AsRef<str>>(path: &[S], prefix: &[&str]) -> bool {
    path.len() >= prefix.len() && path.iter().zip(prefix).all(|(a, b)| a.as_ref() == *b)
}

#[test]
fn imports_run_downwards() {
    let sources = sources();
    assert!(
        sources
            .iter()
            .any(|(module, _)| is_below(module, &["engine"])),
        "no engine found"
    );
    let found: Vec<String> = sources
        .iter()
        .flat_map(|(module, text)| upward_imports(module, text))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn planted_upward_imports_are_found() {
    let planted: &[(&[&str], &str)] = &[
        (&["engine"], "use crate::runtime::Driver;"),
        (
            &["engine", "hub"],
            "use crate::{engine::command::Command, node};",
        ),
        (
            &["engine", "session"],
            "fn a() { super::super::runtime::go() }",
        ),
        (
            &["engine", "session"],
            "mod tests { use super::super::super::runtime::go; }",
        ),
        (&["engine"], "async fn a() { tokio::time::sleep(d).await }"),
        (&["runtime", "io"], "use napi::bindgen_prelude::*;"),
        (&["runtime", "io"], "use crate::node as up;"),
        (
            &["engine", "protocol", "frame"],
            "use super::super::{broker::Index, command};",
        ),
        (&["engine", "protocol"], "use crate::engine::hub::Hub;"),
        (&["engine", "ws"], "use super::protocol::Frame;"),
        (&["engine", "auth"], "use crate::engine::config::Config;"),
        (&["engine", "timer"], "use super::command::ConnId;"),
        (&["engine", "compute"], "use super::hub::Hub;"),
        (&["engine", "bus"], "use super::memory::Value;"),
        (&["engine", "functions"], "use super::compute::Job;"),
        (&["engine", "memory"], "use super::hub::Hub;"),
        (&["engine", "link"], "use crate::engine::memory::Value;"),
        (&["engine", "shard"], "use crate::engine::session::Session;"),
        (&["engine", "shard", "ports"], "use super::super::hub::Hub;"),
    ];
    for (module, text) in planted {
        let module: Vec<String> = module.iter().map(ToString::to_string).collect();
        assert!(
            !upward_imports(&module, text).is_empty(),
            "not found: {text}"
        );
    }
    let allowed: &[(&[&str], &str)] = &[
        (
            &["engine"],
            "//! driven by crate::runtime on tokio\nconst A: &str = \"napi 'x\";",
        ),
        (
            &["engine", "session"],
            "use super::{broker, protocol::{self, Frame}};",
        ),
        (
            &["engine", "ws"],
            "use super::ws::mask; mod tests { use super::{frame, *}; }",
        ),
        (
            &["runtime"],
            "use crate::engine::hub; fn a<'a>(b: &'a u8) -> char { '\"' }",
        ),
    ];
    for (module, text) in allowed {
        let module: Vec<String> = module.iter().map(ToString::to_string).collect();
        assert_eq!(
            upward_imports(&module, text),
            Vec::<String>::new(),
            "{text}"
        );
    }
}

#[test]
fn a_release_unwinds_on_panic() {
    let manifest = read(&root().join("Cargo.toml"));
    let release = manifest
        .split("[profile.release]")
        .nth(1)
        .expect("a release profile");
    let release = release
        .split("\n[")
        .next()
        .expect("split yields at least one part");
    assert!(
        release
            .lines()
            .any(|line| line.trim() == "panic = \"unwind\""),
        "{release}"
    );
}

#[test]
fn every_exported_function_catches_panics() {
    let mut exported = 0;
    let mut uncaught = Vec::new();
    for (module, text) in sources() {
        for function in exported_functions(&tokens(&text)) {
            exported += 1;
            if !function.catches {
                uncaught.push(format!("{}::{}", module.join("::"), function.name));
            }
        }
    }
    assert!(exported > 0, "no #[napi] function found");
    assert!(
        uncaught.is_empty(),
        "without catch_unwind: {}",
        uncaught.join(", ")
    );
}

#[test]
fn planted_functions_without_catch_unwind_are_found() {
    let planted = "
        #[napi] /// docs
        #[allow(dead_code)]
        pub async unsafe fn bare(a: u8) {}
        #[napi(js_name = \"x\", catch_unwind)] pub const fn caught() {}
        #[napi(object)] pub struct Plain { pub a: u8 }
        #[napi] pub const LIMIT: u32 = 1;
        #[napi] impl Handle { #[napi(getter)] pub(crate) fn id(&self) -> u32 { 1 } fn own() {} }
    ";
    let uncaught: Vec<String> = exported_functions(&tokens(planted))
        .into_iter()
        .filter(|function| !function.catches)
        .map(|function| function.name)
        .collect();
    assert_eq!(uncaught, ["bare", "id"]);
}

fn upward_imports(module: &[String], text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let named = paths(module, &tokens);
    let rules = RULES.iter().filter(|rule| is_below(module, rule.module));
    rules
        .flat_map(|rule| {
            let crates = tokens
                .iter()
                .filter(|token| rule.crates.contains(&token.0.as_str()))
                .map(|t| t.to_string());
            let paths = named
                .iter()
                .filter(|path| (rule.forbids)(path))
                .map(|path| path.join("::"));
            crates.chain(paths).collect::<Vec<_>>()
        })
        .map(|name| format!("{} must not name {name}", module.join("::")))
        .collect()
}

/// Every path that starts at `crate`, `self` or `super`, from the crate's root.
fn paths(file: &[String], tokens: &[Token]) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    let mut scope = file.to_vec();
    // For each open brace, whether it opened an inline module.
    let mut braces = Vec::new();
    for at in 0..tokens.len() {
        let token = |offset: usize| tokens.get(at + offset).map_or("", |token| token.0.as_str());
        match token(0) {
            "{" => {
                let inline = at >= 2 && tokens[at - 2].0 == "mod";
                if inline {
                    scope.push(tokens[at - 1].0.clone());
                }
                braces.push(inline);
            }
            "}" if braces.pop() == Some(true) => {
                scope.pop();
            }
            start @ ("crate" | "self" | "super") if token(1) == "::" => {
                let inside = at > 0 && tokens[at - 1].0 == "::";
                if !inside {
                    let base = step(&[], start, &scope);
                    use_tree(&tokens[at + 2..], &base, &mut found);
                }
            }
            _ => {}
        }
    }
    found
}

fn step(path: &[String], segment: &str, scope: &[String]) -> Vec<String> {
    let mut path = path.to_vec();
    match segment {
        "crate" => path.clear(),
        "self" if path.is_empty() => path = scope.to_vec(),
        "self" => {}
        "super" if path.is_empty() => path = scope[..scope.len().saturating_sub(1)].to_vec(),
        "super" => {
            path.pop();
        }
        name => path.push(name.to_owned()),
    }
    path
}

/// Reads one use tree behind `base::`; returns how many tokens it took.
fn use_tree(tokens: &[Token], base: &[String], found: &mut Vec<Vec<String>>) -> usize {
    let token = |at: usize| tokens.get(at).map_or("", |token| token.0.as_str());
    if token(0) == "{" {
        let mut at = 1;
        while at < tokens.len() && token(at) != "}" {
            at += use_tree(&tokens[at..], base, found).max(1);
        }
        return at + 1;
    }
    if !token(0).starts_with(|c: char| c.is_alphanumeric() || c == '_') {
        return 0;
    }
    let path = step(base, token(0), &[]);
    if token(1) == "::" {
        return 2 + use_tree(&tokens[2..], &path, found);
    }
    found.push(path);
    1
}

struct ExportedFunction {
    name: String,
    catches: bool,
}

fn exported_functions(tokens: &[Token]) -> Vec<ExportedFunction> {
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        if tokens[at].0 != "#" || tokens.get(at + 1).is_none_or(|token| token.0 != "[") {
            continue;
        }
        let end = closing(tokens, at + 1);
        let attribute = &tokens[at + 2..end];
        if !attribute.iter().any(|token| token.0 == "napi") {
            continue;
        }
        if let Some(name) = function_name(&tokens[end + 1..]) {
            let catches = attribute.iter().any(|token| token.0 == "catch_unwind");
            found.push(ExportedFunction { name, catches });
        }
    }
    found
}

/// The function's name when the item, behind its other attributes and qualifiers, is a function.
fn function_name(tokens: &[Token]) -> Option<String> {
    let mut at = 0;
    loop {
        match tokens.get(at)?.0.as_str() {
            "#" => at = closing(tokens, at + 1) + 1,
            "(" => at = closing(tokens, at) + 1,
            "pub" | "async" | "unsafe" | "const" | "extern" => at += 1,
            "fn" => return tokens.get(at + 1).map(ToString::to_string),
            _ => return None,
        }
    }
}

/// The index of the bracket that closes the one at `open`.
fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.0.as_str() {
            "[" | "(" | "{" => depth += 1,
            "]" | ")" | "}" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    tokens.len()
}

/// A word, `::`, or a single other character.
#[derive(Clone, Debug)]
struct Token(String);

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Source text without comments, strings, characters and lifetimes.
fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let rest = &chars[at..];
        let c = rest[0];
        at += match c {
            '/' if rest.starts_with(&['/', '/']) => to_line_end(rest),
            '/' if rest.starts_with(&['/', '*']) => block_comment(rest),
            '"' => string(rest),
            '\'' => character_or_lifetime(rest),
            ':' if rest.starts_with(&[':', ':']) => {
                found.push(Token("::".to_owned()));
                2
            }
            'r' | 'b' | 'c' if raw_string(rest) > 0 => raw_string(rest),
            _ if c.is_alphanumeric() || c == '_' => {
                let word: String = rest
                    .iter()
                    .take_while(|c| c.is_alphanumeric() || **c == '_')
                    .collect();
                let length = word.chars().count();
                found.push(Token(word));
                length
            }
            _ if c.is_whitespace() => 1,
            _ => {
                found.push(Token(c.to_string()));
                1
            }
        };
    }
    found
}

fn to_line_end(rest: &[char]) -> usize {
    rest.iter().position(|c| *c == '\n').unwrap_or(rest.len())
}

fn block_comment(rest: &[char]) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with(&['/', '*']) {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(&['*', '/']) {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    at
}

fn string(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != '"' {
        at += if rest[at] == '\\' { 2 } else { 1 };
    }
    at + 1
}

/// The length of a raw string (`r"…"`, `br#"…"#`) at the start of `rest`, or 0.
fn raw_string(rest: &[char]) -> usize {
    let prefix = rest
        .iter()
        .take_while(|c| matches!(c, 'r' | 'b' | 'c'))
        .count();
    let hashes = rest[prefix..].iter().take_while(|c| **c == '#').count();
    let is_raw = prefix <= 2 && rest[prefix - 1] == 'r';
    if !is_raw || rest.get(prefix + hashes) != Some(&'"') {
        return 0;
    }
    let mut end = vec!['"'];
    end.extend(std::iter::repeat_n('#', hashes));
    let body = prefix + hashes + 1;
    let length = rest[body..]
        .windows(end.len())
        .position(|window| window == end);
    body + length.map_or(rest.len() - body, |length| length + end.len())
}

fn character_or_lifetime(rest: &[char]) -> usize {
    if rest.get(1) == Some(&'\\') {
        let end = rest.iter().skip(3).position(|c| *c == '\'');
        return end.map_or(rest.len(), |end| end + 4);
    }
    if rest.get(2) == Some(&'\'') { 3 } else { 1 }
}

/// Every Rust file below `src/`, with its module path from the crate's root.
fn sources() -> Vec<(Vec<String>, String)> {
    let src = root().join("src");
    let mut files = Vec::new();
    collect(&src, &mut files);
    files
        .into_iter()
        .map(|file| (module_of(&src, &file), read(&file)))
        .collect()
}

fn module_of(src: &Path, file: &Path) -> Vec<String> {
    let inside = file
        .strip_prefix(src)
        .expect("files are collected below src")
        .with_extension("");
    let mut module: Vec<String> = inside
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
        module.pop();
    }
    module
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src is readable") {
        let path = entry.expect("src is readable").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).expect("the file is readable")
}
