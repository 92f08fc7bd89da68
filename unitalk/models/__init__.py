"""The field's models: their networks, their weights, training and prediction.

`contract` says what the data gives a network and what a network gives to training and prediction;
`registry` makes a network by its name (`talknet`, `light_asd`, built of shared `layers`, or one
from outside, found by `plugins`) and loads its weights from `weight_files`. `features` is what
networks hear, `augment` what training changes; `data` reads batches, and `read_ahead` does it in
other processes. `train` opens a `training_run`, in one process or in several (`distributed`), which
leaves `run_files`. `predict` scores a split with `track_scores`. `weights` has the published
checkpoints' files and needs no PyTorch.
"""
