import pytest


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Keep the tests out of the cache of whoever runs them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GATEGRAD_CACHE_DIR", str(tmp_path_factory.mktemp("cache") / "machine-code"))
        yield
