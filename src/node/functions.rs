//! The check of functions that are sent to workers.

use crate::engine::functions::{
    self, MAX_SOURCE, Options, Refusal, RefusalCode, Report, Uses, stack_needed,
};
use napi::Result;
use napi_derive::napi;
use std::{panic, thread};

/// What the analysis may need of the stack of the thread that calls it, which is 4 MiB at least. At worst
/// it takes a third of that.
const STACK_HERE: usize = 2 << 20;

/// A function that can be sent.
#[napi(object)]
#[derive(Debug)]
pub struct NativeFunctionReport {
    /// 'sync' or 'async'.
    #[napi(ts_type = "'sync' | 'async'")]
    pub kind: String,
    /// As its text has it.
    pub name: Option<String>,
    /// How many parameters it declares.
    pub params: u32,
    /// Whether it does anything with its scope.
    pub uses_scope: bool,
    /// Whether it does anything with its context.
    pub uses_context: bool,
    /// The literal keys it reads.
    pub scope_reads: Vec<String>,
    /// Whether `specialised` is there.
    pub specialisable: bool,
    /// Whether it is provably short and without effects.
    pub short: bool,
    /// A function expression of plain JavaScript.
    pub code: String,
    /// The function with its reads as constants.
    pub specialised: Option<NativeSpecialised>,
}

/// A function with its reads of the scope as constants.
#[napi(object)]
#[derive(Debug)]
pub struct NativeSpecialised {
    /// A function expression that is not async.
    pub code: String,
    /// What is read.
    pub keys: Vec<String>,
    /// The variables that have the values.
    pub names: Vec<String>,
    /// It provably changes nothing that it reads.
    pub reads_only: bool,
}

/// A variable from outside of a function.
#[napi(object)]
#[derive(Debug)]
pub struct NativeCaptured {
    /// Its name.
    pub name: String,
    /// From 1.
    pub line: u32,
    /// From 1.
    pub column: u32,
    /// Whether it is written to.
    pub assigned: bool,
}

/// Why a function cannot be sent.
#[napi(object)]
#[derive(Debug)]
pub struct NativeFunctionError {
    /// Of a `NetworkClusterError`.
    pub code: String,
    /// Goes on after `function "name" `.
    pub message: String,
    /// The function's name, if its text has one and could be read.
    pub name: Option<String>,
    /// From 1; 0 where there is no place.
    pub line: u32,
    /// From 1; 0 where there is no place.
    pub column: u32,
    /// The variables from outside.
    pub captured: Vec<NativeCaptured>,
}

/// One of both.
#[napi(object)]
#[derive(Debug)]
pub struct NativeFunctionAnalysis {
    /// It can be sent.
    pub report: Option<NativeFunctionReport>,
    /// It cannot.
    pub error: Option<NativeFunctionError>,
}

/// Checks the text of a function. `uses` is 'item', 'reduce', 'entry' or 'call', `text` whether it was
/// written as text.
///
/// # Errors
///
/// What it is given is no string or list of strings.
#[napi(catch_unwind)]
pub fn analyse_function(
    source: String,
    #[napi(ts_arg_type = "'item' | 'reduce' | 'entry' | 'call'")] uses: String,
    globals: Vec<String>,
    text: bool,
) -> Result<NativeFunctionAnalysis> {
    let uses = match uses.as_str() {
        "item" => Uses::Item,
        "reduce" => Uses::Reduce,
        _ => Uses::Call,
    };
    let options = Options {
        uses,
        globals: &globals,
        text,
    };
    Ok(match with_stack(&source, options) {
        Ok(report) => NativeFunctionAnalysis {
            report: Some(report.into()),
            error: None,
        },
        Err(refusal) => NativeFunctionAnalysis {
            report: None,
            error: Some(refusal.into()),
        },
    })
}

/// Long texts are analysed on a thread whose stack is large enough whatever is in them. Of that stack
/// only what is touched takes memory.
fn with_stack(source: &str, options: Options<'_>) -> std::result::Result<Report, Refusal> {
    let analyse = || functions::analyse(source, options);
    let stack = stack_needed(source);
    let result = if stack <= STACK_HERE || source.len() > MAX_SOURCE {
        panic::catch_unwind(panic::AssertUnwindSafe(analyse)).ok()
    } else {
        thread::scope(|scope| {
            thread::Builder::new()
                .name("es-nc-analyse".into())
                .stack_size(stack)
                .spawn_scoped(scope, analyse)
                .ok()?
                .join()
                .ok()
        })
    };
    result.unwrap_or_else(|| Err(Refusal::failed()))
}

impl From<Report> for NativeFunctionReport {
    fn from(report: Report) -> Self {
        let kind = if report.asynchronous { "async" } else { "sync" };
        Self {
            kind: kind.into(),
            name: report.name,
            params: small(report.params),
            uses_scope: report.uses_scope,
            uses_context: report.uses_context,
            scope_reads: report.scope_reads,
            specialisable: report.specialised.is_some(),
            short: report.short,
            code: report.code,
            specialised: report.specialised.map(|specialised| NativeSpecialised {
                code: specialised.code,
                keys: specialised.keys,
                names: specialised.names,
                reads_only: specialised.reads_only,
            }),
        }
    }
}

impl From<Refusal> for NativeFunctionError {
    fn from(refusal: Refusal) -> Self {
        let code = match refusal.code {
            RefusalCode::FunctionSource => "ERR_NC_FUNCTION_SOURCE",
            RefusalCode::CapturedVariables => "ERR_NC_CAPTURED_VARIABLES",
            RefusalCode::UsesThis => "ERR_NC_USES_THIS",
        };
        let captured = refusal.captured.into_iter().map(|captured| NativeCaptured {
            name: captured.name,
            line: small(captured.line),
            column: small(captured.column),
            assigned: captured.assigned,
        });
        Self {
            code: code.into(),
            message: refusal.message,
            name: refusal.name,
            line: small(refusal.line),
            column: small(refusal.column),
            captured: captured.collect(),
        }
    }
}

/// Texts are shorter than a `u32` can count.
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
