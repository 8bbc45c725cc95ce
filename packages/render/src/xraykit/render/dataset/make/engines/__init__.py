"""Who computes the shards: processes on this machine, a Ray cluster, or the tasks of a SLURM array."""
