"""The page of `xraykit xvr app`: poses by hand and by button, on this machine alone."""
