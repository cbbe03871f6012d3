"""What a number depends on besides the program: commit, class of machine, versions. No names, no paths."""

import importlib.metadata
import os
import pathlib
import platform
import re
import subprocess
import sys

_PACKAGES = (
    "equijax",
    "jax",
    "jaxlib",
    "flax",
    "optax",
    "e3nn-jax",
    "jraph",
    "orbax-checkpoint",
    "numpy",
    "scipy",
)


def describe(root: pathlib.Path) -> dict:
    """Commit of the repository at ``root``, processor, cores, devices, and versions of packages."""
    return {
        "commit": commit(root),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": cores(),
        "devices": _devices(),
        "packages": _versions(),
    }


def commit(root: pathlib.Path) -> str:
    """The commit's hash, with ``-changed`` if other files than results differ from it, or ``unknown``."""
    head = _git(root, "rev-parse", "--short=12", "HEAD")
    if not head:
        return "unknown"
    changed = _git(root, "status", "--porcelain", "--", ".", ":(exclude)results", ":(exclude)EXPERIMENTS.md")
    return f"{head}-changed" if changed else head


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _git(root: pathlib.Path, *arguments: str) -> str:
    """Output of a git command; empty if it fails or git is missing."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _processor() -> str:
    """The processor's model."""
    info = pathlib.Path("/proc/cpuinfo")
    if info.is_file():
        match = re.search(r"^model name\s*:\s*(.+)$", info.read_text(encoding="utf-8"), re.MULTILINE)
        if match:
            return " ".join(match[1].split())
    if sys.platform == "darwin":
        done = subprocess.run(
            ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.stdout.strip():
            return done.stdout.strip()
    return platform.processor() or platform.machine()


def _devices() -> str:
    """Kinds of devices of JAX, if the run has used it."""
    if "jax" not in sys.modules:
        return "none"
    kinds = [device.device_kind for device in sys.modules["jax"].local_devices()]
    return ", ".join(f"{kinds.count(kind)} × {kind}" for kind in dict.fromkeys(kinds))


def _versions() -> dict[str, str]:
    """Versions of the packages that results depend on, where they are installed."""
    versions = {}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
