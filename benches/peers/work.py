"""The work that all do: its sizes, its data, and how a peer says what came out.

Each peer runs as `python PEER.py JOB FOLDER`, reads what data.py wrote into FOLDER, and prints one line of JSON with the
numbers that must agree (losses, in most jobs) and the seconds that it took. Nothing else may be on that line's stream.
"""

import json
import pathlib
import sys
import time

import numpy

EPOCHS = 2
FIRST = 10  # losses of the first steps that are compared
RMSPROP = {"rate": 0.001, "decay": 0.9, "epsilon": 1e-7}
NETWORKS = {
    "mnist": {"sizes": [784, 512, 10], "activation": "relu", "batch": 128, "optimizer": "rmsprop", "rate": 0.001},
    "digits": {"sizes": [784, 16, 16, 10], "activation": "sigmoid", "batch": 32, "optimizer": "sgd", "rate": 0.5},
}
XOR = {"sizes": [2, 3, 1], "rate": 2.0, "steps": 1000}
SMALL = {"sizes": [24, 8, 2], "rows": 200}
MOONS = {"sizes": [2, 16, 16, 1], "rows": 100, "steps": 2, "alpha": 1e-4}


def rate_of_moons(step):
    """The learning rate of micrograd's demo."""
    return 1.0 - 0.9 * step / 100


def read(folder, name, dtype, shape=None):
    array = numpy.fromfile(pathlib.Path(folder) / name, dtype)
    return array if shape is None else array.reshape(shape)


def layers(folder, name, sizes, dtype):
    """Weights (in x out) and biases of each layer."""
    flat = read(folder, f"{name}.weights", dtype)
    result, start = [], 0
    for fan_in, fan_out in zip(sizes, sizes[1:]):
        weight = flat[start : start + fan_in * fan_out].reshape(fan_in, fan_out)
        start += fan_in * fan_out
        result.append((weight.copy(), flat[start : start + fan_out].copy()))
        start += fan_out
    return result


def images(folder):
    """All images as numbers from 0 to 1, and their classes."""
    pixels = read(folder, "images", numpy.uint8, (-1, 784))
    return pixels.astype(numpy.float32) / numpy.float32(255), read(folder, "labels", numpy.uint8)


def order(folder):
    """The order of the samples in each epoch."""
    return read(folder, "order", numpy.uint32, (EPOCHS, -1))


def points(folder, name, sizes):
    """Inputs and targets of one of the small jobs."""
    columns = sizes[0] + sizes[-1]
    table = read(folder, f"{name}.points", numpy.float64, (-1, columns))
    return table[:, : sizes[0]].copy(), table[:, sizes[0] :].copy()


def batches(rows, size):
    return [rows[i : i + size] for i in range(0, len(rows), size)]


def epoch_numbers(losses, total):
    """What must agree of an epoch job: the first losses and the mean loss of each epoch."""
    return [float(loss) for loss in losses[:FIRST]] + [float(mean) for mean in total]


def mean_loss(losses, rows, size):
    """The mean over samples of the losses of an epoch's batches."""
    sizes = [len(batch) for batch in batches(rows, size)]
    return float(numpy.dot(numpy.asarray(losses, numpy.float64), sizes) / len(rows))


def checksum(arrays):
    """One number that depends on every element and on its place."""
    flat = numpy.concatenate([numpy.asarray(array, numpy.float64).ravel() for array in arrays])
    return float(numpy.dot(flat, numpy.cos(numpy.arange(len(flat)))))


def per_call(f, repeats=5, seconds=0.2):
    """Seconds for a call, `repeats` times: each the mean over as many calls as fit into `seconds`."""
    start = time.perf_counter()
    count = 0
    while time.perf_counter() - start < seconds / 2:
        f()
        count += 1
    count = max(1, 2 * count)
    result = []
    for _ in range(repeats):
        start = time.perf_counter()
        for _ in range(count):
            f()
        result.append((time.perf_counter() - start) / count)
    return result


def report(version, numbers, seconds, **more):
    print(json.dumps({"version": version, "numbers": numbers, "seconds": seconds, **more}))


def run(jobs):
    """The main function of a peer: runs the job that is asked for."""
    name, folder = sys.argv[1:3]
    jobs[name](folder)
