"""What custom ops promise to torch, and which of it every run asks."""

from __future__ import annotations

# All but tracing with gradients, for which torch loads its compiler of GPU kernels: seconds in each process.
QUICK = ("test_schema", "test_autograd_registration", "test_faketensor")
TRACED = "test_aot_dispatch_dynamic"
