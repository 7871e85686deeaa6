//! Panics become values: nothing in the addon may take the process down.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::Once;

thread_local! {
    /// How many guards the thread is in.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// Where the last guarded panic was.
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs `work`; a panic comes back as its message and its place in the source.
///
/// # Errors
/// The message of the panic.
pub fn guard<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    keep_quiet();
    DEPTH.with(|depth| depth.set(depth.get() + 1));
    let result = inner(work);
    DEPTH.with(|depth| depth.set(depth.get().saturating_sub(1)));
    result
}

/// [`guard`] for what is many times within another one: it costs next to nothing.
///
/// # Errors
/// The message of the panic.
pub fn inner<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(describe)
}

#[cold]
fn describe(panic: Box<dyn Any + Send>) -> String {
    let text = text_of(&*panic);
    match PLACE.try_with(RefCell::take).ok().flatten() {
        Some(place) => format!("{text} ({place})"),
        None => text,
    }
}

/// A guarded panic is told as an `error` event: standard error is the app's. All others are
/// printed as ever. The hook belongs to this library's own copy of the standard library, so no
/// other addon's panics pass it.
fn keep_quiet() {
    static INSTALLED: Once = Once::new();
    // The hook cannot be changed by a thread that is panicking; some other call will do it.
    if INSTALLED.is_completed() || std::thread::panicking() {
        return;
    }
    INSTALLED.call_once(|| {
        let others = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if DEPTH.get() == 0 {
                others(panic);
            } else {
                // A thread about to end may have lost it: then the place stays unknown.
                let _unknown = PLACE.try_with(|place| place.replace(place_of(panic)));
            }
        }));
    });
}

fn place_of(panic: &PanicHookInfo<'_>) -> Option<String> {
    panic.location().map(ToString::to_string)
}

fn text_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("unknown panic").to_owned()
}

#[cfg(test)]
mod tests {
    use super::guard;

    #[test]
    fn a_panic_comes_back_as_its_message_and_place() {
        assert_eq!(guard(|| 5), Ok(5));
        let line = line!() + 1;
        let message = guard(|| panic!("lost {}", 1)).unwrap_err();
        let place = format!("lost 1 ({}:{line}:", file!());
        assert!(message.starts_with(&place), "{message}");
        assert_eq!(guard(|| guard(|| 5).map(|_| 6)), Ok(Ok(6)));
    }
}
