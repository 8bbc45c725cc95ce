"""Data sets of X-rays as tar shards: written by a job that gives the same bytes everywhere, read as a stream."""
