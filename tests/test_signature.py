"""The signature: what it says, and that a program reads back what it says."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

import unitalk
from unitalk import Signature, UsageError, parse_signature

PLAIN = Signature(videos=22, tracks=58, faces=3077, positives=1352, gt="3f5e3fdc0e85a66d")
FULL = dataclasses.replace(
    PLAIN,
    eval="-24110",
    partial="-3+4",
    ci="x",
    unit="video",
    resamples=1000,
    seed=0,
    unitalk="9.9",
)

counts = st.integers(0, 10**9)
words = st.text("abcdefghijklmnopqrstuvwxyz0123456789.-+", min_size=1, max_size=16)


def test_the_long_form_spells_every_field_out():
    version = unitalk.__version__
    assert PLAIN.long() == (
        "ap:ava|ties:grouped|videos:22|tracks:58|faces:3077|positives:1352|gt:3f5e3fdc0e85a66d|"
        f"unitalk:{version}"
    )
    assert FULL.long() == (
        "ap:ava|ties:grouped|videos:22|tracks:58|faces:3077|positives:1352|gt:3f5e3fdc0e85a66d|"
        "eval:-24110|partial:-3+4|ci:x|unit:video|resamples:1000|seed:0|unitalk:9.9"
    )


def test_the_short_form_says_the_same_with_letters():
    assert FULL.short() == (
        "ap:ava|t:grouped|v:22|n:58|f:3077|p:1352|g:3f5e3fdc0e85a66d|e:-24110|-:-3+4|ci:x|u:video|"
        "r:1000|s:0|unitalk:9.9"
    )
    assert len(FULL.short()) < len(FULL.long())


def test_seed_0_is_a_seed():
    assert parse_signature(FULL.long()).seed == 0
    assert parse_signature(PLAIN.long()).seed is None


drawn = st.fixed_dictionaries(
    {"ci": words, "unit": st.sampled_from(["video", "track"]), "resamples": counts, "seed": counts}
)


@given(
    st.builds(
        Signature,
        videos=counts, tracks=counts, faces=st.just(10**9), positives=counts,
        gt=st.text("0123456789abcdef", min_size=16, max_size=16), ap=words, ties=words,
        eval=st.none() | counts.map("-{}".format), partial=st.none() | words, unitalk=words,
    ),
    st.just({}) | drawn,
)  # fmt: skip
def test_both_forms_are_read_back(signature, resampled):
    signature = dataclasses.replace(signature, **resampled)
    assert parse_signature(signature.long()) == signature
    assert parse_signature(f" {signature.short()}\n") == signature


@pytest.mark.parametrize(
    "text",
    ["", "83.2", "ap:ava", "ap:ava|ties:grouped", PLAIN.long() + "|", PLAIN.long() + "|faces:1",
     PLAIN.long() + "|colour:red", PLAIN.long().replace("3077", "3,077"),
     PLAIN.long().replace("3077", ""), PLAIN.long().replace("3077", "-1"),
     PLAIN.long().replace("|gt:3f5e3fdc0e85a66d", ""), PLAIN.long().replace("3f5e", "3F5E"),
     PLAIN.long().replace("3077", "1351"), FULL.long().replace("|seed:0", ""),
     FULL.long().replace("|ci:x", ""), FULL.long().replace("|unit:video", ""),
     FULL.long().replace("-24110", "24110"),
     FULL.long().replace("unit:video", "unit:face")],
)  # fmt: skip
def test_what_is_no_signature_is_refused(text):
    with pytest.raises(UsageError, match="is not a signature") as error:
        parse_signature(text)
    assert error.value.hint


def test_what_an_evaluation_signs_is_what_it_counted(dataset, tmp_path):
    truth = unitalk.read_groundtruth(dataset / "csv/val_orig.csv")
    guess = truth.drop(columns=["label", "label_id", "instance_id"])
    guess = guess.assign(score=[index / 7 for index in range(len(guess))])
    result = unitalk.evaluate(truth, guess, ci=200, seed=7)
    signed = parse_signature(result.signature)
    assert signed.long() == result.signature
    assert (signed.videos, signed.tracks, signed.faces, signed.positives) == (
        truth["video_id"].nunique(),
        truth["entity_id"].nunique(),
        len(truth),
        truth["label"].eq("SPEAKING_AUDIBLE").sum(),
    )
    assert (signed.unit, signed.resamples, signed.seed) == ("video", 3, 7)  # one a video
    assert signed.ci
    assert signed.partial is None
    some = unitalk.evaluate(truth, guess.iloc[1:], partial=True)
    assert parse_signature(some.signature).partial == "-1+0"
    assert parse_signature(some.signature).ci is None
