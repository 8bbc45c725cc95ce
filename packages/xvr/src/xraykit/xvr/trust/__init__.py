"""Whether to believe a registration: what can be measured of it, the chance that it is right, and warnings."""
