"""The endpoints, one group a file."""

from api.routes import (
    audit,
    capture,
    descriptions,
    devices,
    disruptions,
    events,
    exceptions,
    flows,
    forecasts,
    handoffs,
    health,
    overview,
    parties,
    places,
    prefixes,
    protection,
    quarantine,
    reassignment,
    refusals,
    things,
    trace,
)

ROUTERS = (
    capture.router,
    events.router,
    trace.router,
    protection.router,  # before things: the first path that fits a request answers for its methods
    things.router,
    handoffs.router,
    exceptions.router,
    refusals.router,
    overview.router,
    forecasts.router,
    flows.router,
    disruptions.router,
    reassignment.router,  # before what it reassigns, for the same reason
    parties.router,
    places.router,
    devices.router,
    descriptions.router,
    prefixes.router,
    quarantine.router,
    audit.router,
    health.router,
)
