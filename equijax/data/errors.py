"""Errors about data: each message says which file, what is wrong with it and what to do."""


class DataError(ValueError):
    """A data file is corrupt, malformed, or lacks something that was asked of it.

    Example:
      >>> raise DataError("water.xyz, frame 3: no forces")
      Traceback (most recent call last):
      equijax.data.errors.DataError: water.xyz, frame 3: no forces
    """


class DataUnavailableError(DataError, FileNotFoundError):
    """A file is not there, and not to be had from its address if it has one.

    Example:
      >>> issubclass(DataUnavailableError, FileNotFoundError)
      True
    """
