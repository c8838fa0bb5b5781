//! Panics that are expected: a function may panic where it is not defined, and the search for its domain goes there.
//!
//! A panic is printed by the hook of the process before anybody can catch it; a check would fill the log with dozens of
//! messages of panics that are no failures. So a hook is installed, once, that is silent on a thread while that thread is
//! within [`caught`], and calls the hook that was there before in all other cases. That is sound for a library: no panic of
//! anybody else is hidden, nothing is lost if another hook is set later (only the messages are back), and two threads that check
//! at the same time do not know of each other. What is swallowed stands in the report.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

thread_local! {
    static WITHIN: Cell<bool> = const { Cell::new(false) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// What a panic said, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Panic {
    /// Its message; empty if that is no text.
    pub(super) message: String,
    /// Its file, line and column; empty if another hook stands before ours.
    pub(super) place: String,
}

/// Runs what may panic, without noise.
pub(super) fn caught<R>(f: impl FnOnce() -> R) -> Result<R, Panic> {
    install();
    let outer = WITHIN.replace(true);
    let result = catch_unwind(AssertUnwindSafe(f));
    WITHIN.set(outer);
    result.map_err(|payload| {
        let text = payload.downcast_ref::<String>().cloned();
        let message = text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Panic { message: message.unwrap_or_default(), place: PLACE.take().unwrap_or_default() }
    })
}

/// Runs what may panic, such as code of a user's; the panic is not printed, as little as those of functions that a check
/// evaluates where they are not defined.
///
/// # Errors
/// The message of the panic; empty if that is no text.
///
/// # Examples
/// ```
/// let said: Result<(), String> = autograd::check::catch(|| panic!("not written yet"));
/// assert_eq!(said, Err("not written yet".to_owned()));
/// ```
pub fn catch<R>(f: impl FnOnce() -> R) -> Result<R, String> {
    caught(f).map_err(|panic| panic.message)
}

fn install() {
    static HOOK: Once = Once::new();
    // While a thread panics hooks cannot be set: then the messages are printed.
    if HOOK.is_completed() || std::thread::panicking() {
        return;
    }
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            // A thread that ends has no such flag any more.
            if WITHIN.try_with(Cell::get).unwrap_or(false) {
                PLACE.set(info.location().map(ToString::to_string));
            } else {
                before(info);
            }
        }));
    });
}
