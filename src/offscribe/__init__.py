"""Offscribe: offline speech transcription that people can rely on."""

from importlib.metadata import version

__version__ = version("offscribe")
