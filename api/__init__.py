"""Owns the database: recorder, store, closing, REST and dashboard."""
