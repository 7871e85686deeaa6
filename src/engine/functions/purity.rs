//! Whether a function changes nothing that it is given, so that one copy of a value serves all calls.

use super::{find::Attempt, globals, scope::Reads, scope::is_global};
use oxc_ast::{
    AstKind,
    ast::{
        AssignmentTarget, CallExpression, Expression, ForStatementLeft, SimpleAssignmentTarget,
        VariableDeclarationKind,
    },
};
use oxc_span::GetSpan;
use oxc_syntax::{node::NodeId, operator::UnaryOperator};

/// Nothing in it writes to a property, and all it calls is known not to, or is part of it.
pub(super) fn reads_only(attempt: &Attempt<'_>, reads: &Reads) -> bool {
    let first = attempt.callback.id();
    attempt
        .semantic
        .nodes()
        .iter_enumerated()
        .filter(|(id, _)| *id > first)
        .all(|(id, node)| is_harmless(attempt, id, node.kind(), reads))
}

fn is_harmless(attempt: &Attempt<'_>, id: NodeId, kind: AstKind<'_>, reads: &Reads) -> bool {
    match kind {
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
        AstKind::UnaryExpression(unary) => unary.operator != UnaryOperator::Delete,
        AstKind::ForInStatement(statement) => is_declaration(&statement.left),
        AstKind::ForOfStatement(statement) => is_declaration(&statement.left),
        AstKind::VariableDeclaration(declaration) => matches!(
            declaration.kind,
            VariableDeclarationKind::Var
                | VariableDeclarationKind::Let
                | VariableDeclarationKind::Const
        ),
        AstKind::CallExpression(call) => {
            reads.calls.contains(&id) || is_harmless_call(attempt, call)
        }
        AstKind::NewExpression(new) => {
            is_global(attempt, &new.callee)
                && matches!(&new.callee, Expression::Identifier(name) if globals::makes_only(&name.name))
        }
        AstKind::IdentifierReference(name) => {
            !attempt.semantic.is_reference_to_global_variable(name)
                || globals::is_quick(&name.name)
                || is_in_its_place(attempt, id)
        }
        AstKind::TaggedTemplateExpression(_)
        | AstKind::ImportExpression(_)
        | AstKind::YieldExpression(_)
        | AstKind::Class(_)
        | AstKind::Super(_)
        | AstKind::ThisExpression(_) => false,
        _ => true,
    }
}

fn is_declaration(left: &ForStatementLeft<'_>) -> bool {
    matches!(left, ForStatementLeft::VariableDeclaration(_))
}

fn is_harmless_call(attempt: &Attempt<'_>, call: &CallExpression<'_>) -> bool {
    match &call.callee {
        Expression::Identifier(name) => {
            !attempt.semantic.is_reference_to_global_variable(name)
                || globals::is_quick_function(&name.name)
        }
        Expression::StaticMemberExpression(member) if is_global(attempt, &member.object) => {
            matches!(&member.object, Expression::Identifier(object)
                if globals::is_harmless_method(&object.name, &member.property.name))
        }
        Expression::StaticMemberExpression(member) => globals::only_looks(&member.property.name),
        _ => false,
    }
}

/// A global stands where `is_harmless_call` or the check of `new` have seen it.
fn is_in_its_place(attempt: &Attempt<'_>, id: NodeId) -> bool {
    let nodes = attempt.semantic.nodes();
    let parent = nodes.parent_id(id);
    match nodes.kind(parent) {
        AstKind::NewExpression(new) => new.callee.span() == nodes.kind(id).span(),
        AstKind::StaticMemberExpression(member) => {
            matches!(nodes.parent_kind(parent), AstKind::CallExpression(call)
                if call.callee.span() == member.span)
        }
        _ => false,
    }
}
