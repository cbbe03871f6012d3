"""What every experiment shares: discovery, command line, reports, published results.

An experiment is a module or package directly under ``experiments/``. Its docstring starts with what it
shows, and gives the command, the expected run time and the expected numbers. It defines

- ``Config``, a frozen dataclass: all that the result depends on, so that a run can be resumed and repeated.
  ``host_devices: int``, if it has one, asks for that many CPU devices (0: as many as there are cores);
- ``PRESETS``, a dictionary with literal names of at least a ``"smoke"`` configuration;
- ``run(config, workdir) -> Report``, which leaves all that it needs to resume in ``workdir``;
- ``COMMANDS`` if it likes, a dictionary with literal names of further commands: functions (or callable
  dataclasses) whose arguments become options, with ``workdir: pathlib.Path`` among them.

Adding the file adds the experiment. It must not start a JAX back end while it is imported.
"""

from experiments.framework.configuration import load_config
from experiments.framework.report import Claim, Report, Row

__all__ = ["Claim", "Report", "Row", "load_config"]
