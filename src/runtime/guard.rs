//! Panics become values: nothing in the addon may take the process down.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `work`; a panic comes back as its message.
///
/// # Errors
/// The message of the panic.
pub fn guard<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| text_of(&*panic))
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
    fn a_panic_comes_back_as_its_message() {
        assert_eq!(guard(|| 5), Ok(5));
        assert_eq!(
            guard(|| panic!("lost {}", 1)),
            Err::<(), _>("lost 1".to_owned())
        );
    }
}
