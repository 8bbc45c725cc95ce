"""Readers of the published 2D/3D registration data sets: CT, fiducials, X-rays and their true poses in our terms."""
