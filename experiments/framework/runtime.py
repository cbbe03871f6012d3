"""Settings of JAX that a run needs before JAX starts."""

import os

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
