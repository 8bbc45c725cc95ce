"""Radiographic views: standard ones as data, resolved on any labelled volume; random ones; published pose ranges."""
