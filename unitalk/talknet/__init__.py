"""TalkNet, the baseline of active speaker detection: its network, its training, its scores.

`networks` makes TalkNet (`model`, of `visual`, `audio` and `attention`) and Light-ASD (`light_asd`)
and loads their weights; `features` is what they hear, `augment` what training changes. `data` reads
batches; `train` trains, alone or with others (`distributed`), and keeps `checkpoints`; `predict`
scores a split, by `scoring`.
"""

from unitalk.errors import MissingExtraError

try:
    import torch  # noqa: F401 - asked for here once, so that all modules say the same
except ImportError as error:
    raise MissingExtraError(
        "TalkNet needs PyTorch", hint='pip install "unitalk[talknet]"'
    ) from error
