"""A supply network that makes EPCIS events with known truth: for demos, benchmarks and tests of detection.

>>> from simulation import SimulationConfig, simulate
>>> run = simulate(SimulationConfig(events=5_000, days=120, seed=7))
>>> events = [event for batch in run.batches() for event in batch.events]
>>> truth = run.truth()
"""

from simulation.config import Anomalies, SimulationConfig
from simulation.run import Simulation, document, simulate
from simulation.upload import Batch

__all__ = ["Anomalies", "Batch", "Simulation", "SimulationConfig", "document", "simulate"]
