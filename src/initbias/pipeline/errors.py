"""Errors that a person can mend: the command line prints their message alone."""


class UserError(Exception):
    """Something outside the code is wrong; the message says what, where, and how to mend it."""


class ConfigurationError(UserError):
    """What is wrong with a configuration, a line for each error."""


class DeviceError(UserError):
    """The device that was asked for is not there."""


class MemoryTooSmall(UserError):
    """A shard needs more memory than there is."""


class MissingResults(UserError):
    """A stage was asked for before those that it builds on."""


class UnknownName(UserError):
    """No study, shard, figure or table has this name."""


class UsageError(UserError):
    """What the command line was given does not fit together or cannot be used."""


class StorageError(UserError):
    """A file or folder cannot be read or written."""


class Unfinished(UserError):
    """Some shards could not be measured, or some figures or tables not be drawn."""
