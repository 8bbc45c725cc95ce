"""Kernel packages to be tested: Triton's interpreted in a process of its own, or compiled where there is CUDA."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from support.triton_worker import named
from support.waiting import PATIENCE


class Interpreted:
    """Calls of the kernels in another process, interpreted."""

    def __init__(self):
        worker = Path(__file__).parents[2] / "support" / "triton_worker.py"
        environment = {**os.environ, "TRITON_INTERPRET": "1"}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen([sys.executable, str(worker)], env=environment, **pipes)

    def __call__(self, function, *args, **kwargs):
        pickle.dump((function, args, kwargs), self.process.stdin)
        self.process.stdin.flush()
        ok, result = pickle.load(self.process.stdout)
        if not ok:
            raise RuntimeError(result)
        return result

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=PATIENCE)
        self.process.stdout.close()


def on_cuda(tensor):
    """The tensor on CUDA with its strides, which .cuda() would not keep."""
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device="cuda").copy_(tensor)


class Compiled:
    """Calls of the kernels on CUDA; tensors go there and back."""

    def __call__(self, function, *args, **kwargs):
        args = [on_cuda(a) if isinstance(a, torch.Tensor) else a for a in args]
        result = named(function)(*args, **kwargs)
        return tuple(r.cpu() for r in result) if isinstance(result, tuple) else result.cpu()

    def close(self):
        pass


@pytest.fixture(scope="session", params=["interpreted", pytest.param("compiled", marks=pytest.mark.gpu)])
def kernels(request):
    """kernels(function, *args): a function of kernels/triton_gpu, or one that `support.triton_worker` adds."""
    if request.param == "compiled" and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    package = Interpreted() if request.param == "interpreted" else Compiled()
    yield package
    package.close()
