"""What every committed result holds: the same fields for each suite, and the fields of its rows."""

from __future__ import annotations

from typing import Any

from .entry import OPERATIONS

SCHEMA = 2
FILE_FIELDS: dict[str, Any] = {
    "schema": int, "suite": str, "mode": str, "created": str, "commit": str, "device": str, "machine": dict,
    "clock_policy": str, "load_before": list, "load_after": list, "threads": dict, "versions": dict,
    "scene": dict, "rows": list, "ratios": list, "summary": dict,
}  # fmt: skip
NUMBER, ANY_NUMBER = (int, float), (int, float, type(None))
ERRORS = {
    "xrays": int, "start_tre_mm": list, "true_tre_mm": list, "mtre_c2w_mm": list, "share_true_tre_below_1mm": float,
    "share_mtre_c2w_below_1mm": float, "all_true_tre_mm": list,
}  # fmt: skip
ROWS: dict[str, dict[str, Any]] = {
    "render": {
        "program": str, "method": str, "storage": str, "backend": str, "compiled": bool,
        "height": int, "width": int, "pixel_spacing_mm": float, "batch": int, "samples": int,
        "wall": dict, "device": dict, "first_call_ms": ANY_NUMBER, "peak_memory_mb": dict,
        "error_max": ANY_NUMBER, "error_rms": ANY_NUMBER, "reference": str, "skipped": (str, type(None)),
    },
    "simulate": {
        "work": str, "group": str, "height": int, "width": int, "pixel_spacing_mm": float, "batch": int, "samples": int,
        "wall": dict, "device": dict, "skipped": (str, type(None)),
    },
    "start_up": {
        "start": str, "cpu_s": NUMBER, "wall_s": NUMBER, "goal_cpu_s": ANY_NUMBER, "all_cpu_s": list,
        "all_wall_s": list,
    },
    "old_and_new": {
        "work": str, "pairs": int, "ratio": float, "ratio_q25": float, "ratio_q75": float,
        "same_bits": (bool, type(None)), "old_cpu_ms": float, "old_wall_ms": float, "new_cpu_ms": float,
        "new_wall_ms": float,
    },
    "dataset": {
        "images": int, "patients": int, "size": list, "grid": int, "workers": int, "seconds": NUMBER,
        "images_per_second": NUMBER, "cpu_seconds": NUMBER, "peak_worker_mb": NUMBER, "megabytes": NUMBER,
        "skipped": list,
    },
    "dataset_reader": {
        "work": str, "workers": int, "samples": int, "height": int, "width": int, "masks_of_first": int,
        "seconds": list, "samples_per_s": NUMBER, "processor_ms_each": NUMBER,
    },
    "reading": {
        "series": str, "slices": int, "program": str, "wall_s": NUMBER, "cpu_s": NUMBER, "all_wall_s": list,
        "all_cpu_s": list, "value_off_hu": NUMBER, "place_off_mm": NUMBER,
    },
    "dax_loss": {
        "work": str, "batch": int, "views": int, "prototypes": int, "ours_ms": dict, "published_ms": dict,
        "ratio": float, "ratio_of_fastest": float, "loss_difference": float, "gradient_difference": float,
    },
    "dax_augmentation": {
        "augmentation": str, "program": str, "edge": int, "preprocessing": bool, "workers": int, "frames": int,
        "processor_ms_each": NUMBER, "all_ms_each": list, "frames_per_s": ANY_NUMBER, "mean": ANY_NUMBER,
        "std": ANY_NUMBER, "mean_off": ANY_NUMBER, "std_off": ANY_NUMBER, "standard_error": ANY_NUMBER,
    },
    "corr_pairs": {
        "size": int, "stored": int, "grid": int, "mode": str, "workers": int, "pairs": int,
        "processor_ms_each": ANY_NUMBER, "truth_ms_each": ANY_NUMBER, "all_ms_each": list, "pairs_per_s": NUMBER,
        "density": NUMBER,
    },
    "corr_real_ct": {
        "predictor": str, "pairs": int, "ap_macro": NUMBER, "ap_micro": NUMBER, "mse": NUMBER, "precision": NUMBER,
        "recall": NUMBER, "all_ap": list,
    },
    "corr_real_pairs": {
        "subject": str, "part": str, "predictor": str, "pairs": int, "patches": int, "answered": ANY_NUMBER,
        "in_band": ANY_NUMBER, "in_mask": ANY_NUMBER, "all_in_band": list,
    },
    "xvr_register": {
        "ct": str, "level": int, "optimizer": str, "starts": int, "threads": int, **ERRORS, "wall_s": list,
        "cpu_s": list,
    },
    "gvxr": {
        "ours": str, "detector": str, "oracle_longest_edge_mm": float, "mape_percent": float, "median_percent": float,
        "p99_percent": float, "max_percent": float, "max_at_row_column": list, "max_in": str, "regions": dict,
    },
    "realism": {
        "images_of": str, "part": str, "images": int, "named": dict, "recall": float, "recall_of_networks": list,
    },
    "dax_step": {
        "architecture": str, "work": str, "precision": str, "batch": int, "outputs": int, "ms": NUMBER,
        "images_per_s": NUMBER, "all_ms": list, "losses": list, "largest_loss_difference": float,
    },
    "dax_probes": {
        "probe": str, "tested_on": str, "backbone": str, "score": str, "value": NUMBER, "low": ANY_NUMBER,
        "high": ANY_NUMBER,
        "images": int, "seconds": NUMBER,
    },
    "corr_step": {
        "variant": str, "size": int, "work": str, "batch": int, "ms": NUMBER, "pairs_per_s": NUMBER, "all_ms": list,
        "losses": list, "first_loss_difference": ANY_NUMBER,
    },
    "fluorosam_step": {
        "variant": str, "size": int, "points": int, "work": str, "batch": int, "prompts": int, "ms": NUMBER,
        "images_per_s": NUMBER, "prompts_per_s": NUMBER, "all_ms": list, "losses": list,
        "first_loss_difference": NUMBER,
    },
    "fluorosam_use": {"variant": str, "size": int, "work": str, "ms": NUMBER, "all_ms": list},
    "fluorosam_quantiser": {
        "asked_by": str, "masks": int, "patients": int, "with_codes": NUMBER, "without": NUMBER, "difference": NUMBER,
        "low": NUMBER, "high": NUMBER,
    },
    "fluorosam_masks": {
        "set": str, "method": str, "size": str, "asked_by": str, "masks": int, "iou": NUMBER, "iou_interval": list,
        "dice": NUMBER, "dice_interval": list, "shown_dice": NUMBER, "hd95": ANY_NUMBER, "unit": str, "missed": NUMBER,
        "other_side": ANY_NUMBER, "sided": int,
    },
    "corr_table1": {
        "row": str, "prior": bool, "weights": int, "flops": int, "train_pairs_per_s": ANY_NUMBER, "ap_macro": NUMBER,
        "low": ANY_NUMBER, "high": ANY_NUMBER, "ap_micro": NUMBER, "mse": NUMBER, "precision": ANY_NUMBER,
        "recall": ANY_NUMBER, "overlap_auroc": ANY_NUMBER, "pairs": int, "patients": int, "p_holm": ANY_NUMBER,
        "turned": dict,
    },
    "corr_table3": {
        "arm": str, "seeds": int, "studies": int, "auroc": NUMBER, "deviation": ANY_NUMBER, "low": NUMBER,
        "high": NUMBER, "accuracy": NUMBER, "precision": NUMBER, "recall": NUMBER, "kappa": NUMBER,
        "difference": ANY_NUMBER, "difference_low": ANY_NUMBER, "difference_high": ANY_NUMBER, "p": ANY_NUMBER,
        "p_holm": ANY_NUMBER, "mcnemar": ANY_NUMBER, "weights": int, "flops": int, "curve": list,
    },
    "corr_truth": {
        "mode": str, "tissue": str, "cells": int, "grid": list, "support_cells": int, "views": int, "pairs": int,
        "processor_ms_a_pair": NUMBER, "all_ms_a_pair": list, "literal_ms_a_voxel": NUMBER, "literal_s_a_pair": NUMBER,
        "factor": int, "density": float, "mean_square": float,
    },
    "xvr_train": {
        "arm": str, "minutes": NUMBER, "seconds": NUMBER, "batches": int, "images": int, "cpu_seconds": NUMBER,
        "settings": dict, "held_out_views": dict, "curve": list, **ERRORS, "seconds_each": list,
    },
    "xvr_foundation": {
        "ct": str, "arm": str, "minutes": ANY_NUMBER, "batches": int, "images": int, "settings": dict,
        "held_out_views": dict, "curve": list, "xrays": int, "start_tre_mm": list, "start_median_interval_mm": list,
        "all_start_tre_mm": list, "refined": int, "true_tre_mm": list, "median_interval_mm": list,
        "share_true_tre_below_1mm": ANY_NUMBER, "share_interval": list, "all_true_tre_mm": list,
    },
    "xvr_geometry": {
        "ct": str, "pair": int, "case": str, "before": list, "after": list, "said": str, "shift": NUMBER,
        "doubts": list, "cpu_s": list,
    },
    "faults": {
        "reader": str, "inputs": int, "read": int, "refused": int, "untyped": int, "message": int, "hang": int,
        "crash": int, "memory": int,
    },
    "xvr_similarity": {
        "xray": int, "greys": str, "similarity": str, "start_deg": float, "start_mm": float, "before_mm": float,
        "after_mm": float, "cpu_s": float,
    },
    "xvr_implants": {
        "set": str, "frame": str, "implant": str, "run": str, "views": int, "score": float, "converged": bool,
        "iou": list, "rivals": int, "cpu_s": float, "pose": list, "errors": (list, type(None)),
        "hit": (bool, type(None)), "rival_hit": (bool, type(None)),
    },
    "xvr_other_side": {
        "set": str, "frame": str, "implant": str, "views": str, "given": float, "mirrored": float, "cpu_s": float,
    },
    "xvr_wrist": {
        "frame": str, "bone": str, "run": str, "similarity": float, "converged": bool, "cpu_s": float, "pose": list,
    },
    "xvr_thick": {
        "ct": str, "apart_mm": float, "profile": str, "xray": int, "run": str, "tre_mm": float,
        "along_slices_mm": ANY_NUMBER, "across_mm": ANY_NUMBER, "along_beam_mm": ANY_NUMBER, "turn_deg": float,
        "similarity": float, "cpu_s": float,
    },
    "xvr_scatter": {
        "ct": str, "xray": int, "run": str, "tre_mm": float, "along_slices_mm": ANY_NUMBER, "across_mm": ANY_NUMBER,
        "along_beam_mm": ANY_NUMBER, "turn_deg": float, "similarity": float, "scatter": float,
        "sdd_move_mm": ANY_NUMBER, "cpu_s": float,
    },
    "xvr_track": {
        "frame": str, "implant": str, "verdict": str, "score": float, "iou": list, "cpu_s": float, "pose": list,
    },
    "xvr_trust": {
        "patient": str, "region": str, "held_out": bool, "real": bool, "xray": int, "renderer": str, "size": int,
        "moved": bool, "kind": str, "ct": str, "level": NUMBER, "error": ANY_NUMBER, "seconds": NUMBER,
        "local_gain": NUMBER, "local_shift": NUMBER, "log_expected_error": NUMBER, "known": NUMBER, "outside": NUMBER,
        "sdd_deviations": NUMBER, "sdd_shift": NUMBER, "chance": NUMBER,
    },
}  # fmt: skip


def problems(result: dict) -> list[str]:
    """What keeps a result file from following the schema; empty if nothing does."""
    found = _mistyped(result, FILE_FIELDS, "file")
    if found or result["schema"] != SCHEMA:
        return found or [f"schema is {result['schema']}, expected {SCHEMA}"]
    if result["suite"] not in ROWS:
        return [f"suite is {result['suite']!r}, expected one of {', '.join(ROWS)}"]
    timed = "wall" in ROWS[result["suite"]]
    for number, row in enumerate(result["rows"]):
        where = f"rows[{number}]"
        found += _mistyped(row, ROWS[result["suite"]], where)
        for clock in ("wall", "device") if timed else ():
            for operation, times in row.get(clock, {}).items():
                if operation not in OPERATIONS or times["n"] != len(times["all_ms"]) or times["n"] < 1:
                    found.append(f"{where}.{clock}.{operation} is not a list of timings")
        if timed and not row.get("wall") and not row.get("skipped"):
            found.append(f"{where} has neither timings nor a reason")
    if not result["rows"] and not result["ratios"]:
        found.append("neither rows nor ratios")
    return found


def _mistyped(value: dict, fields: dict, where: str) -> list[str]:
    missing = [f"{where}.{name} is missing" for name in fields if name not in value]
    unknown = [f"{where}.{name} is not in the schema" for name in value if name not in fields]
    wrong = [
        f"{where}.{name} is {type(value[name]).__name__}"
        for name, kind in fields.items()
        if name in value and not isinstance(value[name], kind)
    ]
    return missing + unknown + wrong
