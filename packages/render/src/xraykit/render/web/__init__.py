"""A page in the browser for a method, on this machine alone: guarded server, requests, one long job with progress."""

from ..lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "guard": "Guard is_own_page",
        "job": "Job JobCancelledError JobRunner",
        "outer": "outer_address OuterAddress",
        "port": "check_port local_socket",
        "requests": "Answer RequestBody Request",
        "server": "PageServer require_web",
    },
)
