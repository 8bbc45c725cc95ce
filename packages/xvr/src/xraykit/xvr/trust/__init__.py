"""Whether to believe a registration: what can be measured of it, the chance that it is right, and warnings."""

from xraykit.render.lazy_names import attach

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "calibration": "fit_model SuccessModel",
        "judge_registration": "judge",
        "judgement": "TrustJudgement",
    },
)
