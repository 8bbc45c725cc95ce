"""Readers and writers: every file is hostile until checked."""
