"""What a release needs: a citation that says the same as the packages, and a workflow that holds no secret."""

import re
import tomllib

import pytest
from support.repo import PACKAGES, ROOT

yaml = pytest.importorskip("yaml", reason="the core reads YAML with PyYAML")
WORKFLOWS = ROOT / ".github/workflows"


def read(name: str):
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def test_the_citation_parses_and_agrees_with_the_packages():
    citation = read("CITATION.cff")
    assert citation["cff-version"] == "1.2.0"
    projects = [tomllib.loads((path / "pyproject.toml").read_text(encoding="utf-8"))["project"] for path in PACKAGES]
    assert {project["version"] for project in projects} == {str(citation["version"])}
    assert {project["license"] for project in projects} == {citation["license"]}
    assert [author["name"] for author in projects[0]["authors"]] == [author["name"] for author in citation["authors"]]


def test_the_citation_has_the_five_papers_with_what_a_reference_needs():
    references = read("CITATION.cff")["references"]
    notes = " ".join(reference["notes"] for reference in references)
    assert re.findall(r"xraykit\.(\w+)", notes) == ["render", "xvr", "dax", "corr", "fluorosam"]
    for reference in references:
        assert {"type", "title", "authors", "year"} <= set(reference)
        assert all({"family-names", "given-names"} == set(author) for author in reference["authors"])
        assert "doi" in reference or re.fullmatch(r"arXiv:\d{4}\.\d{5}", reference["identifiers"][0]["value"])


def test_only_the_publishing_job_may_ask_for_an_identity_and_no_job_knows_a_secret():
    jobs = read(".github/workflows/release.yml")["jobs"]
    assert [name for name, job in jobs.items() if "id-token" in job.get("permissions", {})] == ["publish"]
    assert jobs["publish"]["environment"]
    assert jobs["publish"]["needs"] == "build"
    assert not any("run" in step for step in jobs["publish"]["steps"])
    assert [path.name for path in WORKFLOWS.glob("*.yml") if "secrets." in path.read_text(encoding="utf-8")] == []


def test_the_workflow_knows_every_package():
    jobs = read(".github/workflows/ci.yml")["jobs"]
    matrices = [job.get("strategy", {}).get("matrix", {}).get("package") for job in jobs.values()]
    matrices = [matrix for matrix in matrices if matrix]
    assert matrices
    assert {tuple(sorted(matrix)) for matrix in matrices} == {tuple(path.name for path in PACKAGES)}


def test_the_hooks_are_local_and_name_commands_of_the_workspace():
    (hooks,) = (repo["hooks"] for repo in read(".pre-commit-config.yaml")["repos"] if repo["repo"] == "local")
    assert [hook["id"] for hook in hooks if not hook["entry"].startswith("uv ")] == []
    assert {"ruff-check", "ruff-format", "uv-lock"} <= {hook["id"] for hook in hooks}
