"""Standards that others speak: what is stored here, said in their words."""
