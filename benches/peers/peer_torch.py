"""The jobs in PyTorch, eager mode, by tensors and functions (cheaper than modules); updates in place."""

import functools
import os
import time

import numpy
import torch
from torch.nn import functional

import work

VERSION = f"PyTorch {torch.__version__.split('+')[0]}"
torch.set_num_threads(int(os.environ["OMP_NUM_THREADS"]))


def parameters(folder, name, sizes, dtype):
    pairs = work.layers(folder, name, sizes, dtype)
    return [torch.from_numpy(array).requires_grad_() for pair in pairs for array in pair]


def outputs(parameters, activation, x):
    for i in range(0, len(parameters), 2):
        x = torch.addmm(parameters[i + 1], x, parameters[i])
        x = activation(x) if i + 2 < len(parameters) else x
    return x


@torch.no_grad()
def update(parameters, squares, rate):
    """RMSprop as Keras defines it: in torch.optim.RMSprop, which makes as many passes, epsilon is outside of the root."""
    for p, s in zip(parameters, squares):
        s.mul_(work.RMSPROP["decay"]).addcmul_(p.grad, p.grad, value=1 - work.RMSPROP["decay"])
        p.addcdiv_(p.grad, s.add(work.RMSPROP["epsilon"]).sqrt_(), value=-rate)


@torch.no_grad()
def descend(parameters, rate):
    for p in parameters:
        p.sub_(p.grad, alpha=rate)


def epochs(name, folder):
    network = work.NETWORKS[name]
    rate, size = network["rate"], network["batch"]
    activation = {"relu": torch.relu, "sigmoid": torch.sigmoid}[network["activation"]]
    weights = parameters(folder, name, network["sizes"], numpy.float32)
    squares = [torch.zeros_like(p) for p in weights]
    images, labels = work.images(folder)
    images, labels = torch.from_numpy(images), torch.from_numpy(labels.astype(numpy.int64))
    losses, means, seconds = [], [], []
    for order in work.order(folder):
        rows = torch.from_numpy(order.astype(numpy.int64))
        begin = time.perf_counter()
        found = []
        for batch in rows.split(size):
            loss = functional.cross_entropy(outputs(weights, activation, images[batch]), labels[batch])
            for p in weights:
                p.grad = None
            loss.backward()
            if network["optimizer"] == "rmsprop":
                update(weights, squares, rate)
            else:
                descend(weights, rate)
            found.append(loss.item())
        seconds.append(time.perf_counter() - begin)
        losses += found
        means.append(work.mean_loss(found, order, size))
    work.report(VERSION, work.epoch_numbers(losses, means), seconds)


def xor(folder):
    weights = parameters(folder, "xor", work.XOR["sizes"], numpy.float64)
    x, t = (torch.from_numpy(part) for part in work.points(folder, "xor", work.XOR["sizes"]))

    def once():
        loss = functional.mse_loss(torch.sigmoid(outputs(weights, torch.sigmoid, x)), t)
        for p in weights:
            p.grad = None
        loss.backward()
        descend(weights, work.XOR["rate"])
        return loss

    losses = [once().item() for _ in range(work.XOR["steps"])]
    work.report(VERSION, [losses[0], losses[-1]], work.per_call(once))


def small(folder):
    weights = parameters(folder, "small", work.SMALL["sizes"], numpy.float64)
    x, t = (torch.from_numpy(part) for part in work.points(folder, "small", work.SMALL["sizes"]))

    def once():
        loss = (outputs(weights, torch.tanh, x) - t).square().sum() / 2
        return loss, torch.autograd.grad(loss, weights)

    loss, gradient = once()
    work.report(VERSION, [loss.item(), work.checksum(gradient)], work.per_call(once))


if __name__ == "__main__":
    mnist, digits = (functools.partial(epochs, name) for name in ("mnist", "digits"))
    work.run({"mnist": mnist, "digits": digits, "xor": xor, "small": small})
