//! Threads that stand by during a run.

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::time::Duration;
use std::time::Instant;

use crate::kernel::matmul;
use crate::program::fuse;
use crate::program::schedule::Step;
use crate::program::simplify::Term;

/// How long a thread looks for work in vain before it goes to sleep.
const PATIENCE: Duration = Duration::from_micros(200);

/// Whether there is work for more than one thread.
pub(super) fn are_of_use(terms: &[Term], steps: &[Step]) -> bool {
    let product = |i: usize| terms[i].shape.len() * fuse::steps(terms, i);
    steps.iter().any(|step| matches!(step, Step::Fused(kernel) if kernel.parts() > 1))
        || (0..terms.len()).any(|i| product(i) >= matmul::PARALLEL)
}

/// Does `run`, which is `parallel` or not, in the current pool, whose other threads stand by meanwhile. Between kernels that are shared out there are some that are
/// too small to be; in that time the other threads would fall asleep, and to wake one takes longer than such a kernel.
pub(super) fn standing_by<R: Send>(parallel: bool, run: impl FnOnce() -> R + Send) -> R {
    if !parallel || rayon::current_num_threads() == 1 {
        return run();
    }
    let (done, runner) = (AtomicBool::new(false), AtomicUsize::new(usize::MAX));
    let others = rayon::current_num_threads() - 1;
    let run = || {
        runner.store(index(), Ordering::Relaxed);
        let result = run();
        done.store(true, Ordering::Release);
        result
    };
    rayon::join(run, || stand_by(others, &done, &runner)).0
}

/// The thread's number in its pool.
fn index() -> usize {
    rayon::current_thread_index().unwrap_or(usize::MAX)
}

/// So many threads take work from each other until all is done. They leave when there has been none for a while, so that
/// nothing hangs, whatever else the pool has to do.
fn stand_by(threads: usize, done: &AtomicBool, runner: &AtomicUsize) {
    let wait = || {
        let mut last = Instant::now();
        // The thread that runs gets here when it waits for another, and must not wait for itself.
        while index() != runner.load(Ordering::Relaxed) && !done.load(Ordering::Acquire) && last.elapsed() < PATIENCE {
            match rayon::yield_now() {
                Some(rayon::Yield::Executed) => last = Instant::now(),
                Some(rayon::Yield::Idle) | None => std::thread::yield_now(),
            }
        }
    };
    if threads > 1 {
        rayon::join(wait, || stand_by(threads - 1, done, runner));
    } else {
        wait();
    }
}
