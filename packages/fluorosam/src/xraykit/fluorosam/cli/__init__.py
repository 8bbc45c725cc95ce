"""The commands of `xraykit fluorosam`."""
