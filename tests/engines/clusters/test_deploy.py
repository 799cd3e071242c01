"""What the class of a cluster is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from commands import Project
from servers import expected

from flatpipe.config import load_config
from flatpipe.config.sections.cluster import ClusterSection
from flatpipe.engines.clusters.deploy import adapt_keywords, local_keywords
from flatpipe.plan import settings

_QUEUE = {"class": "dask_jobqueue.SLURMCluster", "kwargs": {"cores": 8}}
_ASKED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "the most alone": ({"adapt": {"maximum": 5}}, {"minimum": 1, "maximum": 5}),
    "nothing": ({"adapt": {}}, {"minimum": 1}),
    "none at least": ({"adapt": {"minimum": 0}}, {"minimum": 1}),
    "more at least": ({"adapt": {"minimum": 4}, "wait_for": {"workers": 2}}, {"minimum": 4}),
    "fewer at least": ({"adapt": {"minimum": 1, "maximum": 9}, "wait_for": {"workers": 3}}, {"minimum": 3}),
    "never more than the most": ({"adapt": {"maximum": 2}, "wait_for": {"workers": 3}}, {"minimum": 2}),
    "jobs at most": ({**_QUEUE, "adapt": {"maximum_jobs": 10}}, {"minimum_jobs": 1, "maximum_jobs": 10}),
    "no job at least": ({**_QUEUE, "adapt": {"minimum_jobs": 0, "maximum_jobs": 2}}, {"minimum_jobs": 1}),
    "workers of whole jobs": ({**_QUEUE, "adapt": {"minimum": 9}}, {"minimum_jobs": 2}),
    "jobs at least": (
        {**_QUEUE, "adapt": {"minimum_jobs": 1}, "wait_for": {"workers": 17}},
        {"minimum_jobs": 3},
    ),
}


@pytest.mark.parametrize("case", _ASKED)
def test_as_many_workers_are_asked_for_as_are_waited_for(case: str) -> None:
    """Whatever its least is, an adaptive cluster starts those without which no run begins, and never above its most."""
    given, asked = _ASKED[case]

    def adapt(**keywords: Any) -> None:
        del keywords

    def adapt_jobs(minimum_jobs: int | None = None, maximum_jobs: int | None = None, **keywords: Any) -> None:
        del minimum_jobs, maximum_jobs, keywords

    section = ClusterSection.model_validate({"class": "distributed.LocalCluster", **given})
    keywords = adapt_keywords(adapt_jobs if "class" in given else adapt, section)

    assert keywords.items() >= asked.items()
    assert ("minimum" in keywords) != ("minimum_jobs" in keywords)


def test_a_cluster_is_asked_for_what_it_knows() -> None:
    """A class without Dask's keywords gets the given ones alone, and the least that it takes."""

    def adapt(minimum: int, maximum: int) -> None:
        del minimum, maximum

    section = ClusterSection.model_validate({"class": "dask_gateway.GatewayCluster", "adapt": {"maximum": 50}})

    assert adapt_keywords(adapt, section) == {"minimum": 1, "maximum": 50}


def test_an_adaptive_cluster_begins_with_no_worker(tmp_path: Path) -> None:
    """With a most alone, a run starts, and writes the bytes of threads."""
    cluster = {"class": "distributed.LocalCluster", "adapt": {"maximum": 2}, "wait_for": {"timeout": "60s"}}
    project = Project.make(tmp_path / "p", images=6, execution={"cluster": cluster})
    done = project.flatpipe("run")

    assert done.returncode == 0, done.stdout + done.stderr
    assert project.digests() == expected(tmp_path / "threads", 6)


@pytest.mark.parametrize(
    ("cluster", "workers"),
    [
        ({"kwargs": {"n_workers": 4}}, 4),
        ({"scale": 8}, 8),
        ({"scale": {"n": 2}}, 2),
        ({"adapt": {"maximum": 2}}, 2),
        ({}, 16),
    ],
)
def test_local_workers_share_the_memory_that_there_is(
    cluster: dict[str, Any], workers: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a control group leaves to this process is divided by the workers that there will be, as far as is known."""
    monkeypatch.setattr(settings, "memory_at_hand", lambda: 64 << 30)
    execution = {"workers": 16, "cluster": {"class": "distributed.LocalCluster", **cluster}}
    config = load_config(Project.make(tmp_path, images=0, execution=execution).folder / "pipeline.yaml")
    section = config.execution.cluster
    assert section is not None

    assert local_keywords(section, config)["memory_limit"] == (64 << 30) // workers
    limited = load_config(tmp_path / "pipeline.yaml", ["limits.memory_per_worker=1 GiB"])
    assert local_keywords(section, limited)["memory_limit"] == 1 << 30
