//! Perceptrons on `autograd`.
