"""The words that sensors, analytics and api speak: signals, measures, messages, topics, bus, recordings."""
