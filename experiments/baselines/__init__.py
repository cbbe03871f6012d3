"""The ordinary networks that papers compare with, shared by experiments."""
