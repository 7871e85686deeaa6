//! What a function must not do if it is to run elsewhere.

use super::{
    Captured, Options, Refusal, RefusalCode,
    find::Attempt,
    globals, inserted,
    own::{Owner, owner},
    report::Positions,
};
use oxc_ast::{
    AstKind,
    ast::{Expression, VariableDeclarationKind},
};
use oxc_span::GetSpan;
use oxc_syntax::{node::NodeId, operator::UnaryOperator};
use std::fmt::Write;

/// The most variables that a message names.
const MAX_NAMED: usize = 20;

/// What else the look at every node has shown.
#[derive(Default)]
pub(super) struct Findings {
    /// It names its `arguments`.
    pub(super) arguments: bool,
    /// The `await` expressions of the function itself.
    pub(super) awaits: Vec<NodeId>,
    /// It awaits in other ways: `for await`, `await using`.
    pub(super) awaits_otherwise: bool,
}

pub(super) fn check(attempt: &Attempt<'_>, options: Options<'_>) -> Result<Findings, Refusal> {
    let mut findings = Findings::default();
    let nodes = attempt.semantic.nodes();
    let first = attempt.callback.id();
    for (id, node) in nodes.iter_enumerated().filter(|(id, _)| *id > first) {
        look(attempt, id, node.kind(), &mut findings)?;
    }
    if let Some(refusal) = attempt.syntax() {
        return Err(refusal);
    }
    captured(attempt, options, &mut findings)?;
    Ok(findings)
}

fn look(
    attempt: &Attempt<'_>,
    id: NodeId,
    kind: AstKind<'_>,
    findings: &mut Findings,
) -> Result<(), Refusal> {
    let span = kind.span();
    match kind {
        AstKind::ThisExpression(_) if !is_inner(attempt, id) => Err(Refusal {
            code: RefusalCode::UsesThis,
            ..attempt.refuse(
                span,
                "uses `this`, which does not exist in the worker: use the parameters",
            )
        }),
        AstKind::Super(_) if !is_inner(attempt, id) => Err(attempt.refuse(
            span,
            "uses `super`, which does not exist in the worker: use the parameters",
        )),
        AstKind::NewTarget(_) if !is_inner(attempt, id) => {
            Err(attempt.refuse(span, "uses `new.target`, but is called without `new`"))
        }
        AstKind::ImportMeta(_) => Err(attempt.refuse(
            span,
            "uses `import.meta`, but is no part of a module in the worker: pass what it needs of it",
        )),
        AstKind::WithStatement(_) => Err(attempt.refuse(
            span,
            "uses `with`, so that it cannot be told which variables it needs",
        )),
        AstKind::CallExpression(call) if is_eval(attempt, &call.callee) => Err(attempt.refuse(
            span,
            "calls `eval`, so that it cannot be told which variables it needs",
        )),
        AstKind::AwaitExpression(_) if attempt.is_own(id) => {
            findings.awaits.push(id);
            Ok(())
        }
        AstKind::ForOfStatement(statement) if statement.r#await => {
            findings.awaits_otherwise = true;
            Ok(())
        }
        AstKind::VariableDeclaration(declaration)
            if declaration.kind == VariableDeclarationKind::AwaitUsing =>
        {
            findings.awaits_otherwise = true;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Whether `this` and its like belong to something inside of the function.
fn is_inner(attempt: &Attempt<'_>, node: NodeId) -> bool {
    match owner(attempt.semantic.nodes(), node) {
        Owner::Outside => false,
        Owner::Function(function) => function > attempt.callback.id(),
        Owner::Class => true,
    }
}

fn is_eval(attempt: &Attempt<'_>, callee: &Expression<'_>) -> bool {
    matches!(callee, Expression::Identifier(name)
        if name.name == "eval" && attempt.semantic.is_reference_to_global_variable(name))
}

fn captured(
    attempt: &Attempt<'_>,
    options: Options<'_>,
    findings: &mut Findings,
) -> Result<(), Refusal> {
    let scoping = attempt.semantic.scoping();
    let nodes = attempt.semantic.nodes();
    let mut found: Vec<(usize, Captured)> = Vec::new();
    for (name, references) in scoping.root_unresolved_references() {
        let name = name.as_str();
        if globals::exists(name) || options.globals.iter().any(|global| global == name) {
            continue;
        }
        let mut first = usize::MAX;
        let mut assigned = false;
        for reference in references {
            let reference = scoping.get_reference(*reference);
            let node = reference.node_id();
            if node < attempt.callback.id() || !reference.is_value() || is_asked_for(attempt, node)
            {
                continue;
            }
            if name == "arguments" {
                match owner(nodes, node) {
                    Owner::Outside => {}
                    Owner::Function(function) if function == attempt.callback.id() => {
                        findings.arguments = true;
                        continue;
                    }
                    Owner::Function(_) | Owner::Class => continue,
                }
            }
            first = first.min(attempt.offset(nodes.kind(node).span().start));
            assigned |= reference.is_write();
        }
        if first < usize::MAX {
            let captured = Captured {
                name: name.to_owned(),
                line: 0,
                column: 0,
                assigned,
            };
            found.push((first, captured));
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    found.sort_unstable_by_key(|(at, _)| *at);
    let mut positions = Positions::new(attempt.author());
    let placed = found.into_iter().map(|(at, captured)| {
        let (line, column) = positions.at(at);
        Captured {
            line,
            column,
            ..captured
        }
    });
    Err(refuse_captured(placed.collect()))
}

/// `typeof name` is fine for names that do not exist.
fn is_asked_for(attempt: &Attempt<'_>, node: NodeId) -> bool {
    matches!(attempt.semantic.nodes().parent_kind(node), AstKind::UnaryExpression(unary)
        if unary.operator == UnaryOperator::Typeof)
}

fn refuse_captured(captured: Vec<Captured>) -> Refusal {
    let mut message = "uses variables that do not exist in the worker: ".to_owned();
    for (at, variable) in captured.iter().take(MAX_NAMED).enumerate() {
        let Captured {
            name, line, column, ..
        } = variable;
        let comma = if at == 0 { "" } else { ", " };
        let assigned = if variable.assigned { ", assigned" } else { "" };
        // Writing to a string does not fail.
        let _ = write!(
            message,
            "{comma}{name} (line {line}, column {column}{assigned})"
        );
    }
    if captured.len() > MAX_NAMED {
        let _ = write!(message, " and {} more", captured.len() - MAX_NAMED);
    }
    let names = || captured.iter().map(|variable| variable.name.as_str());
    message.push('.');
    if names().any(|name| inserted::inserted_by(name).is_none() && inserted::advice(name).is_none())
    {
        message.push_str(
            " Pass what it needs through the scope, put it in the items, declare it inside the function, \
             or list it in `globals` if the worker has it.",
        );
    }
    let mut said: Vec<&str> = Vec::new();
    for name in names() {
        let advice = inserted::advice(name).or_else(|| inserted::inserted_by(name));
        if let Some(advice) = advice.filter(|advice| !said.contains(advice)) {
            said.push(advice);
            let _ = write!(message, " `{name}`: {advice}.");
        }
    }
    Refusal {
        code: RefusalCode::CapturedVariables,
        line: captured.first().map_or(0, |variable| variable.line),
        column: captured.first().map_or(0, |variable| variable.column),
        captured,
        ..Refusal::source(message)
    }
}
