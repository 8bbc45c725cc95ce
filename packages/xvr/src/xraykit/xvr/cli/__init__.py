"""The commands of `xraykit xvr`."""
