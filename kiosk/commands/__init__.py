"""The command line, one file per group of commands; with `kiosk/__main__.py` the composition root."""
