"""The demo of micrograd: a network of scalars and its loss on 100 points, recorded anew at each step."""

import importlib.metadata
import time

import numpy
from micrograd.engine import Value
from micrograd.nn import MLP

import work


def start(folder):
    sizes = work.MOONS["sizes"]
    model = MLP(sizes[0], list(sizes[1:]))
    for layer, (weights, biases) in zip(model.layers, work.layers(folder, "moons", sizes, numpy.float64)):
        for neuron, column, bias in zip(layer.neurons, weights.T, biases):
            for value, number in zip(neuron.parameters(), [*column, bias]):
                value.data = float(number)
    return model


def loss_of(model, points, labels):
    scores = [model(list(map(Value, point))) for point in points]
    losses = [(1 + -label * score).relu() for label, score in zip(labels, scores)]
    squares = sum((p * p for p in model.parameters()))
    return sum(losses) * (1.0 / len(losses)) + work.MOONS["alpha"] * squares


def moons(folder):
    model = start(folder)
    points, labels = (part.tolist() for part in work.points(folder, "moons", work.MOONS["sizes"]))
    labels = [label for [label] in labels]
    numbers, seconds = [], []
    for step in range(work.MOONS["steps"]):
        begin = time.perf_counter()
        loss = loss_of(model, points, labels)
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= work.rate_of_moons(step) * p.grad
        seconds.append(time.perf_counter() - begin)
        numbers.append(loss.data)
    work.report(f"micrograd {importlib.metadata.version('micrograd')}", numbers, seconds)


if __name__ == "__main__":
    work.run({"moons": moons})
