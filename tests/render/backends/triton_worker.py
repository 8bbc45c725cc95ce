"""Run the Triton kernels under Triton's interpreter, for test_triton.py.

Triton decides when it is imported whether kernels are compiled or interpreted, so the interpreter gets a process of its
own: calls (function, args, kwargs) are read from stdin, (ok, result or message) goes to stdout.
"""

import pickle
import sys

import torch
from xraykit.render.kernels import triton_gpu


def deterministically(function: str, *args, **kwargs):
    """The call while nondeterminism is an error."""
    torch.set_deterministic_debug_mode("error")
    try:
        return getattr(triton_gpu, function)(*args, **kwargs)
    finally:
        torch.set_deterministic_debug_mode("default")


def main() -> None:
    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    while True:
        try:
            function, args, kwargs = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            call = deterministically if function == "deterministically" else getattr(triton_gpu, function)
            answer = True, call(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  # the test process raises it again
            answer = False, f"{type(error).__name__}: {error}"
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    main()
