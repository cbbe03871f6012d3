"""Experiments: each composes pieces of the library, configures them and compares with its paper."""
