"""From area densities to the detector's image: spectrum, transmission, scatter, noise, detector."""
