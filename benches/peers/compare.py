"""The same work here and in other libraries, side by side in one run: prints one table of ratios.

    python benches/peers/compare.py [--only mnist xor ...] [--rounds N] [--write]

makes a virtual environment with the versions of requirements.txt, builds the Rust parts (all of it in target/peers),
and runs everything in turns: each round runs each peer once, in a process of its own, so that a noisy machine is noisy
to all. A figure is the median over all rounds. What a peer computes must agree with numbers computed in f64 by data.py,
or its time does not count and the exit code is 1. A peer that is missing is said to be. `--write` puts the table into
README.md.
"""

import argparse
import dataclasses
import datetime
import hashlib
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
PLACE = TOP / "target" / "peers"
PYTHON = PLACE / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
RUST = HERE / "rust"
README = HERE.parent / "README.md"
MARKS = ("<!-- the table of compare.py -->", "<!-- the end of it -->")
LONGEST = 600  # seconds that one run may take
QUIET = 0.1  # part of the processor that others may take before verdicts go into brackets

# Bytes of 784-512-10 in f32: parameters, one moment and one gradient for each, and for 128 samples the input, the class,
# the hidden layer and the logits.
BUDGET = 4 * (3 * 407_050 + 128 * (784 + 1 + 512 + 10))


@dataclasses.dataclass
class Peer:
    name: str
    command: list
    job: str
    target: float | None = None  # ours / peer at most
    environment: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Work:
    name: str
    title: str
    threads: int
    peers: list
    expected: str | None = None  # whose expected numbers it has
    count: int | None = None  # how many of them, if not all
    most: float | None = None  # ours at most, in seconds or bytes
    bytes: bool = False


def script(name):
    return [str(PYTHON), str(HERE / f"{name}.py")]


OURS = [str(TOP / "target" / "release" / "ours")]
BUILT = str(RUST / "target" / "release" / "peers")
TORCH, JAX, KERAS, MICROGRAD = (script(f"peer_{name}") for name in ("torch", "jax", "keras", "micrograd"))


def epochs(name, title, threads, targets, keras):
    def peer(label, command, job=name, **environment):
        return Peer(label, command, job, targets.get(label), environment)

    peers = [
        peer("PyTorch", TORCH),
        peer("JAX", JAX),
        peer("JAX, an epoch in one call", JAX, f"{name}-one-call"),
        *(peer(f"Keras on {backend}", KERAS, KERAS_BACKEND=backend) for backend in keras),
        peer("burn", [BUILT, "burn"]),
        peer("candle", [BUILT, "candle"]),
    ]
    if name == "mnist":
        peers.append(peer("plain loop on gemm", [BUILT, "plain"]))
    return Work(name, title, threads, peers, expected=name)


MAIN, SMALL = "784-512-10, an epoch", "784-16-16-10, an epoch"
ALL_TARGETS = {"JAX": 0.65, "PyTorch": 0.4, "burn": 0.5, "plain loop on gemm": 0.9}
WORKS = [
    epochs("mnist", MAIN, 2, ALL_TARGETS, ["jax", "tensorflow"]),
    epochs("mnist", MAIN, 1, {"JAX": 0.75, "PyTorch": 0.55}, ["jax", "tensorflow"]),
    epochs("digits", SMALL, 1, {"JAX": 0.3, "PyTorch": 0.15, "burn": 0.3}, ["jax"]),
    Work(
        "xor",
        "XOR 2-3-1, f64, a step",
        1,
        [
            Peer("PyTorch", TORCH, "xor"),
            Peer("JAX, a call for each step", JAX, "xor"),
            Peer("JAX, the loop inside", JAX, "xor-one-call", 1.0),
        ],
        expected="xor",
    ),
    Work(
        "small",
        "24-8-2, 200 rows, f64, value and gradient",
        1,
        [Peer("PyTorch", TORCH, "small"), Peer("JAX", JAX, "small")],
        expected="small",
        most=12e-6,
    ),
    Work("moons", "micrograd's demo, a step", 1, [Peer("micrograd", MICROGRAD, "moons", 1 / 200)], expected="moons"),
    Work(
        "compile",
        "784-512-10, trace, derive and compile the step",
        1,
        [Peer("JAX, first call", JAX, "compile")],
        expected="mnist",
        count=1,
        most=2e-3,
    ),
    Work("replay", "scalar instruction, replayed", 1, [], most=4e-9),
    Work("record", "scalar node, recorded, derived, run once", 1, [], most=150e-9),
    Work(
        "memory",
        "784-512-10, memory of the step",
        1,
        [Peer("JAX", JAX, "memory")],
        expected="mnist",
        count=1,
        most=1.2 * BUDGET,
        bytes=True,
    ),
]

# How far numbers may be from those computed in f64, relative to these: the first ten (or the only ones), those after.
# In f32 the first steps agree to a few units in the last place. Over an epoch, rectifiers switched by rounding and the
# division of RMSprop make runs part: by 0.1 % of the mean loss, whichever library it is.
TOLERANCES = {"mnist": (1e-5, 1e-2), "digits": (1e-5, 1e-4), "xor": (1e-9, 0), "small": (1e-12, 0), "moons": (1e-9, 0)}


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def clean_environment():
    """Ours, without what slows numpy or is meant for other tools."""
    dropped = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "PYTHONPATH", "XLA_FLAGS")
    return {name: value for name, value in os.environ.items() if name not in dropped}


def environment(threads, extra):
    """The number of threads in the words of each library; a process is also held to as many cores, see `run`."""
    names = ["OMP", "MKL", "OPENBLAS", "RAYON", "CANDLE"]
    counts = {f"{name}_NUM_THREADS": str(threads) for name in names}
    flags = {"XLA_FLAGS": f"--xla_cpu_multi_thread_eigen={str(threads > 1).lower()}", "TF_CPP_MIN_LOG_LEVEL": "3"}
    return clean_environment() | counts | flags | {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": ""} | extra


def hold_to_cores(threads):
    """Called in the new process: one core for a thread."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])


def setup():
    """Installs and builds; what can't be had is said, and its peers will be missing."""
    PLACE.mkdir(parents=True, exist_ok=True)
    if not PYTHON.exists():
        # With the packages of this Python, so that a PyTorch that is there already is not fetched again.
        subprocess.run([sys.executable, "-m", "venv", "--system-site-packages", str(PLACE / "venv")], check=True)
    lines = (HERE / "requirements.txt").read_text().splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    once("requirements", [HERE / "requirements.txt"], lambda: all([install(line) for line in wanted]))
    subprocess.run(["cargo", "build", "--release", "--package", "benches", "--bin", "ours"], cwd=TOP, check=True)
    if subprocess.run(["cargo", "build", "--release", "--locked"], cwd=RUST).returncode:
        say("burn, candle and the plain loop could not be built")
    mnist = TOP / "examples" / "data" / "mnist"
    command = [*script("data"), str(PLACE / "data"), str(mnist)]
    sources = [HERE / "data.py", HERE / "work.py"]
    once("data", sources, lambda: subprocess.run(command, env=clean_environment(), check=True))


def once(name, sources, make):
    """Calls `make` unless it was called, and gave no False, with the same contents of the sources."""
    stamp = PLACE / f"{name}.stamp"
    contents = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()
    if stamp.exists() and stamp.read_text() == contents:
        return
    if make() is not False:
        stamp.write_text(contents)


def install(requirement):
    """One at a time, so that the absence of one does not keep out the others."""
    say("installing", requirement)
    command = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement]
    installed = subprocess.run(command, env=clean_environment()).returncode == 0
    if not installed:
        say(f"{requirement} could not be installed")
    return installed


def run(command, job, threads, extra):
    """What a run printed, or why it has not."""
    if not pathlib.Path(command[0]).exists():
        return {"error": "not built"}
    try:
        outcome = subprocess.run(
            [*command, job, str(PLACE / "data")],
            capture_output=True,
            text=True,
            timeout=LONGEST,
            env=environment(threads, extra),
            preexec_fn=lambda: hold_to_cores(threads),
        )
    except subprocess.TimeoutExpired:
        return {"error": f"not done after {LONGEST} s"}
    if outcome.returncode:
        return {"error": (outcome.stderr.strip().splitlines() or ["failed"])[-1]}
    return json.loads(outcome.stdout.splitlines()[-1])


def wrong(work, numbers, expected):
    """What differs from the expected numbers by more than the tolerance."""
    if work.expected is None:
        return None
    expected = expected[work.expected][: work.count]
    if len(numbers) != len(expected):
        return f"{len(numbers)} numbers in place of {len(expected)}"
    first, later = TOLERANCES[work.expected]
    for i, (found, right) in enumerate(zip(numbers, expected)):
        if not abs(found - right) <= (first if i < 10 else later) * abs(right):
            return f"number {i} is {found} and not {right}"
    return None


def measure(work, rounds, expected):
    """For ours and each peer: the median, or why there is none; and the versions."""
    runners = [Peer("ours", OURS, work.name), *work.peers]
    found = {runner.name: [] for runner in runners}
    errors, versions = {}, set()
    for i in range(rounds):
        for runner in runners:
            if runner.name in errors:
                continue
            say(f"{work.name}, {work.threads} threads, round {i + 1}: {runner.name}")
            outcome = run(runner.command, runner.job, work.threads, runner.environment)
            error = outcome.get("error") or wrong(work, outcome["numbers"], expected)
            if error:
                errors[runner.name] = error
                say(f"{runner.name}: {error}")
                continue
            versions.add(outcome["version"])
            found[runner.name] += [outcome["bytes"]] if work.bytes else outcome["seconds"]
    medians = {name: statistics.median(values) for name, values in found.items() if name not in errors}
    return medians, errors, versions


def amount(value, is_bytes):
    if is_bytes:
        return f"{value / 1e6:.2f} MB"
    for unit, scale in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= 0.9995 * scale:  # what is rounded to 1000 of one unit is 1 of the next
            return f"{value / scale:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def rows(work, medians, errors):
    """The lines of the table."""
    ours = medians.get("ours")
    shown = f"failed: {errors['ours']}" if ours is None else amount(ours, work.bytes)
    start = f"| {work.title} | {work.threads} "
    if work.most is not None:
        met = "" if ours is None else "yes" if ours <= work.most else "no"
        yield f"{start}| | | {shown} | | {amount(work.most, work.bytes)} | {met} |"
    for peer in work.peers:
        target = "" if peer.target is None else f"{peer.target:.3g}"
        if peer.name in errors or ours is None:
            value = errors.get(peer.name) or amount(medians[peer.name], work.bytes)
            yield f"{start}| {peer.name} | {value} | {shown} | | {target} | |"
            continue
        ratio = ours / medians[peer.name]
        met = "" if peer.target is None else "yes" if ratio <= peer.target else "no"
        value = amount(medians[peer.name], work.bytes)
        yield f"{start}| {peer.name} | {value} | {shown} | {ratio:.2g} | {target} | {met} |"


class Others:
    """What part of the processor other processes took since this was made, where the system tells."""

    def __init__(self):
        self.start = self.times()

    @staticmethod
    def times():
        """Seconds that all processes, and that ours, have run so far."""
        try:
            fields = pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
        except OSError:
            return None
        user, nice, system, _idle, _waiting, interrupts, soft_interrupts, stolen = map(int, fields[:8])
        busy = (user + nice + system + interrupts + soft_interrupts + stolen) / os.sysconf("SC_CLK_TCK")
        return busy, sum(os.times()[:4]), os.times().elapsed

    def share(self):
        if self.start is None:
            return 0.0
        busy, ours, elapsed = (after - before for after, before in zip(self.times(), self.start))
        return max(0.0, (busy - ours) / (elapsed * os.cpu_count()))


def processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    fields = {name.strip(): value.strip() for name, value in fields.items()}
    widest = next((name for name in ("avx512f", "avx2") if name in fields.get("flags", "").split()), "no AVX2")
    return f"{fields.get('model name', platform.machine())} (model {fields.get('model', '?')}, {widest})"


def commit():
    if not shutil.which("git"):
        return "unknown"

    def git(*words):
        return subprocess.run(["git", *words], cwd=TOP, capture_output=True, text=True).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", ":!benches/README.md")
    return git("rev-parse", "--short", "HEAD") + (" with changes" if changed else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=sorted({work.name for work in WORKS}), help="these jobs alone")
    parser.add_argument("--rounds", type=int, default=3, help="how often each peer runs (3)")
    parser.add_argument("--write", action="store_true", help="put the table into benches/README.md")
    options = parser.parse_args()
    setup()
    start, others = datetime.datetime.now(), Others()
    expected = json.loads((PLACE / "data" / "expected.json").read_text())
    table, versions, failed = [], set(), []
    for work in WORKS:
        if options.only and work.name not in options.only:
            continue
        medians, errors, of_work = measure(work, options.rounds, expected)
        table += rows(work, medians, errors)
        versions |= of_work
        failed += [f"{work.name}, {work.threads} threads, {name}: {error}" for name, error in errors.items()]
    minutes = (datetime.datetime.now() - start).total_seconds() / 60
    share = others.share()
    warning = []
    if share > QUIET:
        table = [line.replace("| yes |", "| (yes) |").replace("| no |", "| (no) |") for line in table]
        warning = ["", "**Other processes took their part of the processor, so nothing is decided by these figures.**"]
    head = [
        f"Commit {commit()}, {start:%Y-%m-%d}. {processor()}, {os.cpu_count()} cores, of which other processes took"
        f" {share:.0%}; {platform.system()}, Python {platform.python_version()}. Medians; rounds: {options.rounds};"
        f" {minutes:.0f} minutes.",
        ", ".join(sorted(version for version in versions if not version.startswith("ours"))) + ".",
        *warning,
        "",
        "| work | threads | beside | takes | ours | ours / that | target | met |",
        "|---|---|---|---|---|---|---|---|",
    ]
    text = "\n".join([*head, *table])
    print(text)
    if options.write:
        before, rest = README.read_text().split(MARKS[0])
        after = rest.split(MARKS[1])[1]
        README.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}")
    if failed:
        say("\nmissing or wrong:", *failed, sep="\n")
        sys.exit(1)


if __name__ == "__main__":
    main()
