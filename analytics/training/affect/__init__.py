"""Valence and arousal from ECG, EEG and both: what is learnt from, pipelines, protocols and their guards, the file."""
