"""Write docs/reader_matrix.md: how many files of each kind are read as other programs read them.

uv run --group peers python docs/makers/make_reader_matrix.py

The files are made by `tests/support/reader_matrix.py`, each is read by us and by a program of others.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/reader_matrix.md"
LEAD = """# What is read as others read it, counted

Written by `docs/makers/make_reader_matrix.py`; the tests hold it. Each file is made from known values, read by us and
by another program.

Volumes: int8 to uint32, float32 and float64; every type in several of the 48 orientations that axes along the patient
can have, int16 in all of them. Right means every voxel equal to what was written and to what the other program reads,
and the affine equal within 1e-4 mm.

DICOM: 8 of 8, 12 of 16 and 16 of 16 bits, signed and unsigned, one frame and three, as X-ray (XA) and as CT slice.
Right means every stored value equal to what was packed (near-lossless JPEG-LS: within 2, baseline JPEG: within 4) and
to what the others unpack. Where no encoder at hand writes a kind (near-lossless JPEG-LS of signed, JPEG 2000 of signed
8 bits, baseline JPEG of more than 8 bits, extended JPEG), there is no file. GDCM is not asked about big endian and
deflated files, nor about packed signed frames; pydicom has no plugin here for JPEG lossless.
"""
HEAD = "| what | packing | files | read right | other program |\n|---|---|---:|---:|---|"

Row = tuple[str, str, str]


def main() -> None:
    """Write the page."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    counts = all_counts()
    total = Counter[bool]()
    for count in counts.values():
        total += count
    rows = [line(row, count) for row, count in counts.items()]
    said = f"\n{total.total()} files, {total[True]} of them read right.\n"
    PAGE.write_text("\n".join([LEAD, HEAD, *rows, said]), encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}: {said.strip()}")


def all_counts() -> dict[Row, Counter[bool]]:
    """Every row of the table, made and read in a folder of its own."""
    sys.path.insert(0, str(ROOT / "tests"))
    from support import reader_matrix as matrix

    def cases() -> Iterator[matrix.Case]:
        for suffix in matrix.SUFFIXES:
            yield from matrix.volumes(suffix)
        for syntax in (*matrix.PLAIN, *matrix.PACKED):
            yield from matrix.dicoms(syntax)

    with tempfile.TemporaryDirectory() as folder:
        return matrix.counted(cases(), Path(folder))


def line(row: Row, count: Counter[bool]) -> str:
    """One row of the table."""
    what, packing, peer = row
    return f"| {what} | {packing} | {count.total()} | {count[True]} | {peer} |"


if __name__ == "__main__":
    main()
