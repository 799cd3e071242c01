"""The flatpipe command as a user runs it, in a folder of its own."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml
from builders import write_image

FAULTS = Path(__file__).parent / "faults"


def environment(faults: dict[str, object] | None) -> dict[str, str]:
    """The variables of a process in which these faults happen."""
    variables = dict(os.environ)
    if faults:
        variables["FLATPIPE_TEST_FAULTS"] = json.dumps(faults)
        variables["PYTHONPATH"] = os.pathsep.join(filter(None, [str(FAULTS), variables.get("PYTHONPATH", "")]))
    return variables


@dataclass
class Project:
    """A folder with photos/, a pipeline.yaml and, after a run, out/."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, images: int = 3, **sections: object) -> Project:
        """A project with small noisy images and a config of `sections` over small defaults."""
        for n in range(images):
            write_image(folder / "photos" / f"{n:02d}.png", seed=n)
        project = cls(folder)
        project.configure(**sections)
        return project

    def configure(self, **sections: object) -> None:
        """Write pipeline.yaml anew."""
        (self.folder / "photos").mkdir(parents=True, exist_ok=True)
        config = {"input": {"path": "photos"}, "output": {"path": "out"}, "flatten": {"k": "2-4"}, **sections}
        config.setdefault("execution", {"scheduler": "threads", "workers": 2})
        (self.folder / "pipeline.yaml").write_text(yaml.safe_dump(config))

    def start(self, *arguments: str, faults: dict[str, object] | None = None) -> subprocess.Popen[str]:
        """Start `flatpipe ARGUMENTS` in the folder, in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "flatpipe", *arguments],
            cwd=self.folder,
            env=environment(faults),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="surrogateescape",
            start_new_session=True,
        )

    def flatpipe(self, *arguments: str, faults: dict[str, object] | None = None) -> subprocess.CompletedProcess[str]:
        """What `flatpipe ARGUMENTS` printed and returned."""
        process = self.start(*arguments, faults=faults)
        out, err = process.communicate(timeout=240)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    @property
    def out(self) -> Path:
        """The output folder."""
        return self.folder / "out"

    def digests(self, out: str = "out") -> dict[str, str]:
        """sha256 of every image file of the outputs, by its path."""
        root = self.folder / out / "images"
        files = sorted(path for path in root.rglob("*") if path.is_file())
        return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

    def rows(self, table: str) -> list[dict[str, str]]:
        """Rows of results.csv or failures.csv."""
        with (self.out / table).open(newline="", encoding="utf-8", errors="surrogateescape") as file:
            return list(csv.DictReader(file))
