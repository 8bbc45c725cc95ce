"""Works through jobs in one checkout's environment: a name comes in on stdin, times and a digest of the result go out.

`benchmarks.speed.old_and_new` and `benchmarks.speed.reading` start one for each checkout. It runs as a plain script
with nothing but public names of the packages, found wherever the checkout exports them.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

Work = Callable[[], Any]


def public(package: str, name: str) -> Any:
    """A public name of a package or of one of its folders."""
    root = Path(next(iter(import_module(package).__path__)))
    folders = sorted(path.parent.relative_to(root).parts for path in root.rglob("__init__.py"))
    for folder in sorted(folders, key=len):
        try:
            return getattr(import_module(".".join((package, *folder))), name)
        except (ImportError, AttributeError):
            continue
    raise SystemExit(f"neither {package} nor its folders export {name}")


def core(name: str) -> Any:
    """A public name of xraykit.render."""
    return public("xraykit.render", name)


def images() -> dict[str, Work]:
    """Line integrals, their gradients, masks and a simulated X-ray of the procedural torso."""
    patient = core("torso")(spacing=3.0)
    camera = core("Camera")(sdd=1020.0, height=200, width=200, pixel_spacing=2.0)
    pose = core("carm_pose")(lao_rao=175.0, cra_cau=5.0, sod=850.0, isocenter=patient.center)
    render, label_masks = core("render"), core("label_masks")
    scene = core("Scene")((core("Body").from_volume(patient),))

    def image(**how: Any) -> Work:
        return lambda: render(patient, camera, pose, **how)

    def gradient(**how: Any) -> Work:
        def work() -> Any:
            leaf = pose.clone().requires_grad_()
            render(patient, camera, leaf, **how).square().mean().backward()
            return leaf.grad

        return work

    works = {f"render, {method}": image(method=method) for method in ("trilinear", "siddon", "joseph")}
    works |= {f"pose gradient, {method}": gradient(method=method) for method in ("trilinear", "siddon", "joseph")}
    works["a channel per label"] = image(labels="hard")
    works["every mask"] = lambda: label_masks(patient, camera, pose)
    works["simulate"] = lambda: core("simulate")(scene, camera, pose, seed=1).intensity
    return works


def patients() -> dict[str, Work]:
    """What a data set of procedural patients is made of: one painted, and one X-rayed with all its masks."""
    generate, settings = core("generate_patient"), core("PatientSettings")(size=192)
    march = core("SimulationSettings")(march=core("MarchSettings")(samples=300))
    camera = core("Camera")(sdd=1020.0, height=256, width=256, pixel_spacing=1.2)
    simulate, carm_pose = core("simulate"), core("carm_pose")

    @cache
    def scene(region: str) -> Any:
        return generate(seed=11, region=region, settings=settings).scene()

    def xray(region: str) -> Any:
        isocenter = scene(region).bodies[0].volume.center
        pose = carm_pose(lao_rao=40.0, cra_cau=10.0, sod=800.0, isocenter=isocenter)
        return simulate(scene(region), camera, pose, march, seed=1).intensity

    works: dict[str, Work] = {}
    for region in ("skull", "thorax", "knee", "whole_body"):
        works[f"paint a patient, {region}"] = lambda region=region: (
            generate(seed=11, region=region, settings=settings).volume.hu
        )
        works[f"X-ray a patient, {region}"] = lambda region=region: xray(region)
    return works


def registrations() -> dict[str, Work]:
    """The second-order refinement of one X-ray of the torso, from a start drawn like the paper's."""
    torch, patient = import_module("torch"), core("torso")(spacing=4.0)
    camera = core("Camera")(sdd=1020.0, height=128, width=128, pixel_spacing=2.2)
    truth = core("carm_pose")(lao_rao=190.0, cra_cau=10.0, sod=760.0, isocenter=patient.center).double()
    xray = public("xraykit.xvr", "Shot")(core("render")(patient, camera, truth)[0, 0], camera)
    errors, dice = public("xraykit.xvr", "StartErrors")(), torch.Generator().manual_seed(3)
    start = errors.perturb(truth, patient.center, dice)
    register = public("xraykit.xvr", "register")
    return {"register": lambda: register(xray, patient, start).poses}


def digest(result: Any) -> str:
    """SHA-256 of the bytes of a tensor."""
    return hashlib.sha256(result.detach().cpu().contiguous().numpy().tobytes()).hexdigest()


def main() -> None:
    """Answer every line of stdin with a line of JSON."""
    torch = import_module("torch")
    torch.set_num_threads(int(sys.argv[1]))
    works = images() | patients() | registrations()
    answer(sorted(works, key=list(works).index))
    for line in sys.stdin:
        name, _, argument = line.rstrip("\n").partition("\t")
        if name == "write CT":
            volume = core("torso")(spacing=6.0)
            core("write_volume")(argument, volume.hu, volume.affine)
            answer({})
            continue
        extra: dict[str, Any] = {}
        wall, cpu = time.perf_counter(), time.process_time()
        if name == "read":
            volume = core("Volume").from_file(argument)
            result, extra["affine"] = volume.hu, volume.affine.tolist()
        else:
            result = works[name]()
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        answer({"wall_ms": 1e3 * wall, "cpu_ms": 1e3 * cpu, "digest": digest(result), **extra})
        result = volume = None


def answer(said: Any) -> None:
    """One line of JSON to stdout, at once."""
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
