# Made by tools/make_stubs.py from the table in __init__.py.
from .calibration import SuccessModel as SuccessModel
from .judgement import TrustJudgement as TrustJudgement
from .judging import judge as judge
