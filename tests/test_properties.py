"""What holds of any dataset: faces, lists, parts and archives against independent computations."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from build import Track, face, make_dataset, write_csv, write_wav
from conftest import tree
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unitalk import convert_asc, layout, trim_dataset
from unitalk.catalog import video_list
from unitalk.files import LINKS

CENT = Decimal("0.01")
disk = settings(deadline=None, max_examples=30, suppress_health_check=list(HealthCheck))


def written(seconds: Decimal) -> str:
    """The name that the original scripts gave a face: "%.2f" of its time as a float, exactly."""
    return f"{Decimal(float(seconds)).quantize(CENT, ROUND_HALF_EVEN)}.jpg"


# ------------------------------------------------------------------------------ faces


def test_every_hundredth_of_a_second_of_two_hours_has_its_name_and_back():
    for cents in range(2 * 3600 * 100):
        name = f"{cents // 100}.{cents % 100:02d}.jpg"
        assert layout.face_name(cents / 100) == name
        assert layout.face_seconds(name) == cents / 100


@given(st.integers(0, 4 * 10**9 - 1), st.integers(0, 3), st.booleans())
def test_a_time_is_read_from_any_spelling_of_it(milliseconds, zeros, capital):
    text = f"{Decimal(milliseconds) / 1000:.3f}"
    suffix = ".JPG" if capital else ".jpeg"
    for spelling in (text + "0" * zeros, text.rstrip("0").rstrip(".")):
        assert layout.face_seconds(spelling + suffix) == milliseconds / 1000
    name = layout.face_name(milliseconds / 1000)
    # Half a hundredth goes either way, as the float of it lies; anything else has one name.
    assert abs(Decimal(name.removesuffix(".jpg")) * 1000 - milliseconds) <= 5


@pytest.mark.parametrize(("frames", "seconds"), [(25, 1), (50, 1), (30000, 1001), (24000, 1001)])
def test_every_frame_of_a_film_is_found_and_no_other(frames, seconds):
    """AVA writes six decimals; the face of frame 37 at 29.97 fps, 1.234567 s, is 1.23.jpg."""
    times = [Decimal(f"{float(Fraction(k * seconds, frames)):.6f}") for k in range(20_000)]
    names = [written(time) for time in times]
    assert [layout.face_name(float(time)) for time in times] == names
    assert len(set(names)) == len(times)


# ------------------------------------------------------------------------------ lists

ids = st.from_regex(r"[A-Za-z0-9_-]{1,11}", fullmatch=True).filter(
    lambda text: text.lower() not in {"link", "video_id", "id"}
)
FORMS = ("{}", '"{}"', " {} ", "https://www.youtube.com/watch?v={}", "https://youtu.be/{}?t=3",
         "https://www.youtube.com/watch?t=3&v={}&x=1", "https://m.youtube.com/shorts/{}?a=b",
         "https://www.youtube-nocookie.com/embed/{}", "youtube.com/live/{}", "{}.mkv",
         "videos/{}.MP4", "https://example.org/trainval/{}.webm")  # fmt: skip


@disk
@given(
    st.lists(st.tuples(ids, st.sampled_from(FORMS)), min_size=1),
    st.sampled_from(["", "Link", "\ufeffLink", "video_id"]),
    st.sampled_from(["\n", "\r\n", "\n\n"]),
    st.booleans(),
)
def test_a_list_of_any_ids_is_read_as_it_was_written(lines, header, end, last):
    text = end.join(([header] if header else []) + [form.format(name) for name, form in lines])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "list.csv")
        path.write_bytes((text + end * last).encode())
        assert video_list.resolve_list(path) == tuple(dict.fromkeys(name for name, _ in lines))


# ------------------------------------------------------------------------------ datasets


def spelling(draw, cents: int) -> str:
    """One of the texts that mean a time."""
    exact = Decimal(cents) / 100
    short = f"{exact:.2f}".rstrip("0").rstrip(".")
    return draw(st.sampled_from([f"{exact:.2f}", f"{exact:.3f}", f"{exact:.6f}", short,
                                 repr(cents / 100), f"0{exact:.2f}"]))  # fmt: skip


@st.composite
def datasets(draw):
    """For each track: its video, times, and what is missing; and the rows in any order."""
    tracks = {}
    for video in draw(st.lists(ids, min_size=1, max_size=3, unique_by=str.casefold)):
        for number in range(draw(st.integers(1, 3))):
            cents = draw(st.lists(st.integers(0, 400_000), min_size=1, max_size=5, unique=True))
            gone = draw(st.sets(st.sampled_from(cents)))
            tracks[f"{video}:{number}"] = (video, sorted(cents), gone, draw(st.booleans()))
    rows = [(entity, cents) for entity, track in tracks.items() for cents in track[1]]
    rows = draw(st.permutations(rows))
    texts = [spelling(draw, cents) for _, cents in rows]
    names = {(e, c): spelling(draw, c) for e, c in rows}
    return tracks, rows, texts, names, draw(st.booleans())


def build(root: Path, made) -> Path:
    """Write it down; each crop's content says which face it is."""
    tracks, rows, texts, names, underscore = made
    for entity, (video, cents, gone, silent) in tracks.items():
        spelled = entity.replace(":", "_") if underscore else entity
        folder = root / "clips_videos/val" / video / spelled
        folder.mkdir(parents=True)
        for cent in set(cents) - gone:
            (folder / f"{names[entity, cent]}.jpg").write_text(f"{entity} {cent}")
        if not silent:
            wav = root / "clips_audios/val" / video / f"{spelled}.wav"
            write_wav(wav, 0.01)
    write_csv(root / "csv/val_orig.csv", [
        face(tracks[entity][0], text, entity, cents % 2)
        for (entity, cents), text in zip(rows, texts, strict=True)
    ])  # fmt: skip
    return root


@disk
@given(datasets(), st.sampled_from(LINKS))
def test_a_conversion_finds_exactly_what_is_there_and_swaps_no_two_faces(made, link):
    tracks, rows, _, _, _ = made
    missing = [f"val/{e}/{Decimal(c) / 100:.2f}.jpg" for e, c in rows if c in tracks[e][2]]
    silent = [f"val/{entity}.wav" for entity, track in tracks.items() if track[3]]
    with tempfile.TemporaryDirectory() as folder:
        source, asc = build(Path(folder, "d"), made), Path(folder, "asc")
        report = convert_asc(source, asc, link=link)
        lines = (asc / "csv/val_orig.csv").read_text().splitlines()[1:]
        for line, (entity, cents) in zip(lines, rows, strict=True):
            cells = line.split(",")
            assert (cells[-3], cells[-2]) == (entity, str(cents % 2))
            jpg = asc / "clips_videos/val" / cells[-3] / f"{cells[1]}.jpg"
            there = cents not in tracks[entity][2]
            assert (jpg.read_text() if jpg.is_file() else None) == (
                f"{entity} {cents}" if there else None
            )
        wavs = {path.name for path in (asc / "clips_audios/val").iterdir()}
    assert wavs == {f"{entity}.wav" for entity, track in tracks.items() if not track[3]}
    assert (report.rows, report.tracks, report.black, report.silent) == (
        len(rows), len(tracks), len(missing), len(silent))  # fmt: skip
    told = {finding.partition(": ")[0]: finding.partition(": ")[2] for finding in report.findings}
    for kind, wanted in (("without a crop", missing), ("without sound", silent)):
        shown = next((text for head, text in told.items() if kind in head), "")
        assert len(wanted) > 10 or sorted(filter(None, shown.split(", "))) == sorted(wanted)


@disk
@given(datasets(), st.data(), st.sampled_from(LINKS))
def test_disjoint_lists_divide_rows_and_files_without_rest(made, data, link):
    videos = list(dict.fromkeys(track[0] for track in made[0].values()))
    home = {video: data.draw(st.integers(0, 1)) for video in videos}
    with tempfile.TemporaryDirectory() as folder:
        source = build(Path(folder, "d"), made)
        for video in videos:  # a video without any sound would be refused
            (source / "clips_audios/val" / video).mkdir(parents=True, exist_ok=True)
        rows, files = [], Counter()
        whole = (source / "csv/val_orig.csv").read_text().splitlines()
        for part in {*home.values()}:
            chosen = [video for video in videos if home[video] == part]
            new = Path(folder, f"part{part}")
            trim_dataset(source, new, videos=data.draw(st.permutations(chosen)), link=link)
            kept = (new / "csv/val_orig.csv").read_text().splitlines()
            assert kept == whole[:1] + [r for r in whole[1:] if home[r.split(",")[0]] == part]
            rows += kept[1:]
            for root in (new / "clips_videos/val", new / "clips_audios/val"):
                for video in root.iterdir():  # which may be links
                    files.update((f"{root.parent.name}/val/{video.name}/{name}", content)
                                 for name, content in tree(video).items())  # fmt: skip
        wanted = {n: c for n, c in tree(source).items() if n.startswith("clips")}
    assert sorted(rows) == sorted(whole[1:])
    assert files == Counter(wanted.items())


# ------------------------------------------------------------------------------ found by trying


@pytest.mark.parametrize("link", ["hard", "copy"])
def test_two_files_that_round_to_one_name_are_not_swapped(tmp_path, link):
    """0.404.jpg may be refused or left out, but 0.40.jpg is the face at 0.4."""
    track = Track("v:0", ["0.4"], [1], ["0.40.jpg", "0.404.jpg"])
    make_dataset(tmp_path / "d", {"v": [track]})
    convert_asc(tmp_path / "d", tmp_path / "asc", link=link)
    crop = tmp_path / "asc/clips_videos/val/v:0/0.40.jpg"
    assert crop.read_bytes() == b"v v:0 0.40.jpg"


def test_a_track_named_like_the_windows_spelling_of_another_is_not_taken_for_it(tmp_path):
    tracks = [Track("v:0", ["0.4"], [1]), Track("v_0", ["0.4"], [1])]
    make_dataset(tmp_path / "d", {"v": tracks})
    shutil.rmtree(tmp_path / "d/clips_videos/val/v/v:0")
    assert convert_asc(tmp_path / "d", tmp_path / "asc").black == 1
