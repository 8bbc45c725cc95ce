"""Chest, abdomen and pelvis."""
