"""The kiosk's own page, served on this machine alone: the visitor's camera, and how to sit before it."""
