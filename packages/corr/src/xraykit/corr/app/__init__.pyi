# Made by tools/make_stubs.py from the table in __init__.py.
from .marked_pair import MarkedPair as MarkedPair
from .opening import open_pair_page as open_pair_page
from .pair_session import PairSession as PairSession
from .server import PairServer as PairServer
from .settings import PairAppSettings as PairAppSettings
