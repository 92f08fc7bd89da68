"""The field's models: their networks, their weights, training and prediction.

`registry` makes a network by its name (`talknet`, `light_asd`) and loads its weights; `features` is
what networks hear, `augment` what training changes. `data` reads batches; `train` trains, in one
process or in several (`distributed`), and keeps `run_files`; `predict` scores a split with
`track_scores`. `weights` has the published checkpoints' files and needs no PyTorch.
"""
