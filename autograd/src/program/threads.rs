//! Threads that stand by during and between runs.

use core::cell::Cell;
use core::sync::atomic::{AtomicUsize, Ordering};
use core::time::Duration;
use std::sync::Arc;
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
    steps.iter().any(|step| matches!(step, Step::Fused(kernel) if kernel.parts > 1))
        || (0..terms.len()).any(|i| product(i) >= matmul::PARALLEL)
}

/// The other threads of the pool, which look for work from one run of a program to the next.
///
/// Between kernels that are shared out there are some that are too small to be, and between runs the next batch is fetched; in
/// that time the other threads would fall asleep, and to wake one takes longer than such a kernel.
#[derive(Clone, Debug, Default)]
pub(super) struct Standby {
    /// How many threads were called and have not left. One that is busy with other things comes later.
    called: Arc<AtomicUsize>,
}

impl Standby {
    /// Does `run` in the current pool, whose other threads stand by.
    pub(super) fn during<R: Send>(&self, run: impl FnOnce() -> R + Send) -> R {
        if rayon::current_num_threads() == 1 {
            return run();
        }
        let run = || {
            self.call_others();
            let _running = Running(RUNNING.replace(true));
            run()
        };
        // From outside of the pool, this takes it there.
        if rayon::current_thread_index().is_none() { rayon::join(run, || ()).0 } else { run() }
    }

    /// Unless others are there, or called, already.
    fn call_others(&self) {
        if self.called.load(Ordering::Relaxed) <= usize::from(LOOKING.get()) {
            self.called.fetch_add(rayon::current_num_threads(), Ordering::Relaxed);
            let called = Arc::clone(&self.called);
            rayon::spawn_broadcast(move |_| {
                look();
                called.fetch_sub(1, Ordering::Relaxed);
            });
        }
    }
}

/// Whether the other threads stand by for the run that calls this.
pub(super) fn are_awake() -> bool {
    RUNNING.get()
}

/// Takes work from others, and leaves when there has been none for a while, so that nothing hangs, whatever else the pool has to
/// do.
fn look() {
    // A thread that runs gets here when it waits for another, and must not wait for itself.
    if RUNNING.get() || LOOKING.replace(true) {
        return;
    }
    let mut last = Instant::now();
    while last.elapsed() < PATIENCE {
        match rayon::yield_now() {
            Some(rayon::Yield::Executed) => last = Instant::now(),
            Some(rayon::Yield::Idle) | None => std::thread::yield_now(),
        }
    }
    LOOKING.set(false);
}

/// Takes back that a thread does a run, whether it ends or panics.
struct Running(bool);

impl Drop for Running {
    fn drop(&mut self) {
        RUNNING.set(self.0);
    }
}

thread_local! {
    /// Whether this thread does a run.
    static RUNNING: Cell<bool> = const { Cell::new(false) };
    /// Whether this thread looks for work.
    static LOOKING: Cell<bool> = const { Cell::new(false) };
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn a_busy_thread_is_called_once_and_not_for_each_run() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let (standby, (started, busy), (free, wait)) = (Standby::default(), channel(), channel());
        pool.spawn(move || {
            started.send(()).unwrap();
            wait.recv().unwrap();
        });
        busy.recv().unwrap();
        for _ in 0..100 {
            pool.install(|| standby.during(|| ()));
        }
        assert!((1..=2).contains(&standby.called.load(Ordering::Relaxed)));
        free.send(()).unwrap();
        while standby.called.load(Ordering::Relaxed) > 0 {
            std::thread::yield_now();
        }
    }
}
