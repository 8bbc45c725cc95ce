"""The import graph of a package's folders: how many rooms on how many floors, arrows, cycles; and a picture of it.

python tools/import_graph.py                                                   # figures of every package
python tools/import_graph.py --package render -o imports.png                   # and a picture
python tools/import_graph.py --root ../old --package render -o before.png      # of another checkout

A room is a folder of the package, or a module at its root; an arrow says that some module of one room imports one of
another when it is loaded. Imports inside functions and of the lazy tables are told apart and drawn broken. A floor
holds rooms that need only the floors below; rooms of one ring (a cycle) share a floor.
"""

from __future__ import annotations

import argparse
import ast
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
Arrow = tuple[str, str]


@dataclass(frozen=True)
class Graph:
    """The rooms of a package, the arrows between them, and the floor on which each stands, 0 at the bottom."""

    package: str
    rooms: tuple[str, ...]
    arrows: frozenset[Arrow]
    lazy: frozenset[Arrow]
    floors: Mapping[str, int]
    rings: tuple[tuple[str, ...], ...]
    lazy_rings: tuple[tuple[str, ...], ...]

    def __str__(self) -> str:
        told = [f"{len(self.rooms)} rooms on {max(self.floors.values()) + 1} floors"]
        told.append(f"{len(self.arrows)} arrows and {len(self.lazy)} lazy ones")
        for name, rings in (("rings", self.rings), ("rings with the lazy ones", self.lazy_rings)):
            members = f" ({'; '.join(', '.join(ring) for ring in rings)})" if rings else ""
            told.append(f"{len(rings)} {name}{members}")
        return f"{self.package}: {', '.join(told)}"


def read_graph(source: Path) -> Graph:
    """The graph of one package.

    Args:
        source: Its folder, `src/xraykit/NAME`.
    """
    modules = {path.relative_to(source).with_suffix("").parts for path in source.rglob("*.py")}
    arrows: dict[bool, set[Arrow]] = {False: set(), True: set()}
    for path in sorted(source.rglob("*.py")):
        parts = path.relative_to(source).with_suffix("").parts
        if parts == ("__init__",):
            continue  # the table of public names points everywhere
        for target, late in imports(path, parts, source.name):
            known = next((target[:n] for n in range(len(target), 0, -1) if _is_module(target[:n], modules)), None)
            if known and known[0] != parts[0]:
                arrows[late].add((parts[0], known[0]))
    rooms = tuple(sorted({parts[0] for parts in modules} - {"__init__", "__main__"}))
    rings, lazy_rings = (
        tuple(ring for ring in strongly_connected(rooms, chosen) if len(ring) > 1)
        for chosen in (arrows[False], arrows[False] | arrows[True])
    )
    floors = floors_of(rooms, arrows[False], rings)
    lazy = frozenset(arrows[True] - arrows[False])
    return Graph(f"xraykit.{source.name}", rooms, frozenset(arrows[False]), lazy, floors, rings, lazy_rings)


def _is_module(name: tuple[str, ...], modules: set[tuple[str, ...]]) -> bool:
    return name in modules or (*name, "__init__") in modules


def imports(path: Path, parts: tuple[str, ...], package: str) -> Iterator[tuple[tuple[str, ...], bool]]:
    """(what a module imports of its own package, whether later than its own loading), names relative to the package."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    late = {id(node) for inner in ast.walk(tree) if _postpones(inner) for node in ast.walk(inner)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            absolute = ("xraykit", package, *parts[: len(parts) - node.level]) if node.level else ()
            base = (*absolute, *(node.module or "").split(".")) if node.module else absolute
            names = [(*base, alias.name) for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [tuple(alias.name.split(".")) for alias in node.names]
        else:
            continue
        yield from ((name[2:], id(node) in late) for name in names if name[:2] == ("xraykit", package))
    if parts[-1] == "__init__":  # a lazy table: {"module": "Name other_name"}
        for node in ast.walk(tree):
            for key in node.keys if isinstance(node, ast.Dict) else ():
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield (*parts[:-1], *key.value.split(".")), True


def _postpones(node: ast.AST) -> bool:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
        return True
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def strongly_connected(rooms: Iterable[str], arrows: Iterable[Arrow]) -> list[tuple[str, ...]]:
    """Groups of rooms that reach each other; a room by itself is a group of one."""
    below = {room: {to for at, to in arrows if at == room} for room in rooms}
    reach = {room: _reached(room, below) for room in below}
    groups = {tuple(sorted({room} | {other for other in reach[room] if room in reach[other]})) for room in below}
    return sorted(groups)


def _reached(room: str, below: Mapping[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [room]
    while waiting:
        fresh = below[waiting.pop()] - found
        found |= fresh
        waiting += fresh
    return found


def floors_of(rooms: Iterable[str], arrows: Iterable[Arrow], rings: Iterable[tuple[str, ...]]) -> dict[str, int]:
    """The longest way down from each room, a ring counting as one."""
    one = {room: ring[0] for ring in rings for room in ring}
    names = {room: one.get(room, room) for room in rooms}
    below = {name: {names[to] for at, to in arrows if names[at] == name} - {name} for name in names.values()}
    heights: dict[str, int] = {}

    def height(name: str) -> int:
        if name not in heights:
            heights[name] = 1 + max((height(other) for other in below[name]), default=-1)
        return heights[name]

    return {room: height(name) for room, name in names.items()}


def draw(graph: Graph, path: Path) -> None:
    """Write the graph as a picture: floors from bottom to top, arrows downwards, rings in red."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot
    from PIL import Image

    places = positions(graph)
    highest = max(graph.floors.values())
    widest = max(x for x, _ in places.values())
    figure, axes = pyplot.subplots(figsize=(max(9.0, 1.15 * widest + 2), 0.95 * highest + 2))
    ringed = {room: ring for ring in graph.rings for room in ring}
    for (at, to), broken in [*((a, False) for a in sorted(graph.arrows)), *((a, True) for a in sorted(graph.lazy))]:
        in_ring = at in ringed and ringed[at] is ringed.get(to)
        colour = "#b3263a" if in_ring or graph.floors[at] < graph.floors[to] else "#1f5fa8"
        style = {"arrowstyle": "-|>", "color": colour, "alpha": 0.2 if broken else 0.45, "lw": 0.9,
                 "linestyle": ":" if broken else "-", "shrinkA": 9, "shrinkB": 9,
                 "connectionstyle": f"arc3,rad={0.25 if places[at][1] == places[to][1] else 0.06}"}  # fmt: skip
        axes.annotate("", places[to], places[at], arrowprops=style)
    for room, place in places.items():
        colour = "#b3263a" if room in ringed else "#22303c"
        box = {"boxstyle": "round,pad=0.25", "fc": "white", "ec": colour, "lw": 0.9}
        axes.text(*place, room, ha="center", va="center", fontsize=8, color=colour, bbox=box)
    axes.set(xlim=(-0.8, widest + 0.8), ylim=(-0.6, max(y for _, y in places.values()) + 0.6))
    axes.set_axis_off()
    counts = f"{len(graph.rooms)} rooms on {max(graph.floors.values()) + 1} floors, {len(graph.arrows)} arrows"
    axes.set_title(f"{graph.package}: {counts}, {len(graph.rings)} rings (red); dotted: imported later", fontsize=10)
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=90, bbox_inches="tight")
    pyplot.close(figure)
    Image.open(drawn).convert("RGB").quantize(24, Image.Quantize.MAXCOVERAGE, kmeans=2).save(path, optimize=True)


def positions(graph: Graph, most: int = 13) -> dict[str, tuple[float, float]]:
    """Where each room stands; crowded floors take several lines, and a room stands near what it needs."""
    places: dict[str, tuple[float, float]] = {}
    line = 0.0
    for floor in range(max(graph.floors.values()) + 1):
        here = sorted(room for room in graph.rooms if graph.floors[room] == floor)
        here.sort(key=lambda room: _middle(room, graph, places))
        for first in range(0, len(here), most):
            row = here[first : first + most]
            widest = min(most, max(sum(f == g for f in graph.floors.values()) for g in set(graph.floors.values())))
            step = max(widest, 6) / len(row)
            places |= {room: (step * (n + 0.5), line) for n, room in enumerate(row)}
            line += 0.55 if first + most < len(here) else 1.0
    return places


def _middle(room: str, graph: Graph, places: Mapping[str, tuple[float, float]]) -> float:
    below = [places[to][0] for at, to in graph.arrows if at == room and to in places]
    return sum(below) / len(below) if below else 0.0


def main() -> None:
    """Print the figures, and draw one package if asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=ROOT, help="a checkout (default: this one)")
    parser.add_argument("--package", help="only this one, such as render")
    parser.add_argument("-o", "--out", type=Path, help="picture of the package, PNG")
    asked = parser.parse_args()
    if asked.out and not asked.package:
        parser.error("a picture is of one package: give --package.")
    sources = sorted(asked.root.glob(f"packages/{asked.package or '*'}/src/xraykit/*/__init__.py"))
    if not sources:
        parser.error(f"no package {asked.package or ''} in {asked.root}.")
    for init in sources:
        graph = read_graph(init.parent)
        print(graph)
        if asked.out:
            draw(graph, asked.out)


if __name__ == "__main__":
    main()
