"""The endpoints, one group a file."""

from api.routes import (
    capture,
    devices,
    events,
    exceptions,
    handoffs,
    health,
    parties,
    places,
    things,
    trace,
)

ROUTERS = (
    capture.router,
    events.router,
    trace.router,
    things.router,
    handoffs.router,
    exceptions.router,
    parties.router,
    places.router,
    devices.router,
    health.router,
)
