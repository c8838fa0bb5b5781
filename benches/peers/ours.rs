//! What the scripts beside it time, here: `ours JOB FOLDER`, with the data that data.py wrote into the folder.
//!
//! Prints one line of JSON: version, the numbers that must agree with the peers', and seconds. The number of threads is
//! the environment's: `RAYON_NUM_THREADS`. `compare.py` builds and runs it.
#![allow(clippy::print_stdout, reason = "the output is what it is for")]

mod ours {
    pub(super) mod epochs;
    pub(super) mod heap;
    pub(super) mod scalars;
    pub(super) mod small;
    pub(super) mod work;
}

use std::error::Error;

use ours::work::Work;
use ours::{epochs, scalars, small};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [job, folder] = arguments.as_slice() else { return Err("usage: ours JOB FOLDER".into()) };
    let work = Work::new(folder);
    let outcome = match job.as_str() {
        "mnist" => epochs::mnist(&work),
        "digits" => epochs::digits(&work),
        "compile" => epochs::compile(&work),
        "memory" => epochs::memory(&work),
        "xor" => small::xor(&work),
        "small" => small::value_and_gradient(&work),
        "moons" => scalars::demo(&work),
        "replay" => scalars::replay(&work),
        "record" => scalars::record(&work),
        _ => return Err(format!("no job {job}").into()),
    }?;
    println!("{outcome}");
    Ok(())
}
