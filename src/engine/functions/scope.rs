//! What a function reads from its scope, and whether those reads can be constants.

use super::{check::Findings, find::Attempt};
use oxc_ast::{
    AstKind,
    ast::{Argument, BindingPattern, CallExpression, Expression},
};
use oxc_span::{GetSpan, Span};
use oxc_syntax::{node::NodeId, symbol::SymbolId};

/// A function that reads more often is none of those that gain by constants.
const MOST_READS: usize = 1000;

/// One read, and the text it becomes. Byte ranges of what was parsed.
#[derive(Debug, Clone)]
pub(super) enum Edit {
    /// The whole of it is the value.
    Value(Span, usize),
    /// `scope.get('key').then(callback)`: the callback is called with the value.
    Then {
        whole: Span,
        callback: Span,
        key: usize,
    },
}

/// The reads of a function.
#[derive(Debug, Default)]
pub(super) struct Reads {
    /// The literal keys, each once.
    pub(super) keys: Vec<String>,
    /// The calls of `scope.get` with a literal key, and those of `then` on them.
    pub(super) calls: Vec<NodeId>,
    /// The functions given to `then`, which are part of the function itself once it is rewritten.
    pub(super) callbacks: Vec<NodeId>,
    /// If the function does nothing else with its scope and awaits nothing else.
    pub(super) edits: Option<Vec<Edit>>,
}

/// Whether a parameter is named anywhere.
pub(super) fn is_used(attempt: &Attempt<'_>, place: usize) -> bool {
    let params = attempt.callback.params();
    match params.items.get(place) {
        None => params.rest.is_some(),
        Some(_) => match symbol(attempt, place) {
            None => true,
            Some(symbol) => {
                let scoping = attempt.semantic.scoping();
                !scoping.get_resolved_reference_ids(symbol).is_empty()
                    || !scoping.symbol_redeclarations(symbol).is_empty()
            }
        },
    }
}

/// A parameter that is a plain name.
fn symbol(attempt: &Attempt<'_>, place: usize) -> Option<SymbolId> {
    match &attempt.callback.params().items.get(place)?.pattern {
        BindingPattern::BindingIdentifier(id) => id.symbol_id.get(),
        _ => None,
    }
}

/// Looks at every use of the scope, the parameter at `place`.
pub(super) fn reads(attempt: &Attempt<'_>, findings: &Findings, place: usize) -> Reads {
    let mut reads = Reads::default();
    let scoping = attempt.semantic.scoping();
    let symbol = symbol(attempt, place);
    if symbol.is_none() && is_used(attempt, place) {
        return reads;
    }
    let mut edits = Vec::new();
    let mut awaited = 0;
    let mut all = true;
    for reference in symbol
        .into_iter()
        .flat_map(|symbol| scoping.get_resolved_references(symbol))
    {
        if reads.calls.len() >= MOST_READS {
            all = false;
            break;
        }
        let Some((call, key)) = literal_get(attempt, reference.node_id()) else {
            all = false;
            continue;
        };
        let key = key_index(&mut reads.keys, key);
        reads.calls.push(call);
        match edit(attempt, call, key, &mut reads) {
            Some((edit, is_await)) => {
                awaited += usize::from(is_await);
                edits.push(edit);
            }
            None => all = false,
        }
    }
    // An async function that awaits nothing gains by not being async.
    let constant = all
        && (attempt.callback.is_async() || !edits.is_empty())
        && awaited == findings.awaits.len()
        && !findings.awaits_otherwise
        && !findings.arguments
        && symbol.is_none_or(|symbol| scoping.symbol_redeclarations(symbol).is_empty())
        && !calls_itself(attempt);
    reads.edits = constant.then_some(edits);
    reads
}

fn key_index(keys: &mut Vec<String>, key: &str) -> usize {
    keys.iter()
        .position(|known| known == key)
        .unwrap_or_else(|| {
            keys.push(key.to_owned());
            keys.len() - 1
        })
}

/// What it makes of itself changes: a value where there was a promise.
fn calls_itself(attempt: &Attempt<'_>) -> bool {
    let super::find::Callback::Function(function) = attempt.callback else {
        return false;
    };
    let symbol = function.id.as_ref().and_then(|id| id.symbol_id.get());
    symbol.is_some_and(|symbol| {
        let scoping = attempt.semantic.scoping();
        !scoping.get_resolved_reference_ids(symbol).is_empty()
    })
}

/// The call and its key, if a use of the scope is `scope.get('key')`.
fn literal_get<'a>(attempt: &Attempt<'a>, scope: NodeId) -> Option<(NodeId, &'a str)> {
    let nodes = attempt.semantic.nodes();
    let member = nodes.parent_id(scope);
    let AstKind::StaticMemberExpression(get) = nodes.kind(member) else {
        return None;
    };
    let call = nodes.parent_id(member);
    let AstKind::CallExpression(expression) = nodes.kind(call) else {
        return None;
    };
    if get.property.name != "get" || get.optional || !calls(expression, get.span) {
        return None;
    }
    match expression.arguments.as_slice() {
        [Argument::StringLiteral(key)] if !key.lone_surrogates => Some((call, key.value.as_str())),
        _ => None,
    }
}

fn calls(call: &CallExpression<'_>, callee: Span) -> bool {
    call.callee.span() == callee && !call.optional
}

/// How a read becomes a constant, and whether it is awaited.
fn edit(
    attempt: &Attempt<'_>,
    call: NodeId,
    key: usize,
    reads: &mut Reads,
) -> Option<(Edit, bool)> {
    let nodes = attempt.semantic.nodes();
    if !attempt.is_own(call) {
        return None;
    }
    let parent = nodes.parent_id(call);
    match nodes.kind(parent) {
        AstKind::AwaitExpression(expression) => Some((Edit::Value(expression.span, key), true)),
        _ if is_returned(attempt, call) => Some((Edit::Value(nodes.kind(call).span(), key), false)),
        AstKind::StaticMemberExpression(then) if then.property.name == "then" && !then.optional => {
            let outer = nodes.parent_id(parent);
            let AstKind::CallExpression(expression) = nodes.kind(outer) else {
                return None;
            };
            if !calls(expression, then.span) || !is_returned(attempt, outer) {
                return None;
            }
            let (callback, span) = plain_callback(expression)?;
            reads.calls.push(outer);
            reads.callbacks.push(callback);
            let whole = expression.span;
            Some((
                Edit::Then {
                    whole,
                    callback: span,
                    key,
                },
                false,
            ))
        }
        _ => None,
    }
}

/// The only argument of `then`, if it is a function that is written there.
fn plain_callback(then: &CallExpression<'_>) -> Option<(NodeId, Span)> {
    match then.arguments.as_slice() {
        [Argument::FunctionExpression(function)] if !function.r#async && !function.generator => {
            Some((function.node_id.get(), function.span))
        }
        [Argument::ArrowFunctionExpression(arrow)] if !arrow.r#async => {
            Some((arrow.node_id.get(), arrow.span))
        }
        _ => None,
    }
}

/// Whether an expression is what the function returns. Inside of `try` there is more to come after it.
fn is_returned(attempt: &Attempt<'_>, node: NodeId) -> bool {
    let nodes = attempt.semantic.nodes();
    if attempt.callback.expression() == Some(nodes.kind(node).span()) {
        return true;
    }
    matches!(nodes.parent_kind(node), AstKind::ReturnStatement(_))
        && nodes
            .ancestor_kinds(node)
            .take_while(|kind| kind.span() != attempt.callback.span())
            .all(|kind| !matches!(kind, AstKind::TryStatement(_)))
}

/// Whether an expression is a name that nothing in the function declares.
pub(super) fn is_global(attempt: &Attempt<'_>, expression: &Expression<'_>) -> bool {
    matches!(expression, Expression::Identifier(name)
        if attempt.semantic.is_reference_to_global_variable(name))
}
