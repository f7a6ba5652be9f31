"""Where pictures come from - a webcam, a video, a folder, the kiosk's page - each with its time."""
