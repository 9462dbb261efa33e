"""Benches: work for which the form of one operation is not enough. They use the same operations as all else."""
