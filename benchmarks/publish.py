"""Write docs/benchmarks.md from every committed result: `python -m benchmarks.publish`. Defeats included."""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from pathlib import Path

from .common import corr_tables, fluorosam_tables
from .common.dax_tables import probes_table, step_table
from .common.result import RESULTS, load
from .common.study_tables import (
    augmentation_table,
    bones_table,
    confusion_table,
    correspondence_table,
    dataset_table,
    faults_table,
    foundation_table,
    geometry_table,
    gvxr_table,
    implants_table,
    loss_table,
    reader_table,
    reading_table,
    register_table,
    scatter_table,
    sides_table,
    similarity_table,
    slices_table,
    start_table,
    tracks_table,
    train_table,
    trees_table,
    trust_table,
)
from .common.tables import stages_table, table

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
HEAD = """# How fast, how lean, how exact

Written by `python -m benchmarks.publish` from the files in `benchmarks/results`, all of them. Suites that time things
lie in `benchmarks/speed`, comparisons with another program's image in `benchmarks/oracles`, experiments in
`benchmarks/studies`. Absolute times belong to the machine: read down a column, not across pages.
"""
ABOUT = {
    "render": "`uv run --group peers python -m benchmarks.speed.render` runs everybody in turn in one process. Times "
    "are medians ± interquartile range; peak memory is what each operation (forward / pose / mu) takes on top of "
    "the loaded volume, in a process of its own; the error is the largest deviation from the float64 reference of the "
    "same method, relative to the image maximum.",
    "simulate": "`python -m benchmarks.speed.simulate` measures [simulated scenes](simulation.md): what a march that "
    "finds every mask costs more than a plain one, and the complete image (polychromatic, three tools, noise, scatter, "
    "blur, every mask) with its stages, each timed by itself on ready ingredients, all in turn.",
    "start_up": "`python -m benchmarks.speed.start_up` starts fresh processes: what the help and a first image cost.",
    "old_and_new": "`python -m benchmarks.speed.old_and_new OLD NEW` runs two checkouts in alternation: processor time "
    "of one thread, and whether every tensor has the same bits.",
    "dataset": "`python -m benchmarks.speed.dataset` makes [a data set](datasets.md) and checks that its bytes depend "
    "neither on workers and engines nor on being killed.",
    "dataset_reader": "`python -m benchmarks.speed.dataset_reader` [reads shards](datasets_reading.md) as batches of "
    "tensors.",
    "reading": "`uv run --group peers python -m benchmarks.speed.reading` reads a CT that comes as DICOM slices, "
    "beside SimpleITK's reader of series and the loop with pydicom that people write. All read the same files in turn, "
    "on one thread; medians. `--before DIR` measures another checkout in alternation, each in a process of its own: "
    "here the last commit whose readers of CTs and X-rays were apart (1d472e31f), before there were one opening of a "
    "DICOM file, its bounds, findings and doubts.",
    "dax_augmentation": "`python -m benchmarks.speed.dax_augmentation` makes the ten views that a frame is learned "
    "from: the published operations one by one on the full image, and ours, on it and on prepared frames; one thread.",
    "corr_pairs": "`python -m benchmarks.speed.corr_pairs` makes pairs of views for [matching](corr.md): two images "
    "rolled, zoomed, shifted and changed in their grey values, and the correspondence of the views as they are then, "
    "on 64 cells along the patient's longest side. Density is the share of entries above 0 in pairs of one patient.",
    "corr_real_ct": "`python -m benchmarks.studies.corr_real_ct` holds [matches](corr.md) of X-rays of a real CT, "
    "which no matcher learned from, against their true correspondence, beside predictions that look at no anatomy. "
    "Average precision is the mean over pairs of views, of entries from 0.5 on.",
    "corr_real_pairs": "`python -m benchmarks.studies.corr_real_pairs` looks at real pairs of X-rays with known "
    "cameras: the share of what is predicted that lies in the true epipolar band, and for patches of an implant's "
    "component, in that component's mask in the other view; means over patches that are answered, both ways.",
    "xvr_register": "`python -m benchmarks.speed.xvr_register` [registers](xvr.md) simulated X-rays, and runs the "
    "published recipe with diffdrr on some of them. Errors are true target registration errors, medians unless said.",
    "dax_loss": "`python -m benchmarks.speed.dax_loss` computes the DINO loss with its gradient on one thread, beside "
    "the published loop over pairs of views, bare and with the entropies and the divergence that DAX logs at every "
    "step. Both run in turn; times are medians ± interquartile range. Differences are relative to the loss and to the "
    "largest gradient.",
    "dax_step": "`python -m benchmarks.speed.dax_step` makes whole training steps of ViT-T/16 on the same crops from "
    "the same weights: the published order of operations (three channels, attention in memory, losses pair by pair), "
    'and ours in fp32 and bf16. "Loss off" is the largest difference of the losses over all steps; Adam makes steps of '
    "one size whatever the gradient's, so that differences of rounding grow from step to step.",
    "dax_probes": "`python -m benchmarks.studies.dax_probes` asks what pre-training is worth: [three probes](dax.md) "
    "on frozen backbones. Percent, 95 % intervals from patients drawn again (Wilson's for single sets).",
    "corr_step": "`python -m benchmarks.speed.corr_step` makes training steps of matchers on the same pairs from the "
    "same weights: a plain writing (three channels, one pass of the trunk a view, the attention matrix in memory, Adam "
    "parameter by parameter), and ours in fp32 and bf16; and matches two X-rays of 256 x 256 pixels, preparation "
    "included.",
    "fluorosam_step": "`python -m benchmarks.speed.fluorosam_step` makes training steps of promptable segmentation on "
    "the same images, masks and points from the same weights: a plain writing, prompt by prompt with every round's "
    "graph, and ours in fp32 and bf16.",
    "fluorosam_use": "`python -m benchmarks.speed.fluorosam_use` encodes an X-ray and asks for one or twenty things, "
    "from words to a mask of the X-ray's own size; medians.",
    "fluorosam_masks": "`python -m benchmarks.studies.fluorosam_masks`: the [network that ships](fluorosam.md) on "
    "procedural patients that it never saw, on X-rays simulated from real CTs, and on real fluoroscopy; the mean mask "
    "knows the view and does not look at the image. Intervals draw patients. Lists of Dice begin before the first "
    "point.",
    "fluorosam_quantiser": "`python -m benchmarks.studies.fluorosam_quantiser`: Dice by words of two trainings that "
    "differ by the codebook alone; intervals draw patients.",
    "corr_table1": "`python -m benchmarks.studies.corr_evaluations`: how tokens attend, [table 1](corr.md) of the "
    "paper on procedural patients, percent; intervals draw patients, p compares with `standard`.",
    "corr_table3": "`python -m benchmarks.studies.corr_evaluations`: classifiers of fracture [studies](corr.md), "
    "table 3 of the paper with the arms that it leaves out. control started from a matcher that learned shuffled "
    "truth, pretext from one that learned how thick the tissue is, permuted from the matcher's numbers in another "
    "order. Intervals draw patients and keep arms paired; ± is over trainings.",
    "corr_truth": "`uv run --group peers python -m benchmarks.speed.corr_truth` computes which patches of two views "
    "correspond (16 x 16 patches), beside the literal computation: each voxel of the support alone through RTK's "
    "Joseph filter in both views, outer product, maximum; timed on a sample of voxels and multiplied. Processor time "
    "of one thread, medians; the support is made once for all views of a CT and not timed.",
    "gvxr": "`uv run --group oracle python -m benchmarks.oracles.gvxr` compares [a polychromatic image]"
    "(physics_oracle.md) with gVirtualXray's; percent of its intensity, over all pixels behind the phantom.",
    "realism": "`python -m benchmarks.studies.realism` asks how real [procedural patients](patients.md) look: "
    "networks that have seen nothing else tell which part of the body X-rays of real CTs show.",
    "xvr_train": "`python -m benchmarks.studies.xvr_train` trains a network for one patient within minutes; its "
    "answers and their antipodes start refinements.",
    "xvr_foundation": "`python -m benchmarks.studies.xvr_foundation` trains a network on procedural patients, and then "
    "five minutes more on a real CT; beside it five minutes from scratch. X-rays are simulated, none was seen before; "
    "the networks' answers and their antipodes start refinements. Intervals (95 %) are over X-rays, not over "
    "trainings.",
    "xvr_geometry": "`python -m benchmarks.studies.xvr_geometry` registers simulated X-rays of a real CT whose stated "
    "geometry is not exact: pairs whose second place is turned about the patient or off along its beam, single X-rays "
    "with another SDD or pixel spacing; median and worst true TRE of the answer, and after [what contradicts the "
    'X-rays](xvr.md) was freed. 0 degrees and "as it is" count false alarms.',
    "faults": "`python -m benchmarks.studies.faults` puts together what `python -m tools.fuzz` and "
    "`tools/kill_training.py` found: valid files of every reader changed at random, in bounded child processes, and "
    "trainings killed while they save. Untyped is an error that is not ours, message one that is no single printable "
    "line, hang more than 5 s of CPU time, crash the end of the process, memory more than 2 GB.",
    "xvr_similarity": "`python -m benchmarks.studies.xvr_similarity` registers simulated X-rays of a real CT by "
    "correlation and by [self-similarity (MIND-SSC)](xvr.md), from the same starts; true TRE. The X-rays come of "
    "another projector, with noise, scatter and collimation, and are shown with inverted and equalised greys too.",
    "xvr_implants": "`python -m benchmarks.studies.xvr_implants` finds [knee replacements](xvr.md) in real "
    "fluoroscopy. In the kneel set, errors are against the published poses (near starts at them, far ones 10 degrees "
    "and 20 mm off, search without), and its masks are those poses projected, so that IoU says how far answers are "
    "from them, not from the image; hits are answers within 1 mm across the beam and 2 degrees of the near start's (in "
    "brackets: any answer kept). In the biplane set one pose serves both views, each frame starts from the last, "
    "and one-view answers are compared with two-view ones; its masks came of other software.",
    "xvr_other_side": "`python -m benchmarks.studies.xvr_other_side` fits knee components as they are and "
    "[mirrored](xvr.md) in real fluoroscopy, from where they were found; correlations along the outline. Clearly: the "
    "frames in which the right mesh fits better by more than what makes a doubt.",
    "xvr_wrist": "`python -m benchmarks.studies.xvr_wrist` finds [bones of a wrist](xvr.md), each by a CT of its own, "
    "in biplane fluoroscopy, three frames: radius and ulna together, second and third metacarpal as one body. No pose "
    "is known: ends are compared with each other, from starts about 4 degrees and 3 mm apart, and of one view with "
    "both; medians (largest).",
    "xvr_thick": "`python -m benchmarks.studies.xvr_thick` registers simulated X-rays of real CTs, from level 1, to "
    "the same CTs in [thick slices](xvr.md): means over a slice (box), weighted as reconstructions do (bell), and "
    "thin slices with gaps; before and after X-rays were compared at the resolution of the slices. True TRE, and "
    "medians of its parts: along the slices' axis as the image shows it, across that, along the beam, and turns.",
    "xvr_scatter": "`python -m benchmarks.studies.xvr_scatter` registers X-rays simulated with scatter of up to as "
    "much as the primary, from level 1, with [scatter](xvr.md) left out of DRRs and looked for. True TRE, medians of "
    "its part along the beam and of how far the SDD, right as it is, moves when it is set free.",
    "xvr_track": "`python -m benchmarks.studies.xvr_track` follows a [knee replacement](xvr.md) through 27 frames of "
    "biplane fluoroscopy with `xraykit xvr track`, both components searched in the first. IoU is that of both "
    "views from one pose with masks of other software; nothing is known of the true motion, of which the joint "
    "coordinates after Grood and Suntay give least and greatest value.",
    "xvr_trust": "`python -m benchmarks.studies.xvr_trust` fits the [chance of success](xvr.md) on patients and "
    "tests each by a model that was fitted on others, on right, partial, coarse, masked and other patients' CTs, with "
    "right and wrong cameras, and on X-rays of other renderers, which are never fitted on; a failure is a true TRE "
    "above the threshold, or any answer to another patient's CT or a mirrored or inverted picture; flagged is a "
    "chance below 50 %. Groups without a mistake have right cameras.",
}


def main() -> None:
    """Regenerate the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The text of the page: suites in the order of `ABOUT`, each with its results."""
    parts = [HEAD]
    results = [(path.name, load(path)) for path in sorted(RESULTS.glob("*.json"))]
    for suite, about in ABOUT.items():
        found = [section(name, result) for name, result in results if result["suite"] == suite]
        parts += [f"\n## {suite}\n\n{about}\n", *found] if found else []
    return "\n".join(parts)


def section(name: str, result: dict) -> str:
    """One results file: where it was measured, and its tables."""
    machine = ", ".join(f"{key} {value}" for key, value in result["machine"].items())
    versions = ", ".join(f"{key} {value}" for key, value in result["versions"].items() if value)
    lines = [
        f"### {name}\n",
        f"{result['scene']['name']}; {result['device']}; {machine}. Commit {result['commit']}, {result['created']}.",
        f"{load_of(result)}{versions}.\n",
    ]
    return "\n".join([*lines, TABLES[result["suite"]](result), ""])


def load_of(result: dict) -> str:
    """How busy the machine was, where that was noted."""
    before, after = ([round(value, 2) for value in result[name]] for name in ("load_before", "load_after"))
    return f"Load before {before} and after {after}. " if before else ""


def regimes(result: dict) -> str:
    """The timed suites: a table for each detector and batch."""
    lines = []
    groups = groupby(result["rows"], key=lambda row: (row["height"], row["width"], row["batch"], row["samples"]))
    for (height, width, batch, samples), rows in groups:
        lines.append(f"#### {height} x {width}, batch {batch}, {samples} samples\n")
        if result["suite"] == "simulate":
            lines.append(f"{stages_table(list(rows))}\n")
            continue
        lines.append(f"```\n{table(list(rows))}\n```\n")
        lines.append(versus(result["ratios"], height=height, width=width, batch=batch))
    return "\n".join(lines).rstrip("\n")


def realism(result: dict) -> str:
    """How the confusion came about, and the confusion."""
    scene = result["scene"]
    return (
        f"{scene['networks']} networks of {scene['weights']:,} weights (seeds {scene['network_seeds']}) saw "
        f"{scene['images']} images of {scene['patients']} procedural patients (`{scene['config']}`, seed "
        f"{scene['seed']}, grids of about {scene['grid']}^3 voxels, {scene['size'][0]} x {scene['size'][1]} pixels) "
        f"for {scene['epochs']} epochs, and no real image. Other procedural patients, and {scene['images_of_each_ct']} "
        "images of each real CT, were made by the same job with the same views and physics; those that aim between "
        "two classes are left out. The class is that of the view: a CT of the chest shows shoulders too. Thorax with "
        "thoracic spine, abdomen with lumbar spine, and pelvis with hip and sacrum are one class each. Two real CTs "
        f"are two people: their images differ in view and physics alone.\n\n{confusion_table(result['rows'])}"
    )


def versus(ratios: list[dict], **regime: int) -> str:
    """Time of each peer over ours at the same method, forward and forward+backward."""
    rows = ["| ours | peer | forward | fwd+bwd pose | fwd+bwd mu |", "|---|---|---|---|---|"]
    clock = "device" if any(r["clock"] == "device" for r in ratios) else "wall"
    here = [r for r in ratios if r["clock"] == clock and all(r[key] == value for key, value in regime.items())]
    same = [r for r in here if r["ours"].split()[1] == r["peer"].split()[1]]
    for (ours, peer), found in groupby(same, key=lambda r: (r["ours"], r["peer"])):
        by_operation = {r["operation"]: f"{r['ratio']:.2f} x" for r in found}
        cells = [by_operation.get(o, "-") for o in ("forward", "forward_backward_pose", "forward_backward_mu")]
        rows.append(f"| {ours} | {peer} | " + " | ".join(cells) + " |")
    return "\n".join(rows) + "\n"


TABLES: dict[str, Callable[[dict], str]] = {
    "render": regimes,
    "simulate": regimes,
    "start_up": lambda result: start_table(result["rows"]),
    "old_and_new": lambda result: trees_table(result["rows"]),
    "dataset": lambda result: dataset_table(result["rows"], result["summary"]),
    "dataset_reader": lambda result: reader_table(result["rows"]),
    "reading": lambda result: reading_table(result["rows"], result["ratios"]),
    "dax_augmentation": lambda result: augmentation_table(result["rows"], result["ratios"]),
    "corr_pairs": lambda result: corr_tables.pairs_table(result["rows"]),
    "corr_real_ct": lambda result: corr_tables.real_ct_table(result["rows"]),
    "corr_real_pairs": lambda result: corr_tables.real_pairs_table(result["rows"]),
    "xvr_register": lambda result: register_table(result["rows"], result["ratios"]),
    "corr_step": lambda result: corr_tables.step_table(result["rows"]),
    "fluorosam_step": lambda result: fluorosam_tables.step_table(result["rows"]),
    "fluorosam_use": lambda result: fluorosam_tables.use_table(result["rows"], result["ratios"]),
    "fluorosam_masks": lambda result: fluorosam_tables.masks_table(result["rows"], result["summary"]),
    "fluorosam_quantiser": lambda result: fluorosam_tables.quantiser_table(result["rows"]),
    "corr_table1": lambda result: corr_tables.table1_table(result["rows"]),
    "corr_table3": lambda result: corr_tables.table3_table(result["rows"]),
    "corr_truth": lambda result: correspondence_table(result["rows"], result["summary"]),
    "dax_loss": lambda result: loss_table(result["rows"]),
    "dax_step": lambda result: step_table(result["rows"]),
    "dax_probes": lambda result: probes_table(result["rows"]),
    "gvxr": lambda result: gvxr_table(result["rows"]),
    "realism": realism,
    "xvr_train": lambda result: train_table(result["rows"]),
    "xvr_foundation": lambda result: foundation_table(result["rows"]),
    "xvr_geometry": lambda result: geometry_table(result["summary"]),
    "faults": faults_table,
    "xvr_similarity": lambda result: similarity_table(result["summary"]),
    "xvr_implants": lambda result: implants_table(result["summary"]),
    "xvr_other_side": lambda result: sides_table(result["summary"]),
    "xvr_wrist": lambda result: bones_table(result["summary"]),
    "xvr_thick": lambda result: slices_table(result["summary"]["groups"]),
    "xvr_scatter": lambda result: scatter_table(result["summary"]["groups"]),
    "xvr_track": lambda result: tracks_table(result["summary"]),
    "xvr_trust": lambda result: trust_table(result["summary"]),
}


if __name__ == "__main__":
    main()
