"""Hip to toes."""
