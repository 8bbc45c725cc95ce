"""Skull, face and upper neck."""
