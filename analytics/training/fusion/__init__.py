"""Learned fusion of pulse, sweat, skin temperature and motion, its rivals, and which of them is better."""
