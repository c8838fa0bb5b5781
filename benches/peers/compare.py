"""The main job here and in PyTorch, side by side in one run: prints a table of ratios.

    python3 -m venv /some/folder && . /some/folder/bin/activate
    pip install -r benches/peers/requirements.txt
    python benches/peers/compare.py [ROUNDS]

Rounds alternate between the two, so that a noisy machine is noisy to both. The figure is the median over all epochs.
"""

import pathlib
import statistics
import subprocess
import sys

rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
here = pathlib.Path(__file__).resolve().parent
top = here.parents[1]
subprocess.run(["cargo", "build", "--release", "--bin", "epochs"], cwd=top, check=True)
ours = [str(top / "target" / "release" / "epochs")]
torch = [sys.executable, str(here / "mnist_torch.py")]


def seconds(command, threads):
    output = subprocess.run([*command, str(threads), "3"], check=True, capture_output=True, text=True)
    return [float(line) for line in output.stdout.split()]


print("| threads | PyTorch, s | ours, s | ours / PyTorch |\n|---|---|---|---|")
for threads in (1, 2):
    times = {"torch": [], "ours": []}
    for _ in range(rounds):
        times["torch"] += seconds(torch, threads)
        times["ours"] += seconds(ours, threads)
    a, b = (statistics.median(times[name]) for name in ("torch", "ours"))
    print(f"| {threads} | {a:.2f} | {b:.2f} | {b / a:.2f} |", flush=True)
