"""Training of pose networks: for one patient, for many, and from many to one."""
