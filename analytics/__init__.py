"""Messages or recordings in, readings out. No SQL, no HTTP, no hardware."""
