"""Other libraries' products of signals on the sphere, in one form. None is needed: those found are timed."""
