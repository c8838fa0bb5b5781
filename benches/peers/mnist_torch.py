"""One epoch of the main job in PyTorch, eager mode: 784-512(relu)-10, RMSprop, cross-entropy, batches of 128.

    python benches/peers/mnist_torch.py THREADS EPOCHS

prints the seconds of each epoch, one a line. Data are f32 in memory, batches are gathered by a shuffled index.
"""

import gzip
import pathlib
import sys
import time

import numpy
import torch

threads, epochs = int(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(threads)
torch.manual_seed(1)

folder = pathlib.Path(__file__).resolve().parents[2] / "examples" / "data" / "mnist"


def read(name, skip):
    with gzip.open(folder / name) as file:
        return numpy.frombuffer(file.read(), numpy.uint8, offset=skip)


images = read("train-images-idx3-ubyte.gz", 16).reshape(-1, 784)
x = torch.from_numpy(images.astype(numpy.float32) / 255)
t = torch.from_numpy(read("train-labels-idx1-ubyte.gz", 8).astype(numpy.int64))

model = torch.nn.Sequential(torch.nn.Linear(784, 512), torch.nn.ReLU(), torch.nn.Linear(512, 10))
loss_of = torch.nn.CrossEntropyLoss()
optimizer = torch.optim.RMSprop(model.parameters(), lr=0.001, alpha=0.9, eps=1e-7)

for epoch in range(epochs):
    start = time.perf_counter()
    total = 0.0
    for rows in torch.randperm(len(x)).split(128):
        loss = loss_of(model(x[rows]), t[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    print(f"{time.perf_counter() - start:.4f}", flush=True)
    assert total / len(x) < (0.5, 0.2)[min(epoch, 1)], "it does not learn"
