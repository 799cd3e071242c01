"""python -m benchmarks [NAME...] [--photos FOLDER]...: time and distortion, ratios taken side by side in one run."""

from __future__ import annotations

import argparse

from benchmarks import collection, driver, floor, peers, plain, quality
from benchmarks.common import photo_folders


def main() -> None:
    """Run the named benchmarks, or all but the long ones."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        default=["quality", "collection", "floor", "peers", "driver"],
        help="quality collection floor peers plain driver",
    )
    parser.add_argument("--photos", action="append", default=[], metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--most", type=int, default=2, help="images per folder for peers and plain")
    chosen = parser.parse_args()
    folders = photo_folders(chosen.photos)
    for name in chosen.names:
        if name == "quality":
            quality.measure(folders)
        elif name == "collection":
            collection.measure(folders)
        elif name == "floor":
            floor.measure(folders, chosen.rounds)
        elif name == "peers":
            peers.measure(folders, chosen.rounds, chosen.most)
        elif name == "plain":
            plain.measure(folders, chosen.rounds, chosen.most)
        elif name == "driver":
            driver.measure([256], [50, 150], seconds=10.0)
        else:
            parser.error(f"no benchmark is called {name}")


if __name__ == "__main__":
    main()
