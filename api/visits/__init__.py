"""The clinic's side of a visitor's visit: what they told goes into the record, their results go back to the kiosk."""
