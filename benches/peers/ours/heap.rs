//! Bytes on the heap, counted where a job asks for it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};

static COUNTING: AtomicBool = AtomicBool::new(false);
static BYTES: AtomicIsize = AtomicIsize::new(0);

/// The system's allocator, which counts what all threads hold. While it is not asked to, it only passes calls on.
struct Counting;

fn count(bytes: isize) {
    if COUNTING.load(Ordering::Relaxed) {
        BYTES.fetch_add(bytes, Ordering::Relaxed);
    }
}

/// A layout has at most `isize::MAX` bytes.
#[allow(clippy::cast_possible_wrap, reason = "guaranteed by `Layout`")]
fn signed(size: usize) -> isize {
    size as isize
}

#[allow(unsafe_code, reason = "every call is passed on to the system's allocator as it came")]
// SAFETY: the system's allocator fulfils the contract; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(signed(layout.size()));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(signed(layout.size()));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(signed(size) - signed(layout.size()));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(place, layout, size) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        count(-signed(layout.size()));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(place, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What `make` gives, and the bytes that are held after it and were not before.
pub(crate) fn held_by<T>(make: impl FnOnce() -> T) -> (T, usize) {
    COUNTING.store(true, Ordering::SeqCst);
    let before = BYTES.load(Ordering::SeqCst);
    let made = make();
    let held = BYTES.load(Ordering::SeqCst) - before;
    COUNTING.store(false, Ordering::SeqCst);
    (made, usize::try_from(held).unwrap_or(0))
}
