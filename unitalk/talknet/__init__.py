"""TalkNet, the baseline of active speaker detection: its network, its training, its scores."""
