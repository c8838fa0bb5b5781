"""Writes what all peers start from into a folder, and what must come out: `python data.py FOLDER MNIST`.

The expected numbers are computed here in f64, with derivatives written by hand: by none of the libraries compared.
"""

import gzip
import json
import pathlib
import sys

import numpy

import work


def main():
    folder, mnist = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    random = numpy.random.Generator(numpy.random.PCG64(1))
    for name, file, skip in [("images", "train-images-idx3-ubyte.gz", 16), ("labels", "train-labels-idx1-ubyte.gz", 8)]:
        with gzip.open(mnist / file) as stream:
            (folder / name).write_bytes(stream.read()[skip:])
    samples = (folder / "labels").stat().st_size
    numpy.array([random.permutation(samples) for _ in range(work.EPOCHS)], numpy.uint32).tofile(folder / "order")

    expected = {}
    for name, network in work.NETWORKS.items():
        glorot(random, network["sizes"]).astype(numpy.float32).tofile(folder / f"{name}.weights")
        expected[name] = epochs(folder, name, **network)
    for name, job in {"xor": work.XOR, "small": work.SMALL}.items():
        glorot(random, job["sizes"]).tofile(folder / f"{name}.weights")
    numpy.array([[0.0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]).tofile(folder / "xor.points")
    random.standard_normal((work.SMALL["rows"], 26)).tofile(folder / "small.points")
    write_moons(random, folder)
    expected |= {"xor": xor(folder), "small": small(folder), "moons": moons(folder)}
    (folder / "expected.json").write_text(json.dumps(expected))


def glorot(random, sizes):
    parts = []
    for fan_in, fan_out in zip(sizes, sizes[1:]):
        bound = (6 / (fan_in + fan_out)) ** 0.5
        parts += [random.uniform(-bound, bound, fan_in * fan_out), random.uniform(-0.1, 0.1, fan_out)]
    return numpy.concatenate(parts)


def write_moons(random, folder):
    """Two interleaved half circles with noise, as scikit-learn makes them, in micrograd's order: x, y, label -1 or 1."""
    half = work.MOONS["rows"] // 2
    angle = numpy.linspace(0, numpy.pi, half)
    outer = numpy.stack([numpy.cos(angle), numpy.sin(angle), -numpy.ones(half)], 1)
    inner = numpy.stack([1 - numpy.cos(angle), 0.5 - numpy.sin(angle), numpy.ones(half)], 1)
    table = random.permutation(numpy.concatenate([outer, inner]))
    table[:, :2] += random.normal(scale=0.1, size=(2 * half, 2))
    table.tofile(folder / "moons.points")
    sizes = work.MOONS["sizes"]
    parts = [(random.uniform(-1, 1, a * b), numpy.zeros(b)) for a, b in zip(sizes, sizes[1:])]
    numpy.concatenate([part for layer in parts for part in layer]).tofile(folder / "moons.weights")


ACTIVATIONS = {  # value, and derivative as a function of the value
    "relu": (lambda z: numpy.maximum(z, 0), lambda y: y > 0),
    "sigmoid": (lambda z: 1 / (1 + numpy.exp(-z)), lambda y: y * (1 - y)),
    "tanh": (numpy.tanh, lambda y: 1 - y * y),
}


def forward(layers, activation, x):
    """The input of each layer, and the output of the last without an activation."""
    inputs = [x]
    for i, (w, b) in enumerate(layers):
        z = inputs[-1] @ w + b
        inputs.append(z if i == len(layers) - 1 else ACTIVATIONS[activation][0](z))
    return inputs


def backward(layers, activation, inputs, g):
    """Gradients by weights and biases, from the cotangent of the output."""
    gradients = []
    for i in reversed(range(len(layers))):
        gradients.append((inputs[i].T @ g, g.sum(0)))
        g = (g @ layers[i][0].T) * ACTIVATIONS[activation][1](inputs[i]) if i else None
    return gradients[::-1]


def cross_entropy(logits, classes):
    """The mean over samples, and its cotangent."""
    shifted = logits - logits.max(1, keepdims=True)
    exponentials = numpy.exp(shifted)
    sums = exponentials.sum(1, keepdims=True)
    rows = numpy.arange(len(classes))
    cotangent = exponentials / sums
    cotangent[rows, classes] -= 1
    return float((numpy.log(sums[:, 0]) - shifted[rows, classes]).mean()), cotangent / len(classes)


def epochs(folder, name, sizes, activation, batch, optimizer, rate):
    x, classes = work.images(folder)
    layers = [list(pair) for pair in work.layers(folder, name, sizes, numpy.float32)]
    layers = [[array.astype(numpy.float64) for array in pair] for pair in layers]
    squares = [[numpy.zeros_like(array) for array in pair] for pair in layers]
    losses, means = [], []
    for rows in work.order(folder):
        epoch = []
        for chosen in work.batches(rows, batch):
            inputs = forward(layers, activation, x[chosen].astype(numpy.float64))
            loss, cotangent = cross_entropy(inputs[-1], classes[chosen])
            for pair, square, gradient in zip(layers, squares, backward(layers, activation, inputs, cotangent)):
                for p, s, g in zip(pair, square, gradient):
                    if optimizer == "rmsprop":
                        s *= work.RMSPROP["decay"]
                        s += (1 - work.RMSPROP["decay"]) * g * g
                        g = g / numpy.sqrt(s + work.RMSPROP["epsilon"])
                    p -= rate * g
            epoch.append(loss)
        losses += epoch
        means.append(work.mean_loss(epoch, rows, batch))
    return work.epoch_numbers(losses, means)


def xor(folder):
    """Mean squared error of sigmoid outputs, at the first steps and after all."""
    x, t = work.points(folder, "xor", work.XOR["sizes"])
    layers = [list(pair) for pair in work.layers(folder, "xor", work.XOR["sizes"], numpy.float64)]
    losses = []
    for _ in range(work.XOR["steps"]):
        inputs = forward(layers, "sigmoid", x)
        y = ACTIVATIONS["sigmoid"][0](inputs[-1])
        losses.append(float(((y - t) ** 2).mean()))
        cotangent = 2 * (y - t) / len(x) * y * (1 - y)
        for pair, gradient in zip(layers, backward(layers, "sigmoid", inputs, cotangent)):
            for p, g in zip(pair, gradient):
                p -= work.XOR["rate"] * g
    return [losses[0], losses[-1]]


def small(folder):
    """Half of the sum of squares, and a sum that tells all elements of the gradient apart."""
    x, t = work.points(folder, "small", work.SMALL["sizes"])
    layers = work.layers(folder, "small", work.SMALL["sizes"], numpy.float64)
    inputs = forward(layers, "tanh", x)
    difference = inputs[-1] - t
    gradients = backward(layers, "tanh", inputs, difference)
    return [float((difference**2).sum() / 2), work.checksum([array for pair in gradients for array in pair])]


def moons(folder):
    """micrograd's demo: hinge loss, and the squares of all parameters."""
    x, t = work.points(folder, "moons", work.MOONS["sizes"])
    layers = [list(pair) for pair in work.layers(folder, "moons", work.MOONS["sizes"], numpy.float64)]
    losses = []
    for step in range(work.MOONS["steps"]):
        inputs = forward(layers, "relu", x)
        margin = 1 - t * inputs[-1]
        squares = sum(float((array**2).sum()) for pair in layers for array in pair)
        losses.append(float(numpy.maximum(margin, 0).mean()) + work.MOONS["alpha"] * squares)
        gradients = backward(layers, "relu", inputs, -t * (margin > 0) / len(x))
        for pair, gradient in zip(layers, gradients):
            for p, g in zip(pair, gradient):
                p -= work.rate_of_moons(step) * (g + 2 * work.MOONS["alpha"] * p)
    return losses


if __name__ == "__main__":
    main()
