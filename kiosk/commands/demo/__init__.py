"""What `kiosk demo-data` needs of sensors and api together: simulated recordings, whole visits recorded and closed."""
