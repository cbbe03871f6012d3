"""Training: a data-parallel loop that resumes exactly, its batches, checkpoints and multi-host start-up."""

from equijax.training.batches import ShuffledBatches as ShuffledBatches
from equijax.training.checkpoints import CorruptCheckpointError as CorruptCheckpointError
from equijax.training.checkpoints import restore_checkpoint as restore_checkpoint
from equijax.training.checkpoints import save_checkpoint as save_checkpoint
from equijax.training.distributed import initialize_distributed as initialize_distributed
from equijax.training.distributed import shard_for_host as shard_for_host
from equijax.training.loop import FitResult as FitResult
from equijax.training.loop import fit as fit
from equijax.training.rotation import restore_params as restore_params
