"""A real network says that the pipeline is right: from video files to an average precision.

Light-ASD as its authors trained it on AVA looks at drawn people who speak, and at a real one. It
knows nothing of this program, so that it finds who speaks only where every step is right: the times
and boxes of crops, sounds in step, features, pixels, the join of scores. What it finds where one of
them is wrong is measured beside it. `benchmarks/real_network.py` does all of this for many scenes;
the bounds here lie outside of what it printed for ten of them.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import exhaustive
from real_data import GRID, LIGHT_ASD, needs

pytest.importorskip("av", reason='pip install "unitalk[video]"')
torch = pytest.importorskip("torch", reason='pip install "unitalk[models]"')
cv2 = pytest.importorskip("cv2", reason='pip install "unitalk[video]"')

import pipeline_faults as faults  # noqa: E402
from rendered_scene import ALONE, TOGETHER, Filmed, Take, shoot  # noqa: E402

Scene = tuple[list[Filmed], Path]  # what was filmed, and the dataset that was cut out of it


def made(folder: Path, takes: tuple[Take, ...]) -> Scene:
    return shoot(folder, takes), faults.cut_scene(folder)


@pytest.fixture(scope="module")
def alone(tmp_path_factory) -> Scene:
    return made(tmp_path_factory.mktemp("alone"), ALONE)


@pytest.fixture(scope="module")
def together(tmp_path_factory) -> Scene:
    return made(tmp_path_factory.mktemp("together"), TOGETHER)


@pytest.fixture(scope="module")
def once():
    with faults.looking_once():
        yield


# ------------------------------------------------------------------------------ what is cut


def small(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, (64, 64), interpolation=cv2.INTER_AREA).astype(int)


@pytest.mark.parametrize("scene", ["alone", "together"])
def test_each_crop_is_of_its_frame_and_its_box(scene, request):
    """It is more like what was drawn there than what was drawn up to three frames away."""
    filmed, data = request.getfixturevalue(scene)
    for one in filmed:
        for person, drawn in enumerate(one.faces):
            folder = data / "clips_videos/val" / one.take.video / one.entity(person)
            smaller = [small(image) for image in drawn]
            for place, seconds in enumerate(one.seconds):
                crop = cv2.imread(str(folder / f"{seconds:.2f}.jpg"))[:, :, ::-1]
                assert crop.shape == drawn[place].shape
                near = range(max(place - 3, 0), min(place + 4, len(drawn)))
                apart = {n: np.abs(small(crop) - smaller[n]).mean() for n in near}
                assert min(apart, key=apart.get) == place


@pytest.mark.parametrize("scene", ["alone", "together"])
def test_sounds_are_in_step_to_the_sample(scene, request):
    """Encoders of AAC begin 1,024 samples early: 21 ms at 48 kHz, which the score hardly shows."""
    filmed, data = request.getfixturevalue(scene)
    for one in filmed:
        for person in range(one.take.people):
            cut = faults.sound_of(data, (one.take.video, one.entity(person))).astype(float)
            begin = round(one.seconds[0] * faults.RATE)
            told = one.sound[begin : begin + len(cut)].astype(float)
            assert len(told) == len(cut)
            # The peak of their correlation, at any distance up to half of their length.
            spectrum = np.fft.rfft(cut) * np.conj(np.fft.rfft(told))
            assert np.fft.irfft(spectrum, len(cut)).argmax() == 0
            assert np.corrcoef(cut, told)[0, 1] > 0.99
            last = one.seconds[-1] + 1 / float(one.take.rate)
            assert abs(begin + len(cut) - last * faults.RATE) <= 1


# ------------------------------------------------------------------------------ what it says


@needs(LIGHT_ASD)
def test_it_finds_who_speaks_and_hears_when_sound_is_not_in_step(alone, once, tmp_path):
    _, data = alone
    right = faults.score(data, LIGHT_ASD)
    assert right.ap > 0.97
    assert right.talks > 0.9
    assert right.keeps_quiet < 0.2
    wrong = {
        name: faults.score(fault(data, tmp_path / name), LIGHT_ASD).ap
        for name, fault in faults.SOUND_FAULTS.items()
    }
    late = [right.ap, *(wrong[f"sound {n} frames late"] for n in (2, 4, 10))]
    assert (np.diff(late) < [-0.015, -0.03, -0.08]).all(), late
    # Mouths and voices both begin softly after a label does, so that two frames cost nothing.
    early = [wrong[f"sound {n} frames early"] for n in (2, 4, 10)]
    assert (np.diff(early) < [-0.005, -0.08]).all(), early
    assert early[0] < right.ap + 0.02
    assert wrong["another video's sound"] < right.ap - 0.12


@exhaustive
@needs(LIGHT_ASD)
def test_mouths_that_move_without_a_voice_do_not_speak(alone, once, tmp_path):
    _, data = alone
    heard = faults.score(faults.silent(data, tmp_path / "silent"), LIGHT_ASD)
    assert heard.talks < 0.2
    assert heard.keeps_quiet < 0.05


@exhaustive
@needs(LIGHT_ASD)
def test_of_two_faces_it_finds_the_one_whose_voice_it_is(together, once, tmp_path):
    _, data = together
    right = faults.score(data, LIGHT_ASD)
    assert right.ap > 0.8
    first, second = right.scores.reshape(2, -1)
    speaks = right.speaking.reshape(2, -1)[0]
    assert ((first > second) == speaks).mean() > 0.75
    # AVA's precision never falls below the share of faces that speak, which is a half here.
    other = faults.score(faults.swapped(data, tmp_path / "swapped"), LIGHT_ASD)
    assert other.ap < 0.55
    assert other.scores.tolist() == [*second.tolist(), *first.tolist()]
    assert other.talks == pytest.approx(right.keeps_quiet)


@exhaustive
@needs(LIGHT_ASD)
def test_of_two_faces_it_finds_neither_where_pictures_are_wrong(together, once, tmp_path):
    _, data = together
    assert faults.score(faults.backwards(data, tmp_path / "back"), LIGHT_ASD).ap < 0.77
    with faults.seen_through(faults.divided_twice):
        assert faults.score(data, LIGHT_ASD).ap < 0.6


# ------------------------------------------------------------------------------ a real video


@needs(LIGHT_ASD)
@needs(GRID)
def test_of_a_real_video_the_commands_score_above_97_percent(run, tmp_path):
    faults.annotate_swwp2s(tmp_path)
    csv, data, scores = tmp_path / "val_orig.csv", tmp_path / "data", tmp_path / "scores.csv"
    ran = run("crop", csv, "--video-dir", GRID.parent, "--destination", data, "--jobs", 1)
    assert (ran.code, ran.stderr) == (0, "")
    assert f"{data}: 75 face crops, 1 sound" in ran.stdout
    ran = run("-q", "predict", data, "--weights", LIGHT_ASD, "-o", scores)
    assert (ran.code, ran.stderr) == (0, "")
    ran = run("eval", "-g", csv, "-p", scores, "--format", "json")
    assert ran.code == 0
    assert json.loads(ran.stdout)["average_precision"] > 0.97


@exhaustive
@needs(LIGHT_ASD)
@needs(GRID)
def test_of_a_real_video_it_notices_what_is_wrong(once, tmp_path):
    faults.annotate_swwp2s(tmp_path)
    data = faults.cut_scene(tmp_path, GRID.parent)
    right = faults.score(data, LIGHT_ASD)
    assert right.ap > 0.97
    assert right.talks > 0.9
    assert right.keeps_quiet < 0.15
    late = faults.score(faults.moved(data, tmp_path / "late", frames=10), LIGHT_ASD)
    assert late.ap < right.ap - 0.05
    assert late.keeps_quiet > 0.2
    assert faults.score(faults.backwards(data, tmp_path / "back"), LIGHT_ASD).ap < right.ap - 0.02
    assert faults.score(faults.silent(data, tmp_path / "silent"), LIGHT_ASD).talks < 0.2
    for change in faults.PIXEL_FAULTS.values():
        with faults.seen_through(change):
            assert faults.score(data, LIGHT_ASD).ap < right.ap - 0.1
