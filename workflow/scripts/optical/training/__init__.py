"""The training loop, checkpoints and batches, and what each model learns from."""
