"""The version of hubframe, and how it names itself to servers."""

__version__ = "0.1.0"

USER_AGENT = f"hubframe/{__version__} (container registries as pandas frames)"
