"""Heart rate, its variability and breath from the colour of the skin (remote photoplethysmography)."""
