"""The jobs in Keras, compiled by XLA, on the backend that the environment names: KERAS_BACKEND=jax or tensorflow."""

import functools
import os
import time

import numpy

if os.environ["KERAS_BACKEND"] == "tensorflow":
    import tensorflow

    tensorflow.config.threading.set_intra_op_parallelism_threads(int(os.environ["OMP_NUM_THREADS"]))
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
import keras

import work

VERSION = f"Keras {keras.__version__}"


def build(network):
    keras.utils.set_random_seed(1)
    layers = [keras.Input((network["sizes"][0],))]
    for size in network["sizes"][1:-1]:
        layers.append(keras.layers.Dense(size, network["activation"]))
    model = keras.Sequential([*layers, keras.layers.Dense(network["sizes"][-1])])
    if network["optimizer"] == "rmsprop":
        rmsprop = work.RMSPROP
        optimizer = keras.optimizers.RMSprop(rmsprop["rate"], rho=rmsprop["decay"], epsilon=rmsprop["epsilon"])
    else:
        optimizer = keras.optimizers.SGD(network["rate"])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, jit_compile=True, steps_per_execution=32)  # several steps a call: faster here
    return model


def epochs(name, folder):
    network = work.NETWORKS[name]
    size = network["batch"]
    model = build(network)
    weights = [array for pair in work.layers(folder, name, network["sizes"], numpy.float32) for array in pair]
    images, labels = work.images(folder)
    labels = labels.astype(numpy.int32)
    orders = work.order(folder)

    def restart():
        model.set_weights(weights)
        for variable in model.optimizer.variables[2:]:  # all but the count of steps and the rate
            variable.assign(numpy.zeros(variable.shape, variable.dtype))

    restart()
    batches = work.batches(orders[0], size)[: work.FIRST]
    first = [float(model.train_on_batch(images[rows], labels[rows])) for rows in batches]
    tail = numpy.concatenate([orders[0][: 64 * size], orders[0][-(len(images) % size or size) :]])
    model.fit(images[tail], labels[tail], batch_size=size, shuffle=False, verbose=0)  # compiles for both sizes of batch
    restart()
    means, seconds = [], []
    for rows in orders:
        x, t = images[rows], labels[rows]  # in order outside of the timing: `fit` can't be told an order
        begin = time.perf_counter()
        history = model.fit(x, t, batch_size=size, shuffle=False, verbose=0)
        seconds.append(time.perf_counter() - begin)
        means.append(history.history["loss"][0])
    work.report(f"{VERSION} on {keras.backend.backend()}", work.epoch_numbers(first, means), seconds)


if __name__ == "__main__":
    work.run({name: functools.partial(epochs, name) for name in ("mnist", "digits")})
