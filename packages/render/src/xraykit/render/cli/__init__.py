"""The shell commands; each is a thin skin over one public function."""
