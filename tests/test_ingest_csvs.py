"""AVA's and WASD's annotations as datasets."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from pathlib import Path

import pytest
from build import HEADER, face, write_csv
from conftest import one_in, tree

from unitalk import ArchiveError, DataError, SchemaError, UsageError, schema
from unitalk.dataset.import_ import import_ava, import_wasd
from unitalk.errors import DestinationError
from unitalk.executor import Processes
from unitalk.score.eval_options import read_categories

ONE, TWO = "-5KQ66BBWC4", "HV0H6oc4Kvs"
E = f"{ONE}_0900_0960:1"
BOX = "0.345833,0.146296,0.55625,0.5425930"


def ava_csv(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


@pytest.fixture
def ava(tmp_path):
    """AVA as its archives unpack: a folder a split, no header, a rate of its own."""
    root = tmp_path / "ava"
    ava_csv(root / f"ava_activespeaker_train_v1.0/{ONE}-activespeaker.csv", [
        f"{ONE},900.50,{BOX},NOT_SPEAKING,{E}",
        f"{ONE},900.533,{BOX},SPEAKING_AND_AUDIBLE,{E}",
        f"{ONE},900.566,{BOX},SPEAKING_AUDIBLE,{E}",
        f"{ONE},900.6,{BOX},SPEAKING_BUT_NOT_AUDIBLE,{E}",
        f"{ONE},900.63,{BOX},SPEAKING_NOT_AUDIBLE,{E}",
        f"{ONE},901.2,{BOX},SPEAKING_AUDIBLE,{E}",
    ])  # fmt: skip
    val = [f"{TWO},{t},{BOX},{label},{TWO}_0960_1020:{n}" for n, t, label in (
        (1, "960.04", "SPEAKING_AUDIBLE"), (2, "960.04", "NOT_SPEAKING"),
        (1, "960.00", "NOT_SPEAKING"), (2, "960.08", "NOT_SPEAKING"),
    )]  # fmt: skip
    ava_csv(root / f"ava_activespeaker_val_v1.0/{TWO}-activespeaker.csv", val)
    return root


# ------------------------------------------------------------------------------ AVA


def test_labels_ids_and_instances_are_derived_and_numbers_keep_their_text(ava, tmp_path):
    report = import_ava(ava, tmp_path / "made")
    # Two spellings of one label are no change of it; the others are: 0, 1 1, 2 2, 3.
    wanted = [
        ("900.50", "NOT_SPEAKING", 0, 0), ("900.533", "SPEAKING_AUDIBLE", 1, 1),
        ("900.566", "SPEAKING_AUDIBLE", 1, 1), ("900.6", "SPEAKING_NOT_AUDIBLE", 2, 2),
        ("900.63", "SPEAKING_NOT_AUDIBLE", 2, 2), ("901.2", "SPEAKING_AUDIBLE", 1, 3),
    ]  # fmt: skip
    assert (tmp_path / "made/csv/train_orig.csv").read_text() == HEADER + "\n" + "".join(
        f"{ONE},{time},{BOX},{label},{E},{number},{E}:{k}\n" for time, label, number, k in wanted
    )
    # Brought together, and into the order of time.
    t = f"{TWO}_0960_1020"
    assert (tmp_path / "made/csv/val_orig.csv").read_text() == HEADER + "\n" + (
        f"{TWO},960.00,{BOX},NOT_SPEAKING,{t}:1,0,{t}:1:0\n"
        f"{TWO},960.04,{BOX},SPEAKING_AUDIBLE,{t}:1,1,{t}:1:1\n"
        f"{TWO},960.04,{BOX},NOT_SPEAKING,{t}:2,0,{t}:2:0\n"
        f"{TWO},960.08,{BOX},NOT_SPEAKING,{t}:2,0,{t}:2:0\n"
    )
    train, val = report.splits
    assert (train.tracks, train.faces, train.positives, train.counted) == (1, 6, 3, None)
    assert (train.reordered, train.gaps) == (0, 1)  # 900.63 to 901.2
    assert (val.videos, val.tracks, val.positives, val.reordered) == ((TWO,), 2, 1, 2)
    gaps, order = report.warnings
    assert gaps.startswith("train: 1 gaps of more than 0.2 s within tracks")
    assert order.startswith("val: the rows of 2 tracks ")
    assert json.loads(json.dumps(report.to_dict())) == report.to_dict()


def test_processes_and_this_one_leave_the_same_bytes(ava, tmp_path):
    import_ava(ava, tmp_path / "here")
    import_ava(ava, tmp_path / "there", executor=Processes(2))
    assert tree(tmp_path / "here") == tree(tmp_path / "there")


def test_the_bundle_of_ten_columns_stays_as_it_is(tmp_path):
    rows = [face(ONE, t, E, n, n) for t, n in (("0.04", 0), ("0.08", 1), ("0.120", 1))]
    bundle = tmp_path / "bundle"
    for split in ("train", "val"):
        own = [[cell.replace(ONE, split) for cell in row] for row in rows]
        write_csv(bundle / f"csv/{split}_orig.csv", own)
    report = import_ava(bundle, tmp_path / "made")
    assert report.warnings == ()
    for split in ("train", "val"):
        path = f"csv/{split}_orig.csv"
        assert (tmp_path / "made" / path).read_bytes() == (bundle / path).read_bytes()
    inner = import_ava(bundle / "csv", tmp_path / "inner", splits=("val",))
    assert [split.split for split in inner.splits] == ["val"]


@pytest.mark.parametrize("form", ["seven", "empty", "ten"])
def test_a_test_split_has_no_labels_and_is_not_scored(tmp_path, form, run):
    folder = tmp_path / "ava_activespeaker_test_v1.0"
    cells = {
        "seven": f"{ONE},900.50,{BOX},{E}",
        "empty": f"{ONE},900.50,{BOX},,{E}",
        "ten": HEADER + f"\n{ONE},900.50,{BOX},,{E},,{E}:0",
    }[form]
    ava_csv(folder / f"{ONE}-activespeaker.csv", [cells])
    report = import_ava(folder, tmp_path / "made")
    truth = tmp_path / "made/csv/test_orig.csv"
    assert truth.read_text() == f"{HEADER}\n{ONE},900.50,{BOX},,{E},,{E}:0\n"
    assert report.splits[0].positives is None
    assert report.warnings == ("test: no face has a label; it can be predicted, and not scored",)
    faces = schema.load(truth, "faces")  # so that it can be predicted
    assert faces.codes("label") == ([0], [""])
    predictions = tmp_path / "p.csv"
    predictions.write_text(f"entity_id,frame_timestamp,score\n{E},900.5,1\n")
    ran = run("eval", "-g", truth, "-p", predictions)
    assert ran.code == 3
    assert ran.stderr.startswith(f"unitalk: {truth}: not one face has a label")


def test_only_a_test_split_may_lack_labels_and_then_all_of_them(ava, tmp_path):
    val = ava / f"ava_activespeaker_val_v1.0/{TWO}-activespeaker.csv"
    ava_csv(val, [f"{TWO},960.0,{BOX},,{TWO}:1"])
    with pytest.raises(SchemaError, match="not one face has a label"):
        import_ava(ava, tmp_path / "made")
    test = ava / "ava_activespeaker_test_v1.0"
    ava_csv(test / "a.csv", [f"a,0.0,{BOX},,a:1"])
    ava_csv(test / "b.csv", [f"b,0.0,{BOX},NOT_SPEAKING,b:1"])
    with pytest.raises(DataError, match=r"test: 1 of 2 faces have no label, in .*a\.csv"):
        import_ava(ava, tmp_path / "made", splits=("test",))


def test_damaged_files_are_told_together(ava, tmp_path):
    train = ava / "ava_activespeaker_train_v1.0"
    ava_csv(train / "a.csv", [f"a,nan,{BOX},NOT_SPEAKING,a:1", f"a,0.0,{BOX},TALKING,a:1"])
    ava_csv(train / "b.csv", [f"b,0.0,{BOX},NOT_SPEAKING,b:1"] * 2)
    ava_csv(train / "c.csv", ["c;0.0"])
    (train / "d.csv").write_bytes(b"")
    ava_csv(train / "e.csv", [f"{v},{t},{BOX},NOT_SPEAKING,e:1" for v, t in (("e", 0), ("f", 1))])
    with pytest.raises(SchemaError) as error:
        import_ava(ava, tmp_path / "made", splits=("train",))
    said = error.value.message
    assert "6 problems in 5 of 6 files" in said
    assert "a.csv:1: column frame_timestamp: 'nan' is not a finite number" in said
    assert "a.csv:2: column label: 'TALKING' is none of" in said
    assert "b.csv:2: b:1 at 0.00 s is there twice" in said
    assert "c.csv:1: neither a header nor a row" in said
    assert "d.csv: the file is empty" in said
    assert "e.csv:2: e:1 at 1.00 s is of a track that is in another video too" in said
    assert not (tmp_path / "made").exists()


def test_a_track_in_two_files_is_refused(ava, tmp_path):
    train = ava / "ava_activespeaker_train_v1.0"
    ava_csv(ava / "ava_activespeaker_val_v1.0/a.csv", [f"{ONE},1.0,{BOX},NOT_SPEAKING,{E}"])
    with pytest.raises(DataError, match="1 tracks are in two files: ") as error:
        import_ava(ava, tmp_path / "made")
    assert str(train) in error.value.message


def test_which_split_files_are_of_must_be_seen_or_said(ava, tmp_path):
    loose = tmp_path / "loose"
    (ava / "ava_activespeaker_train_v1.0").rename(loose)
    with pytest.raises(UsageError, match="which split are the 1 csv files"):
        import_ava(loose, tmp_path / "made")
    assert import_ava(loose, tmp_path / "made", splits=("val",)).splits[0].split == "val"
    with pytest.raises(UsageError, match=r"no csv files of the split test; found: val"):
        import_ava(ava, tmp_path / "other", splits=("test",))
    (tmp_path / "nothing").mkdir()
    with pytest.raises(UsageError, match="has no csv files"):
        import_ava(tmp_path / "nothing", tmp_path / "other")
    one = next(loose.iterdir())
    assert import_ava(one, tmp_path / "single", splits=("train",)).splits[0].faces == 6
    with pytest.raises(DestinationError, match="lies inside the source"):
        import_ava(loose, loose / "made", splits=("val",))


# ------------------------------------------------------------------------------ which split


def asc(folder, names):
    """One file with ten columns for each name; a video of its own in each."""
    for number, name in enumerate(names):
        video = f"video_{number:04}"
        write_csv(folder / name, [face(video, "0.04", f"{video}:0", 1)])
    return folder


def splits_in(report):
    return {one.split: list(one.videos) for one in report.splits}


@pytest.mark.parametrize("form", one_in(2, [
    "ava_activespeaker_{}_augmented.csv", "{}.csv", "AVA-{}-v1.0.CSV", "x_{}_y.csv",
]))  # fmt: skip
def test_files_of_two_splits_in_one_folder_go_to_their_own(run, tmp_path, form):
    """ASC's bundle, and others that are named like it; `--split` must not give it all of them."""
    source = asc(tmp_path / "csv", [form.format("train"), form.format("val")])
    wanted = {"train": ["video_0000"], "val": ["video_0001"]}
    assert splits_in(import_ava(source, tmp_path / "made")) == wanted
    for split, videos in wanted.items():
        made = import_ava(source, tmp_path / f"only {split}", splits=(split,))
        assert splits_in(made) == {split: videos}
        one = source / form.format(split)
        ran = run("import", "ava", one, "--destination", tmp_path / f"one {split}")
        assert ran.code == 0
        assert (tmp_path / f"one {split}/csv/{split}_orig.csv").is_file()
    ran = run("import", "ava", source, "--split", "test", "--destination", tmp_path / "t")
    assert ran.code == 2
    assert "no csv files of the split test; found: train, val" in ran.stderr


@pytest.mark.parametrize(
    ("names", "split", "said"),
    [
        (["ava_val.csv"], "train", "no csv files of the split train; found: val"),
        (["a_train.csv", "b.csv"], "train", "the names of some csv files say their split"),
        (["a.csv", "trainval.csv", "train_val.csv"], None, "which split are the 3 csv files"),
        (["a_train.csv", "b_val.csv", "c.csv"], None, "those of others do not: c.csv"),
    ],
)
def test_a_split_that_a_name_contradicts_is_refused(tmp_path, names, split, said):
    source = asc(tmp_path / "annotations", names)
    with pytest.raises(UsageError, match=said):
        import_ava(source, tmp_path / "made", splits=(split,) if split else ())
    assert not (tmp_path / "made").exists()


# ------------------------------------------------------------------------------ archives


def packed(path, folder):
    """Pack a folder's files with the standard library's own idea of the format."""
    if path.suffix == ".zip":
        return shutil.make_archive(str(path)[:-4], "zip", folder)
    kind = {"tgz": "gz", "tar": ""}.get(path.suffix[1:], path.suffix[1:])
    with tarfile.open(path, f"w:{kind}") as archive:
        archive.add(folder, folder.name)
    return path


@pytest.mark.parametrize("ending", one_in(3, ["zip", "tar", "tar.bz2", "tar.gz"]))
def test_archives_are_taken_as_they_are(run, ava, tmp_path, ending):
    """v1.0 in one archive a split, in one for both, and TalkNet's bundle; each as its folder."""
    import_ava(ava, tmp_path / "plain")
    wanted = tree(tmp_path / "plain")
    bundle = tmp_path / "bundle/csv"
    bundle.mkdir(parents=True)
    for path in (tmp_path / "plain/csv").iterdir():
        shutil.copy(path, bundle)
    (bundle / "train_loader.csv.txt").write_text("no csv file")
    apart = tmp_path / "apart"
    apart.mkdir()
    for folder in ava.iterdir():
        packed(apart / f"{folder.name}.{ending}", folder)
    for number, (source, splits) in enumerate((
        (apart, ()),
        (apart / f"ava_activespeaker_train_v1.0.{ending}", ("train",)),
        (packed(tmp_path / f"ava.{ending}", ava), ()),
        (packed(tmp_path / f"csv.{ending}", bundle.parent), ()),
    )):  # fmt: skip
        made = tmp_path / f"made {number}"
        ran = run("import", "ava", source, "--destination", made, "--jobs", "1")
        assert ran.code == 0, ran.stderr
        names = [name for name in wanted if not splits or any(s in name for s in splits)]
        assert {n: c for n, c in tree(made).items() if n.endswith(".csv")} == {
            name: wanted[name] for name in names if name.endswith(".csv")
        }
        assert not [name for name in os.listdir(made) if name.startswith(".csv-")]


def test_what_is_wrong_in_an_archive_is_said_of_the_archive(ava, tmp_path):
    (ava / "ava_activespeaker_val_v1.0/b.csv").write_text(f"b,soon,{BOX},NOT_SPEAKING,b:1\n")
    source = Path(packed(tmp_path / "ava.tar.gz", ava))
    with pytest.raises(SchemaError) as caught:
        import_ava(source, tmp_path / "made")
    assert ".csv-" not in caught.value.message
    assert (
        f"{source}/ava/ava_activespeaker_val_v1.0/b.csv:1: column frame_timestamp: 'soon'"
        in (caught.value.problems[0])
    )
    source.write_bytes(source.read_bytes()[:200])
    with pytest.raises(ArchiveError, match="ava.tar.gz cannot be read"):
        import_ava(source, tmp_path / "made")
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        content = f"b,0.04,{BOX},NOT_SPEAKING,b:1\n".encode()
        info = tarfile.TarInfo("../val.csv")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    with pytest.raises(ArchiveError, match=r"'\.\./val\.csv' climbs out"):
        import_ava(tmp_path / "evil.tar", tmp_path / "made")
    (tmp_path / "films").mkdir()
    (tmp_path / "films/a.mp4").touch()
    empty = Path(packed(tmp_path / "films.zip", tmp_path / "films"))
    with pytest.raises(ArchiveError, match="has no csv files"):
        import_ava(empty, tmp_path / "made")
    assert not (tmp_path / "made").exists()


# ------------------------------------------------------------------------------ WASD

DIVISION = "# Police\n-0BRxm7G1ac\n\n# Interview\nh3QmdQeOGLU\nWZkEgX7l_Qs\n#Police\nWZkEgX7l_Qs\n"


@pytest.fixture
def wasd(tmp_path):
    root = tmp_path / "wasd"
    for split, youtube in (("train", "h3QmdQeOGLU"), ("val", "WZkEgX7l_Qs")):
        video = f"{youtube}_1449-1479"
        rows = [face(video, t, f"{video}:0", n, n) for t, n in (("0.0", 0), ("0.03", 1))]
        if split == "val":
            other = "-0BRxm7G1ac_0-30"
            rows += [face(other, "0.0", f"{other}:0", 1), face(other, "0.03", f"{other}:0", 0, 1)]
        write_csv(root / f"csv/{split}_orig.csv", rows)
    (tmp_path / "dataset_division.txt").write_text(DIVISION)
    return root


def test_categories_are_written_as_eval_reads_them(wasd, tmp_path):
    report = import_wasd(wasd, tmp_path / "dataset_division.txt", tmp_path / "made")
    assert [(one.split, one.faces, one.positives) for one in report.splits] == [
        ("train", 2, 1), ("val", 4, 2),
    ]  # fmt: skip
    for split in ("train", "val"):
        path = f"csv/{split}_orig.csv"
        assert (tmp_path / "made" / path).read_bytes() == (wasd / path).read_bytes()
    categories = tmp_path / "made" / report.categories
    # In the papers' names and order; the id that is in two counts to the last, as is said.
    assert categories.read_text() == (
        "id,category\nh3QmdQeOGLU_1449-1479,OC\nWZkEgX7l_Qs_1449-1479,SS\n-0BRxm7G1ac_0-30,SS\n"
    )
    assert report.warnings == ("WZkEgX7l_Qs is in OC and in SS: it counts to the last",)
    assert read_categories(categories)["-0BRxm7G1ac_0-30"] == "SS"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there are no categories"),
        ("h3QmdQeOGLU\n", ":1: 'h3QmdQeOGLU' is no id below a line `# Category`"),
        ("# A\ntwo words\n", ":2: 'two words' is no id"),
        ("# A\nunknown\n", "has none of the 3 videos, the first is h3QmdQeOGLU_1449-1479"),
    ],
)
def test_a_division_that_is_none(wasd, tmp_path, text, said):
    path = tmp_path / "dataset_division.txt"
    path.write_text(text)
    with pytest.raises(DataError) as error:
        import_wasd(wasd, path, tmp_path / "made")
    assert said in error.value.message
    assert not (tmp_path / "made").exists()
    with pytest.raises(UsageError, match="is no file"):
        import_wasd(wasd, tmp_path / "nowhere.txt", tmp_path / "made")
