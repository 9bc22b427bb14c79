"""Which open handoffs will be late: probabilities from what was known when they were released.

The history features (late rates of the lane, the sender, the destination; smoothed, over all time and the last year) use
only outcomes that were known at the moment of prediction. That, and not the model, is where the information is.
"""

from __future__ import annotations

import heapq
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import cos, log1p, pi, sin
from typing import Any

import numpy as np

from forecasting.metrics import Array, calibration

FEATURES = (
    "lane", "sender", "destination", "pair", "overall", "recent lane", "recent sender", "recent pair", "recent overall",
    "lane seen", "days promised", "quantity", "month sin", "month cos", "weekday",
)  # fmt: skip
_RECENT = timedelta(days=365)
_PRIOR = 6.0
_FEWEST_LATE = 40
_HALF_LIFE_DAYS = 365.0
_TEST_SHARE = 0.25


@dataclass(frozen=True)
class Journey:
    """A handoff with a promise. ``arrived`` None: not yet, as far as is known."""

    id: str
    released: datetime
    promised: datetime
    arrived: datetime | None
    sender: str
    receiver: str
    origin: str
    destination: str
    country: str
    quantity: float
    evidence: tuple[str, ...] = ()
    item: str = ""

    @property
    def late(self) -> bool:
        """Whether it arrived after its promise, or has not arrived."""
        return self.arrived is None or self.arrived > self.promised

    @property
    def known(self) -> datetime:
        """When the outcome was known: on arrival, or when the promise was broken."""
        return self.promised if self.late else self.arrived  # type: ignore[return-value]


@dataclass
class _Rate:
    """Late ones of how many, over all time and over the last year."""

    late: int = 0
    count: int = 0
    recent: deque[tuple[datetime, bool]] = field(default_factory=deque)
    recent_late: int = 0

    def add(self, moment: datetime, late: bool) -> None:
        self.late += late
        self.count += 1
        self.recent.append((moment, late))
        self.recent_late += late

    def forget(self, before: datetime) -> None:
        while self.recent and self.recent[0][0] < before:
            self.recent_late -= self.recent.popleft()[1]

    def smoothed(self, towards: float) -> float:
        return (self.late + _PRIOR * towards) / (self.count + _PRIOR)

    def recently(self, towards: float) -> float:
        return (self.recent_late + _PRIOR * towards) / (len(self.recent) + _PRIOR)


class Record:
    """Rates as they were known at a moment that only moves forward."""

    def __init__(self) -> None:
        self._rates: defaultdict[tuple[str, str], _Rate] = defaultdict(_Rate)
        self._pending: list[tuple[datetime, int, Journey]] = []
        self._count = 0

    def expect(self, journey: Journey) -> None:
        """A journey whose outcome will be known some day."""
        self._count += 1
        heapq.heappush(self._pending, (journey.known, self._count, journey))

    def advance(self, now: datetime) -> None:
        """Learn the outcomes that are known before ``now``."""
        while self._pending and self._pending[0][0] < now:
            moment, _, journey = heapq.heappop(self._pending)
            for key in _keys(journey).values():
                self._rates[key].add(moment, journey.late)

    def features(self, journey: Journey, now: datetime) -> Array:
        """What is known of a journey at ``now``, in the order of ``FEATURES``."""
        self.advance(now)
        keys = _keys(journey)
        rates = {name: self._rates[key] for name, key in keys.items()}
        for rate in rates.values():
            rate.forget(now - _RECENT)
        overall = rates["overall"].smoothed(0.1)
        lately = rates["overall"].recently(overall)
        sender = rates["sender"].smoothed(overall)
        recent_sender = rates["sender"].recently(lately)
        angle = 2 * pi * journey.promised.timetuple().tm_yday / 365.25
        return np.array(
            [
                rates["lane"].smoothed(sender),
                sender,
                rates["destination"].smoothed(overall),
                rates["pair"].smoothed(sender),
                overall,
                rates["lane"].recently(recent_sender),
                recent_sender,
                rates["pair"].recently(recent_sender),
                lately,
                log1p(rates["lane"].count),
                (journey.promised - journey.released).total_seconds() / 86_400,
                log1p(max(journey.quantity, 0.0)),
                sin(angle),
                cos(angle),
                float(journey.promised.weekday()),
            ]
        )


def _keys(journey: Journey) -> dict[str, tuple[str, str]]:
    return {
        "lane": ("lane", f"{journey.origin}>{journey.destination}"),
        "sender": ("sender", journey.sender),
        "destination": ("destination", journey.destination),
        "pair": ("pair", f"{journey.sender}>{journey.country or journey.receiver}"),
        "overall": ("overall", ""),
    }


def training_rows(journeys: Sequence[Journey], as_of: datetime) -> tuple[Array, Array, list[Journey]]:
    """Features at release, and outcome, of every journey whose outcome is known by ``as_of``; by release."""
    record = Record()
    rows, outcomes, kept = [], [], []
    for journey in sorted(journeys, key=lambda j: (j.released, j.id)):
        if journey.released >= as_of:
            break
        features = record.features(journey, journey.released)
        record.expect(journey)
        if journey.known < as_of:
            rows.append(features)
            outcomes.append(float(journey.late))
            kept.append(journey)
    return np.array(rows).reshape(-1, len(FEATURES)), np.array(outcomes), kept


class LateModel:
    """The mean of three opinions: the lane's late rate in the last year, a logistic regression on all rates, and a small
    gradient boosting. Recent journeys weigh more.

    Each alone is worse on the years after (benchmarks/late_risk.py): larger trees learn shipments by heart. With too few late journeys it is the smoothed rate of the lane and says so in ``note``.
    """

    def __init__(self) -> None:
        self._boosted: Any = None
        self._linear: Any = None
        self.note: str | None = None

    def fit(self, rows: Array, outcomes: Array, released: Sequence[datetime]) -> LateModel:
        """Learn; needs enough of both outcomes."""
        late = int(outcomes.sum())
        if late < _FEWEST_LATE or len(outcomes) - late < _FEWEST_LATE:
            self.note = f"only {late} of {len(outcomes)} journeys were late: the lane's smoothed late rate is used"
            return self
        from sklearn.ensemble import HistGradientBoostingClassifier
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        age = np.array([(released[-1] - moment).total_seconds() / 86_400 for moment in released])
        weights = 0.5 ** (age / _HALF_LIFE_DAYS)
        self._boosted = HistGradientBoostingClassifier(
            max_iter=60,
            learning_rate=0.05,
            max_leaf_nodes=6,
            min_samples_leaf=80,
            l2_regularization=10.0,
            random_state=7,
        ).fit(rows, outcomes, sample_weight=weights)
        self._linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.03, max_iter=500))
        self._linear.fit(_logit(rows), outcomes, logisticregression__sample_weight=weights)
        return self

    def predict(self, rows: Array) -> Array:
        """Probabilities of being late."""
        if len(rows) == 0:
            return np.empty(0)
        rate = np.clip(rows[:, FEATURES.index("recent lane")], 0.01, 0.99)
        if self._boosted is None:
            return rate
        fitted = self._boosted.predict_proba(rows)[:, 1] + self._linear.predict_proba(_logit(rows))[:, 1]
        return np.asarray((rate + fitted) / 3)


def _logit(rows: Array) -> Array:
    rates = np.clip(rows[:, :9], 0.005, 0.995)
    return np.column_stack([np.log(rates / (1 - rates)), rows[:, 9:]])


def evaluate(rows: Array, outcomes: Array, journeys: Sequence[Journey]) -> dict[str, Any]:
    """Learn from the first three quarters, judge on the last: never the other way round."""
    split = int(len(outcomes) * (1 - _TEST_SHARE))
    if split < 50 or len(outcomes) - split < 30:
        return {"note": "too few journeys to judge"}
    begin = journeys[split].released
    seen = [n for n in range(split) if journeys[n].known < begin]
    model = LateModel().fit(rows[seen], outcomes[seen], [journeys[n].released for n in seen])
    judged = calibration(model.predict(rows[split:]), outcomes[split:])
    plain = calibration(np.clip(rows[split:, FEATURES.index("recent lane")], 0.0, 1.0), outcomes[split:])
    return {**judged, "rateAlone": {"auc": plain["auc"], "brierSkill": plain["brierSkill"]}, "note": model.note}


@dataclass(frozen=True)
class Risk:
    """An open handoff's chance of being late, and why."""

    journey: Journey
    probability: float
    reasons: tuple[str, ...]


def risks(journeys: Sequence[Journey], as_of: datetime) -> tuple[list[Risk], dict[str, Any]]:
    """Probabilities for what is under way at ``as_of``, and how well such probabilities did before."""
    rows, outcomes, kept = training_rows(journeys, as_of)
    under_way = [j for j in journeys if j.released < as_of and (j.arrived is None or j.arrived >= as_of)]
    model = LateModel().fit(rows, outcomes, [journey.released for journey in kept])
    record = Record()
    for journey in journeys:
        if journey.released < as_of:
            record.expect(journey)
    features = [record.features(journey, as_of) for journey in under_way]
    chances = model.predict(np.array(features).reshape(-1, len(FEATURES)))
    on_time = _elapsed_shares([journey for journey in kept if not journey.late])
    found = [
        Risk(journey, *_now(journey, float(chance), row, as_of, on_time))
        for journey, chance, row in zip(under_way, chances, features, strict=True)
    ]
    found.sort(key=lambda risk: (-risk.probability, risk.journey.promised, risk.journey.id))
    return found, {**evaluate(rows, outcomes, kept), "trainedOn": len(outcomes), "fallback": model.note}


def _elapsed_shares(journeys: Sequence[Journey]) -> Array:
    """Of journeys in time: the share of the promised time they took."""
    shares = [_elapsed(journey, journey.arrived) for journey in journeys if journey.arrived is not None]
    return np.sort(np.array(shares))


def _elapsed(journey: Journey, moment: datetime | None) -> float:
    promised = (journey.promised - journey.released).total_seconds()
    assert moment is not None
    return (moment - journey.released).total_seconds() / max(promised, 3600.0)


def _now(journey: Journey, chance: float, row: Array, as_of: datetime, on_time: Array) -> tuple[float, tuple[str, ...]]:
    """The chance, given that it has not arrived yet: most that arrive in time have arrived by now (Bayes)."""
    days = (as_of - journey.promised).total_seconds() / 86_400
    if days > 0:
        return 1.0, (f"promised {days:.1f} days ago and not accepted yet",)
    share = _elapsed(journey, as_of)
    still = 1 - np.searchsorted(on_time, share) / len(on_time) if len(on_time) else 1.0
    probability = chance / (chance + (1 - chance) * max(still, 0.02))
    return float(np.clip(probability, 0.001, 0.999)), _reasons(row, share, still)


def _reasons(row: Array, share: float, still: float) -> tuple[str, ...]:
    known = dict(zip(FEATURES, row, strict=True))
    reasons = [
        f"{known['recent lane']:.0%} of this lane was late in the last year ({known['recent overall']:.0%} of all)"
    ]
    if known["recent sender"] > 1.25 * known["recent overall"]:
        reasons.append(f"{known['recent sender']:.0%} of this sender's handoffs were late")
    if still < 0.5:
        reasons.append(
            f"{share:.0%} of the promised time is gone; {1 - still:.0%} of those in time had arrived by then"
        )
    if known["lane seen"] < log1p(10):
        reasons.append("few journeys are known on this lane")
    return tuple(reasons)
