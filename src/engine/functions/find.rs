//! Finds the one function in a text.

use super::{Refusal, own};
use oxc_allocator::Allocator;
use oxc_ast::ast::{
    ArrowFunctionBody, ArrowFunctionExpression, Expression, FormalParameters, Function,
    ObjectProperty, ObjectPropertyKind, Program, PropertyKind, Statement,
};
use oxc_parser::{ParseOptions, Parser};
use oxc_semantic::{Semantic, SemanticBuilder};
use oxc_span::{GetSpan, SourceType, Span};
use oxc_syntax::node::NodeId;

/// The function, in the form in which it was written.
#[derive(Clone, Copy)]
pub(super) enum Callback<'a> {
    Arrow(&'a ArrowFunctionExpression<'a>),
    Function(&'a Function<'a>),
    Method(&'a ObjectProperty<'a>, &'a Function<'a>),
}

impl<'a> Callback<'a> {
    pub(super) fn params(self) -> &'a FormalParameters<'a> {
        match self {
            Self::Arrow(arrow) => &arrow.params,
            Self::Function(function) | Self::Method(_, function) => &function.params,
        }
    }

    pub(super) fn is_async(self) -> bool {
        match self {
            Self::Arrow(arrow) => arrow.r#async,
            Self::Function(function) | Self::Method(_, function) => function.r#async,
        }
    }

    pub(super) fn id(self) -> NodeId {
        match self {
            Self::Arrow(arrow) => arrow.node_id.get(),
            Self::Function(function) | Self::Method(_, function) => function.node_id.get(),
        }
    }

    /// Where it stands, with the name of a method.
    pub(super) fn span(self) -> Span {
        match self {
            Self::Arrow(arrow) => arrow.span,
            Self::Function(function) => function.span,
            Self::Method(property, _) => property.span,
        }
    }

    /// The body of an arrow function without braces.
    pub(super) fn expression(self) -> Option<Span> {
        match self {
            Self::Arrow(arrow) => match &arrow.body {
                ArrowFunctionBody::FunctionBody(_) => None,
                body => Some(body.span()),
            },
            _ => None,
        }
    }

    pub(super) fn name(self, attempt: &Attempt<'_>) -> Option<String> {
        match self {
            Self::Arrow(_) => None,
            Self::Function(function) => function.id.as_ref().map(|id| id.name.to_string()),
            Self::Method(property, _) => {
                let span = property.key.span();
                Some(attempt.slice(span).to_owned())
            }
        }
    }
}

/// The first thing that is wrong with a text.
pub(super) struct Problem {
    message: String,
    at: Option<usize>,
}

/// One reading of a text: the tree, its names, and the function in it.
pub(super) struct Attempt<'a> {
    pub(super) callback: Callback<'a>,
    pub(super) semantic: Semantic<'a>,
    /// What is wrong with it, if anything is.
    pub(super) problem: Option<Problem>,
    /// What was parsed: the author's text with something around it.
    pub(super) text: &'a str,
    /// Where the author's text starts in `text`.
    start: usize,
    /// The author's text ends so many bytes before the end of `text`.
    tail: usize,
}

impl<'a> Attempt<'a> {
    /// Reads a text as an expression, or else as a method. Its first `added` bytes are not the author's.
    pub(super) fn read(
        allocator: &'a Allocator,
        source: &str,
        added: usize,
        source_type: SourceType,
    ) -> Result<Self, Refusal> {
        let expression = Self::wrapped(allocator, ["(", source, "\n)"], added, source_type);
        match expression {
            Err(refusal) if refusal.unread => {
                match Self::wrapped(allocator, ["({", source, "\n})"], added, source_type) {
                    // A whole expression that is something else.
                    Err(_) if refusal.line == 0 => Err(refusal),
                    Err(other) => Err(refusal.further(other)),
                    method => method,
                }
            }
            result => result,
        }
    }

    fn wrapped(
        allocator: &'a Allocator,
        [head, source, tail]: [&str; 3],
        added: usize,
        source_type: SourceType,
    ) -> Result<Self, Refusal> {
        let text = allocator.alloc_str(&format!("{head}{source}{tail}"));
        let parsed = Parser::new(allocator, text, source_type)
            .with_options(ParseOptions {
                parse_regular_expression: true,
                ..ParseOptions::default()
            })
            .parse();
        let start = head.len() + added;
        let program = &*allocator.alloc(parsed.program);
        let problem = parsed.diagnostics.errors().next();
        let problem = problem.map(|error| Problem {
            message: error.message.trim_end_matches('.').to_owned(),
            at: error.labels.first().map(|label| label.offset() as usize),
        });
        let found = if parsed.panicked {
            None
        } else {
            the_function(program)
        };
        let author = &text[start..text.len() - tail.len()];
        let callback = match found {
            Some(Ok(callback)) => callback,
            Some(Err(message)) if problem.is_none() => return Err(Refusal::source(message)),
            _ => return Err(unreadable(problem.as_ref(), author, start)),
        };
        let built = SemanticBuilder::new()
            .with_build_nodes(true)
            .with_check_syntax_error(true)
            .build(program);
        let problem = problem.or_else(|| {
            let error = built.diagnostics.errors().next()?;
            Some(Problem {
                message: error.message.trim_end_matches('.').to_owned(),
                at: error.labels.first().map(|label| label.offset() as usize),
            })
        });
        Ok(Self {
            callback,
            semantic: built.semantic,
            problem,
            text,
            start,
            tail: tail.len(),
        })
    }

    pub(super) fn slice(&self, span: Span) -> &'a str {
        &self.text[span.start as usize..span.end as usize]
    }

    /// The text as its author wrote it.
    pub(super) fn author(&self) -> &'a str {
        &self.text[self.start..self.text.len() - self.tail]
    }

    /// The byte of the author's text that is at a place of what was parsed.
    pub(super) fn offset(&self, at: u32) -> usize {
        (at as usize).saturating_sub(self.start)
    }

    pub(super) fn refuse(&self, span: Span, message: impl Into<String>) -> Refusal {
        Refusal::at(self.author(), self.offset(span.start), message)
    }

    /// What the parser or the semantic analysis found wrong.
    pub(super) fn syntax(&self) -> Option<Refusal> {
        let problem = self.problem.as_ref()?;
        Some(unreadable(Some(problem), self.author(), self.start))
    }

    /// Whether a node belongs to the function itself, and not to one inside of it.
    pub(super) fn is_own(&self, node: NodeId) -> bool {
        own::function_around(self.semantic.nodes(), node) == Some(self.callback.id())
    }
}

/// `None`: the text is not the one expression it should be.
fn the_function<'a>(program: &'a Program<'a>) -> Option<Result<Callback<'a>, &'static str>> {
    let [Statement::ExpressionStatement(statement)] = program.body.as_slice() else {
        return None;
    };
    if !program.directives.is_empty() {
        return None;
    }
    let mut expression = &statement.expression;
    while let Expression::ParenthesizedExpression(inner) = expression {
        expression = &inner.expression;
    }
    Some(match expression {
        Expression::ArrowFunctionExpression(arrow) => Ok(Callback::Arrow(arrow)),
        Expression::FunctionExpression(function) if function.generator => Err(GENERATOR),
        Expression::FunctionExpression(function) => Ok(Callback::Function(function)),
        Expression::ClassExpression(_) => {
            Err("is a class, which cannot be called without `new`: pass a function")
        }
        Expression::ObjectExpression(object) => match object.properties.as_slice() {
            [ObjectPropertyKind::ObjectProperty(property)] => return method(property),
            _ => return None,
        },
        _ => return None,
    })
}

const GENERATOR: &str =
    "is a generator, of which nothing could be sent back: return an array, or use flatMap";

fn method<'a>(property: &'a ObjectProperty<'a>) -> Option<Result<Callback<'a>, &'static str>> {
    let Expression::FunctionExpression(function) = &property.value else {
        return None;
    };
    match property.kind {
        PropertyKind::Get | PropertyKind::Set => {
            Some(Err("is a getter or setter: pass a plain function"))
        }
        PropertyKind::Init if !property.method => None,
        PropertyKind::Init if function.generator => Some(Err(GENERATOR)),
        PropertyKind::Init => Some(Ok(Callback::Method(property, function))),
    }
}

fn unreadable(problem: Option<&Problem>, author: &str, start: usize) -> Refusal {
    let refusal = match problem {
        None => Refusal::source("is not the text of one function"),
        Some(Problem { message, at }) => {
            let message = format!("cannot be read: {message}");
            match at {
                Some(at) => {
                    let offset = at.saturating_sub(start).min(author.len());
                    Refusal::at(author, offset, message)
                }
                None => Refusal::source(message),
            }
        }
    };
    Refusal {
        unread: true,
        ..refusal
    }
}
