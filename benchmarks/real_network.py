"""What a real network says of this program's pipeline, whole and with faults.

    python benchmarks/real_network.py WEIGHTS [--video swwp2s.mpg] [--scenes 10]

WEIGHTS are Light-ASD's, `weight/pretrain_AVA_CVPR.model` of github.com/Junhua-Liao/Light-ASD. For
each scene five videos of drawn people who speak are filmed, cut by `unitalk crop`, scored by
`predict` and judged by `evaluate`; then again with one fault at a time. A line has the median and
the range of the APs of all scenes, and the mean probabilities of faces that speak and that do not.
In the first table there is one face a video, half of the time silent; in the second there are two,
who take turns. AP does not fall below the share of faces that speak: about a half.

With --video also GRID's swwp2s.mpg (github.com/rizkiarm/LipNet has it), a real face and voice.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

import pipeline_faults as faults
from rendered_scene import ALONE, TOGETHER, shoot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline_faults import Scored

RIGHT = "nothing is wrong"
MORE = {"no sound": faults.silent}
SWAP = {"crops of the two faces swapped": faults.swapped}


def variants(data: Path, weights: Path, *, swap: bool) -> Iterator[tuple[str, Scored]]:
    """Score a dataset as it is, and with each fault."""
    yield RIGHT, faults.score(data, weights)
    own = SWAP if swap else faults.SOUND_FAULTS | MORE
    for name, fault in (own | faults.CROP_FAULTS).items():
        yield name, faults.score(fault(data, data.with_name(name)), weights)
    for name, change in faults.PIXEL_FAULTS.items():
        with faults.seen_through(change):
            yield name, faults.score(data, weights)


def print_table(title: str, found: dict[str, list[Scored]]) -> None:
    """Print a line for each variant."""
    print(f"\n{title}\n{'':32}     AP    range over scenes  P speaks  P silent", flush=True)
    for name, scored in found.items():
        aps = [one.ap for one in scored]
        talks, quiet = (
            np.mean(part) for part in zip(*((s.talks, s.keeps_quiet) for s in scored), strict=True)
        )
        several = f"{min(aps):.3f} to {max(aps):.3f}" if len(aps) > 1 else ""
        print(f"{name:32}  {np.median(aps):.3f}  {several:>19}  {talks:8.3f}  {quiet:8.3f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("--video", type=Path)
    parser.add_argument("--scenes", type=int, default=10)
    given = parser.parse_args()
    torch.set_num_threads(1)
    alone: dict[str, list[Scored]] = {}
    together: dict[str, list[Scored]] = {}
    for seed in range(given.scenes):
        for takes, found in ((ALONE, alone), (TOGETHER, together)):
            with tempfile.TemporaryDirectory() as folder, faults.looking_once():
                shoot(Path(folder), takes, seed=seed)
                data = faults.cut_scene(Path(folder))
                for name, scored in variants(data, given.weights, swap=takes is TOGETHER):
                    found.setdefault(name, []).append(scored)
    print_table("one face, half of the time silent", alone)
    print_table("two faces, one of which speaks", together)
    if given.video:
        with tempfile.TemporaryDirectory() as folder, faults.looking_once():
            faults.annotate_swwp2s(Path(folder))
            data = faults.cut_scene(Path(folder), given.video.resolve().parent)
            real = {n: [s] for n, s in variants(data, given.weights, swap=False)}
        del real["another video's sound"]  # there is no other
        print_table(f"{given.video.name}, a real face", real)


if __name__ == "__main__":
    main()
