import re

import pytest

from equijax.data import catalog, registry, store

FILES = [
    pytest.param(name, part, file, id=f"{name}-{part}")
    for name, entry in registry.ENTRIES.items()
    for part, file in entry.files.items()
]


def test_every_entry_can_be_loaded_and_every_set_has_an_entry():
    assert set(registry.ENTRIES) == set(catalog.names())


@pytest.mark.parametrize(("name", "part", "file"), FILES)
def test_files_are_pinned(name, part, file):
    assert re.fullmatch("[0-9a-f]{64}", file.sha256)
    assert not file.path.startswith("/")
    if file.converted:
        assert file.url is None
    elif file.url is None:
        assert store.sha256(store.EMBEDDED / file.path) == file.sha256, "update the hash in the registry"
    else:
        assert re.search("/[0-9a-f]{40}/", file.url), "a URL names a commit"
        assert file.url.endswith(file.path.rsplit("/", 1)[1])


@pytest.mark.parametrize("name", registry.ENTRIES)
def test_entries_are_complete(name):
    entry = registry.ENTRIES[name]
    assert all([entry.summary, entry.origin, entry.licence, entry.citation])
