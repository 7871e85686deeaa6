//! Takes the types out of TypeScript.

use super::Refusal;
use oxc_allocator::Allocator;
use oxc_codegen::Codegen;
use oxc_parser::Parser;
use oxc_semantic::SemanticBuilder;
use oxc_span::SourceType;
use oxc_transformer::{TransformOptions, Transformer};
use std::path::Path;

/// The JavaScript of a TypeScript function that could be read. Nothing is lowered, so that no helpers
/// are needed.
pub(super) fn strip(source: &str) -> Result<String, Refusal> {
    ["(", "({"]
        .into_iter()
        .zip(["\n)", "\n})"])
        .find_map(|(head, tail)| strip_program(&format!("{head}{source}{tail}")))
        .ok_or_else(|| Refusal::source("cannot be freed of its types"))
}

fn strip_program(text: &str) -> Option<String> {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, text, SourceType::ts().with_script(true)).parse();
    if parsed.panicked || parsed.diagnostics.has_errors() {
        return None;
    }
    let mut program = parsed.program;
    let semantic = SemanticBuilder::new()
        .with_excess_capacity(2.0)
        .with_enum_eval(true)
        .build(&program);
    let scoping = semantic.semantic.into_scoping();
    let options = TransformOptions::default();
    let transformed = Transformer::new(&allocator, Path::new("function.ts"), &options)
        .build_with_scoping(scoping, &mut program);
    if transformed.diagnostics.has_errors() || program.body.len() != 1 {
        return None;
    }
    let code = Codegen::new().build(&program).code;
    Some(code.trim_end().trim_end_matches(';').to_owned())
}
