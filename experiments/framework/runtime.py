"""Settings of JAX that a run needs before JAX starts."""

import contextlib
import importlib.metadata
import os
from collections.abc import Iterator

from experiments.framework.environment import cores
from experiments.framework.errors import UsageError

_FLAG = "xla_force_host_platform_device_count"


def keep_compiled_programs() -> None:
    """Keep compiled programs in the user cache between runs, unless the user chose a folder.

    JAX reads these variables when it is imported.
    """
    from equijax.data.store import cache_folder

    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(cache_folder() / "jax"))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.5")


def provide_host_devices(config) -> None:
    """Split the CPU into as many devices as a configuration asks for, so that it can be used by ``pmap``.

    Nothing happens if the configuration has no ``host_devices``, or if the user has set the number by
    ``XLA_FLAGS`` or ``JAX_NUM_CPU_DEVICES``. Other platforms than the CPU are left alone by JAX.

    Args:
      config: with ``host_devices``, at least 1, or 0 for as many as there are cores.

    Raises:
      UsageError: if the number is no such number, or JAX has started a back end already.
    """
    wanted = getattr(config, "host_devices", None)
    if wanted is None or _FLAG in os.environ.get("XLA_FLAGS", "") or os.environ.get("JAX_NUM_CPU_DEVICES"):
        return
    if isinstance(wanted, bool) or not isinstance(wanted, int) or wanted < 0:
        raise UsageError(f"host_devices must be a number of devices, or 0 for one a core, got {wanted!r}")
    import jax

    try:
        jax.config.update("jax_num_cpu_devices", wanted or cores())
    except RuntimeError as error:
        raise UsageError(
            f"importing the experiment must not start JAX's back end, but it did: {error}"
        ) from None


# Options of XLA with which it compiles for a CPU several times as fast, and the programs run slower.
_QUICK = "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1"
# XLA ends the process at an option that it does not know: newer versions are left alone.
_QUICK_BELOW = (0, 11)


def quick_flags(flags: str) -> str:
    """Options of XLA, and with them those that make compiling for a CPU quicker; for ``XLA_FLAGS``.

    Example:
      >>> quick_flags("--xla_dump_to=x --xla_cpu_use_fusion_emitters=true")
      '--xla_dump_to=x --xla_cpu_use_fusion_emitters=true'
    """
    version = tuple(int(part) for part in importlib.metadata.version("jaxlib").split(".")[:2])
    if version >= _QUICK_BELOW or _QUICK.split("=")[0] in flags:
        return flags
    return f"{flags} {_QUICK}".strip()


@contextlib.contextmanager
def compiling_quickly() -> Iterator[None]:
    """Within this context JAX compiles without most optimisations.

    For runs whose programs are called a few times only, where compiling costs far more than running. Half of
    the gain needs JAX's back end not to have started yet.
    """
    import jax

    flags = os.environ.get("XLA_FLAGS", "")
    before = jax.config.values["jax_disable_most_optimizations"]
    os.environ["XLA_FLAGS"] = quick_flags(flags)
    jax.config.update("jax_disable_most_optimizations", True)
    try:
        yield
    finally:
        jax.config.update("jax_disable_most_optimizations", before)
        os.environ["XLA_FLAGS"] = flags
