"""An X-ray as it is registered."""
