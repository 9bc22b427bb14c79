"""The wheel, as somebody installs it. Only `make test` runs these: they build it, and an environment with nothing else."""
