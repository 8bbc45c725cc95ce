"""Run the Triton kernels under Triton's interpreter, for tests/render/backends.

Triton decides when it is imported whether kernels are compiled or interpreted, so the interpreter gets a process of its
own: calls (function, args, kwargs) are read from stdin, (ok, result or message) goes to stdout.
"""

import pickle
import sys
from collections.abc import Callable
from importlib import import_module

import torch
from torch import Tensor
from xraykit.render import Camera, Mesh
from xraykit.render.meshes import displaced, thickness

PACKAGE = "xraykit.render.kernels.triton_gpu"


def deterministically(function: str, *args, **kwargs):
    """The call while nondeterminism is an error."""
    torch.set_deterministic_debug_mode("error")
    try:
        return named(function)(*args, **kwargs)
    finally:
        torch.set_deterministic_debug_mode("default")


def thickness_with_gradients(
    vertices: Tensor,
    faces: Tensor,
    pose: Tensor,
    poses: Tensor,
    sdd: Tensor,
    spacing: Tensor,
    weight: Tensor,
    *,
    backend: str,
) -> tuple[Tensor, ...]:
    """Thickness, what it displaces of a tissue of 1 per mm, and the gradients of sum(weight * thickness)."""
    inputs = [tensor.clone().requires_grad_() for tensor in (vertices, pose, poses, sdd, spacing)]
    vertices, pose, poses, sdd, spacing = inputs
    camera = Camera(sdd=sdd, height=weight.shape[2], width=weight.shape[3], pixel_spacing=spacing)
    meshes = [Mesh(vertices, faces)]
    image = thickness(meshes, camera, pose, poses=poses, backend=backend)
    gone = displaced(lambda p: torch.ones_like(p[:, :1]).mT, meshes, camera, pose, poses=poses, backend=backend)
    return image.detach(), gone.detach(), *torch.autograd.grad((image * weight).sum(), inputs)


def named(function: str) -> Callable:
    """A function of this module or, "module.function", of the kernel package."""
    if function in globals():
        return globals()[function]
    module, _, name = function.rpartition(".")
    return getattr(import_module(f"{PACKAGE}.{module}" if module else PACKAGE), name)


def interpret_faster() -> None:
    """Put the interpreter's operations into a module of the language when they are not there, not at every call.

    Triton does it for each device function that a kernel calls, which takes two fifths of the time.
    """
    import triton.language as tl
    from triton.runtime import interpreter

    def replace(function: Callable) -> object:
        used = [value for value in function.__globals__.values() if value is tl or value is tl.core]
        return original(function) if any(tl.core.is_builtin(module.load) for module in used) else None

    original, interpreter._patch_lang = interpreter._patch_lang, replace


def main() -> None:
    interpret_faster()
    answers, sys.stdout = sys.stdout.buffer, sys.stderr
    while True:
        try:
            function, args, kwargs = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        try:
            answer = True, named(function)(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  # the test process raises it again
            answer = False, f"{type(error).__name__}: {error}"
        pickle.dump(answer, answers)
        answers.flush()


if __name__ == "__main__":
    main()
