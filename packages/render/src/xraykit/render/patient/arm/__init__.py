"""Shoulder to finger tips."""
