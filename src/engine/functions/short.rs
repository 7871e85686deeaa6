//! Whether a function ends soon and has no effects, so that it may run on the thread of the caller.

use super::{check::Findings, find::Attempt, globals, scope::Reads, scope::is_global};
use oxc_ast::{
    AstKind,
    ast::{
        AssignmentTarget, CallExpression, Expression, SimpleAssignmentTarget,
        VariableDeclarationKind,
    },
};
use oxc_syntax::{
    node::NodeId,
    operator::{BinaryOperator, UnaryOperator},
};

/// The most nodes that count as short.
const MAX_NODES: usize = 400;

/// Every node must be of a kind that takes a bounded time: there are no loops, and no calls but those
/// of functions known to be quick.
pub(super) fn is_short(attempt: &Attempt<'_>, findings: &Findings, reads: &Reads) -> bool {
    let nodes = attempt.semantic.nodes();
    let first = attempt.callback.id();
    !findings.arguments
        && (!attempt.callback.is_async() || reads.edits.is_some())
        && nodes.len() <= MAX_NODES
        && nodes
            .iter_enumerated()
            .filter(|(id, _)| *id > first)
            .all(|(id, node)| is_quick(attempt, id, node.kind(), reads))
}

fn is_quick(attempt: &Attempt<'_>, id: NodeId, kind: AstKind<'_>, reads: &Reads) -> bool {
    match kind {
        AstKind::FormalParameters(_)
        | AstKind::FormalParameter(_)
        | AstKind::FunctionBody(_)
        | AstKind::Directive(_)
        | AstKind::BindingIdentifier(_)
        | AstKind::BindingProperty(_)
        | AstKind::ObjectPattern(_)
        | AstKind::ArrayPattern(_)
        | AstKind::AssignmentPattern(_)
        | AstKind::ReturnStatement(_)
        | AstKind::ExpressionStatement(_)
        | AstKind::VariableDeclarator(_)
        | AstKind::IfStatement(_)
        | AstKind::BlockStatement(_)
        | AstKind::EmptyStatement(_)
        | AstKind::SwitchStatement(_)
        | AstKind::SwitchCase(_)
        | AstKind::BreakStatement(_)
        | AstKind::ThrowStatement(_)
        | AstKind::NumericLiteral(_)
        | AstKind::StringLiteral(_)
        | AstKind::BooleanLiteral(_)
        | AstKind::NullLiteral(_)
        | AstKind::TemplateLiteral(_)
        | AstKind::TemplateElement(_)
        | AstKind::IdentifierName(_)
        | AstKind::StaticMemberExpression(_)
        | AstKind::ComputedMemberExpression(_)
        | AstKind::ChainExpression(_)
        | AstKind::ParenthesizedExpression(_)
        | AstKind::LogicalExpression(_)
        | AstKind::ConditionalExpression(_)
        | AstKind::SequenceExpression(_)
        | AstKind::ObjectExpression(_)
        | AstKind::ObjectProperty(_)
        | AstKind::ArrayExpression(_)
        | AstKind::Elision(_) => true,
        AstKind::SpreadElement(_) => {
            matches!(
                attempt.semantic.nodes().parent_kind(id),
                AstKind::ObjectExpression(_)
            )
        }
        AstKind::VariableDeclaration(declaration) => matches!(
            declaration.kind,
            VariableDeclarationKind::Var
                | VariableDeclarationKind::Let
                | VariableDeclarationKind::Const
        ),
        AstKind::UnaryExpression(unary) => unary.operator != UnaryOperator::Delete,
        AstKind::BinaryExpression(binary) => !matches!(
            binary.operator,
            BinaryOperator::Exponential | BinaryOperator::Instanceof
        ),
        AstKind::AssignmentExpression(assignment) => {
            matches!(
                assignment.left,
                AssignmentTarget::AssignmentTargetIdentifier(_)
            )
        }
        AstKind::UpdateExpression(update) => matches!(
            update.argument,
            SimpleAssignmentTarget::AssignmentTargetIdentifier(_)
        ),
        AstKind::IdentifierReference(name) => {
            !attempt.semantic.is_reference_to_global_variable(name) || globals::is_quick(&name.name)
        }
        // Those that are not reads of the scope make a function one that is not specialised.
        AstKind::AwaitExpression(_) => reads.edits.is_some(),
        AstKind::CallExpression(call) => reads.calls.contains(&id) || is_quick_call(attempt, call),
        AstKind::Function(_) | AstKind::ArrowFunctionExpression(_) => reads.callbacks.contains(&id),
        _ => false,
    }
}

/// `Math.round(x)`, `Number(x)`.
fn is_quick_call(attempt: &Attempt<'_>, call: &CallExpression<'_>) -> bool {
    match &call.callee {
        Expression::StaticMemberExpression(member) => {
            is_global(attempt, &member.object)
                && matches!(&member.object, Expression::Identifier(object)
                    if globals::is_quick_method(&object.name, &member.property.name))
        }
        Expression::Identifier(name) => {
            is_global(attempt, &call.callee) && globals::is_quick_function(&name.name)
        }
        _ => false,
    }
}
