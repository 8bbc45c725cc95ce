"""The template frame: how a patient's CT lies in the world that many CTs were aligned to."""
