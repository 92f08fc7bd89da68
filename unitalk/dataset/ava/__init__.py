"""AVA-ActiveSpeaker: its videos fetched, and made into a dataset."""
