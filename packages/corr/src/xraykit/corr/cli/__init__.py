"""The commands of `xraykit corr`."""
