# Made by tools/make_stubs.py from the table in __init__.py.
from .calibration import (
    SuccessModel as SuccessModel,
    fit_model as fit_model,
)
from .judge_registration import judge as judge
from .judgement import TrustJudgement as TrustJudgement
