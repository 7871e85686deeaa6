//! Which function a node belongs to.

use oxc_ast::AstKind;
use oxc_semantic::AstNodes;
use oxc_span::GetSpan;
use oxc_syntax::node::NodeId;

/// The innermost function around a node.
pub(super) fn function_around(nodes: &AstNodes<'_>, node: NodeId) -> Option<NodeId> {
    nodes
        .ancestors(node)
        .find(|ancestor| {
            matches!(
                ancestor.kind(),
                AstKind::Function(_)
                    | AstKind::ArrowFunctionExpression(_)
                    | AstKind::StaticBlock(_)
            )
        })
        .map(oxc_semantic::AstNode::id)
}

/// Whose `this`, `super`, `arguments` and `new.target` a node names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// What surrounds the function.
    Outside,
    /// A function that is not an arrow function.
    Function(NodeId),
    /// A field or a static block of a class.
    Class,
}

pub(super) fn owner(nodes: &AstNodes<'_>, node: NodeId) -> Owner {
    let span = nodes.kind(node).span();
    for ancestor in nodes.ancestors(node) {
        match ancestor.kind() {
            AstKind::Function(_) => return Owner::Function(ancestor.id()),
            AstKind::StaticBlock(_) => return Owner::Class,
            // The key of a field is computed outside of the class.
            AstKind::PropertyDefinition(field)
                if field
                    .value
                    .as_ref()
                    .is_some_and(|value| value.span().contains_inclusive(span)) =>
            {
                return Owner::Class;
            }
            _ => {}
        }
    }
    Owner::Outside
}
