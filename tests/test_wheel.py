"""The wheel has what the program needs, and nothing of the checkout is needed beside it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from unitalk.catalog import video_list

CHECKOUT = Path(__file__).resolve().parents[1]
LISTS = ["video_list/train.csv", "video_list/val.csv",
         *(f"sub_categories/test_{name}.csv" for name in video_list.CATEGORIES)]  # fmt: skip


REPORT = ["page.html", "head.html", "sections.html", "tables.html", "page.css", "page.js"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "-q", "-w", folder, CHECKOUT]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode:
        pytest.skip(f"pip cannot build a wheel here: {ran.stderr.strip()[-300:]}")
    return next(folder.glob("unitalk-*.whl"))


def test_the_published_lists_travel_in_the_wheel(wheel):
    with zipfile.ZipFile(wheel) as opened:
        for name in LISTS:
            assert opened.read(f"unitalk/lists/{name}") == (CHECKOUT / name).read_bytes()


def test_the_wheel_holds_the_package_and_no_more(wheel):
    with zipfile.ZipFile(wheel) as opened:
        names = opened.namelist()
    modules = {p.relative_to(CHECKOUT).as_posix() for p in (CHECKOUT / "unitalk").rglob("*.py")}
    assert {name for name in names if name.endswith(".py")} == modules
    assert {name.split("/")[0] for name in names} == {"unitalk", "unitalk-0.1.0.dist-info"}
    assert "unitalk-0.1.0.dist-info/licenses/LICENSE" in names
    assert "unitalk/py.typed" in names
    data = {
        "catalog/results.csv",
        "catalog/checkpoints.csv",
        "schemas/eval.json",
        *(f"score/report/templates/{name}" for name in REPORT),
    }
    assert {f"unitalk/{name}" for name in data} <= set(names)


def test_the_lists_are_found_when_only_the_wheel_is_there(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(tmp_path)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from unitalk.catalog import video_list\n"
        "print(video_list.__file__, len(video_list.videos()))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert ran.stdout.split() == [str(tmp_path / "unitalk/catalog/video_list.py"), "117"]
