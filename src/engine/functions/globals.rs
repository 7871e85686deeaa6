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
