"""Geometry of other systems, to and from (Camera, pose): one module per system, see docs/converters.md."""
