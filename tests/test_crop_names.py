"""Times that share the file name of a crop, as names have hundredths of a second."""

from __future__ import annotations

import numpy as np
import pytest
from build import Track, face, make_dataset, write_csv
from hypothesis import given
from hypothesis import strategies as st

import unitalk
from unitalk.dataset.import_ import import_ava
from unitalk.dataset.verify import verify_dataset
from unitalk.layout import face_name
from unitalk.media.tracks.track_rows import read_rows
from unitalk.schema.face_names import hundredths_of


@given(st.lists(st.floats(0, 3e6) | st.integers(0, 10**6).map(lambda n: n / 200), min_size=1))
def test_the_numbers_are_those_of_the_names(seconds):
    expected = [int(face_name(time).removesuffix(".jpg").replace(".", "")) for time in seconds]
    assert hundredths_of(np.array(seconds)).tolist() == expected


# Frames a second, and which frames of the first eight have the name of the one before, by hand:
# at 120 they are at 0, 8.3, 16.7, 25, 33.3, 41.7, 50 and 58.3 ms, of which 25 is a little more as a
# float and becomes 0.03; at 240 at 0, 4.2, 8.3, 12.5, 16.7, 20.8, 25, 29.2; at 60 none are.
@pytest.mark.parametrize(
    ("rate", "shared"), [(120, [4]), (240, [1, 3, 5, 7]), (60, []), (100, []), (29.97, [])]
)
def test_many_rows_a_second_are_not_called_double(tmp_path, rate, shared):
    times = [f"{n / rate:.6f}" for n in range(8)]
    root = make_dataset(tmp_path / "data", {"v": [Track("v:0", times, [0] * 8)]})
    csv = root / "csv/val_orig.csv"
    findings = [
        f for f in verify_dataset(root).findings if f.kind in {"times-too-near", "duplicate-face"}
    ]
    assert [finding.line for finding in findings] == [frame + 2 for frame in shared]
    if not shared:
        assert len(read_rows(csv, "val", None).seconds) == 8
        import_ava(csv, tmp_path / "made")
        return
    earlier, later = (float(times[frame]) for frame in (shared[0] - 1, shared[0]))
    with pytest.raises(unitalk.DataError) as caught:
        read_rows(csv, "val", None)
    assert f": {len(shared)} times of a track share the file name" in caught.value.message
    said = f"v:0 at {earlier:.10g} and {later:.10g} s ({face_name(later)})"
    assert said in caught.value.message
    assert caught.value.hint.startswith("give times that are 0.01 s apart")
    with pytest.raises(unitalk.SchemaError) as caught:
        import_ava(csv, tmp_path / "made")
    assert caught.value.count == len(shared)
    assert f":{shared[0] + 2}: v:0 at {later:.10g} s shares its" in caught.value.problems[0]
    assert caught.value.hint.startswith("give times that are 0.01 s apart")


def test_a_row_that_is_there_twice_is_called_so(tmp_path):
    rows = [face("v", time, "v:0", 0) for time in ("0.04", "0.08", "0.0800001", "0.12")]
    csv = write_csv(tmp_path / "val_orig.csv", rows)
    with pytest.raises(unitalk.DataError, match=r"1 faces of a track have a second row: v:0") as at:
        read_rows(csv, "val", None)
    assert at.value.hint == "keep one row per face"
    with pytest.raises(unitalk.SchemaError, match=r":4: v:0 at 0\.08 s is there twice"):
        import_ava(csv, tmp_path / "made")
