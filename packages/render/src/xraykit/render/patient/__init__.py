"""Procedural patients: a body in parts, each described in its own frame, painted onto one grid."""
