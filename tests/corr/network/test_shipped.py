"""The matcher that comes with the package knows more of a patient that it never saw than where bodies are thick."""

from __future__ import annotations

from itertools import combinations

import torch
from xraykit.corr.data import normalise_lines
from xraykit.corr.ground_truth import correspondences, image_projection, volume_support
from xraykit.corr.network import load_matcher
from xraykit.corr.scores import pair_average_precision, patch_means, thinner_patch
from xraykit.render import Camera, carm_pose, render, torso

ANGLES = (0.0, 50.0, 90.0, 140.0)


def test_it_is_small_and_beats_thickness_on_the_standard_torso():
    matcher = load_matcher("shipped")
    assert sum(p.numel() for p in matcher.parameters()) < 1_000_000
    patient = torso(spacing=6.0)
    camera = Camera(sdd=1100.0, height=128, width=128, pixel_spacing=3.4)
    poses = torch.cat([carm_pose(lao_rao=angle, sod=750.0, isocenter=patient.center) for angle in ANGLES])
    images = torch.stack([normalise_lines(lines[0])[None] for lines in render(patient, camera, poses)]).float()
    support = volume_support(patient, cells=48)
    truth = correspondences(support, image_projection(camera, poses), grid=16)
    pairs = list(combinations(range(len(ANGLES)), 2))
    with torch.no_grad():
        found = torch.cat([matcher(images[None, list(pair)]).probability[0] for pair in pairs])
    thick = patch_means(images[:, 0], 16)
    lesser = torch.stack([thinner_patch(thick[a], thick[b]) for a, b in pairs])
    mine, prior = (pair_average_precision(scores, truth >= 0.5).mean() for scores in (found, lesser))
    assert mine > 1.3 * prior
