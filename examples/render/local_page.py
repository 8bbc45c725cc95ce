"""A page of one's own on this machine: a button starts a long job, a bar follows it, a picture shows what it makes.

The job turns the procedural patient under a fixed C-arm and writes every X-ray. What a method adds to the core is here
and in local_page/: the functions that answer the page's requests, its HTML, and twenty lines of JavaScript.

    python examples/render/local_page.py [-o FOLDER]

See docs/local_page.md.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from PIL import Image
from xraykit.render import Camera, InputError, Volume, carm_pose, render, torso
from xraykit.render.commands import serve_until_interrupt
from xraykit.render.pictures import to_grey
from xraykit.render.web import Answer, Job, JobRunner, PageServer, RequestBody

PAGE = Path(__file__).parent / "local_page"


class Turntable:
    """What the page works on: the patient, the newest X-ray, and one job at a time."""

    def __init__(self, volume: Volume, out: Path, *, pixels: int) -> None:
        self.volume, self.out, self.newest = volume, out, b""
        self.camera = Camera(sdd=1800.0, height=pixels, width=pixels, pixel_spacing=550.0 / pixels)
        self.runner = JobRunner()
        self.requests = {"turn": self.turn, "picture": self.picture, **self.runner.requests}

    def turn(self, body: RequestBody) -> dict:
        """Start the job: `views` X-rays around the patient."""
        views = body.get("views")
        if not isinstance(views, int) or not 1 <= views <= 360:
            raise InputError(f"views must be 1 to 360, got {views!r}.")
        return self.runner.start("turn", lambda job: self._turn(job, views)).state()

    def picture(self, body: RequestBody) -> Answer:
        """The newest X-ray as PNG; nothing before the first."""
        return Answer(self.newest, "image/png")

    def _turn(self, job: Job, views: int) -> None:
        for n in range(views):
            angle = 180 - 360 * n / views
            pose = carm_pose(lao_rao=angle, sod=1400.0, isocenter=self.volume.center)
            image = render(self.volume, self.camera, pose, samples=200)[0, 0]
            buffer = io.BytesIO()
            Image.fromarray(to_grey(image.numpy())).save(buffer, format="PNG")
            self.newest = buffer.getvalue()
            (self.out / f"{n:03d}.png").write_bytes(self.newest)
            job.report(message=f"{angle:+.0f} degrees", share=(n + 1) / views)  # ends the job if Cancel was pressed


def main(out: Path, quick: bool = False) -> None:
    """Serve the page until Ctrl-C, X-rays into `out`; quick: press its button and end."""
    out.mkdir(parents=True, exist_ok=True)
    table = Turntable(torso(spacing=8.0 if quick else 4.0), out, pixels=48 if quick else 320)
    server = PageServer(PAGE, table.requests, port=0 if quick else 8080)
    try:
        if quick:
            table.turn({"views": 3})
        else:
            serve_until_interrupt(server, browser=True)
    finally:
        if quick and table.runner.job and table.runner.job.future:
            table.runner.job.future.result()
        server.close()
        table.runner.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=Path("turntable"))
    main(parser.parse_args().output)
