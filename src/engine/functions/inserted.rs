//! Names from outside that have an explanation of their own.

const COVERAGE: &str = "a tool for test coverage inserted it into the text of the function: exclude this \
    file from the coverage, or put `/* istanbul ignore next */` in front of the function";
const TRANSPILER: &str = "a transpiler inserted this helper into the text of the function: let it leave the \
    syntax of the function alone (target es2022 or later), or pass the function as text";
const BUNDLER: &str = "a bundler or test runner turned an import into it: import() the module inside the \
    function instead";

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

/// What explains a name that tools insert.
pub(super) fn inserted_by(name: &str) -> Option<&'static str> {
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
