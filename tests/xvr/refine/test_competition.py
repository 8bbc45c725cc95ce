"""Who goes on to the next scale: unmoved starts beside a doubtful leader, nobody beside one that is right."""

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from xraykit.render import carm_pose
from xraykit.xvr.refine.competition import Contenders
from xraykit.xvr.refine.motion import Motion
from xraykit.xvr.refine.objective import Evaluation

PIVOTS = torch.zeros(1, 3, dtype=torch.float64)


def contenders(*heights):
    poses = carm_pose(sod=500.0, isocenter=torch.zeros(3))[0].double().expand(len(heights), 1, 1, 4, 4).clone()
    poses[:, 0, 0, 2, 3] += torch.tensor(heights, dtype=torch.float64)
    return Contenders.all_of(Motion.of(poses, PIVOTS))


def objective(similarity, seen) -> Any:
    """Similarities by the height of the pose; each of the three correlations is the whole."""

    def evaluate(motion):
        seen.append(len(motion.poses))
        base = float(contenders(0.0).motion.poses[0, 0, 0, 2, 3])
        values = torch.tensor([similarity[round(float(pose[2, 3]) - base)] for pose in motion.poses[:, 0, 0]])
        rest = torch.zeros(len(values), 6), torch.zeros(len(values), 6, 6)
        return Evaluation(values.double(), values.double()[:, None].expand(-1, 3), *rest)

    def compared(motion, others):
        return [evaluate(motion), *(other.evaluate(motion) for other in others)]

    return SimpleNamespace(evaluate=evaluate, compared=compared)


@pytest.mark.parametrize(
    ("leader", "unmoved", "joins"),
    [
        (0.90, 0.70, False),  # right: nobody could be more alike
        (0.50, 0.40, True),  # doubtful: a start that may have been right comes along
        (0.50, 0.20, False),  # doubtful, but the start is hopeless
        (0.05, 0.60, True),  # lost, where the start was more alike as it was given
    ],
)
def test_a_start_comes_along_where_the_leader_is_doubtful(leader, unmoved, joins):
    seen = []
    similarity = {0: leader, 30: unmoved, 60: 0.0}
    this, leaders = contenders(0.0).most_alike([objective(similarity, seen)])
    going = leaders.joined_by(contenders(30.0, 60.0), this, stage=1, starts=2)
    assert going.at is not None
    assert going.at.value.tolist() == pytest.approx([leader, unmoved] if joins else [leader])  # not looked at again
    assert going.lines.tolist() == ([0, 2] if joins else [0])  # line of start 0 that entered at stage 1 of 2 starts
    assert seen == ([1] if leader > 0.8 else [1, 2])  # starts are not rendered where nobody needs them


def test_a_start_that_ended_where_the_leader_is_does_not_come_twice():
    this, leaders = contenders(0.0).most_alike([objective({0: 0.5, 1: 0.5}, [])])
    going = leaders.joined_by(contenders(1.0), this, stage=2, starts=1)
    assert going.lines.tolist() == [0]


def test_the_objective_is_that_by_which_the_best_does_best():
    one, other = objective({0: 0.2, 30: 0.6}, []), objective({0: 0.5, 30: 0.5}, [])
    for choices, place in (([one, other], 0), ([other, one], 1)):
        chosen, going = contenders(0.0, 30.0).most_alike(choices)
        assert chosen is choices[place] and going.known.value.tolist() == pytest.approx([0.2, 0.6])
        assert going.correlation() == pytest.approx(0.6)


def test_scatter_is_put_into_every_view_and_has_to_be_measured_again():
    _, going = contenders(0.0, 30.0).most_alike([objective({0: 0.2, 30: 0.6}, [])])
    under = going.under(4.0)
    assert under.at is None and under.motion.ceilings.tolist() == [[4.0], [4.0]]
    assert under.under(torch.tensor([3.0])).motion.ceilings.tolist() == [[3.0], [3.0]]
