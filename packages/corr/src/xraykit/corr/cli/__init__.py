"""The commands of `xraykit dax`."""
