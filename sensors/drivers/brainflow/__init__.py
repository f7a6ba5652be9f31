"""Boards that the BrainFlow library knows."""
