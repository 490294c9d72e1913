"""Processes that train one model together: each has some rows of each batch; gradients are summed.

The variable TF_CONFIG of the environment names the processes, as TensorFlow reads it: Kubeflow's
TFJob and Vertex set it. Every process has all weights, which start from the same seed and change by
the same sums, so they stay equal. Sums are computed by TensorFlow's collective operations, between
GPUs by NCCL.
"""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf


class Workers:
    """All processes, seen from one of them; to be made before TensorFlow computes anything.

    Attributes:
      index: the number of this process, from 0.
      count: how many there are.
    """

    def __init__(self) -> None:
        # A process trains on one device: with several, sums would count its gradient several times.
        for gpu in tf.config.list_physical_devices("GPU")[:1]:
            tf.config.set_visible_devices(gpu, "GPU")
        resolver = tf.distribute.cluster_resolver.TFConfigClusterResolver()
        self._strategy = tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=resolver)
        self.count = self._strategy.num_replicas_in_sync
        is_second = resolver.task_type == "worker" and "chief" in resolver.cluster_spec().jobs
        self.index = resolver.task_id + is_second
        self._sum = tf.function(self.sum, reduce_retracing=True)

    @property
    def is_chief(self) -> bool:
        """Whether this process writes the results."""
        return self.index == 0

    def sum(self, values: tf.Tensor) -> tf.Tensor:
        """Return the sum of each value over all processes, the same to the bit in all of them."""
        with self._strategy.scope():  # Keras calls its steps in the scope of one device
            own = self._strategy.run(lambda: values)
            return self._strategy.reduce(tf.distribute.ReduceOp.SUM, own, axis=None)

    def of_chief(self, value: float) -> float:
        """Return the chief's value in all processes."""
        own = tf.constant([value if self.is_chief else 0.0], tf.float64)
        return float(self._sum(own)[0])

    def mean(
        self, loss: tf.Tensor, gradients: Sequence[tf.Tensor], rows: tf.Tensor
    ) -> tuple[tf.Tensor, list[tf.Tensor], tf.Tensor]:
        """Return the mean loss and gradients over the rows of all processes, and their number.

        Args:
          loss: the mean over the rows of this process.
          gradients: of it.
          rows: how many there are.
        """
        share = tf.cast(rows, tf.float32)
        own = [tf.reshape(each, [-1]) * share for each in (loss, *gradients)]
        # one sum of all values: each has to wait for the slowest process
        whole = self.sum(tf.concat([*own, share[tf.newaxis]], axis=0))
        sizes = [1, *(each.shape.num_elements() for each in gradients), 1]
        total, *parts, count = tf.split(whole, sizes)
        means = [tf.reshape(p / count, g.shape) for p, g in zip(parts, gradients, strict=True)]
        return (total / count)[0], means, tf.cast(count[0], tf.int32)


def rounded_up(batch: int, workers: Workers | None) -> int:
    """Return the rows of a batch of which each process has the same number."""
    return batch if workers is None else -(-batch // workers.count) * workers.count


def share_of(workers: Workers | None) -> tuple[int, int]:
    """Return which rows of a batch a process has: every `count`-th one, from `index` on."""
    return (0, 1) if workers is None else (workers.index, workers.count)
