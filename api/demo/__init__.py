"""A clinic that never was: invented people, and what kiosks would have measured of them. Everything is simulated.

It shows what the product looks like in use. It verifies no accuracy, and no number of it means anything.
"""
