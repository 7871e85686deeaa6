//! Names that exist without being declared, and what is known of them.

/// The globals of a worker thread of Node.js, all supported versions taken together. Sorted.
const WORKER: &[&str] = &[
    "AbortController",
    "AbortSignal",
    "AggregateError",
    "Array",
    "ArrayBuffer",
    "AsyncDisposableStack",
    "Atomics",
    "BigInt",
    "BigInt64Array",
    "BigUint64Array",
    "Blob",
    "Boolean",
    "BroadcastChannel",
    "Buffer",
    "ByteLengthQueuingStrategy",
    "CloseEvent",
    "CompressionStream",
    "CountQueuingStrategy",
    "Crypto",
    "CryptoKey",
    "CustomEvent",
    "DOMException",
    "DataView",
    "Date",
    "DecompressionStream",
    "DisposableStack",
    "Error",
    "ErrorEvent",
    "EvalError",
    "Event",
    "EventSource",
    "EventTarget",
    "File",
    "FinalizationRegistry",
    "Float16Array",
    "Float32Array",
    "Float64Array",
    "FormData",
    "Function",
    "Headers",
    "Infinity",
    "Int16Array",
    "Int32Array",
    "Int8Array",
    "Intl",
    "Iterator",
    "JSON",
    "Map",
    "Math",
    "MessageChannel",
    "MessageEvent",
    "MessagePort",
    "NaN",
    "Navigator",
    "Number",
    "Object",
    "Performance",
    "PerformanceEntry",
    "PerformanceMark",
    "PerformanceMeasure",
    "PerformanceObserver",
    "PerformanceObserverEntryList",
    "PerformanceResourceTiming",
    "Promise",
    "Proxy",
    "RangeError",
    "ReadableByteStreamController",
    "ReadableStream",
    "ReadableStreamBYOBReader",
    "ReadableStreamBYOBRequest",
    "ReadableStreamDefaultController",
    "ReadableStreamDefaultReader",
    "ReferenceError",
    "Reflect",
    "RegExp",
    "Request",
    "Response",
    "Set",
    "SharedArrayBuffer",
    "String",
    "SubtleCrypto",
    "SuppressedError",
    "Symbol",
    "SyntaxError",
    "TextDecoder",
    "TextDecoderStream",
    "TextEncoder",
    "TextEncoderStream",
    "TransformStream",
    "TransformStreamDefaultController",
    "TypeError",
    "URIError",
    "URL",
    "URLPattern",
    "URLSearchParams",
    "Uint16Array",
    "Uint32Array",
    "Uint8Array",
    "Uint8ClampedArray",
    "WeakMap",
    "WeakRef",
    "WeakSet",
    "WebAssembly",
    "WebSocket",
    "WritableStream",
    "WritableStreamDefaultController",
    "WritableStreamDefaultWriter",
    "atob",
    "btoa",
    "clearImmediate",
    "clearInterval",
    "clearTimeout",
    "console",
    "crypto",
    "decodeURI",
    "decodeURIComponent",
    "encodeURI",
    "encodeURIComponent",
    "escape",
    "eval",
    "fetch",
    "global",
    "globalThis",
    "isFinite",
    "isNaN",
    "navigator",
    "parseFloat",
    "parseInt",
    "performance",
    "process",
    "queueMicrotask",
    "setImmediate",
    "setInterval",
    "setTimeout",
    "structuredClone",
    "undefined",
    "unescape",
];

/// Whether a worker has a global of that name.
pub(super) fn exists(name: &str) -> bool {
    WORKER.binary_search(&name).is_ok()
}

const COVERAGE: &str = "a tool for test coverage inserted it into the text of the function: exclude this \
    file from the coverage, or put `/* istanbul ignore next */` in front of the function";
const TRANSPILER: &str = "a transpiler inserted this helper into the text of the function: let it leave the \
    syntax of the function alone (target es2022 or later), or pass the function as text";
const BUNDLER: &str = "a bundler or test runner turned an import into it: import() the module inside the \
    function instead";

/// What explains a name that tools insert.
pub(super) fn inserted_by(name: &str) -> Option<&'static str> {
    const COVERAGE_STARTS: &[&str] = &["cov_", "__cov_", "__coverage__", "_$jscoverage", "_cov$"];
    const BUNDLER_STARTS: &[&str] = &[
        "__vite_ssr_",
        "__vi_import_",
        "__webpack_",
        "__WEBPACK_",
        "__turbopack_",
        "__rspack_",
        "__jest_",
        "__vitest_",
        "_interopRequire",
        "__import_",
        "__dynamicImport",
    ];
    const HELPERS: &[&str] = &[
        "__addDisposableResource",
        "__assign",
        "__asyncDelegator",
        "__asyncGenerator",
        "__asyncValues",
        "__await",
        "__awaiter",
        "__classPrivateFieldGet",
        "__classPrivateFieldIn",
        "__classPrivateFieldSet",
        "__decorate",
        "__disposeResources",
        "__esDecorate",
        "__extends",
        "__generator",
        "__importDefault",
        "__importStar",
        "__makeTemplateObject",
        "__metadata",
        "__name",
        "__objRest",
        "__param",
        "__pow",
        "__propKey",
        "__publicField",
        "__read",
        "__rest",
        "__runInitializers",
        "__setFunctionName",
        "__spread",
        "__spreadArray",
        "__spreadArrays",
        "__spreadProps",
        "__spreadValues",
        "__superGet",
        "__templateObject",
        "__toESM",
        "__values",
        "__async",
        "_arrayLikeToArray",
        "_arrayWithHoles",
        "_asyncIterator",
        "_asyncToGenerator",
        "_awaitAsyncGenerator",
        "_classCallCheck",
        "_createClass",
        "_createForOfIteratorHelper",
        "_defineProperty",
        "_extends",
        "_inherits",
        "_iterableToArray",
        "_nonIterableRest",
        "_objectDestructuringEmpty",
        "_objectSpread",
        "_objectSpread2",
        "_objectWithoutProperties",
        "_regenerator",
        "_regeneratorRuntime",
        "_slicedToArray",
        "_taggedTemplateLiteral",
        "_toArray",
        "_toConsumableArray",
        "_toPropertyKey",
        "_typeof",
        "_wrapAsyncGenerator",
        "_wrapNativeSuper",
        "regeneratorRuntime",
        "babelHelpers",
        "swcHelpers",
    ];
    const HELPER_STARTS: &[&str] = &[
        "tslib_",
        "_async_to_generator",
        "_object_spread",
        "_ts_generator",
        "_swc_",
        "_class_private_",
    ];
    let starts = |all: &[&str]| all.iter().any(|start| name.starts_with(start));
    if starts(COVERAGE_STARTS) {
        Some(COVERAGE)
    } else if starts(BUNDLER_STARTS) {
        Some(BUNDLER)
    } else if starts(HELPER_STARTS) || is_helper(name, HELPERS) {
        Some(TRANSPILER)
    } else {
        None
    }
}

/// Helpers get a number where a file has a name of their own already.
fn is_helper(name: &str, helpers: &[&str]) -> bool {
    let base = name.trim_end_matches(|character: char| character.is_ascii_digit());
    helpers
        .iter()
        .any(|helper| *helper == name || *helper == base)
}

/// What to do instead of using names that modules have and workers have not.
pub(super) fn advice(name: &str) -> Option<&'static str> {
    match name {
        "require" | "module" | "exports" | "__filename" | "__dirname" => Some(
            "it belongs to the file where the function was written: `await import('…')` works inside of the \
             function, of modules that the working directory can resolve",
        ),
        "arguments" => {
            Some("an arrow function has none of its own: name the parameters, or use `...rest`")
        }
        "window" | "document" | "localStorage" | "sessionStorage" | "self" | "location" => {
            Some("workers are no browser windows; if yours has it, list it in `globals`")
        }
        "await" => Some("declare the function `async`"),
        _ => None,
    }
}

/// Values and functions that may be named in quick code.
pub(super) fn is_quick(name: &str) -> bool {
    matches!(name, "undefined" | "NaN" | "Infinity" | "Math") || is_quick_function(name)
}

/// Global functions without effects that take no longer than their argument is long.
pub(super) fn is_quick_function(name: &str) -> bool {
    matches!(
        name,
        "Number" | "String" | "Boolean" | "parseInt" | "parseFloat" | "isNaN" | "isFinite"
    )
}

/// Methods of globals without effects and callbacks.
pub(super) fn is_quick_method(object: &str, method: &str) -> bool {
    match object {
        "Math" => true,
        "Number" => matches!(
            method,
            "isFinite" | "isInteger" | "isNaN" | "isSafeInteger" | "parseFloat" | "parseInt"
        ),
        _ => false,
    }
}

/// Methods of globals that change none of their arguments.
pub(super) fn is_harmless_method(object: &str, method: &str) -> bool {
    match object {
        "Array" => matches!(method, "isArray" | "of" | "from"),
        "Date" => matches!(method, "now" | "parse" | "UTC"),
        "JSON" => matches!(method, "parse" | "stringify"),
        "Object" => matches!(
            method,
            "keys" | "values" | "entries" | "fromEntries" | "hasOwn" | "is" | "groupBy"
        ),
        "String" => matches!(method, "fromCharCode" | "fromCodePoint" | "raw"),
        _ => is_quick_method(object, method),
    }
}

/// Classes whose constructors change nothing that they are given.
pub(super) fn makes_only(name: &str) -> bool {
    matches!(
        name,
        "Array" | "Date" | "Error" | "Map" | "RangeError" | "RegExp" | "Set" | "TypeError" | "URL"
    )
}

/// Methods that change nothing on any of the built-in classes that have them. Their callbacks are
/// part of the function, or quick.
pub(super) fn only_looks(method: &str) -> bool {
    const METHODS: &[&str] = &[
        "at",
        "charAt",
        "charCodeAt",
        "codePointAt",
        "concat",
        "endsWith",
        "entries",
        "every",
        "filter",
        "find",
        "findIndex",
        "findLast",
        "findLastIndex",
        "flat",
        "flatMap",
        "forEach",
        "get",
        "getDate",
        "getDay",
        "getFullYear",
        "getHours",
        "getMinutes",
        "getMonth",
        "getSeconds",
        "getTime",
        "getUTCDate",
        "getUTCDay",
        "getUTCFullYear",
        "getUTCHours",
        "getUTCMinutes",
        "has",
        "hasOwnProperty",
        "includes",
        "indexOf",
        "join",
        "keys",
        "lastIndexOf",
        "localeCompare",
        "map",
        "match",
        "normalize",
        "padEnd",
        "padStart",
        "reduce",
        "reduceRight",
        "repeat",
        "replace",
        "replaceAll",
        "search",
        "slice",
        "some",
        "split",
        "startsWith",
        "substring",
        "toFixed",
        "toISOString",
        "toLowerCase",
        "toReversed",
        "toSorted",
        "toSpliced",
        "toString",
        "toUpperCase",
        "trim",
        "trimEnd",
        "trimStart",
        "values",
        "with",
    ];
    METHODS.binary_search(&method).is_ok()
}

#[cfg(test)]
pub(super) fn sorted() -> bool {
    WORKER.is_sorted()
}
