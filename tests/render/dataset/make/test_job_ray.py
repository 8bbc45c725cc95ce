"""Ray on two nodes makes the bytes of one local worker."""

import json
import subprocess
import sys

import pytest
from support.dataset_jobs import digests
from support.later import installed

pytest.importorskip("pycocotools", reason="needs the extra: pip install 'xraykit-render[dataset]'")
installed("ray", reason="needs the extra: pip install 'xraykit-render[cluster]'")

TWO_NODES = """
import json, os, sys
os.environ["RAY_ENABLE_UV_RUN_RUNTIME_ENV"] = "0"
import ray
from ray.cluster_utils import Cluster
from xraykit.render.dataset.plan.config_file import read_dataset_config
from xraykit.render.dataset.make.job import make_dataset

if __name__ == "__main__":
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    summary = make_dataset(read_dataset_config(sys.argv[1]), sys.argv[2], engine="ray", address=cluster.address)
    ray.init(address=cluster.address)
    nodes = sum(node["Alive"] for node in ray.nodes())
    ray.shutdown()
    print(json.dumps({"made": summary.made, "nodes": nodes}))
    cluster.shutdown()
"""


@pytest.mark.slow
def test_two_ray_nodes_make_the_same_bytes(job, whole, tmp_path):
    (tmp_path / "two_nodes.py").write_text(TWO_NODES, encoding="utf-8")
    command = [sys.executable, str(tmp_path / "two_nodes.py"), str(job), str(tmp_path / "ray")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {"made": 4, "nodes": 2}
    assert digests(tmp_path / "ray") == digests(whole[0].folder)
    assert (tmp_path / "ray/manifest.json").read_bytes() == (whole[0].folder / "manifest.json").read_bytes()
