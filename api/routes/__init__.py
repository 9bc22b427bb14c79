"""The endpoints, one group a file."""

from api.routes import (
    capture,
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
    protection,
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
    overview.router,
    forecasts.router,
    flows.router,
    disruptions.router,
    parties.router,
    places.router,
    devices.router,
    health.router,
)
