"""Streams of the lab streaming layer (Kothe et al. 2024, doi:10.1101/2024.02.13.580071)."""
