"""Finite sums and the batches that stand for them: orders, updates, variance, noise that frees, clipping."""
