//! One job in one of the Rust peers: `peers NAME JOB FOLDER`, with what data.py wrote into the folder.
//!
//! Prints one line of JSON: version, the numbers that must agree, and the seconds of each epoch. The number of threads is
//! the environment's: `RAYON_NUM_THREADS`.

mod burn;
mod candle;
mod plain;
mod work;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [peer, job, folder] = arguments.as_slice() else {
        panic!("usage: peers burn|candle|plain mnist|digits FOLDER")
    };
    let work = work::Work::read(job, folder);
    match peer.as_str() {
        "burn" => burn::run(&work),
        "candle" => candle::run(&work),
        "plain" => plain::run(&work),
        _ => panic!("no peer {peer}"),
    }
}
