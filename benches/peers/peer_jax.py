"""The jobs in JAX: whole steps jitted, what they replace donated, all data on the device."""

import functools
import sys
import time

import jax

jax.config.update("jax_enable_x64", sys.argv[1].startswith(("xor", "small")))  # before any array is made

import jax.numpy as jnp
import numpy

import work

VERSION = f"JAX {jax.__version__}"
ACTIVATIONS = {"relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid, "tanh": jnp.tanh}


def on_device(tree):
    """A copy, since donated arrays are gone after the call."""
    return jax.tree.map(jnp.array, tree)


def outputs(layers, activation, x):
    for w, b in layers[:-1]:
        x = ACTIVATIONS[activation](x @ w + b)
    w, b = layers[-1]
    return x @ w + b


def cross_entropy(layers, activation, x, classes):
    logits = outputs(layers, activation, x)
    chosen = jnp.take_along_axis(logits, classes[:, None], 1)[:, 0]
    return (jax.nn.logsumexp(logits, 1) - chosen).mean()


def step_of(activation, optimizer, rate, **_):
    """A training step: parameters, mean squares and batch to new ones and the loss."""

    def step(state, images, labels, rows):
        layers, squares = state
        loss, gradient = jax.value_and_grad(cross_entropy)(layers, activation, images[rows], labels[rows])
        if optimizer == "rmsprop":
            decay, epsilon = work.RMSPROP["decay"], work.RMSPROP["epsilon"]
            squares = jax.tree.map(lambda s, g: decay * s + (1 - decay) * g * g, squares, gradient)
            gradient = jax.tree.map(lambda s, g: g / jnp.sqrt(s + epsilon), squares, gradient)
        return (jax.tree.map(lambda p, g: p - rate * g, layers, gradient), squares), loss

    return step


def start(folder, name):
    network = work.NETWORKS[name]
    layers = on_device(work.layers(folder, name, network["sizes"], numpy.float32))
    squares = jax.tree.map(jnp.zeros_like, layers) if network["optimizer"] == "rmsprop" else []
    return layers, squares


def data(folder):
    images, labels = work.images(folder)
    return jnp.array(images), jnp.array(labels.astype(numpy.int32))


def epochs(name, folder):
    """Each step is a call."""
    step = jax.jit(step_of(**work.NETWORKS[name]), donate_argnums=0)
    size = work.NETWORKS[name]["batch"]
    state, (images, labels) = start(folder, name), data(folder)
    orders = [work.batches(rows.astype(numpy.int32), size) for rows in work.order(folder)]
    for rows in (orders[0][0], orders[0][-1]):  # compiles for both sizes of batch
        jax.block_until_ready(step(start(folder, name), images, labels, rows))

    def epoch(i):
        nonlocal state
        losses = []
        for rows in orders[i]:
            state, loss = step(state, images, labels, rows)
            losses.append(loss)
        jax.block_until_ready(state)
        return losses

    report_epochs(folder, size, epoch)


def epochs_in_one_call(name, folder):
    """The loop over an epoch's batches is inside of what is compiled."""
    step = step_of(**work.NETWORKS[name])
    size = work.NETWORKS[name]["batch"]
    state, (images, labels) = start(folder, name), data(folder)

    @functools.partial(jax.jit, donate_argnums=0)
    def loop(state, images, labels, rows, rest):
        state, losses = jax.lax.scan(lambda state, rows: step(state, images, labels, rows), state, rows)
        if not len(rest):
            return state, losses
        state, last = step(state, images, labels, rest)
        return state, jnp.append(losses, last)

    orders = []
    for rows in work.order(folder).astype(numpy.int32):
        whole = len(rows) // size * size
        orders.append((jnp.array(rows[:whole].reshape(-1, size)), jnp.array(rows[whole:])))
    jax.block_until_ready(loop(start(folder, name), images, labels, *orders[0]))

    def epoch(i):
        nonlocal state
        state, losses = jax.block_until_ready(loop(state, images, labels, *orders[i]))
        return losses

    report_epochs(folder, size, epoch)


def report_epochs(folder, size, epoch):
    losses, means, seconds = [], [], []
    for i, rows in enumerate(work.order(folder)):
        begin = time.perf_counter()
        found = epoch(i)
        seconds.append(time.perf_counter() - begin)
        losses += list(found)
        means.append(work.mean_loss([float(loss) for loss in found], rows, size))
    work.report(VERSION, work.epoch_numbers(losses, means), seconds)


def xor_loss(layers, x, t):
    return ((jax.nn.sigmoid(outputs(layers, "sigmoid", x)) - t) ** 2).mean()


def xor_step(layers, x, t):
    loss, gradient = jax.value_and_grad(xor_loss)(layers, x, t)
    return jax.tree.map(lambda p, g: p - work.XOR["rate"] * g, layers, gradient), loss


def xor_start(folder):
    layers = on_device(work.layers(folder, "xor", work.XOR["sizes"], numpy.float64))
    return layers, *(jnp.array(part) for part in work.points(folder, "xor", work.XOR["sizes"]))


def xor(folder):
    """Each step is a call."""
    layers, x, t = xor_start(folder)
    step = jax.jit(xor_step, donate_argnums=0)
    losses = []

    def once():
        nonlocal layers
        layers, loss = step(layers, x, t)
        return loss

    for _ in range(work.XOR["steps"]):
        losses.append(float(once()))
    work.report(VERSION, [losses[0], losses[-1]], work.per_call(once))


def xor_in_one_call(folder):
    """The loop over steps is inside of what is compiled."""
    layers, x, t = xor_start(folder)

    @functools.partial(jax.jit, donate_argnums=0)
    def loop(layers, x, t, count):
        def body(_, state):
            layers, first, _ = state
            layers, loss = xor_step(layers, x, t)
            return layers, jnp.where(jnp.isnan(first), loss, first), loss

        nan = jnp.full((), jnp.nan)
        return jax.lax.fori_loop(0, count, body, (layers, nan, nan))

    layers, first, last = loop(layers, x, t, work.XOR["steps"])
    count, seconds = 200_000, []
    for _ in range(5):
        begin = time.perf_counter()
        layers, _, _ = jax.block_until_ready(loop(layers, x, t, count))
        seconds.append((time.perf_counter() - begin) / count)
    work.report(VERSION, [float(first), float(last)], seconds)


def small(folder):
    x, t = work.points(folder, "small", work.SMALL["sizes"])
    x, t = jnp.array(x), jnp.array(t)
    layers = on_device(work.layers(folder, "small", work.SMALL["sizes"], numpy.float64))
    f = jax.jit(jax.value_and_grad(lambda layers, x, t: ((outputs(layers, "tanh", x) - t) ** 2).sum() / 2))
    value, gradient = f(layers, x, t)
    seconds = work.per_call(lambda: jax.block_until_ready(f(layers, x, t)))
    work.report(VERSION, [float(value), work.checksum(jax.tree.leaves(gradient))], seconds)


def compile_step(folder):
    """The first call of the training step: trace, derive, compile, and one run."""
    step = jax.jit(step_of(**work.NETWORKS["mnist"]), donate_argnums=0)
    state, (images, labels) = start(folder, "mnist"), data(folder)
    rows = work.order(folder)[0, : work.NETWORKS["mnist"]["batch"]].astype(numpy.int32)
    jax.block_until_ready(jax.jit(lambda x: x + 1)(images))  # what is loaded only once
    begin = time.perf_counter()
    _, loss = jax.block_until_ready(step(state, images, labels, rows))
    work.report(VERSION, [float(loss)], [time.perf_counter() - begin])


def memory(folder):
    """Bytes of the training step as XLA plans them; the batch is fed, as to ours."""
    step = step_of(**work.NETWORKS["mnist"])
    state, (images, labels) = start(folder, "mnist"), data(folder)
    rows = work.order(folder)[0, : work.NETWORKS["mnist"]["batch"]].astype(numpy.int32)
    everything = numpy.arange(len(rows))
    fed = jax.jit(lambda state, x, classes: step(state, x, classes, everything), donate_argnums=0)
    batch = images[rows], labels[rows]
    compiled = fed.lower(state, *batch).compile()
    plan = compiled.memory_analysis()
    fields = ("argument_size_in_bytes", "output_size_in_bytes", "temp_size_in_bytes")
    total = sum(getattr(plan, field) for field in fields) - plan.alias_size_in_bytes
    _, loss = compiled(state, *batch)
    work.report(VERSION, [float(loss)], [], bytes=total)


JOBS = {
    "mnist": functools.partial(epochs, "mnist"),
    "mnist-one-call": functools.partial(epochs_in_one_call, "mnist"),
    "digits": functools.partial(epochs, "digits"),
    "digits-one-call": functools.partial(epochs_in_one_call, "digits"),
    "xor": xor,
    "xor-one-call": xor_in_one_call,
    "small": small,
    "compile": compile_step,
    "memory": memory,
}
if __name__ == "__main__":
    work.run(JOBS)
