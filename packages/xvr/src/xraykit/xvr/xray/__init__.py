"""X-rays made ready to be registered."""
