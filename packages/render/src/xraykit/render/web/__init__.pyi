# Made by tools/make_stubs.py from the table in __init__.py.
from .guard import (
    Guard as Guard,
    is_own_page as is_own_page,
)
from .job import (
    Job as Job,
    JobCancelledError as JobCancelledError,
    JobRunner as JobRunner,
)
from .outer import (
    OuterAddress as OuterAddress,
    outer_address as outer_address,
)
from .port import (
    check_port as check_port,
    local_socket as local_socket,
)
from .requests import (
    Answer as Answer,
    Request as Request,
    RequestBody as RequestBody,
)
from .server import (
    PageServer as PageServer,
    require_web as require_web,
)
